"""What becomes of a hold: kept longer, booked, given back, over; and the card that was written for it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from inventory.access.permissions import Role
from inventory.domain.errors import (
    CardBeingWritten,
    HoldExpired,
    HoldExtendedTooOften,
    HoldKeyWrong,
    HoldNotActive,
    MissingField,
    NotFound,
    OutsideScope,
    ReasonMissing,
)
from inventory.domain.holds import Flow
from inventory.services import expiry, promises
from tests.builders_stock import HLR, TOWN, write_card
from tests.promises.conftest import NUMBERS, Counter, fresh

pytestmark = [pytest.mark.database, pytest.mark.anyio]
CARD = "89860026000000000000"


async def rows(counter: Counter, sql: str) -> list[Any]:
    """Give the rows of a query."""
    async with counter.database.session() as session:
        return list(await session.execute(text(sql)))


async def change(counter: Counter, sql: str) -> None:
    """Change the tables behind the service's back."""
    async with counter.database.session() as session, session.begin():
        await session.execute(text(sql))


async def swept(counter: Counter, *, batch: int = expiry.BATCH) -> int:
    """Sweep now and give how many holds ended."""
    async with counter.database.autocommit() as connection:
        return await expiry.sweep(connection, now=counter.now, batch=batch)


@pytest.fixture
async def held(counter: Counter) -> str:
    """Hold a kit of number, blank card and data unit for thirty minutes."""
    return str((await counter.hold(NUMBERS[0], iccid=CARD)).body["hold"])


async def states(counter: Counter) -> list[str]:
    """Give the states of hold, number, card and the data units that are not free."""
    found = await rows(
        counter,
        """SELECT state FROM hold UNION ALL SELECT state FROM number WHERE item_no = 0
           UNION ALL SELECT state FROM sim WHERE item_no = 0
           UNION ALL SELECT state FROM subscription_data WHERE state <> 'FREE'""",
    )
    return [row.state for row in found]


async def test_release_frees_the_whole_kit(counter: Counter, held: str) -> None:
    """REQ-RSV-07: one call gives everything back."""
    await counter.release(held)
    assert await states(counter) == ["RELEASED", "UNUSED", "AVAILABLE"]
    assert await rows(counter, "SELECT DISTINCT hold_id FROM number UNION SELECT hold_id FROM sim") == [(None,)]


async def test_release_can_be_repeated_with_its_key(counter: Counter, held: str) -> None:
    """REQ-RSV-07: idempotent."""
    write = fresh()
    first = await counter.release(held, write=write)
    again = await counter.release(held, write=write)
    assert (again.body, again.replayed) == (first.body, True)


async def test_second_release_is_told_that_the_hold_has_ended(counter: Counter, held: str) -> None:
    await counter.release(held)
    with pytest.raises(HoldNotActive):
        await counter.release(held)


@pytest.mark.parametrize("key", [None, "", "0" * 64, "ключ"])
async def test_nothing_is_done_to_a_hold_without_its_key(counter: Counter, held: str, key: str | None) -> None:
    """REQ-RSV-06: everything after the hold needs its key."""
    key = key or None
    for call in (counter.release, counter.extend, counter.confirm):
        with pytest.raises(HoldKeyWrong):
            await call(held, key=key)


async def test_key_of_one_hold_does_not_open_another(counter: Counter, held: str) -> None:
    other = (await counter.hold(NUMBERS[1])).body["hold"]
    with pytest.raises(HoldKeyWrong):
        await counter.release(held, key=counter.key(other))


async def test_superior_releases_with_a_reason_and_no_key(counter: Counter, held: str) -> None:
    """N3: a superior may, and says why."""
    keeper = counter.by(TOWN.caller(TOWN.hall, role=Role.HALL_KEEPER, staff_no="LJ0900"))
    for nothing in (None, " \t"):
        with pytest.raises(ReasonMissing):
            await keeper.release(held, key=None, reason=nothing)
    await keeper.release(held, key=None, reason="clerk has gone home")
    why = await rows(counter, "SELECT DISTINCT staff_no, reason FROM event WHERE name LIKE '%.released'")
    assert why == [("LJ0900", "clerk has gone home")]


async def test_superior_of_another_hall_may_not_release(counter: Counter, held: str) -> None:
    stranger = counter.by(TOWN.caller(TOWN.other_hall, role=Role.HALL_KEEPER))
    with pytest.raises(OutsideScope):
        await stranger.release(held, key=None, reason="mine now")


async def test_hold_of_another_city_is_not_found(counter: Counter, held: str) -> None:
    with pytest.raises(NotFound):
        await counter.release(held.replace("530700", "530100"), key="0" * 64)


async def test_kit_with_a_card_in_the_writer_is_not_released(counter: Counter, held: str) -> None:
    """REQ-RSV-15: while a card is being written or unknown, the kit stays."""
    await change(counter, "UPDATE hold SET job_id = 5")
    with pytest.raises(CardBeingWritten):
        await counter.release(held)
    assert await states(counter) == ["ACTIVE", "HELD", "HELD", "RESERVED"]


async def test_written_card_of_a_released_kit_is_a_finished_card(counter: Counter, held: str) -> None:
    """REQ-RSV-19: never a wasted one; it can be sold with another number of its HLR."""
    async with counter.database.session() as session, session.begin():
        await write_card(session, 1)
    await counter.release(held)
    assert await states(counter) == ["RELEASED", "UNUSED", "AVAILABLE", "BOUND"]
    assert await rows(counter, "SELECT hlr_code FROM sim WHERE item_no = 0") == [(HLR,)]
    again = (await counter.hold(NUMBERS[1], iccid=CARD)).body["hold"]
    sold = await counter.confirm(again)
    assert (sold.body["number"], sold.body["iccid"]) == (NUMBERS[1], CARD)


async def test_extension_moves_the_end_of_hold_and_items(counter: Counter, held: str) -> None:
    """REQ-RSV-03: once more the first duration."""
    await counter.extend(held)
    ends = await rows(counter, "SELECT expires_at FROM hold UNION SELECT hold_until FROM number WHERE item_no = 0")
    assert ends == [(counter.at(60).now,)]
    assert await rows(counter, "SELECT hold_until FROM sim WHERE item_no = 0") == ends


async def test_hold_never_lasts_over_twice_its_first_duration(counter: Counter, held: str) -> None:
    await counter.extend(held)
    with pytest.raises(HoldExtendedTooOften):
        await counter.at(40).extend(held)


async def test_repeated_extension_extends_once(counter: Counter, held: str) -> None:
    write = fresh()
    first = await counter.extend(held, write=write)
    again = await counter.extend(held, write=write)
    assert (again.body, again.replayed) == (first.body, True)
    assert await rows(counter, "SELECT extensions FROM hold") == [(1,)]


async def test_booking_needs_a_customer_or_an_order(counter: Counter, held: str) -> None:
    """REQ-RSV-08: a booking is bound to somebody."""
    with pytest.raises(MissingField):
        await counter.book(held)
    with pytest.raises(MissingField):
        await counter.book(held, customer_ref=" ", order_ref="\u3000")
    booked = await counter.book(held, customer_ref="C-77", flow=Flow.BOOKING_DELIVERY)
    assert booked.body["expires_at"] == counter.at(15 * 24 * 60).now.isoformat()
    assert await states(counter) == ["BOOKED", "BOOKED", "HELD", "RESERVED"]


async def test_booking_can_be_released_and_not_extended_or_booked_again(counter: Counter, held: str) -> None:
    await counter.book(held, order_ref="W-1")
    for call in (counter.extend(held), counter.book(held, order_ref="W-2")):
        with pytest.raises(HoldNotActive):
            await call
    await counter.release(held)
    assert await states(counter) == ["RELEASED", "UNUSED", "AVAILABLE"]


async def test_hold_is_alive_until_its_end_and_over_from_then_on(counter: Counter, held: str) -> None:
    """REQ-RSV-04, REQ-RSV-05: to the instant."""
    assert await swept(counter.at(29.999)) == 0
    with pytest.raises(HoldExpired):
        await counter.at(30).extend(held)
    with pytest.raises(HoldExpired):
        await counter.at(30).book(held, order_ref="W-1")
    assert await swept(counter.at(30)) == 1
    assert await states(counter) == ["EXPIRED", "UNUSED", "AVAILABLE"]


async def test_owner_reads_of_the_end_in_the_events(counter: Counter, held: str) -> None:
    """REQ-RSV-04: an event tells the owner."""
    await swept(counter.at(30))
    assert await rows(counter, "SELECT name, staff_no, data->>'owner' FROM event WHERE name = 'hold.expired'") == [
        ("hold.expired", "system", "LJ-HALL-01")
    ]
    with pytest.raises(HoldExpired):
        await counter.at(31).release(held)


async def test_sweep_goes_on_until_nothing_is_due(counter: Counter) -> None:
    for number in NUMBERS[:5]:
        await counter.hold(number)
    assert await swept(counter.at(30), batch=2) == 5
    assert await swept(counter.at(30)) == 0


async def test_sweep_leaves_a_kit_with_an_open_write_job(counter: Counter, held: str) -> None:
    """REQ-RSV-15: it ends only after its job."""
    await change(counter, "UPDATE hold SET job_id = 5")
    assert await swept(counter.at(999)) == 0
    await change(counter, "UPDATE hold SET job_id = NULL")
    assert await swept(counter.at(999)) == 1
    assert held


async def test_written_card_of_an_expired_kit_is_a_finished_card(counter: Counter, held: str) -> None:
    """REQ-RSV-19: expiry as release."""
    async with counter.database.session() as session, session.begin():
        await write_card(session, 1)
    await swept(counter.at(30))
    assert await states(counter) == ["EXPIRED", "UNUSED", "AVAILABLE", "BOUND"]
    assert held


async def test_clock_that_steps_back_does_not_wake_an_expired_hold(counter: Counter, held: str) -> None:
    """REQ-RSV-05: once over, always over."""
    await swept(counter.at(30))
    with pytest.raises(HoldExpired):
        await counter.at(-120).confirm(held)


async def test_hold_can_be_read_by_its_interface_and_its_superiors_only(counter: Counter, held: str) -> None:
    keeper = TOWN.caller(TOWN.hall, interface_no="LJ-HALL-09")
    stranger = TOWN.caller(TOWN.other_hall, interface_no="LJ-HALL-08")
    async with counter.database.session() as session:
        seen = [await promises.read_hold(session, who, held, now=counter.now) for who in (counter.caller, keeper)]
        with pytest.raises(NotFound):
            await promises.read_hold(session, stranger, held, now=counter.now)
    assert seen[0] == seen[1]
    assert (seen[0]["state"], seen[0]["number"], seen[0]["iccid"]) == ("ACTIVE", NUMBERS[0], CARD)


async def test_hold_whose_time_is_over_reads_as_expired_before_the_sweep(counter: Counter, held: str) -> None:
    async with counter.database.session() as session:
        seen = await promises.read_hold(session, counter.caller, held, now=counter.at(30).now)
    assert seen["state"] == "EXPIRED"
