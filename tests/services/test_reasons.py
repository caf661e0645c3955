"""Reasons as a code table: added, renamed, closed, kept with what was done, and counted."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from inventory.access.permissions import Role
from inventory.domain.errors import DomainError, DuplicateIdentifier, InvalidField, NotFound, OutsideScope
from inventory.domain.reasons import Purpose, Reason
from inventory.services.documents import DocumentQuery, read_documents
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.reasons import add_reason, count_reasons, read_reasons, rename_reason, set_in_use
from inventory.services.sealing import canonical
from inventory.services.status_release import ReleaseWish, release_status
from inventory.services.stocktakes import StocktakeWish, cancel_stocktake, open_stocktake
from inventory.store.sealing import EventRow, PlacedEvent
from inventory.store.selection import ByName
from tests.services.files import iccid, vendor_file
from tests.services.town import CITY, NOW, Town, found_town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]

DISTRICT = f"{CITY}-D1"
AUDITED = Reason("audit_found", "审计发现", "Found by the audit", ("recall",))


async def added(town: Town, reason: Reason = AUDITED) -> dict[str, Any]:
    async with town.database.session() as session:
        return (await add_reason(session, town.admin, fresh_key(), reason, now=NOW)).body


async def renamed(town: Town, code: str, zh: str = "审计", en: str = "Audit") -> dict[str, Any]:
    async with town.database.session() as session:
        done = await rename_reason(session, town.admin, fresh_key(), code=code, name_zh=zh, name_en=en, now=NOW)
    return done.body


async def in_use(town: Town, code: str, *, active: bool) -> None:
    async with town.database.session() as session:
        await set_in_use(session, town.admin, fresh_key(), code=code, active=active, now=NOW)


async def table(town: Town) -> dict[str, Reason]:
    async with town.database.session() as session:
        return {row.code: row for row in await read_reasons(session, town.admin)}


async def moved(town: Town, verb: Verb, reason: str, serial: int) -> dict[str, Any]:
    giver, receiver = (str(CITY), DISTRICT) if verb is Verb.ISSUE else (DISTRICT, str(CITY))
    wish = MoveWish(
        verb=verb, resource="sim", giver=giver, receiver=receiver, selection=ByName((iccid(serial),)), reason=reason
    )
    async with town.database.session() as session:
        return (await move(session, town.admin, fresh_key(), wish, now=NOW)).body


async def counted(town: Town, days: int = 90) -> list[tuple[str, str, int, int]]:
    async with town.database.session() as session:
        found = await count_reasons(session, town.admin, days=days, now=NOW)
    return [(row.code, row.event, row.acts, row.items) for row in found]


async def test_city_has_the_usual_reasons_for_every_purpose(town: Town) -> None:
    found = await table(town)
    assert {purpose for row in found.values() for purpose in row.purposes} == set(Purpose)
    assert all(row.active for row in found.values())


async def test_reason_is_added_renamed_closed_and_opened_and_never_leaves_the_table(town: Town) -> None:
    """REQ-CFG-01: append and disable only; the events say what it was called when."""
    await added(town)
    await renamed(town, AUDITED.code)
    await in_use(town, AUDITED.code, active=False)
    assert (await table(town))[AUDITED.code] == Reason(AUDITED.code, "审计", "Audit", ("recall",), active=False)
    await in_use(town, AUDITED.code, active=True)
    assert (await table(town))[AUDITED.code].active
    with pytest.raises(DuplicateIdentifier):
        await added(town)
    told = await town.rows("SELECT name, data ->> 'name_zh' FROM event WHERE kind = 'reason' ORDER BY event_no")
    assert [tuple(row) for row in told] == [
        ("reason.added", "审计发现"), ("reason.renamed", "审计"), ("reason.closed", "审计"), ("reason.opened", "审计"),
    ]  # fmt: skip


async def test_blanks_around_a_name_are_no_part_of_it_or_it_would_not_be_understood(town: Town) -> None:
    await added(town)
    await renamed(town, AUDITED.code, "审计 ", " Audit")
    renewed = (await table(town))[AUDITED.code]
    assert (renewed.name_zh, renewed.name_en) == ("审计", "Audit")


async def test_what_one_city_calls_or_closes_stays_as_it_is_in_the_others(town: Town) -> None:
    other = await found_town(town.database, town.vault, 530100)
    await renamed(town, "hall_needs", "补货", "Refill")
    await in_use(town, "slow_selling", active=False)
    await added(town)

    mine, theirs = await table(town), await table(other)
    assert (mine["hall_needs"].name_en, theirs["hall_needs"].name_en) == ("Refill", "The hall runs low")
    assert (mine["slow_selling"].active, theirs["slow_selling"].active) == (False, True)
    assert AUDITED.code not in theirs


async def test_of_two_who_add_one_code_at_once_one_is_refused(town: Town) -> None:
    done = await asyncio.gather(added(town), added(town), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["DuplicateIdentifier", "dict"]


async def test_what_cannot_be_a_reason_is_refused_by_its_field(town: Town) -> None:
    for changes, field in (
        ({"code": "Audit"}, "code"),
        ({"name_zh": "甲：乙"}, "name_zh"),
        ({"name_en": " "}, "name_en"),
        ({"purposes": ()}, "purposes"),
        ({"purposes": ("weather",)}, "purposes"),
    ):
        with pytest.raises(InvalidField) as refusal:
            await added(town, Reason(**{**vars(AUDITED), **changes}))
        assert refusal.value.params["field"] == field
    with pytest.raises(NotFound):
        await renamed(town, "none")
    keeper = town.at(DISTRICT, Role.CITY_ADMIN)
    async with town.database.session() as session:
        refused: tuple[type[DomainError], ...] = (OutsideScope,)
        with pytest.raises(refused):
            await set_in_use(session, keeper, fresh_key(), code="hall_needs", active=False, now=NOW)
        with pytest.raises(refused):
            await count_reasons(session, keeper, now=NOW)


async def test_document_and_event_keep_the_code_with_the_words_and_are_counted_by_it(town: Town) -> None:
    """REQ-CFG-01, REQ-NUM-11: why, as code and text."""
    await town.load(vendor_file(range(4)))
    assert (await moved(town, Verb.ISSUE, "hall_needs: 周末", 1))["reason"] == "网点补货: 周末"
    await moved(town, Verb.ISSUE, "The hall runs low", 2)
    await moved(town, Verb.ISSUE, "区里要的", 3)

    async with town.database.session() as session:
        found = await read_documents(session, town.admin, DocumentQuery(kind="ISSUE"))
    assert [(one.reason, one.reason_code) for one in found.documents] == [
        ("区里要的", None), ("The hall runs low", "hall_needs"), ("网点补货: 周末", "hall_needs"),
    ]  # fmt: skip
    told = await town.rows("SELECT reason, reason_code FROM event WHERE name = 'sim.issued' ORDER BY event_no DESC")
    assert [tuple(row) for row in told] == [(one.reason, one.reason_code) for one in found.documents]
    assert await counted(town) == [("hall_needs", "sim.issued", 2, 2)]


async def test_reason_is_understood_only_for_what_it_is_and_while_it_is_in_use(town: Town) -> None:
    await town.load(vendor_file(range(3)))
    for serial, reason in ((1, "wrong_file"), (2, "sales_campaign")):
        if reason == "sales_campaign":
            await in_use(town, reason, active=False)
        assert (await moved(town, Verb.ISSUE, reason, serial))["reason"] == reason
    assert await counted(town) == []


async def test_acts_without_a_document_are_counted_too_and_only_those_of_the_days_asked(town: Town) -> None:
    await town.load(vendor_file(range(2)))
    wish = ReleaseWish(resource="sim", item=iccid(1), to_state="DAMAGED", reason="card_faulty")
    async with town.database.session() as session:
        await release_status(session, town.admin, fresh_key(), wish, now=NOW)
        count = await open_stocktake(
            session, town.admin, fresh_key(), StocktakeWish(resource="sim", place=str(CITY)), now=NOW
        )
        await cancel_stocktake(
            session, town.admin, fresh_key(), str(count.body["id"]), "wrong_scope", now=NOW - timedelta(days=1)
        )
    assert await counted(town) == [
        ("card_faulty", "sim.status_released", 1, 1), ("wrong_scope", "sim.count_cancelled", 1, 1),
    ]  # fmt: skip
    assert await counted(town, days=1) == [("card_faulty", "sim.status_released", 1, 1)]
    with pytest.raises(InvalidField):
        await counted(town, days=0)


async def test_events_sealed_before_there_were_codes_are_hashed_as_they_were() -> None:
    event = EventRow(1, NOW, "sim.lost", "sim", 7, 2, "A", "B", "S", "IF1", "why", None, None, {})
    without, coded = (PlacedEvent(1, each) for each in (event, EventRow(**{**vars(event), "reason_code": "card_lost"})))
    assert b"reason_code" not in canonical(without)
    assert b'"reason":"why","reason_code":"card_lost"' in canonical(coded)
