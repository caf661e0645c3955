"""Loading of files on the real database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from inventory.domain.errors import AlreadyLoaded, Busy, DuplicateIdentifier, LoadNotRunning, LoadRejected, NotFound
from inventory.domain.identifiers import parse_public_id
from inventory.domain.kinds import SIM
from inventory.services.approval import without_approval
from inventory.services.card_data import SECRET_TABLE
from inventory.services.ending import Ending, EndWish, end
from inventory.services.load_standing import read_faults, read_load
from inventory.services.loading import CardWish, FileKind, FileWish, enter_card, load_file
from inventory.store.selection import ByName
from inventory.store.stock import find_item
from tests.services.files import ADM1, iccid, imsi, imsi_pool, numbered_pool, vendor_file
from tests.services.town import CARD, CITY, NOW, POOL, Town, found_town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]


async def faults_of(town: Town, refusal: LoadRejected) -> list[tuple[int, str, str, str]]:
    """Give line, column, value and code of all faults that the refused load kept."""
    async with town.database.session() as session:
        found = await read_faults(session, town.admin, public_id=refusal.params["batch"], after=0, limit=1000)
    return [(fault.row, fault.column, fault.value, fault.code) for _, fault in found]


async def test_vendor_file_becomes_cards_with_sealed_secrets_a_document_and_an_event(town: Town) -> None:
    """REQ-SIM-02: a file of SIMs is loaded. REQ-SIM-03: a card has ICCID, serial, kind, batch and vendor."""
    answer = await town.load(vendor_file(range(100)), vendor="V1")

    rows = await town.rows("SELECT * FROM sim ORDER BY item_no")
    assert [row.iccid for row in rows] == [iccid(serial) for serial in range(100)]
    assert {(row.state, row.version, row.holder_id, row.kind_code, row.pool) for row in rows} == {
        ("AVAILABLE", 0, town.nodes[str(CITY)].id, CARD, POOL)
    }
    assert [(row.item_no, row.serial) for row in rows[:2]] == [(0, f"{0:020X}"), (1, f"{1:020X}")]
    assert await town.value("SELECT count(*) FROM identifier") == 200
    movement = (await town.rows("SELECT kind, item_count, batch_id FROM movement"))[0]
    assert tuple(movement) == ("INTAKE", 100, parse_public_id(answer["id"], "b").serial)
    assert await town.value("SELECT vendor FROM load_batch") == "V1"
    assert await town.value("SELECT count(*) FROM event WHERE name = 'sim.loaded'") == 1


@pytest.mark.parametrize("serials", [range(6), [5, 3, 0, 1, 4, 2]], ids=["in order", "shuffled"])
async def test_cards_are_numbered_in_order_of_their_names_whatever_the_files_order(
    town: Town, serials: Sequence[int]
) -> None:
    await town.load(vendor_file(serials))
    assert [name for (name,) in await town.rows("SELECT iccid FROM sim ORDER BY item_no")] == list(map(iccid, range(6)))
    assert await town.value("SELECT count(*) FROM card_secret JOIN sim USING (city_id, item_no)") == 6


async def test_keys_rest_as_delivered_and_codes_open_only_in_their_place(town: Town) -> None:
    await town.load(vendor_file([7]))

    secret = (await town.rows("SELECT * FROM card_secret"))[0]
    assert (secret.transport_key_index, secret.ki, secret.opc) == ("11", (7).to_bytes(16), (8).to_bytes(16))
    place = {"table": SECRET_TABLE, "row": f"{CITY}/{secret.batch_id}/{secret.row}"}
    assert town.vault.open(secret.adm1, field="adm1", **place).reveal() == bytes.fromhex(ADM1)
    assert town.vault.open(secret.pin1, field="pin1", **place).reveal() == b"1234"
    assert bytes.fromhex(ADM1) not in secret.adm1


async def test_keys_are_as_long_as_the_products_algorithm_takes_them(town: Town) -> None:
    """REQ-SIM-02: found at the load, not at the counter. TUAK has a TOPc of 32 bytes and a K of 16 or 32."""
    await town.execute('UPDATE card_kind SET algorithm = \'{"name": "tuak"}\'')
    with pytest.raises(LoadRejected) as refusal:
        await town.load(vendor_file([1]))
    assert await faults_of(town, refusal.value) == [(12, "opc", "", "other_key_size")]

    head = vendor_file([], quantity=2, columns="ICCID/PIN1/PUK1/ADM1/EKI/ETOPC").decode()
    cards = [f"{iccid(no)} 1234 12345678 {ADM1} {'0B' * size} {'0C' * 32}" for no, size in ((2, 16), (3, 32))]
    await town.load("\n".join([head.rstrip(), *cards, ""]).encode())
    rows = await town.rows("SELECT length(ki), length(opc) FROM card_secret ORDER BY item_no")
    assert list(map(tuple, rows)) == [(16, 32), (32, 32)]


async def test_keys_of_a_secure_channel_come_with_the_cards_whose_product_needs_them(town: Town) -> None:
    """REQ-SIM-02: found at the load, not at the counter."""
    await town.execute("UPDATE card_kind SET profile = 'scp03'")
    with pytest.raises(LoadRejected) as refusal:
        await town.load(vendor_file([1]))
    assert await faults_of(town, refusal.value) == [(12, "scp_enc", "", "missing")]

    head = vendor_file([], quantity=1, columns="ICCID/PIN1/PUK1/ADM1/EKI/EOPC/ESCP03_ENC/ESCP03_MAC").decode()
    row = f"{iccid(2)} 1234 12345678 {ADM1} {'0B' * 16} {'0C' * 16} {'0D' * 32} {'0E' * 32}"
    await town.load(f"{head.rstrip()}\n{row}\n".encode())
    secret = (await town.rows("SELECT scp_enc, scp_mac FROM card_secret"))[0]
    assert tuple(secret) == (b"\x0d" * 32, b"\x0e" * 32)


async def test_same_file_again_changes_nothing_and_names_the_first_load(town: Town) -> None:
    """REQ-SIM-02: a re-sent file is recognised by its digest."""
    first = await town.load(vendor_file(range(5)))

    with pytest.raises(AlreadyLoaded) as refusal:
        await town.load(vendor_file(range(5)))

    assert refusal.value.params["batch"] == first["id"]
    assert await town.value("SELECT count(*) FROM sim") == 5


async def test_all_faults_of_a_file_are_kept_and_nothing_is_taken(town: Town) -> None:
    """REQ-SIM-02: each rejected line has its number and reason."""
    content = vendor_file(range(5)).replace(iccid(1).encode(), b"8.986E+19").replace(iccid(3).encode(), b"123")

    with pytest.raises(LoadRejected) as refusal:
        await town.load(content)

    assert await faults_of(town, refusal.value) == [
        (13, "iccid", "… (9 characters)", "spreadsheet_number"),
        (15, "iccid", "… (3 characters)", "malformed"),
    ]
    assert refusal.value.params["rows"] == 2
    assert await town.value("SELECT count(*) FROM sim") == 0
    async with town.database.session() as session:
        batch = await read_load(session, town.admin, public_id=refusal.value.params["batch"])
    assert (batch.state, batch.accepted, batch.rejected) == ("REJECTED", 0, 2)


async def test_cards_in_stock_and_cards_of_other_cities_are_refused_by_line(town: Town) -> None:
    """REQ-SIM-04: a duplicate ICCID, serial or IMSI is refused, within the file and against stock."""
    other = await found_town(town.database, town.vault, 530100)
    await town.load(vendor_file([1]))
    await other.load(vendor_file([2]))

    with pytest.raises(LoadRejected) as refusal:
        await town.load(vendor_file([0, 1, 2, 3, 3]))

    assert {(row, column, code) for row, column, _, code in await faults_of(town, refusal.value)} == {
        (13, "iccid", "duplicate_in_stock"),
        (13, "serial", "duplicate_in_stock"),
        (14, "iccid", "duplicate_elsewhere"),
        (14, "serial", "duplicate_elsewhere"),
        (16, "iccid", "duplicate_in_file"),
        (16, "serial", "duplicate_in_file"),
    }
    assert await town.value("SELECT count(*) FROM sim") == 2


async def test_a_refused_file_can_be_corrected_and_loaded(town: Town) -> None:
    with pytest.raises(LoadRejected):
        await town.load(vendor_file(range(5), quantity=6))

    assert (await town.load(vendor_file(range(5))))["rows"] == 5


async def test_imsi_pool_becomes_free_data_of_its_hlr(town: Town) -> None:
    """REQ-SIM-15: an IMSI is unique."""
    await town.load(imsi_pool(range(50)), FileKind.IMSI_POOL)

    rows = await town.rows("SELECT imsi, hlr_code, state, data_no FROM subscription_data ORDER BY data_no")
    assert [tuple(row) for row in rows[:2]] == [(imsi(0), "LJ1", "FREE", 0), (imsi(1), "LJ1", "FREE", 1)]
    with pytest.raises(LoadRejected) as refusal:
        await town.load(imsi_pool([49, 50]), FileKind.IMSI_POOL)
    assert await faults_of(town, refusal.value) == [(2, "imsi", "460000*******49", "duplicate_in_stock")]


async def test_pool_for_blanks_without_an_iccid_brings_one_for_each(town: Town) -> None:
    """REQ-SIM-15: the ICCIDs are registered with their IMSIs, for all cities."""
    loaded = await town.load(numbered_pool(range(3)), FileKind.IMSI_POOL)

    rows = await town.rows("SELECT imsi, iccid, state FROM subscription_data ORDER BY data_no")
    assert [tuple(row) for row in rows] == [(imsi(no), iccid(no), "FREE") for no in range(3)]
    assert await town.value("SELECT count(*) FROM identifier WHERE kind = 'iccid' AND city_id = 530700") == 3
    batch = parse_public_id(loaded["id"], "b").serial
    figures = await town.value("SELECT figures FROM load_batch WHERE batch_id = :batch", batch=batch)
    assert (figures["hlrs"], figures["iccids"]) == ({"LJ1": 3}, 3)


@pytest.mark.parametrize("city", [530700, 530100], ids=["here", "elsewhere"])
async def test_iccid_of_card_data_is_unique_beside_cards_and_other_data(town: Town, city: int) -> None:
    """REQ-SIM-04: in the file, in stock, and in another city; a card of that name is refused as well."""
    await town.load(vendor_file([7]))
    await town.load(numbered_pool([5]), FileKind.IMSI_POOL)
    there = town if city == 530700 else await found_town(town.database, town.vault, city)
    code = "duplicate_in_stock" if there is town else "duplicate_elsewhere"
    hlr = "LJ1" if there is town else "H530100"
    rows = [(11, 7), (12, 5), (13, 13), (14, 13)]
    text = "".join(f"{imsi(no)},{iccid(name)},{hlr}\n" for no, name in rows)
    with pytest.raises(LoadRejected) as refusal:
        await there.load(f"imsi,iccid,hlr\n{text}".encode(), FileKind.IMSI_POOL)
    assert await faults_of(there, refusal.value) == [
        (2, "iccid", iccid(7), code),
        (3, "iccid", iccid(5), code),
        (5, "iccid", iccid(13), "duplicate_in_file"),
    ]
    with pytest.raises(LoadRejected) as refusal:
        await there.load(f"ICCID\n{iccid(5)}\n".encode(), FileKind.CARD_LIST)
    assert await faults_of(there, refusal.value) == [(2, "iccid", iccid(5), code)]


async def test_imsis_of_a_strange_hlr_are_refused(town: Town) -> None:
    with pytest.raises(LoadRejected) as refusal:
        await town.load(imsi_pool([1], "H999"), FileKind.IMSI_POOL)

    assert await faults_of(town, refusal.value) == [(2, "hlr", "H999", "unknown_hlr")]


async def test_keys_under_an_unknown_transport_key_are_refused(town: Town) -> None:
    with pytest.raises(NotFound):
        await town.load(vendor_file([1], key="99"))


async def test_empty_file_is_refused(town: Town) -> None:
    with pytest.raises(LoadRejected) as refusal:
        await town.load(vendor_file([]))

    assert [fault[3] for fault in await faults_of(town, refusal.value)] == ["empty"]


async def test_file_that_is_no_text_is_refused(town: Town) -> None:
    with pytest.raises(LoadRejected) as refusal:
        await town.load(b"\xff\xfe\x00")

    assert [fault[3] for fault in await faults_of(town, refusal.value)] == ["not_text"]


async def test_single_card_is_entered_by_hand(town: Town) -> None:
    """REQ-SIM-01: one SIM can be entered."""
    wish = CardWish(iccid=iccid(1), serial=None, card_kind=CARD)

    async with town.database.session() as session:
        await enter_card(session, town.admin, fresh_key(), wish, vault=town.vault, now=NOW)
        with pytest.raises(DuplicateIdentifier):
            await enter_card(session, town.admin, fresh_key(), wish, vault=town.vault, now=NOW)

    assert await town.value("SELECT count(*) FROM sim") == 1


async def test_same_request_after_a_refusal_is_told_that_its_load_has_ended(town: Town) -> None:
    wish = FileWish(kind=FileKind.SIM_VENDOR, name="f", content=vendor_file([1], key="77"), card_kind=CARD)
    write = fresh_key()
    async with town.database.session() as session:
        with pytest.raises(NotFound):
            await load_file(session, town.admin, write, wish, vault=town.vault, now=NOW)
        with pytest.raises(LoadNotRunning):
            await load_file(session, town.admin, write, wish, vault=town.vault, now=NOW)


async def test_card_that_was_given_back_is_entered_by_hand_again(town: Town) -> None:
    """REQ-SIM-01: what was registered by mistake, and voided, may come in again."""
    wish = CardWish(iccid=iccid(1), serial=None, card_kind=CARD)
    async with town.database.session() as session:
        await enter_card(session, town.admin, fresh_key(), wish, vault=town.vault, now=NOW)
    void = EndWish(way=Ending.VOID, resource="sim", place=str(CITY), selection=ByName((iccid(1),)), reason="误登")
    approval = await town.approved(Ending.VOID, **without_approval(void))
    async with town.database.session() as session:
        await end(session, town.admin, fresh_key(), replace(void, approval=approval), now=NOW)
        await enter_card(session, town.admin, fresh_key(), wish, vault=town.vault, now=NOW)

    assert await town.value("SELECT generation FROM sim WHERE iccid = :iccid", iccid=iccid(1)) == 2


async def test_of_two_equal_loads_at_once_one_loads_and_one_is_told(town: Town) -> None:
    wish = FileWish(kind=FileKind.SIM_VENDOR, name="f", content=vendor_file(range(200)), card_kind=CARD, pool=POOL)

    async def once_more() -> str:
        async with town.database.session() as session:
            try:
                await load_file(session, town.admin, fresh_key(), wish, vault=town.vault, now=NOW)
            except (AlreadyLoaded, LoadRejected, Busy) as refusal:
                return refusal.code
        return "loaded"

    outcomes = sorted(await asyncio.gather(*(once_more() for _ in range(4))))

    assert outcomes.count("loaded") == 1
    assert await town.value("SELECT count(*) FROM sim") == 200
    assert await town.value("SELECT count(*) FROM load_batch WHERE state = 'COMMITTED'") == 1


async def test_card_whose_serial_is_another_cards_iccid_does_not_stand_in_its_way(town: Town) -> None:
    await town.load(vendor_file([1, 2]))
    await town.execute("UPDATE sim SET serial = :iccid WHERE iccid = :other", iccid=iccid(1), other=iccid(2))
    async with town.database.session() as session:
        found = await find_item(session, SIM, city_id=CITY, name=iccid(1))
    assert found is not None
    assert found.name == iccid(1)
