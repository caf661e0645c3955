"""Kinds of numbers: a city calls them what it likes and closes those that it does not take in."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.access.permissions import Role
from inventory.domain.errors import InvalidField, LoadRejected, NotFound, OutsideScope
from inventory.services.load_terms import FileKind
from inventory.services.number_kinds import read_number_kinds, rename_number_kind, set_intake
from inventory.store.number_kinds import CityKind
from tests.services.town import CITY, NOW, Town, found_town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]


async def kinds(town: Town) -> dict[str, CityKind]:
    async with town.database.session() as session:
        return {row.kind: row for row in await read_number_kinds(session, town.admin)}


async def renamed(town: Town, kind: str, zh: str = "手机号", en: str = "Handset number") -> dict[str, Any]:
    async with town.database.session() as session:
        done = await rename_number_kind(session, town.admin, fresh_key(), kind=kind, name_zh=zh, name_en=en, now=NOW)
    return done.body


async def taken_in(town: Town, kind: str, *, intake: bool) -> None:
    async with town.database.session() as session:
        await set_intake(session, town.admin, fresh_key(), kind=kind, intake=intake, now=NOW)


async def test_kind_is_renamed_closed_and_opened_in_one_city_alone(town: Town) -> None:
    """REQ-CFG-01: renamed and disabled, never deleted."""
    other = await found_town(town.database, town.vault, 530100)
    before = await kinds(town)

    await renamed(town, "mobile")
    await taken_in(town, "mobile", intake=False)

    mine = await kinds(town)
    assert (mine["mobile"].name_en, mine["mobile"].intake, list(mine)) == ("Handset number", False, list(before))
    assert await kinds(other) == before
    await taken_in(town, "mobile", intake=True)
    assert (await kinds(town))["mobile"].intake
    told = await town.rows("SELECT name FROM event WHERE kind = 'number_kind' ORDER BY event_no")
    assert [row.name.partition(".")[2] for row in told] == ["renamed", "closed", "opened"]


async def test_of_a_closed_kind_neither_segments_nor_lists_come_in_and_the_stock_stays(town: Town) -> None:
    """REQ-CFG-01."""
    await town.take("1388804")
    await town.take("1388805", listed=True)
    await taken_in(town, "mobile", intake=False)

    with pytest.raises(InvalidField) as refusal:
        await town.take("1388806")
    assert refusal.value.params["field"] == "kind"
    with pytest.raises(LoadRejected):
        await town.load(b"13888050001\n", FileKind.NUMBER_LIST)
    assert await town.rows("SELECT code FROM load_fault") == [("kind_closed",)]
    assert await town.value("SELECT count(*) FROM number") == 10_000
    await taken_in(town, "mobile", intake=True)
    await town.load(b"13888050001\n", FileKind.NUMBER_LIST)


async def test_what_cannot_be_changed_is_refused(town: Town) -> None:
    with pytest.raises(NotFound):
        await renamed(town, "satellite")
    with pytest.raises(InvalidField):
        await renamed(town, "mobile", zh=" ")
    keeper = town.at(f"{CITY}-D1", Role.CITY_ADMIN)
    async with town.database.session() as session:
        with pytest.raises(OutsideScope):
            await set_intake(session, keeper, fresh_key(), kind="iot", intake=False, now=NOW)
