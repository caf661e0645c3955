"""Recall orders of places above each other: an item is owed to the higher one, also where both order at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.errors import NotEnoughStock
from inventory.domain.kinds import SIM, ResourceKind
from inventory.services import recall_orders
from inventory.store.selection import ByCount, ByRange
from tests.services.test_recall_orders import (
    debts,
    every_kind,
    followed,
    free,
    hall_with_ten,
    handed_back,
    ordered,
    promise,
    recall_faults,
    state_of,
)
from tests.services.test_stock_kinds import DISTRICT, HALL, TOP, give, name
from tests.services.town import Town
from tests.waiting import until_locked

pytestmark = [pytest.mark.database, pytest.mark.anyio]


async def test_order_of_a_higher_place_takes_over_what_is_owed(town: Town) -> None:
    await hall_with_ten(town, SIM)
    lower = (await ordered(town, SIM, place=DISTRICT, below=HALL))["id"]
    higher = (await ordered(town, SIM))["id"]

    await followed(town)

    assert (await state_of(town, lower))[0] == "FULFILLED"
    assert await debts(town, higher) == {DISTRICT: (10, 0, 0), HALL: (10, 0, 0)}
    assert await recall_faults(town) == []


@every_kind
async def test_order_of_a_lower_place_leaves_what_is_owed_to_a_higher_one(town: Town, kind: ResourceKind) -> None:
    await hall_with_ten(town, kind)
    for serial in range(10):
        await promise(town, kind, serial)
    higher = (await ordered(town, kind, below=HALL))["id"]
    with pytest.raises(NotEnoughStock):
        await ordered(town, kind, place=DISTRICT, below=HALL)
    await free(town, kind)
    await give(town, kind, ByRange(name(kind, 10), name(kind, 12)), giver=DISTRICT, receiver=HALL)

    lower = await ordered(town, kind, place=DISTRICT, below=HALL)

    assert lower["asked"] == 3
    await followed(town)
    if kind is SIM:
        await handed_back(town, kind, ByCount(13), HALL, DISTRICT)
        assert await debts(town, higher) == {DISTRICT: (10, 0, 0)}
        await handed_back(town, kind, ByCount(10), DISTRICT, TOP)
        await followed(town)
    assert await state_of(town, higher) == ("FULFILLED", 10, 10)
    assert await state_of(town, lower["id"]) == ("FULFILLED", 3, 3)
    assert await recall_faults(town) == []


async def ordered_at_once(town: Town) -> dict[str, Any] | NotEnoughStock:
    """Let the district order its hall's cards back while the city's order is being marked; give how it ends."""
    await hall_with_ten(town, SIM)
    async with town.database.session() as session, session.begin():
        await session.execute(text("SELECT FROM sim WHERE item_no = 0 FOR UPDATE"))
        higher = asyncio.create_task(ordered(town, SIM))
        await until_locked(town.database)
        lower = asyncio.create_task(ordered(town, SIM, place=DISTRICT, below=HALL))
        await until_locked(town.database, 2)
    assert (await higher)["asked"] == 20
    try:
        return await lower
    except NotEnoughStock as refusal:
        return refusal


async def test_of_two_orders_at_once_the_higher_place_is_owed(town: Town) -> None:
    assert isinstance(await ordered_at_once(town), NotEnoughStock)


async def test_canary_of_orders_that_do_not_wait_gives_the_lower_place_what_is_the_higher_ones(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unlocked(session: AsyncSession, name: str) -> None:
        del session, name

    monkeypatch.setattr(recall_orders, "lock_for_transaction", unlocked)
    lower = await ordered_at_once(town)
    assert isinstance(lower, dict)
    assert lower["asked"] == 10
