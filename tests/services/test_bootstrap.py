from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.errors import InvalidIdentifier, LevelSkipped
from inventory.domain.organisation import SIM_LEVELS, require_issue_step, require_recall_step
from inventory.services.bootstrap import FirstLogin, first_admin
from inventory.services.organisation import CityWish, create_city
from inventory.store import interfaces, organisation
from inventory.store.engine import connect
from inventory.store.fees import active_rule_set
from inventory.store.organisation import Node
from tests.builders import FOUNDED, LIJIANG

pytestmark = pytest.mark.database
T = TypeVar("T")


def run(url: str, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """Run the work in a session of its own."""

    async def within() -> T:
        database = connect(url, pool_size=2)
        try:
            async with database.session() as session:
                return await work(session)
        finally:
            await database.close()

    return asyncio.run(within())


async def found(session: AsyncSession) -> Node:
    return await create_city(session, LIJIANG, now=FOUNDED)


async def first(session: AsyncSession) -> FirstLogin | None:
    return await first_admin(session, LIJIANG, now=FOUNDED)


def test_city_comes_with_its_built_in_interface(database_url: str) -> None:
    """REQ-IF-05: the interface of direct users is there from the start."""
    city = run(database_url, found)

    async def listed(session: AsyncSession) -> list[tuple[str, bool]]:
        async with session.begin():
            return [(row.no, row.built_in) for row in await interfaces.all_of(session, city.city_id)]

    assert run(database_url, listed) == [("DIRECT-530700-001", True)]


def test_founding_again_gives_the_same_city(database_url: str) -> None:
    assert run(database_url, found) == run(database_url, found)


def test_nothing_is_issued_to_customers_or_recalled_from_them(database_url: str) -> None:
    city = run(database_url, found)

    async def customers(session: AsyncSession) -> str:
        async with session.begin():
            node = await organisation.by_id(session, await organisation.customer_node_id(session, city.city_id))
        assert node is not None
        return node.path

    path = run(database_url, customers)
    with pytest.raises(LevelSkipped):
        require_issue_step(city.path, path, SIM_LEVELS)
    with pytest.raises(LevelSkipped):
        require_recall_step(path, city.path)


def test_first_login_is_made_once(database_url: str) -> None:
    login = run(database_url, first)
    assert login is not None
    assert login.password not in repr(login)
    assert run(database_url, first) is None


def test_city_begins_with_the_fee_rules_of_the_product(database_url: str) -> None:
    """Without any rules no number could come into its stock."""
    run(database_url, first)

    async def version(session: AsyncSession) -> int:
        async with session.begin():
            return (await active_rule_set(session, LIJIANG.city_id, datetime.now(UTC))).version

    assert run(database_url, version) == 1


@pytest.mark.parametrize("city_id", [0, 53070, 999999])
def test_city_code_is_one_of_gb_t_2260(database_url: str, city_id: int) -> None:
    async def wrong(session: AsyncSession) -> Node:
        return await create_city(session, CityWish(city_id=city_id, name_zh="无", name_en="None"), now=FOUNDED)

    with pytest.raises(InvalidIdentifier):
        run(database_url, wrong)
