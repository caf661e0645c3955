"""The HLRs of a city: added, closed, never changed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from inventory.access.permissions import Role
from inventory.domain.errors import (
    DuplicateIdentifier,
    InvalidField,
    LoadRejected,
    MissingField,
    NotFound,
    OutsideScope,
)
from inventory.services.catalogue import add_hlr, close_hlr, read_code_tables
from inventory.services.loading import FileKind
from inventory.services.rule_sets import ensure_rules, install_default
from tests.services.files import imsi_pool
from tests.services.town import CITY, HLR, NOW, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]


async def added(town: Town, code: str = "HLR-2", **changes: str) -> dict[str, Any]:
    words = {"code": code, "name": "丽江二", "smsc": "+8613800888501"} | changes
    async with town.database.session() as session:
        return (await add_hlr(session, town.admin, fresh_key(), **words, now=NOW)).body


async def closed(town: Town, code: str) -> dict[str, Any]:
    async with town.database.session() as session:
        return (await close_hlr(session, town.admin, fresh_key(), code=code, now=NOW)).body


async def test_hlr_is_added_and_closed_and_stays_on_the_list(town: Town) -> None:
    """REQ-CFG-01: HLRs are appended and disabled; events say by whom."""
    await added(town)
    assert await closed(town, "HLR-2") == {"code": "HLR-2", "active": False}
    assert await closed(town, "HLR-2") == {"code": "HLR-2", "active": False}
    async with town.database.session() as session:
        tables = await read_code_tables(session, town.admin)
    assert {hlr.code: hlr.active for hlr in tables.hlrs} == {HLR: True, "HLR-2": False}
    told = await town.rows("SELECT name, staff_no FROM event WHERE kind = 'hlr' ORDER BY event_no")
    assert [row.name for row in told] == ["hlr.added", "hlr.closed"]


async def test_of_two_who_add_one_code_at_once_one_is_refused(town: Town) -> None:
    done = await asyncio.gather(added(town), added(town), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["DuplicateIdentifier", "dict"]


async def test_nothing_new_comes_for_a_closed_hlr(town: Town) -> None:
    """REQ-CFG-01: no segment and no card data, while what is there stays."""
    await town.take("1388804")
    await closed(town, HLR)
    with pytest.raises(NotFound):
        await town.take("1388805")
    with pytest.raises(LoadRejected):
        await town.load(imsi_pool(range(3)), FileKind.IMSI_POOL)
    assert await town.value("SELECT count(*) FROM number WHERE hlr_code = :hlr", hlr=HLR) == 10_000


@pytest.mark.parametrize(
    ("field", "value"),
    [("code", "HLR 2"), ("code", ""), ("smsc", "13800888501"), ("smsc", "+0138")],
)
async def test_hlr_that_cannot_be_is_refused_by_its_field(town: Town, field: str, value: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        await added(town, **{field: value})
    assert refusal.value.params["field"] == field


async def test_hlr_without_a_name_is_refused(town: Town) -> None:
    with pytest.raises(MissingField):
        await added(town, name=" ")


async def test_code_is_given_once_and_only_by_the_city_itself(town: Town) -> None:
    with pytest.raises(DuplicateIdentifier):
        await added(town, HLR)
    with pytest.raises(NotFound):
        await closed(town, "none")
    district = town.at(f"{CITY}-D1", Role.CITY_ADMIN)
    async with town.database.session() as session:
        with pytest.raises(OutsideScope):
            await close_hlr(session, district, fresh_key(), code=HLR, now=NOW)


async def test_first_start_puts_rules_in_force_and_a_later_one_decides_nothing(town: Town) -> None:
    """REQ-FEE-01: a city founded without the demo rates its numbers."""
    await town.execute("DELETE FROM rule_set")
    async with town.database.session() as session:
        await ensure_rules(session, now=NOW)
        first = await install_default(session, now=NOW)
        await ensure_rules(session, now=NOW)
    assert await town.value("SELECT count(*) FROM rule_set") == 1
    assert first.version
