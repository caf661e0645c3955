"""Blanks with a chip serial only (空卡序列号): they get their ICCID with their data, and no ICCID is on two cards."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text
from typing_extensions import override

from cardwriter.script import Purpose
from cardwriter.virtual.blank import blank_card
from cardwriter.virtual.uicc import Torn, VirtualUicc
from inventory.domain.errors import NoDataUnit, NoNumberedData
from inventory.domain.identifiers import parse_chip_serial, parse_iccid
from inventory.services.kits import CardWish
from inventory.services.orders import Run
from tests.cards.hall import CardKeys, Hall, imsi_on
from tests.cards.test_bulk import opened, put_in
from tests.cards.test_sale import quiet, write
from tests.promises.conftest import Counter

pytestmark = [pytest.mark.database, pytest.mark.anyio]
NUMBERS = tuple(f"138888{10000 + item_no:05d}" for item_no in range(8))
SERIALS = tuple(f"{item_no:0{20 if item_no == 1 else 16}d}" for item_no in range(4))
"""Cards 0 to 3 have no ICCID; the serial of card 1 is of the newer generation."""
ICCIDS = tuple(f"8986002700{item_no:010d}" for item_no in range(2))
"""Data units 0 and 1 bring these; the other six have none."""
UNNUMBERED = "F" * 20
_STOCK = """
INSERT INTO card_kind (code, name_zh, name_en, profile, capacity_kb, capabilities, network, fee_fen)
SELECT 'serial-4g', name_zh, name_en, 'serial_only', capacity_kb, capabilities, network, fee_fen FROM card_kind;
DELETE FROM identifier i USING sim s WHERE s.item_no < 4 AND i.kind = 'iccid' AND i.value = s.iccid;
UPDATE identifier SET value = lpad('1', 20, '0') WHERE kind = 'serial' AND value = lpad('1', 16, '0');
UPDATE sim SET kind_code = 'serial-4g', iccid = NULL WHERE item_no < 4;
UPDATE sim SET serial = lpad('1', 20, '0') WHERE item_no = 1;
UPDATE subscription_data SET iccid = '8986002700' || lpad(data_no::text, 10, '0') WHERE data_no < 2;
INSERT INTO identifier (kind, value, city_id) SELECT 'iccid', iccid, city_id FROM subscription_data
WHERE iccid IS NOT NULL
"""


@pytest.fixture
async def hall(hall: Hall) -> Hall:
    """Give a hall with four blanks that have no ICCID, four others, and ICCIDs for two cards."""
    for statement in _STOCK.split(";"):
        await hall.change(statement)
    return hall


def blank(item_no: int) -> VirtualUicc:
    """Make the card of a stock record that has a chip serial only."""
    inside = CardKeys.of(item_no)
    image = blank_card(iccid=None, serial=SERIALS[item_no], k=inside.k, opc=inside.opc, adm1=inside.adm1)
    return VirtualUicc(image)


def file_of(card: VirtualUicc, path: str) -> bytes:
    """Give what a file of the card holds."""
    found = card.image.file(path)
    assert found is not None
    return found.content


def number_on(card: VirtualUicc) -> str:
    """Give EF.ICCID in reading order; `UNNUMBERED` on a card without."""
    return "".join(f"{byte & 15:X}{byte >> 4:X}" for byte in file_of(card, "2fe2"))


async def held(hall: Hall, item_no: int) -> tuple[Counter, str]:
    """Hold the n-th number with the n-th card, which is named by its chip serial."""
    counter = Counter(hall.database, hall.caller, hall.now)
    answer = await counter.hold(NUMBERS[item_no], chip_serial=parse_chip_serial(SERIALS[item_no]))
    assert (answer.body["iccid"], answer.body["chip_serial"]) == (None, SERIALS[item_no])
    return counter, str(answer.body["hold"])


async def owners(hall: Hall) -> list[tuple[str, str | None, str]]:
    """Give who has each of the two ICCIDs, card or data unit, with its state."""
    async with hall.database.session() as session, session.begin():
        rows = await session.execute(
            text(
                "SELECT 'card ' || item_no, iccid, state FROM sim WHERE iccid LIKE '8986002700%'"
                " UNION ALL SELECT 'data ' || data_no, iccid, state FROM subscription_data WHERE iccid IS NOT NULL"
                " ORDER BY 2, 1"
            )
        )
        return [tuple(row) for row in rows]


@pytest.mark.parametrize("item_no", [0, 1], ids=["16 digits", "20 digits"])
async def test_blank_with_a_serial_only_becomes_a_working_line(hall: Hall, item_no: int) -> None:
    """REQ-HW-04, REQ-HW-12: held by its serial, numbered, proven, sold; the ICCID in stock is the one read back."""
    counter, hold = await held(hall, item_no)
    card = blank(item_no)
    await hall.insert(card)
    job = await write(hall, hold)
    assert (await hall.job(job))["state"] == "verified"
    sold = await counter.confirm(hold)
    assert sold.body["iccid"] == number_on(card) in ICCIDS
    row = await hall.one(
        "SELECT s.state, s.iccid, s.serial, d.state, d.iccid, e.data ->> 'iccid', e.data ->> 'serial' FROM sim s"
        " JOIN subscription_data d ON d.city_id = s.city_id AND d.sim_item_no = s.item_no"
        " JOIN event e ON e.city_id = s.city_id AND e.item_no = s.item_no AND e.name = 'sim.written'"
        " WHERE s.city_id = :city AND s.item_no = :item",
        item=item_no,
    )
    names = (sold.body["iccid"], SERIALS[item_no])
    assert tuple(row) == ("IN_USE", *names, "BOUND", None, *names)
    await quiet(hall)


class Cut(VirtualUicc):
    """A card that has no power left as soon as something has been written on it."""

    when: Callable[[], bool] | None = None

    @override
    def transmit(self, apdu: bytes) -> bytes:
        """Answer, or not at all."""
        if self.when is not None and self.when():
            raise Torn
        return super().transmit(apdu)


async def torn(hall: Hall, hold: str, *, when: Callable[[VirtualUicc], bool]) -> VirtualUicc:
    """Write card 0 for its kit until this is so, then read it again; give the card."""
    card = Cut(blank(0).image)
    await hall.insert(card)
    card.when = lambda: when(card)
    job = await write(hall, hold)
    card.when = None
    hall.source.remove()
    await hall.insert(card)
    assert (await hall.job(job))["state"] == "nothing_written"
    assert imsi_on(card) == b"\xff" * 9
    return card


async def cut_behind_the_iccid(hall: Hall) -> tuple[Counter, VirtualUicc, str]:
    """Tear card 0 out between its ICCID and its IMSI, and read it again; give it and its hold."""
    counter, hold = await held(hall, 0)
    card = await torn(hall, hold, when=lambda card: number_on(card) != UNNUMBERED)
    assert number_on(card) in ICCIDS
    return counter, card, hold


async def test_card_cut_off_behind_its_iccid_keeps_it_and_is_written_again(hall: Hall) -> None:
    """REQ-HW-08: the ICCID is the card's from then on, the unit has its IMSI still; the same kit is sold with both."""
    counter, card, hold = await cut_behind_the_iccid(hall)
    bears = number_on(card)
    assert ("card 0", bears, "HELD") in await owners(hall)
    assert len(await owners(hall)) == 2
    await quiet(hall)
    job = await write(hall, hold)
    assert (await hall.job(job))["state"] == "verified"
    assert (await counter.confirm(hold)).body["iccid"] == bears
    await quiet(hall)


async def test_card_that_bears_its_iccid_takes_plain_data_in_its_next_kit(hall: Hall) -> None:
    """Its first unit has only an IMSI left: no other blank gets that ICCID, and this one needs no further one."""
    counter, card, hold = await cut_behind_the_iccid(hall)
    await counter.release(hold)
    bears = parse_iccid(number_on(card)).iccid
    again = await counter.hold(NUMBERS[5], iccid=bears)
    row = await hall.one("SELECT iccid FROM subscription_data WHERE state = 'RESERVED'")
    assert tuple(row) == (None,)
    job = await write(hall, str(again.body["hold"]))
    assert (await hall.job(job))["state"] == "verified"
    assert number_on(card) == bears
    await quiet(hall)


async def test_iccid_of_an_unknown_card_is_on_no_other_one(hall: Hall) -> None:
    """REQ-HW-08, REQ-RSV-16: quarantined with its unit; the next card of the kit gets another, then there is none."""
    _, hold = await held(hall, 0)
    card = blank(0)
    await hall.insert(card)
    job = await write(hall, hold, until=Purpose.WRITE)
    for filed in hall.journal.unacknowledged():
        hall.journal.acknowledge(filed.report.script_id)
    hall.source.remove()
    await hall.reconnect()
    assert (await hall.job(job))["state"] == "unknown"
    await hall.give(hold, CardWish(chip_serial=parse_chip_serial(SERIALS[1])))
    second = blank(1)
    await hall.insert(second)
    await write(hall, hold)
    assert {number_on(card), number_on(second)} == set(ICCIDS)
    with pytest.raises(NoNumberedData):
        await held(hall, 2)
    hall.source.remove()
    await hall.insert(card)
    assert (await hall.job(job))["state"] == "verified"
    assert [owner for owner, _, _ in await owners(hall)] in (["card 0", "card 1"], ["card 1", "card 0"])
    await quiet(hall)


async def test_nothing_written_leaves_the_iccid_with_its_unit(hall: Hall) -> None:
    counter, hold = await held(hall, 0)
    before = await owners(hall)
    card = await torn(hall, hold, when=lambda card: b"Haoka" in file_of(card, "7fff/6f46"))
    assert number_on(card) == UNNUMBERED
    assert await owners(hall) == before
    await counter.release(hold)
    assert [state for _, _, state in await owners(hall)] == ["FREE", "FREE"]
    await quiet(hall)


async def test_number_that_is_not_the_leased_one_spoils_the_card(hall: Hall) -> None:
    """REQ-HW-12: a mismatch is damage; the leased ICCID stays in quarantine with its unit."""
    _, hold = await held(hall, 0)
    card = blank(0)
    await hall.insert(card)
    started = await hall.start(hold)
    orders = await hall.take_up()
    while runs := [order for order in orders if isinstance(order, Run)]:
        if runs[0].script.purpose is Purpose.VERIFY:
            card.image.files["2fe2"].content = bytes.fromhex("98680072000000009999")
        orders = await hall.report(hall.run(runs[0]))
    assert (await hall.job(str(started.body["id"])))["state"] == "damaged"
    row = await hall.one(
        "SELECT s.state, s.iccid, d.state, d.iccid IS NOT NULL FROM sim s"
        " JOIN subscription_data d ON d.city_id = s.city_id AND d.sim_item_no = s.item_no"
        " WHERE s.city_id = :city AND s.item_no = 0"
    )
    assert tuple(row) == ("DAMAGED", None, "QUARANTINED", True)
    await quiet(hall)


async def test_card_with_a_torn_iccid_is_found_by_its_serial_and_spoiled(hall: Hall) -> None:
    """REQ-HW-08: what is no ICCID names no card; the chip serial does, or the card would stay unknown for ever."""
    _, hold = await held(hall, 0)
    card = Cut(blank(0).image)
    await hall.insert(card)
    card.when = lambda: number_on(card) != UNNUMBERED
    job = await write(hall, hold)
    card.when = None
    card.image.files["2fe2"].content = bytes.fromhex("ffff0072000000000000")
    hall.source.remove()
    await hall.insert(card)
    assert (await hall.job(job))["state"] == "damaged"
    assert sorted(state for _, _, state in await owners(hall)) == ["FREE", "QUARANTINED"]
    await quiet(hall)


async def test_each_card_takes_data_of_its_own_sort(hall: Hall) -> None:
    """REQ-RSV-17: a blank that has its ICCID never uses up another one, however the kit changes its card."""
    counter = Counter(hall.database, hall.caller, hall.now)
    question = "SELECT iccid IS NOT NULL FROM subscription_data WHERE state = 'RESERVED' AND city_id = :city"
    hold = str((await counter.hold(NUMBERS[0], iccid=parse_iccid("89860026000000000005").iccid)).body["hold"])
    assert tuple(await hall.one(question)) == (False,)
    await hall.change("UPDATE sim SET kind_code = 'serial-4g' WHERE item_no = 5")
    await hall.give(hold, CardWish(chip_serial=parse_chip_serial(SERIALS[2])))
    assert tuple(await hall.one(question)) == (True,)
    await hall.change("UPDATE subscription_data SET state = 'RETIRED' WHERE iccid IS NULL")
    with pytest.raises(NoDataUnit):
        await hall.give(hold, CardWish(iccid=parse_iccid("89860026000000000005").iccid))


async def test_blanks_with_a_serial_only_are_written_in_bulk_while_there_are_numbers_for_them(hall: Hall) -> None:
    """Matched by the chip serial; data without an ICCID are of no use to them."""
    board = await opened(hall, kind="serial-4g")
    cards = [blank(item_no) for item_no in range(3)]
    for card in cards:
        await put_in(hall, card)
    assert await board.counted() == ("EXHAUSTED", 2, 0, 0, 0)
    assert sorted(number_on(card) for card in cards) == [*ICCIDS, UNNUMBERED]
    await quiet(hall)
    with pytest.raises(NoNumberedData):
        await opened(hall, kind="serial-4g")
