from __future__ import annotations

import pytest
from sqlalchemy import func, select

from inventory.access.permissions import Role
from inventory.domain.errors import InvalidField, MovementRefused
from inventory.domain.kinds import SIM
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.receiving import Signature, accept
from inventory.services.selecting import in_normal_form
from inventory.store.selection import FEW_RUNS, ByCount, ByItems, ByName, ByRange, named
from inventory.store.stock import stock_table
from tests.services.files import iccid, vendor_file
from tests.services.town import CITY, NOW, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]


@pytest.mark.parametrize("runs", [2, FEW_RUNS + 1, 40_000])
async def test_any_number_of_runs_is_one_statement(town: Town, runs: int) -> None:
    await town.load(vendor_file(range(30)))
    wanted = ByItems(((0, 1), (5, 5), *((10 * no, 10 * no + 1) for no in range(1, runs))))
    query = select(func.count()).select_from(stock_table(SIM)).where(named(SIM, wanted))
    async with town.database.session() as session:
        assert await session.scalar(query) == {2: 5}.get(runs, 7)


async def test_range_of_chip_serials_is_a_range_of_cards(town: Town) -> None:
    """REQ-SIM-06: blanks that have a chip serial only are issued like any others."""
    await town.load(vendor_file(range(9)))
    await town.execute("UPDATE sim SET iccid = NULL WHERE item_no > 3")
    wanted = in_normal_form(SIM, ByRange(f"{3:020x}", f"{6:020x}"))
    assert not isinstance(wanted, ByCount)
    query = select(stock_table(SIM).c.item_no).where(named(SIM, wanted))
    async with town.database.session() as session:
        assert sorted(await session.scalars(query)) == [3, 4, 5, 6]


@pytest.mark.parametrize("last", [iccid(5), f"{5:016X}", f"{2:020X}"], ids=["an ICCID", "older generation", "before"])
def test_range_between_names_of_two_sorts_is_refused(last: str) -> None:
    with pytest.raises(InvalidField):
        in_normal_form(SIM, ByRange(f"{3:020X}", last))


async def test_card_scanned_by_both_its_names_is_one_card(town: Town) -> None:
    """REQ-SIM-06: both are printed on it, and a scanner reads what it is held at."""
    await town.load(vendor_file(range(5)))
    district = f"{CITY}-D1"
    names = (iccid(3), f"{3:020X}", iccid(4))

    def given(*selected: str) -> MoveWish:
        return MoveWish(
            verb=Verb.ISSUE, resource="sim", giver=str(CITY), receiver=district, selection=ByName(selected),
            on_the_way=True,
        )  # fmt: skip

    async with town.database.session() as session:
        with pytest.raises(MovementRefused) as refused:
            await move(session, town.admin, fresh_key(), given(*names, iccid(9)), now=NOW)
        sent = (await move(session, town.admin, fresh_key(), given(*names), now=NOW)).body
        signature = Signature(movement=sent["id"], selection=ByName(names))
        keeper = town.at(district, Role.DISTRICT_KEEPER)
        came = (await accept(session, keeper, fresh_key(), signature, now=NOW)).body
    assert [item["item"] for item in refused.value.params["items"]] == [iccid(9)]
    assert (refused.value.params["count"], sent["count"], came["count"], came["parent_state"]) == (1, 2, 2, "ACCEPTED")
