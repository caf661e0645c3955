from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import text, update

from cardwriter.crypto.secret import Secret
from cardwriter.script import Purpose
from cardwriter.usim import files
from cardwriter.virtual.families import blank_of
from cardwriter.virtual.scp03 import ChannelKeys
from cardwriter.virtual.uicc import VirtualUicc
from inventory.domain.cardjobs import LEASE
from inventory.domain.errors import (
    CardUnknown,
    DomainError,
    HoldExpired,
    HoldKeyWrong,
    HoldNotActive,
    IllegalTransition,
    InvalidField,
    NoDataUnit,
    NotFound,
    SimNotFree,
    StationOffline,
    StationUnknown,
    WriteJobOpen,
)
from inventory.services import card_reports, card_writing
from inventory.services.catalogue import add_card_kind
from inventory.services.orders import Ack, Run
from inventory.store.catalogue import CardKindRow
from inventory.store.schema import CardKind, CardSecret
from tests.cards.hall import CardKeys, Hall, adm_tries, card_of, encrypt, fresh, imsi_on

pytestmark = [pytest.mark.database, pytest.mark.anyio]
BLANK = b"\xff" * 9


async def test_a_blank_card_becomes_a_proven_one(hall: Hall) -> None:
    """REQ-HW-03, REQ-HW-04, REQ-HW-12: identify, write, read back and prove; the identity is kept with the card."""
    card = card_of(0)
    await hall.insert(card)
    job = await hall.job(await hall.sell(0))
    assert (job["state"], job["failure"], job["next_step"]) == ("verified", None, "confirm_sale")
    assert await hall.states(0) == ("WRITTEN", "BOUND", 1)
    assert imsi_on(card) != BLANK
    assert adm_tries(card) == 3
    identity = await hall.one("SELECT state, hlr_code, slot, number_item_no FROM sim_identity WHERE city_id = :city")
    assert tuple(identity) == ("VERIFIED", "LJ1", 1, None)
    purposes = [script.purpose for script in hall.sent]
    assert purposes == [Purpose.IDENTIFY, Purpose.IDENTIFY, Purpose.WRITE, Purpose.VERIFY, Purpose.IDENTIFY]


async def test_files_of_the_product_are_written_and_those_it_may_lack_are_left_out(hall: Hall) -> None:
    """REQ-HW-02: what a card gets is data of its kind."""
    product = {"languages": ["en"], "services_on": [91], "services_off": [86], "gid1": "01", "optional": ["gid1"]}
    await hall.change(
        "UPDATE card_kind SET network = network || jsonb_build_object('product', CAST(:product AS jsonb))",
        product=json.dumps(product),
    )
    card = card_of(0)
    card.image.files["7fff/6f38"].content = bytes(10) + bytes.fromhex("3000")
    await hall.insert(card)
    job = await hall.job(await hall.sell(0))
    assert job["state"] == "verified"
    assert card.image.files["7fff/6f05"].content == b"en" + b"\xff" * 4
    assert card.image.files["7fff/6f38"].content == bytes(10) + bytes.fromhex("1004")


async def test_the_kit_is_kept_while_its_card_is_written_and_free_again_after_it(hall: Hall) -> None:
    """REQ-RSV-15: an open job ties the kit, and its lease moves the end of the hold."""
    hold = await hall.hold(0, minutes=5)
    await hall.insert(card_of(0))
    await hall.start(hold)
    assert (await hall.one("SELECT job_id FROM hold WHERE city_id = :city"))[0] == 1
    await hall.work(await hall.take_up())
    row = await hall.one(
        "SELECT h.job_id, h.expires_at, n.hold_until, s.hold_until FROM hold h, number n, sim s"
        " WHERE n.hold_id = h.hold_id AND s.hold_id = h.hold_id AND h.city_id = :city"
    )
    assert row[0] is None
    assert row[1] == row[2] == row[3] == hall.now + LEASE


async def test_every_change_leaves_its_event(hall: Hall) -> None:
    """REQ-NUM-11, REQ-HW-04: from lease to proof, in one order, in the name of the one who asked."""
    await hall.insert(card_of(0))
    await hall.sell(0)
    async with hall.database.session() as session:
        rows = (await session.execute(text("SELECT name, staff_no FROM event ORDER BY event_no"))).all()
    names = [name for name, staff_no in rows if staff_no == "LJ0001" and not name.startswith("transport_key")]
    assert names == [
        "job.created", "job.identifying", "data.leased", "sim.write_started", "job.writing", "job.verifying",
        "sim.written", "data.bound", "job.verified",
    ]  # fmt: skip


async def test_wrong_keys_on_the_card_end_damaged_and_leave_the_kit_whole(hall: Hall) -> None:
    """REQ-HW-08: AUTHENTICATE shows another K; the card is damaged, its IMSI quarantined, number and key stay."""
    keys = CardKeys.of(0)
    card = card_of(0, replace(keys, k=CardKeys.of(5).k))
    await hall.insert(card)
    job = await hall.job(await hall.sell(0))
    assert (job["state"], job["failure"], job["failed_sw"], job["next_step"]) == (
        "damaged", "wrong_key", "9862", "swap_card",
    )  # fmt: skip
    assert await hall.states(0) == ("DAMAGED", "QUARANTINED", 1)
    row = await hall.one("SELECT state, job_id, number_item_no, sim_item_no, data_no FROM hold WHERE city_id = :city")
    assert tuple(row) == ("ACTIVE", None, 0, 0, 0)


async def test_card_of_a_product_with_tuak_proves_itself_by_tuak(hall: Hall) -> None:
    """REQ-HW-12: the product says the algorithm and its lengths; K and TOPc of 32 bytes come as two blocks each."""
    tuak = {"name": "tuak", "res_bits": 128, "iterations": 2}
    k, topc = (Secret(bytes(range(start, start + 32))) for start in (0, 32))
    async with hall.database.session() as session, session.begin():
        await session.execute(update(CardKind).values(algorithm=tuak))
        await session.execute(update(CardSecret).values(ki=encrypt(k.reveal()), opc=encrypt(topc.reveal())))
    card = card_of(0, replace(CardKeys.of(0), k=k, opc=topc), auth=tuak)
    await hall.insert(card)
    job = await hall.job(await hall.sell(0))
    assert (job["state"], job["failure"]) == ("verified", None)


async def test_card_with_a_secure_channel_is_written_by_a_script_that_only_it_can_open(hall: Hall) -> None:
    """REQ-HW-10: K and OPc go onto the card and through the station, and the station cannot read them."""
    inside, (enc, mac) = CardKeys.of(0), (Secret(bytes(range(start, start + 16))) for start in (0x10, 0x20))
    async with hall.database.session() as session, session.begin():
        await session.execute(update(CardKind).values(profile="scp03"))
        await session.execute(update(CardSecret).values(scp_enc=encrypt(enc.reveal()), scp_mac=encrypt(mac.reveal())))
    factory = Secret(bytes(16))
    image = blank_of(
        "scp03",
        iccid="89860026000000000000",
        serial=None,
        k=factory,
        opc=factory,
        adm1=inside.adm1,
        channel=ChannelKeys(0x30, enc, mac),
    )
    await hall.insert(VirtualUicc(image))
    job = await hall.job(await hall.sell(0))
    assert (job["state"], job["failure"]) == ("verified", None)
    assert image.files["7f20/00ff"].content == inside.k.reveal()
    sent = b"|".join(step.apdu for script in hall.sent for step in script.steps)
    hidden = (inside.k, inside.opc, inside.adm1, enc, mac)
    assert [one for one in hidden if one.reveal() in sent] == []


async def test_card_whose_channel_keys_never_came_is_refused_before_anything_changed(hall: Hall) -> None:
    async with hall.database.session() as session, session.begin():
        await session.execute(update(CardKind).values(profile="scp03"))
    await hall.insert(card_of(0))
    job = await hall.job(await hall.sell(0))
    assert (job["state"], job["failure"]) == ("nothing_written", "wrong_kind")
    assert await hall.states(0) == ("HELD", "RESERVED", 1)


async def test_product_that_names_no_algorithm_of_ours_is_refused(hall: Hall) -> None:
    kind = CardKindRow("5G-X", "X", "X", "preset_key", 128, [], {}, 0, algorithm={"name": "comp128"})
    async with hall.database.session() as session:
        with pytest.raises(InvalidField, match="one of milenage, tuak"):
            await add_card_kind(session, hall.caller, fresh(), kind, now=hall.now)


@pytest.mark.parametrize(
    ("profile", "product", "field"),
    [
        ("no_such", {}, "profile"),
        ("preset_key", {"colour": "red"}, "network.product"),
        ("preset_key", {"suci": {"schemes": [["PROFILE_C", 1]]}}, "network.product"),
        ("preset_key", {"files": ["no_such"]}, "network.product"),
        ("preset_key", ["zh"], "network.product"),
    ],
)
async def test_product_whose_cards_nobody_could_write_is_refused(
    hall: Hall, profile: str, product: object, field: str
) -> None:
    kind = CardKindRow("5G-Y", "Y", "Y", profile, 128, [], {"product": product}, 0)
    async with hall.database.session() as session:
        with pytest.raises(InvalidField) as refused:
            await add_card_kind(session, hall.caller, fresh(), kind, now=hall.now)
    assert refused.value.params["field"] == field


async def test_wrong_adm_key_is_tried_once_and_never_again(hall: Hall) -> None:
    """REQ-HW-06: one try, then a tombstone; the card stays blank and its data go back to the kit."""
    card = card_of(0, replace(CardKeys.of(0), adm1=CardKeys.of(5).adm1))
    await hall.insert(card)
    hold = await hall.hold(0)
    for _ in range(2):
        started = await hall.start(hold)
        await hall.work(await hall.take_up())
        job = await hall.job(started.body["id"])
        assert (job["state"], job["failure"], job["next_step"]) == (
            "nothing_written", "adm_refused", "take_another_card",
        )  # fmt: skip
    assert adm_tries(card) == 2
    assert await hall.states(0) == ("HELD", "RESERVED", 1)
    assert (await hall.one("SELECT adm_refused FROM sim WHERE city_id = :city AND item_no = 0"))[0] is True


@pytest.mark.parametrize(
    ("spoil", "failure"),
    [("imsi", "not_blank"), ("tries", "adm_refused"), ("pin", "pin_enabled"), ("other", "another_card"),
     ("kind", "data_not_available"), ("empty", "not_inserted"), ("secret", "data_not_available")],
)  # fmt: skip
async def test_a_card_that_must_not_be_written_ends_the_job_before_anything_changed(
    hall: Hall, spoil: str, failure: str
) -> None:
    """REQ-HW-02, REQ-HW-03, REQ-HW-06: each class is named, and stock, data and card are as before."""
    card = card_of(1 if spoil == "other" else 0)
    if spoil == "imsi":
        card.image.files["7fff/6f07"].content = bytes.fromhex("084906001032547698")
    if spoil == "tries":
        card.image.codes[files.Pin.ADM1].tries = 2
    if spoil == "pin":
        card.image.codes[files.Pin.PIN1].enabled = True
    if spoil == "kind":
        await hall.change("UPDATE card_kind SET profile = 'of another house'")
    if spoil == "secret":
        await hall.change("UPDATE card_secret SET adm1 = (SELECT adm1 FROM card_secret WHERE item_no = 1)")
    before = {path: file.content for path, file in card.image.files.items()}
    if spoil != "empty":
        await hall.insert(card)
    job = await hall.job(await hall.sell(0))
    assert (job["state"], job["failure"]) == ("nothing_written", failure)
    assert await hall.states(0) == ("HELD", "RESERVED", 1)
    assert {path: file.content for path, file in card.image.files.items()} == before
    assert [script.purpose for script in hall.sent if script.purpose is not Purpose.IDENTIFY] == []
    assert (await hall.one("SELECT job_id FROM hold WHERE city_id = :city"))[0] is None


async def test_a_report_that_comes_thrice_counts_once(hall: Hall) -> None:
    """REQ-HW-05: a repeated report is acknowledged and changes nothing."""
    await hall.insert(card_of(0))
    job = await hall.sell(0)
    before = await hall.dump()
    for reported in list(hall.reports):
        for _ in range(3):
            assert await hall.report(reported) == [Ack(reported.report.script_id)]
    assert await hall.dump() == before
    assert (await hall.job(job))["state"] == "verified"


async def test_a_kit_has_one_job_at_a_time(hall: Hall) -> None:
    """REQ-RSV-15, REQ-HW-05: a second job on the kit is refused, a repeated request gets the first answer."""
    hold, write = await hall.hold(0), fresh()
    first = await hall.start(hold, write=write)
    again = await hall.start(hold, write=write)
    assert (again.replayed, again.body) == (True, first.body)
    with pytest.raises(WriteJobOpen, match=first.body["id"]):
        await hall.start(hold)


async def test_a_job_needs_the_hold_key_a_live_hold_and_a_connected_station(hall: Hall) -> None:
    hold = await hall.hold(0, minutes=5)
    with pytest.raises(HoldKeyWrong):
        await hall.start(hold, hold_key="0" * 64)
    with pytest.raises(HoldKeyWrong):
        await hall.start(hold, hold_key=None)
    with pytest.raises(StationUnknown):
        await hall.start(hold, station="st-530700-999")
    hall.later(seconds=46)
    with pytest.raises(StationOffline):
        await hall.start(hold)
    hall.later(minutes=5)
    await hall.connect()
    with pytest.raises(HoldExpired):
        await hall.start(hold)


async def test_a_written_card_is_not_written_again(hall: Hall) -> None:
    card = card_of(0)
    await hall.insert(card)
    hold = await hall.hold(0)
    await hall.start(hold)
    await hall.work(await hall.take_up())
    with pytest.raises(SimNotFree, match="WRITTEN"):
        await hall.start(hold)


async def test_a_job_is_cancelled_before_its_card_is_written(hall: Hall) -> None:
    hold = await hall.hold(0)
    started = await hall.start(hold)
    orders = await hall.take_up()
    async with hall.database.session() as session:
        job = started.body["id"]
        answer = await card_writing.cancel_job(session, hall.caller, fresh(), job, now=hall.now)
    assert answer.body["state"] == "cancelled"
    await hall.insert(card_of(0))
    await hall.work(orders)
    assert (await hall.job(job))["state"] == "cancelled"
    assert Purpose.WRITE not in {script.purpose for script in hall.sent}
    assert (await hall.start(hold)).body["state"] == "created"


async def test_a_job_that_writes_is_not_cancelled(hall: Hall) -> None:
    await hall.insert(card_of(0))
    started = await hall.start(await hall.hold(0))
    [order] = await hall.take_up()
    assert isinstance(order, Run)
    await hall.report(hall.run(order))
    async with hall.database.session() as session:
        with pytest.raises(IllegalTransition):
            await card_writing.cancel_job(session, hall.caller, fresh(), started.body["id"], now=hall.now)


async def test_a_report_that_breaks_on_the_stock_ends_its_job_as_unknown(hall: Hall) -> None:
    """REQ-HW-08: it would break each time it is repeated; its card keeps its data until it is read."""
    await hall.insert(card_of(0))
    started = await hall.start(await hall.hold(0))
    [identify] = [order for order in await hall.take_up() if isinstance(order, Run)]
    _, write = await hall.report(hall.run(identify))
    assert isinstance(write, Run)
    async with hall.database.session() as session:
        await card_reports.abandon_report(session, hall.station, hall.run(write), now=hall.now)
    assert (await hall.job(started.body["id"]))["state"] == "unknown"
    assert await hall.states(0) == ("WRITE_UNKNOWN", "QUARANTINED", 1)


@pytest.mark.parametrize(
    "meanwhile",
    [
        """INSERT INTO sim_identity (city_id, item_no, slot, application, imsi, hlr_code, state, auc)
        VALUES (530700, 0, 1, 'USIM', '460009999999999', 'LJ1', 'LEASED', 'NONE')""",
        "UPDATE hold SET state = 'RELEASED'",
        "UPDATE sim SET state = 'DISABLED' WHERE item_no = 0",
        "UPDATE subscription_data SET state = 'RETIRED' WHERE data_no = 0",
        "DELETE FROM card_secret WHERE item_no = 0",
        "UPDATE card_kind SET network = '{}'",
        """UPDATE card_kind SET network = '{"spn": {"name": "Haoka"}, "ehplmns": ["31041"]}'""",
    ],
)
async def test_data_that_cannot_be_had_end_the_job_before_the_card_is_touched(hall: Hall, meanwhile: str) -> None:
    """REQ-HW-06: kit, card, data unit, secrets or network are not what writing needs; the card stays blank."""
    card = card_of(0)
    await hall.insert(card)
    started = await hall.start(await hall.hold(0))
    await hall.change(meanwhile)
    await hall.work(await hall.take_up())
    job = await hall.job(started.body["id"])
    assert (job["state"], job["failure"]) == ("nothing_written", "data_not_available")
    assert imsi_on(card) == BLANK


@pytest.mark.parametrize(
    ("lacks", "refusal"),
    [
        ("UPDATE hold SET sim_item_no = NULL", CardUnknown),
        ("UPDATE hold SET data_no = NULL", NoDataUnit),
        ("UPDATE hold SET state = 'CONFIRMED'", HoldNotActive),
        ("UPDATE hold SET state = 'EXPIRED'", HoldExpired),
    ],
)
async def test_a_kit_with_nothing_to_write_is_refused(hall: Hall, lacks: str, refusal: type[DomainError]) -> None:
    hold = await hall.hold(0)
    await hall.change(lacks)
    with pytest.raises(refusal):
        await hall.start(hold)


@pytest.mark.parametrize("job", ["j-530700-99", "j-530701-1"])
async def test_a_job_that_is_not_the_callers_to_see_is_not_found(hall: Hall, job: str) -> None:
    with pytest.raises(NotFound):
        await hall.job(job)


async def test_keys_that_do_not_open_any_more_leave_a_written_card_unknown(hall: Hall) -> None:
    """The proof cannot be judged: the card and its IMSI wait until the vault opens again."""
    await hall.insert(card_of(0))
    started = await hall.start(await hall.hold(0))
    [identify] = [order for order in await hall.take_up() if isinstance(order, Run)]
    _, write = await hall.report(hall.run(identify))
    assert isinstance(write, Run)
    reported = hall.run(write)
    await hall.change("CREATE TABLE aside AS SELECT * FROM card_secret")
    await hall.change("DELETE FROM card_secret")
    await hall.work(await hall.report(reported))
    job = await hall.job(started.body["id"])
    assert (job["state"], job["failure"]) == ("unknown", "data_not_available")
    await hall.change("INSERT INTO card_secret SELECT * FROM aside")
    hall.source.remove()
    await hall.insert(card_of(0))
    assert (await hall.job(started.body["id"]))["state"] == "nothing_written"
