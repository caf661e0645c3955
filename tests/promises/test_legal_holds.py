"""What an outside order does to what is promised: kits end, nothing of it is sold, and no expiry changes that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import pytest

from inventory.access.permissions import Role
from inventory.domain.errors import DomainError, LegalHold
from inventory.domain.search import SearchWish
from inventory.services import legal_holds
from inventory.services.auditing import audit
from inventory.services.expiry import sweep
from inventory.services.legal_holds import PlaceWish
from inventory.services.once import Answer
from inventory.services.search import SearchAsk, search_numbers
from inventory.store import hold_sql, holds, legal_orders
from inventory.store.hot import HotStatement
from inventory.store.selection import ByName
from tests.builders_stock import CITY, NOW, TOWN, write_card
from tests.promises.conftest import NUMBERS, Counter, fresh
from tests.promises.test_ending import rows
from tests.promises.test_hold import change
from tests.promises.test_races import CARD, OTHER_CARD, outcomes, somebody_has
from tests.waiting import until_locked

pytestmark = [pytest.mark.database, pytest.mark.anyio]
KEEPER = TOWN.caller(TOWN.city, role=Role.CITY_ADMIN, staff_no="LJ0009")


async def place(counter: Counter, *items: str, resource: str = "number") -> Answer:
    """Put items under an order."""
    wish = PlaceWish(
        resource=resource,
        selection=ByName(items),
        reference="丽公刑〔2026〕7号",
        authority="丽江市公安局",
        reason="协查",
        given_on=date(2026, 11, 20),
    )
    async with counter.database.session() as session:
        return await legal_holds.place(session, KEEPER, fresh(), wish, now=counter.now)


async def findings(counter: Counter) -> list[dict[str, Any]]:
    async with counter.database.session() as session:
        return list((await audit(session, now=counter.now)).findings)


async def swept(counter: Counter) -> int:
    async with counter.database.autocommit() as connection:
        return await sweep(connection, now=counter.now)


@pytest.mark.parametrize(("resource", "item"), [("number", NUMBERS[0]), ("sim", CARD)])
async def test_order_ends_the_kit_and_frees_its_other_items(counter: Counter, resource: str, item: str) -> None:
    """REQ-LGL-01: open holds end; what the order does not lie on can be sold at once, what it lies on cannot."""
    hold = (await counter.hold(NUMBERS[0], iccid=CARD)).body["hold"]

    placed = await place(counter, item, resource=resource)

    assert (placed.body["kits_ended"], placed.body["kits_waiting"]) == (1, 0)
    assert await rows(counter, "SELECT state, close_reason FROM hold") == [("RELEASED", "legal_hold")]
    assert await rows(counter, "SELECT count(*) FROM subscription_data WHERE state = 'RESERVED'") == [(0,)]
    with pytest.raises(LegalHold) as refused:
        await counter.confirm(hold)
    assert refused.value.params == {"field": "hold", "value": hold}
    with pytest.raises(LegalHold) as refused:
        await counter.hold(NUMBERS[0], iccid=CARD)
    assert refused.value.params["value"] == item
    assert "7号" not in str(refused.value)
    assert (
        await counter.hold(NUMBERS[1 if resource == "number" else 0], iccid=None if resource == "sim" else CARD)
    ).body
    assert await findings(counter) == []


async def test_booking_ends_too_and_no_expiry_brings_the_number_back(counter: Counter) -> None:
    """REQ-LGL-01: neither the sweeper nor whoever finds the time over frees it."""
    hold = (await counter.hold(NUMBERS[0], iccid=CARD)).body["hold"]
    await counter.book(hold, customer_ref="C-1")
    await place(counter, NUMBERS[0])

    later = counter.at(60 * 24 * 30)
    assert await swept(later) == 0
    with pytest.raises(LegalHold):
        await later.hold(NUMBERS[0])
    async with counter.database.session() as session:
        found = await search_numbers(session, counter.caller, SearchAsk(wish=SearchWish(length=11)), now=later.now)
    assert {row["number"] for row in found["numbers"]} == set(NUMBERS[1:])


def steps(counter: Counter, hold: str) -> dict[str, Callable[[], Awaitable[Answer]]]:
    """Give what a caller may do with a hold to keep or sell it."""
    return {
        "extend": lambda: counter.extend(hold),
        "book": lambda: counter.book(hold, customer_ref="C-1"),
        "confirm": lambda: counter.confirm(hold),
    }


@pytest.mark.parametrize("step", ["extend", "book", "confirm"])
@pytest.mark.parametrize("table", ["number", "sim"])
async def test_each_statement_asks_for_the_mark_itself(counter: Counter, step: str, table: str) -> None:
    """REQ-LGL-01: a kit that an order waits to end is neither kept longer nor booked nor sold."""
    hold = (await counter.hold(NUMBERS[0], iccid=CARD)).body["hold"]
    async with counter.database.session() as session, session.begin():
        await write_card(session, 1)
    await change(counter, f"UPDATE {table} SET legal_hold = true WHERE item_no = 0")

    with pytest.raises(LegalHold):
        await steps(counter, hold)[step]()
    assert await rows(counter, "SELECT state, extensions FROM hold") == [("ACTIVE", 0)]


async def test_kit_whose_card_is_being_written_waits_and_is_not_swept(counter: Counter) -> None:
    """REQ-LGL-01, REQ-RSV-15: it is ended when the card is settled, not before."""
    await counter.hold(NUMBERS[0], iccid=CARD)
    await change(counter, "UPDATE hold SET job_id = 9")

    placed = await place(counter, NUMBERS[0])

    assert (placed.body["kits_ended"], placed.body["kits_waiting"]) == (0, 1)
    assert await swept(counter.at(60 * 24)) == 0
    assert await rows(counter, "SELECT state FROM number WHERE item_no = 0") == [("HELD",)]


_HOLD_BETWEEN = f"""
    WITH h AS (
        INSERT INTO hold (city_id, state, interface_no, staff_no, org_id, business, number_item_no, quote, expires_at,
                          first_seconds, extensions, created_at)
        VALUES ({CITY}, 'ACTIVE', 'LJ-HALL-01', 'LJ0001', {TOWN.clerk}, 'activation', 0, '{{}}',
                '{NOW.isoformat()}'::timestamptz + interval '30 min', 1800, 0, '{NOW.isoformat()}')
        RETURNING hold_id, expires_at
    ), e AS (
        INSERT INTO event (city_id, at, name, kind, item_no, version, from_state, to_state, staff_no, interface_no)
        VALUES ({CITY}, '{NOW.isoformat()}', 'number.held', 'number', 0, 1, 'UNUSED', 'HELD', 'T', 'T')
    )
    UPDATE number SET state = 'HELD', version = 1, hold_id = h.hold_id, hold_until = h.expires_at FROM h
    WHERE item_no = 0
"""


async def order_against_hold(counter: Counter) -> Answer:
    """Place an order that began before a hold of the number was committed, and marks it after that."""
    async with somebody_has(counter, _HOLD_BETWEEN):
        placing = asyncio.create_task(place(counter, NUMBERS[0]))
        await until_locked(counter.database)
    return await placing


async def test_hold_that_comes_between_is_ended_with_the_others(counter: Counter) -> None:
    """REQ-LGL-01: the kits are looked for once nobody can take the items any more."""
    placed = await order_against_hold(counter)
    assert placed.body["kits_ended"] == 1
    assert await rows(counter, "SELECT state, legal_hold FROM number WHERE item_no = 0") == [("UNUSED", True)]
    assert await findings(counter) == []


async def test_canary_that_looks_for_kits_too_early_leaves_one(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def too_early(*_: Any) -> list[int]:
        return []

    monkeypatch.setattr(legal_orders, "kits_on", too_early)
    await order_against_hold(counter)
    assert {found["check"] for found in await findings(counter)} == {"legal_hold_astray"}


async def hold_against_order(counter: Counter) -> Answer | DomainError:
    """Let a clerk hold a number, seen free, that an order is just about to lie on."""
    async with somebody_has(counter, "UPDATE number SET legal_hold = true WHERE item_no = 0"):
        holding = asyncio.create_task(outcomes(counter.hold(NUMBERS[0], iccid=OTHER_CARD)))
        await until_locked(counter.database)
    return (await holding)[0]


async def test_hold_that_began_before_the_order_is_refused_after_it(counter: Counter) -> None:
    """REQ-LGL-01: the statement that holds looks at the row as it is, not as it was offered."""
    assert isinstance(await hold_against_order(counter), LegalHold)
    assert await rows(counter, "SELECT count(*) FROM hold") == [(0,)]


@pytest.mark.parametrize(("guard", "taken"), [("AND NOT legal_hold", True), ("", False)])
async def test_canary_without_the_guard_holds_what_is_under_an_order(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, guard: str, *, taken: bool
) -> None:
    """A statement that waits for the row, instead of passing over it, is refused by its guard alone."""
    waits = hold_sql.HOLD.replace("SKIP LOCKED", "")
    monkeypatch.setattr(holds, "_HOLD", HotStatement(waits.replace(guard, "")))
    assert isinstance(await hold_against_order(counter), Answer if taken else LegalHold)
