"""Stock ends by documents that two persons sign, and the book goes on to agree with the drawer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from inventory.access.caller import Caller
from inventory.access.permissions import Permission, Role
from inventory.domain.errors import (
    ApprovalDiffers,
    ApprovalNeeded,
    InvalidField,
    LoadRejected,
    MissingField,
    MovementRefused,
    OutsideScope,
    PermissionDenied,
    ReasonMissing,
)
from inventory.domain.identifiers import parse_public_id
from inventory.domain.kinds import KINDS, SIM
from inventory.services.approval import without_approval
from inventory.services.approving import Question, ask, carry_out, grant
from inventory.services.auditing import audit
from inventory.services.counting import CountWish, count
from inventory.services.documents import read_movement
from inventory.services.ending import WAYS, Ending, EndWish, end
from inventory.services.loading import FileKind
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.reporting import read_history, read_item
from inventory.services.status_release import ReleaseWish, release_status
from inventory.store.selection import ByName, ByRange
from tests.services.files import iccid, imsi, imsi_pool, vendor_file
from tests.services.test_approvals import DAY
from tests.services.town import CITY, HLR, NOW, Town, found_town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]

TOP, DISTRICT, GONE = str(CITY), f"{CITY}-D1", f"{CITY}-ended"


@pytest.fixture
async def town(town: Town) -> Town:
    """Give the district ten cards, of which 0 to 2 are damaged."""
    await town.load(vendor_file(range(20)))
    handed = ByRange(iccid(0), iccid(9))
    wish = MoveWish(verb=Verb.ISSUE, resource="sim", giver=TOP, receiver=DISTRICT, selection=handed)
    async with town.database.session() as session:
        await move(session, town.admin, fresh_key(), wish, now=NOW)
    for serial in range(3):
        await spoil(town, serial)
    gone = await holder(town, GONE)  # the city's people see what has left its stock
    return replace(town, admin=replace(town.admin, scope=town.admin.scope | {gone}))


async def spoil(town: Town, serial: int) -> None:
    wish = ReleaseWish(resource="sim", item=iccid(serial), to_state="DAMAGED", reason="弯折")
    async with town.database.session() as session:
        await release_status(session, town.admin, fresh_key(), wish, now=NOW)


def cards(*serials: int) -> ByName:
    return ByName(tuple(iccid(serial) for serial in serials))


def wished(way: Ending, *serials: int, **changes: Any) -> EndWish:
    """Give a wish for cards of the district, with all that its way asks for."""
    selection = cards(*serials)
    words: dict[str, Any] = {"way": way, "resource": "sim", "place": DISTRICT, "selection": selection, "reason": "季末"}
    if WAYS[way].handed_in:
        words["handed_in"] = selection.names
    if WAYS[way].claimed:
        words["reference"] = "RMA-7"
    return EndWish(**{**words, **changes})


async def done(town: Town, wish: EndWish, by: Caller | None = None) -> dict[str, Any]:
    async with town.database.session() as session:
        return (await end(session, by or town.admin, fresh_key(), wish, now=NOW)).body


async def by_two(town: Town, wish: EndWish) -> dict[str, Any]:
    """Do it with the second person's word, where it needs one."""
    if WAYS[wish.way].alone:
        return await done(town, wish)
    approval = await town.approved(wish.way, **without_approval(wish))
    return await done(town, replace(wish, approval=approval))


async def states(town: Town, *serials: int) -> list[tuple[str, int]]:
    """Give state and holder of cards, in order."""
    question = "SELECT state, holder_id FROM sim WHERE iccid = ANY (:names) ORDER BY item_no"
    return [tuple(row) for row in await town.rows(question, names=[iccid(serial) for serial in serials])]


async def holder(town: Town, code: str) -> int:
    return int(await town.value("SELECT id FROM organisation WHERE code = :code", code=code))


async def faults(town: Town) -> list[Any]:
    async with town.database.session() as session:
        return list((await audit(session, now=NOW)).findings)


@pytest.mark.parametrize(
    ("way", "before", "serials", "state", "leaves"),
    [
        (Ending.SCRAP, (), (0, 2), "SCRAPPED", True),
        (Ending.LOSE, (), (1, 5), "LOST", False),
        (Ending.FIND, (Ending.LOSE,), (6, 7), "AVAILABLE", False),
        (Ending.WRITE_OFF, (Ending.LOSE,), (2, 3), "WRITTEN_OFF", True),
        (Ending.DISABLE, (), (2, 3, 4), "DISABLED", False),
        (Ending.ENABLE, (Ending.DISABLE,), (3, 4), "AVAILABLE", False),
        (Ending.SCRAP, (Ending.DISABLE,), (8,), "SCRAPPED", True),
    ],
)
async def test_items_go_their_way_with_a_document_and_an_event_each(
    town: Town, way: Ending, before: tuple[Ending, ...], serials: tuple[int, ...], state: str, *, leaves: bool
) -> None:
    """REQ-SIM-12, REQ-EVT-02: stock ends by documents of two persons (blocked: one), always on one account."""
    for earlier in before:
        await by_two(town, wished(earlier, *serials))

    document = await by_two(town, wished(way, *serials, person="和丽"))

    place = GONE if leaves else DISTRICT
    assert await states(town, *serials) == [(state, await holder(town, place))] * len(serials)
    assert (document["kind"], document["giver"], document["receiver"]) == (WAYS[way].movement, DISTRICT, place)
    assert (document["count"], document["returner_name"]) == (len(serials), "和丽")
    second = None if WAYS[way].alone else f"{CITY}second"
    assert (document["receiver_name"], document["approver"]) == (second, second)
    async with town.database.session() as session:
        page = await read_movement(session, town.admin, public_id=document["id"])
        life = await read_history(session, town.admin, resource="sim", name=iccid(serials[0]))
    assert [line.name for line in page.lines] == [iccid(serial) for serial in serials]
    assert {"sim.posted", f"movement.{WAYS[way].movement.lower()}"} <= {entry.what for entry in life}
    assert await faults(town) == []


async def test_nothing_else_happens_without_the_second_person(town: Town) -> None:
    for way in (Ending.LOSE, Ending.RETURN_TO_VENDOR, Ending.VOID):
        with pytest.raises(ApprovalNeeded):
            await done(town, wished(way, 5))
    with pytest.raises(ApprovalNeeded):
        await done(town, wished(Ending.SCRAP, 1))
    assert await states(town, 1, 5) == [
        ("DAMAGED", await holder(town, DISTRICT)),
        ("AVAILABLE", await holder(town, DISTRICT)),
    ]
    assert await town.value("SELECT count(*) FROM movement WHERE kind NOT IN ('INTAKE', 'ISSUE')") == 0


async def test_what_changed_since_it_was_granted_is_not_done(town: Town) -> None:
    wish = replace(wished(Ending.LOSE, 2, 3), selection=ByRange(iccid(2), iccid(3)))
    approval = await town.approved(wish.way, **without_approval(wish))
    await spoil(town, 3)

    with pytest.raises(ApprovalDiffers):
        await done(town, replace(wish, approval=approval))
    assert [state for state, _ in await states(town, 2, 3)] == ["DAMAGED", "DAMAGED"]


async def test_maker_does_with_one_press_what_was_granted(town: Town) -> None:
    wish = wished(Ending.SCRAP, 0, 1)
    async with town.database.session() as session:
        question = Question(wish.way, without_approval(wish))
        asked = await ask(session, town.admin, fresh_key(), question, lasts=DAY, now=NOW)
        assert asked.body["summary"]["from_states"] == {"DAMAGED": 2}
        approval = asked.body["approval"]
        await grant(session, town.second, fresh_key(), approval=approval, now=NOW)
        answer = await carry_out(session, town.admin, fresh_key(), approval=approval, vault=town.vault, now=NOW)
    assert (answer.body["kind"], answer.body["states"]) == ("SCRAP", {"DAMAGED": 2})


@pytest.mark.parametrize(
    ("scanned", "code", "named"),
    [
        ((0,), "not_handed_in", iccid(1)),
        ((0, 1, 5), "not_on_the_list", iccid(5)),
        ((0, 1, 777), "not_on_the_list", iccid(777)),
        ((), "not_handed_in", iccid(0)),
    ],
    ids=["one is missing", "one too many", "one unknown", "none"],
)
async def test_scrap_whose_hand_in_differs_is_told_and_not_done(
    town: Town, scanned: tuple[int, ...], code: str, named: str
) -> None:
    """REQ-SIM-12: damaged cards stay on the holder's account until they are scrapped with a counted hand-in."""
    with pytest.raises(MovementRefused) as refused:
        await done(town, wished(Ending.SCRAP, 0, 1, handed_in=cards(*scanned).names))

    assert {"item": named, "code": code, "state": None} in refused.value.params["items"]
    assert [state for state, _ in await states(town, 0, 1)] == ["DAMAGED", "DAMAGED"]


async def test_hand_in_is_counted_by_either_name_of_a_card(town: Town) -> None:
    by_serial = tuple(f"{serial:020X}" for serial in (0, 1))
    assert (await by_two(town, wished(Ending.SCRAP, 0, 1, handed_in=by_serial)))["count"] == 2


async def test_one_item_that_may_not_go_stops_them_all(town: Town) -> None:
    await town.execute("UPDATE sim SET hold_id = 7 WHERE iccid = :name", name=iccid(6))

    with pytest.raises(MovementRefused) as refused:
        await done(town, wished(Ending.LOSE, 5, 6, 12, 500))

    assert {(item["item"], item["code"]) for item in refused.value.params["items"]} == {
        (iccid(6), "on_hold"),
        (iccid(12), "not_holder"),
        (iccid(500), "not_in_stock"),
    }
    assert [state for state, _ in await states(town, 5)] == ["AVAILABLE"]


async def test_sound_card_is_not_scrapped(town: Town) -> None:
    with pytest.raises(MovementRefused) as refused:
        await done(town, wished(Ending.SCRAP, 5))
    assert refused.value.params["items"][0]["code"] == "item_not_movable"


async def test_prepaid_card_whose_last_day_is_over_is_scrapped(town: Town) -> None:
    """REQ-SIM-12: what expired goes the way of what is spoiled (S17)."""
    set_day = "UPDATE sim SET expires_on = :day WHERE iccid = :name"
    await town.execute(set_day, day=date(2026, 11, 21), name=iccid(5))
    await town.execute(set_day, day=date(2026, 11, 22), name=iccid(6))

    with pytest.raises(MovementRefused) as refused:
        await done(town, wished(Ending.SCRAP, 1, 5, 6))
    assert [item["item"] for item in refused.value.params["items"]] == [iccid(6)]

    document = await by_two(town, wished(Ending.SCRAP, 1, 5))
    assert document["states"] == {"AVAILABLE": 1, "DAMAGED": 1}
    assert await faults(town) == []


async def test_what_a_way_asks_for_must_be_said(town: Town) -> None:
    cases: tuple[tuple[EndWish, type[Exception]], ...] = (
        (wished(Ending.LOSE, 5, reason=" "), ReasonMissing),
        (wished(Ending.SCRAP, 1, handed_in=None), MissingField),
        (wished(Ending.RETURN_TO_VENDOR, 5, reference=" "), MissingField),
        (wished(Ending.SCRAP, 1, resource="number"), InvalidField),
    )
    for wish, refusal in cases:
        with pytest.raises(refusal):
            await done(town, wish)


async def test_keeper_declares_lost_in_its_own_part_and_scraps_nothing(town: Town) -> None:
    keeper = town.at(f"{CITY}-D2", Role.DISTRICT_KEEPER, staff_no="keeper")
    with pytest.raises(OutsideScope):
        await done(town, wished(Ending.LOSE, 5), by=keeper)
    own = town.at(DISTRICT, Role.DISTRICT_KEEPER, staff_no="keeper")
    with pytest.raises(ApprovalNeeded) as needed:
        await done(town, wished(Ending.LOSE, 5), by=own)
    assert needed.value.params["permission"] == Permission.BLOCK
    with pytest.raises(PermissionDenied):
        await done(town, wished(Ending.SCRAP, 1), by=own)


async def test_lost_card_is_not_looked_for_and_is_told_when_it_turns_up(town: Town) -> None:
    """REQ-EVT-02: the drawer agrees with the book, and a lost card stays on its holder's account."""
    await by_two(town, wished(Ending.LOSE, 9))

    async def counted(*serials: int) -> dict[str, Any]:
        wish = CountWish(resource="sim", place=DISTRICT, items=cards(*serials).names)
        async with town.database.session() as session:
            return (await count(session, town.admin, fresh_key(), wish, now=NOW)).body

    assert (await counted(*range(9)))["agrees"] is True
    again = await counted(*range(10))
    assert [(row["item"], row["state"]) for row in again["extra_items"]] == [(iccid(9), "LOST")]


async def test_found_card_that_may_hold_an_imsi_is_not_sold_again(town: Town) -> None:
    """REQ-HW-08: an IMSI once sent to a card never goes round with it."""
    await by_two(town, wished(Ending.LOSE, 5, 6))
    await quarantine(town, 6)

    with pytest.raises(MovementRefused) as refused:
        await done(town, wished(Ending.FIND, 5, 6))
    assert [(item["item"], item["code"]) for item in refused.value.params["items"]] == [(iccid(6), "imsi_on_it")]


async def quarantine(town: Town, serial: int) -> None:
    """Put quarantined data on a card."""
    await town.execute(
        "INSERT INTO identifier (kind, value, city_id) VALUES ('imsi', '460009999999999', :city);"
        " INSERT INTO subscription_data (city_id, data_no, hlr_code, imsi, state, version, sim_item_no, batch_id,"
        " updated_at) SELECT city_id, 1, 'LJ1', '460009999999999', 'QUARANTINED', 1, item_no, 1, now() FROM sim"
        " WHERE iccid = :name;"
        " INSERT INTO event (city_id, at, name, kind, item_no, version, from_state, to_state, staff_no, interface_no)"
        " VALUES (:city, now(), 'data.quarantined', 'data', 1, 1, 'LEASED', 'QUARANTINED', 'x', 'x')".replace(
            ":city", str(CITY)
        ).replace(":name", f"'{iccid(serial)}'")
    )


async def test_secrets_and_quarantined_data_end_with_their_card(town: Town) -> None:
    """What a scrapped card held is destroyed, and its data are never given again."""
    await quarantine(town, 1)
    assert await town.value("SELECT count(*) FROM card_secret") == 20

    await by_two(town, wished(Ending.SCRAP, 0, 1))

    assert await town.value("SELECT count(*) FROM card_secret") == 18
    assert await town.value("SELECT state FROM subscription_data") == "RETIRED"
    assert await faults(town) == []


@pytest.mark.parametrize("way", [Ending.VOID, Ending.RETURN_TO_VENDOR])
async def test_card_given_back_may_come_again_as_the_next_generation(town: Town, way: Ending) -> None:
    await by_two(town, wished(way, 5))
    assert await states(town, 5) == []

    await town.load(vendor_file([5]))

    async with town.database.session() as session:
        now_there = await read_item(session, town.admin, resource="sim", name=iccid(5))
        before = await read_item(session, town.admin, resource="sim", name=f"~1~{iccid(5)}")
    assert (now_there.item.row["generation"], now_there.item.state, now_there.holder.code) == (2, "AVAILABLE", TOP)
    assert (before.item.row["generation"], before.holder.code) == (1, GONE)
    assert await town.value("SELECT generation FROM card_secret WHERE item_no = :no", no=now_there.item.item_no) == 2
    await by_two(town, wished(way, 5, place=TOP))
    await town.load(vendor_file([5, 30]))
    assert await town.value("SELECT generation FROM sim WHERE iccid = :name", name=iccid(5)) == 3
    assert await faults(town) == []


@pytest.mark.parametrize("way", [Ending.VOID, Ending.RETURN_TO_VENDOR])
async def test_card_given_back_in_one_city_is_the_next_generation_in_another(town: Town, way: Ending) -> None:
    """REQ-STK-05: a card that was registered in the wrong city may be given back in the right one too."""
    await by_two(town, wished(way, 5))
    other = await found_town(town.database, town.vault, 530100)
    await other.load(vendor_file([5]))

    await by_two(other, wished(way, 5, place="530100"))
    await town.load(vendor_file([5, 30]))

    rows = await town.rows(
        "SELECT city_id, iccid, generation FROM sim WHERE iccid LIKE '%' || :name ORDER BY 3", name=iccid(5)
    )
    assert [tuple(row) for row in rows] == [
        (CITY, f"~1~{iccid(5)}", 1), (530100, f"~2~{iccid(5)}", 2), (CITY, iccid(5), 3)
    ]  # fmt: skip
    assert await faults(town) == []


async def test_card_with_a_name_of_one_given_back_is_its_next_generation(town: Town) -> None:
    """REQ-STK-05: by its serial too, where the vendor delivers it under another ICCID."""
    await by_two(town, wished(Ending.RETURN_TO_VENDOR, 5))
    await town.load(f"ICCID,空卡序列号\n{iccid(50)},{5:020X}\n".encode(), FileKind.CARD_LIST)

    assert await town.value("SELECT generation FROM sim WHERE iccid = :name", name=iccid(50)) == 2
    await by_two(town, wished(Ending.VOID, 50, place=TOP))
    assert await faults(town) == []


HALF, OTHER = iccid(40), iccid(41)


async def finished(town: Town, name: str, number: int, generation: int = 1) -> dict[str, Any]:
    """Load a finished card with an IMSI, by a list that is not the last one again."""
    content = f"ICCID,IMSI,HLR\n{name},{imsi(number)},{HLR}\n".encode() + b"\n" * generation
    return await town.load(content, FileKind.CARD_LIST)


@pytest.mark.parametrize("way", [Ending.VOID, Ending.RETURN_TO_VENDOR])
async def test_finished_card_given_back_comes_again_with_its_imsi(town: Town, way: Ending) -> None:
    """REQ-STK-05: what the vendor delivers again is a new generation, with its own IMSI or one that is free."""
    await finished(town, HALF, 1)
    await by_two(town, wished(way, 40, place=TOP))

    await finished(town, HALF, 1, generation=2)
    await by_two(town, wished(way, 40, place=TOP))
    await finished(town, HALF, 2)

    rows = await town.rows(
        "SELECT c.generation, i.imsi, d.state, c.state FROM sim c JOIN sim_identity i USING (city_id, item_no)"
        " JOIN subscription_data d USING (city_id, imsi) ORDER BY c.item_no"
    )
    gone = WAYS[way].moves(SIM)["AVAILABLE"]
    assert [tuple(row) for row in rows] == [
        (1, f"~1~{imsi(1)}", "BOUND", gone),
        (2, f"~2~{imsi(1)}", "BOUND", gone),
        (3, imsi(2), "BOUND", "AVAILABLE"),
    ]
    assert await faults(town) == []


async def test_imsi_of_a_card_given_back_is_kept_for_that_card(town: Town) -> None:
    """REQ-STK-05: an IMSI is never on two cards, one of which may still be at the vendor's."""
    await finished(town, HALF, 1)
    await by_two(town, wished(Ending.RETURN_TO_VENDOR, 40, place=TOP))

    for kind, content in (
        (FileKind.CARD_LIST, f"ICCID,IMSI,HLR\n{OTHER},{imsi(1)},{HLR}\n".encode()),
        (FileKind.IMSI_POOL, imsi_pool([1])),
    ):
        with pytest.raises(LoadRejected) as refused:
            await town.load(content, kind)
        batch = parse_public_id(refused.value.params["batch"], "b").serial
        question = "SELECT value, code FROM load_fault WHERE batch_id = :batch"
        assert [tuple(row) for row in await town.rows(question, batch=batch)] == [("460000*******01", "imsi_kept")]


async def test_iccid_of_a_card_given_back_comes_with_no_card_data(town: Town) -> None:
    """REQ-STK-05: that card may still be at the vendor's; no other one may bear its number."""
    await finished(town, HALF, 1)
    await by_two(town, wished(Ending.RETURN_TO_VENDOR, 40, place=TOP))

    with pytest.raises(LoadRejected) as refused:
        await town.load(f"imsi,iccid,hlr\n{imsi(9)},{HALF},{HLR}\n".encode(), FileKind.IMSI_POOL)
    batch = parse_public_id(refused.value.params["batch"], "b").serial
    question = "SELECT value, code FROM load_fault WHERE batch_id = :batch"
    assert [tuple(row) for row in await town.rows(question, batch=batch)] == [(HALF, "iccid_kept")]


async def test_imsi_of_a_card_given_back_is_refused_in_another_city(town: Town) -> None:
    """REQ-STK-05: the registry keeps it across all cities."""
    await finished(town, HALF, 1)
    await by_two(town, wished(Ending.VOID, 40, place=TOP))
    other = await found_town(town.database, town.vault, 530100)

    with pytest.raises(LoadRejected):
        await other.load(f"ICCID,IMSI,HLR\n{HALF},{imsi(1)},H530100\n".encode(), FileKind.CARD_LIST)


async def test_imsi_that_the_network_has_never_comes_again(town: Town) -> None:
    """REQ-AUC-01: it is free only when the network never had it, or has deleted it."""
    await finished(town, HALF, 1)
    await town.execute("UPDATE sim_identity SET auc = 'confirmed'")
    await by_two(town, wished(Ending.RETURN_TO_VENDOR, 40, place=TOP))

    with pytest.raises(LoadRejected):
        await finished(town, HALF, 1, generation=2)
    await finished(town, HALF, 2)
    assert await faults(town) == []


async def test_card_scrapped_or_written_off_never_comes_again(town: Town) -> None:
    await by_two(town, wished(Ending.SCRAP, 1))
    with pytest.raises(Exception, match="rows are refused"):
        await town.load(vendor_file([1]))


async def test_box_of_cards_is_blocked_by_one_and_freed_by_two(town: Town) -> None:
    """REQ-SIM-12: what may be stolen stops selling before anybody else is found; ADR 0028."""
    blocked = await done(town, wished(Ending.DISABLE, 4, 5))
    assert (blocked["kind"], blocked["approver"]) == ("BLOCK", None)
    with pytest.raises(ApprovalNeeded):
        await done(town, wished(Ending.ENABLE, 4, 5))
    assert [state for state, _ in await states(town, 4, 5)] == ["DISABLED", "DISABLED"]
    assert {way for way, told in WAYS.items() if told.alone} == {Ending.DISABLE}


async def test_number_is_sealed_by_one_and_opened_or_voided_by_two(town: Town) -> None:
    await town.take("1388804")
    wish = EndWish(
        way=Ending.DISABLE,
        resource="number",
        place=TOP,
        selection=ByRange("13888040000", "13888040999"),
        reason="司法查封",
        reference="协查 7",
    )

    sealed = await done(town, wish)
    assert (sealed["kind"], sealed["count"], sealed["approver"]) == ("BLOCK", 1000, None)
    with pytest.raises(ApprovalNeeded):
        await done(town, replace(wish, way=Ending.ENABLE))
    opened = await by_two(town, replace(wish, way=Ending.ENABLE, selection=ByRange("13888040000", "13888040499")))
    voided = await by_two(town, replace(wish, way=Ending.VOID, selection=ByRange("13888040500", "13888040599")))

    assert (opened["states"], voided["states"]) == ({"DISABLED": 500}, {"DISABLED": 100})
    counted = await town.rows("SELECT state, count(*) FROM number GROUP BY state")
    assert dict(counted) == {
        "UNUSED": 9_000, "RECYCLED": 500, "DISABLED": 400, "VOID": 100
    }  # fmt: skip
    assert await faults(town) == []


async def test_each_way_leads_every_state_to_the_same_one() -> None:
    for way in WAYS.values():
        for name in way.events:
            moves = way.moves(KINDS[name])
            assert len(set(moves.values())) == 1, way
    assert set(WAYS[Ending.FIND].moves(SIM)) == {"LOST"}
    assert set(WAYS[Ending.SCRAP].moves(SIM)) == {"DAMAGED", "REPLACED", "DISABLED"}
