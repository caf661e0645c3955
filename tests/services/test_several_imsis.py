"""Cards with several IMSIs: each is on one card and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from inventory.domain.errors import LoadRejected
from inventory.services.auditing import audit
from inventory.services.load_undo import undo_load
from inventory.services.loading import FileKind
from inventory.services.reporting import read_card_identities, read_item
from tests.services.files import iccid, imsi, imsi_pool, vendor_file
from tests.services.town import HLR, NOW, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]


def several(*cards: tuple[int, Sequence[int]]) -> bytes:
    """Give a vendor's file of finished cards with these IMSIs each."""
    names = "/".join(f"IMSI{no + 1}" for no in range(len(cards[0][1])))
    head = vendor_file([], quantity=len(cards), columns=f"ICCID/{names}", key="0").decode()
    lines = [" ".join([iccid(serial), *map(imsi, imsis)]) for serial, imsis in cards]
    return (head + "\n".join(lines) + "\n").encode()


async def load(town: Town, *cards: tuple[int, Sequence[int]]) -> dict[str, object]:
    return await town.load(several(*cards), hlr=HLR)


async def faults(town: Town) -> list[tuple[int, str, str]]:
    rows = await town.rows('SELECT row, "column", code FROM load_fault ORDER BY fault_no')
    first = await town.value("SELECT min(row) FROM load_fault")
    return [(row - first, column, code) for row, column, code in rows]


async def test_all_imsis_stand_with_the_card_and_the_first_is_the_cards(town: Town) -> None:
    await load(town, (1, (10, 11, 12)), (2, (20, 21, 22)))

    async with town.database.session() as session:
        view = await read_item(session, town.admin, resource="sim", name=iccid(2))
        rows = await read_card_identities(session, town.admin, item_no=view.item.item_no)
        assert (await audit(session, now=NOW)).findings == []
    assert [(row.slot, row.imsi[-2:], row.state) for row in rows] == [
        (1, "20", "VERIFIED"),
        (2, "21", "VERIFIED"),
        (3, "22", "VERIFIED"),
    ]
    assert await town.value("SELECT count(*) FROM identifier WHERE kind = 'imsi'") == 6


@pytest.mark.parametrize("second", [(30, 11), (11, 30), (30, 12)])
async def test_an_imsi_behind_the_first_is_on_no_other_card(town: Town, second: Sequence[int]) -> None:
    await load(town, (1, (10, 11)))
    await town.load(imsi_pool([12]), FileKind.IMSI_POOL)

    with pytest.raises(LoadRejected):
        await load(town, (2, second))

    assert [fault[1:] for fault in await faults(town)] == [("imsi", "duplicate_in_stock")]


async def test_an_imsi_twice_in_the_file_is_told_of_the_later_row(town: Town) -> None:
    with pytest.raises(LoadRejected):
        await load(town, (1, (10, 11)), (2, (11, 20)), (3, (30, 31)), (4, (40, 31)), (5, (50, 50)))

    assert await faults(town) == [
        (0, "imsi", "duplicate_in_file"),
        (2, "imsi", "duplicate_in_file"),
        (3, "imsi", "duplicate_in_file"),
    ]


async def test_no_pool_brings_an_imsi_that_is_behind_the_first_of_a_card(town: Town) -> None:
    await load(town, (1, (10, 11)))
    with pytest.raises(LoadRejected):
        await town.load(imsi_pool([11]), FileKind.IMSI_POOL)


async def test_an_undone_load_frees_all_of_them(town: Town) -> None:
    loaded = await load(town, (1, (10, 11)))
    async with town.database.session() as session:
        await undo_load(session, town.admin, fresh_key(), public_id=str(loaded["id"]), reason="误", now=NOW)
        assert (await audit(session, now=NOW)).findings == []
    assert (await load(town, (2, (11, 10))))["rows"] == 1
