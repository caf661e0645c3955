"""A file may say in which box each card lies: the boxes come with the load."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from inventory.domain.errors import LoadNotUndoable, LoadRejected, MovementRefused
from inventory.services.auditing import audit
from inventory.services.boxes import open_box, read_box
from inventory.services.load_undo import undo_load
from inventory.services.loading import FileKind
from inventory.store import load_boxes, load_undo
from inventory.store.selection import ByName
from tests.services.files import iccid, vendor_file
from tests.services.test_boxes import moved, packed
from tests.services.test_stock_kinds import DISTRICT
from tests.services.town import NOW, Town, fresh_key
from tests.waiting import PausedAfter

pytestmark = [pytest.mark.database, pytest.mark.anyio]


def card_list(*rows: tuple[int, str]) -> bytes:
    """Give a list of cards with the boxes they lie in."""
    return "\n".join(["ICCID,箱号", *(f"{iccid(serial)},{box}" for serial, box in rows), ""]).encode()


async def load(town: Town, *rows: tuple[int, str], **changes: Any) -> dict[str, Any]:
    return await town.load(card_list(*rows), FileKind.CARD_LIST, **changes)


async def undone(town: Town, loaded: dict[str, Any]) -> None:
    async with town.database.session() as session:
        await undo_load(session, town.admin, fresh_key(), public_id=loaded["id"], reason="误", now=NOW)


async def boxed(town: Town) -> list[tuple[str, str, int, int]]:
    """Give code, state, count as written and count of its lines, of each box."""
    question = (
        "SELECT code, state, item_count, sum(hi - lo + 1)::int FROM box JOIN box_line USING (city_id, box_no)"
        " GROUP BY code, state, item_count ORDER BY code"
    )
    return [tuple(row) for row in await town.rows(question)]


async def faults(town: Town) -> list[tuple[int, str, str, str]]:
    question = 'SELECT row, "column", value, code FROM load_fault ORDER BY fault_no'
    return [tuple(row) for row in await town.rows(question)]


async def test_boxes_come_sealed_with_the_cards_that_the_list_puts_into_them(town: Town) -> None:
    """REQ-STK-02: cards arrive packed."""
    loaded = await load(town, (3, "B1"), (1, "b1"), (2, "B2"), (4, ""), (5, "B1"))

    assert await boxed(town) == [("B1", "SEALED", 3, 3), ("B2", "SEALED", 1, 1)]
    async with town.database.session() as session:
        view = await read_box(session, town.admin, "B1")
        assert (await audit(session, now=NOW)).findings == []
    assert [name for name, _ in view.items] == [iccid(1), iccid(3), iccid(5)]
    assert (await moved(town, "B1"))["count"] == 3
    assert await town.value("SELECT figures->>'boxes' FROM load_batch") == "2"
    assert await town.value("SELECT data->>'load' FROM event WHERE name = 'sim.box_packed' LIMIT 1") == loaded["id"]


async def test_a_vendors_file_names_boxes_too(town: Town) -> None:
    text = vendor_file(range(4), columns="ICCID/Ser_nb/PIN1/PUK1/ADM1/KI/OPC/CARTON_NO").decode()
    head, cards = text.split("CARTON_NO\n")
    lines = [f"{line} C{no // 2}" for no, line in enumerate(cards.splitlines())]
    await town.load((head + "CARTON_NO\n" + "\n".join(lines) + "\n").encode())

    assert await boxed(town) == [("C0", "SEALED", 2, 2), ("C1", "SEALED", 2, 2)]


async def test_a_sealed_box_takes_nothing_in(town: Town) -> None:
    await load(town, (1, "B1"))

    with pytest.raises(LoadRejected):
        await load(town, (2, "B2"), (3, "B1"))

    assert await faults(town) == [(3, "box", "B1", "box_sealed")]
    assert await boxed(town) == [("B1", "SEALED", 1, 1)]


async def test_a_card_in_two_boxes_is_named_with_the_later_one(town: Town) -> None:
    with pytest.raises(LoadRejected):
        await load(town, (1, "B1"), (1, "B2"), (2, "B2"), (2, "B2"), (3, ""), (3, "B1"), (3, "B2"))

    assert await faults(town) == [
        (3, "iccid", iccid(1), "duplicate_in_file"),
        (3, "box", "B2", "in_two_boxes"),
        (5, "iccid", iccid(2), "duplicate_in_file"),
        (7, "iccid", iccid(3), "duplicate_in_file"),
        (8, "iccid", iccid(3), "duplicate_in_file"),
        (8, "box", "B2", "in_two_boxes"),
    ]


async def test_a_card_in_two_boxes_by_iccid_and_serial_is_named_once(town: Town) -> None:
    rows = (f"{iccid(1)},{1:020X},B1", f"{iccid(1)},{1:020X},B2")
    with pytest.raises(LoadRejected):
        await town.load("\n".join(("ICCID,serial,box", *rows, "")).encode(), FileKind.CARD_LIST)

    assert [fault[3] for fault in await faults(town)].count("in_two_boxes") == 1


async def test_a_box_of_which_rows_are_refused_stays_open_and_the_mended_rows_come_into_it(town: Town) -> None:
    await town.load(card_list((9, "")), FileKind.CARD_LIST)
    await load(town, (1, "B1"), (9, "B1"), (2, "B2"), keep_good=True)
    assert await boxed(town) == [("B1", "OPENED", 1, 1), ("B2", "SEALED", 1, 1)]

    await load(town, (3, "B1"))

    assert (await boxed(town))[0] == ("B1", "OPENED", 2, 2)
    assert (await packed(town, "B1", selection=ByName((iccid(1), iccid(3)))))["state"] == "SEALED"


async def test_a_malformed_row_leaves_its_box_open(town: Town) -> None:
    content = card_list((1, "B1"), (2, "B1")) + b"8986001,B1\n"
    await town.load(content, FileKind.CARD_LIST, keep_good=True)

    assert await boxed(town) == [("B1", "OPENED", 2, 2)]


@pytest.mark.parametrize("touch", ["nothing", "opened", "issued"])
async def test_a_load_is_undone_with_its_boxes_unless_one_was_touched(town: Town, touch: str) -> None:
    loaded = await load(town, (1, "B1"), (2, "B1"))
    async with town.database.session() as session:
        if touch == "opened":
            await open_box(session, town.admin, fresh_key(), "B1", "抽检", now=NOW.replace(hour=3))
    if touch == "issued":
        await moved(town, "B1", receiver=DISTRICT)
    async with town.database.session() as session:
        if touch != "nothing":
            with pytest.raises(LoadNotUndoable):
                await undo_load(session, town.admin, fresh_key(), public_id=loaded["id"], reason="误", now=NOW)
            return
        await undo_load(session, town.admin, fresh_key(), public_id=loaded["id"], reason="误", now=NOW)
    assert await boxed(town) == []
    assert (await load(town, (1, "B1")))["rows"] == 1


async def test_undone_load_leaves_in_an_open_box_what_another_load_has_put_there(town: Town) -> None:
    await load(town, (9, ""))
    first = await load(town, (1, "B1"), (9, "B1"), keep_good=True)
    second = await load(town, (3, "B1"), (4, "B1"))

    await undone(town, first)
    assert await boxed(town) == [("B1", "OPENED", 2, 2)]
    await undone(town, second)
    assert await boxed(town) == []
    assert await town.value("SELECT count(*) FROM sim") == 1


async def test_box_that_is_packed_while_its_load_is_undone_comes_too_late(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = await load(town, (1, ""), (2, ""))
    seen = PausedAfter(monkeypatch, load_undo, "has_later_life")

    async def packs() -> None:
        with pytest.raises(MovementRefused):
            await packed(town, "B7", 1, 2)

    await seen.meanwhile(undone(town, loaded), packs(), town.database)
    assert await town.value("SELECT count(*) FROM box_line") == 0


async def load_amid(
    town: Town, monkeypatch: pytest.MonkeyPatch, act: Callable[[dict[str, Any]], Awaitable[object]]
) -> None:
    """Put cards 1 and 2 into an open box; act while a second load puts 3 and 4 there, which ends when the act waits."""
    await load(town, (9, ""))
    first = await load(town, (1, "B1"), (2, "B1"), (9, "B1"), keep_good=True)
    filled = PausedAfter(monkeypatch, load_boxes, "fill")
    await filled.meanwhile(load(town, (3, "B1"), (4, "B1")), act(first), town.database)


async def test_box_from_which_a_card_is_packed_elsewhere_counts_what_a_load_puts_in_meanwhile(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await load_amid(town, monkeypatch, lambda _: packed(town, "B2", 1, 1))
    assert await boxed(town) == [("B1", "OPENED", 3, 3), ("B2", "SEALED", 1, 1)]


async def test_undone_load_leaves_in_an_open_box_what_another_load_puts_there_meanwhile(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await load_amid(town, monkeypatch, lambda first: undone(town, first))
    assert await boxed(town) == [("B1", "OPENED", 2, 2)]
