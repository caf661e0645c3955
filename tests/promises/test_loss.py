"""A customer's card reported lost, found again or replaced."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inventory.domain.errors import IllegalTransition, NotFound, OutsideScope
from inventory.services.loss import LossWish, report_loss, withdraw_loss
from inventory.services.once import Answer, WriteKey
from tests.promises.conftest import NUMBERS, Counter, fresh
from tests.promises.test_ending import rows
from tests.promises.test_hold import CARDS
from tests.promises.test_replacing import opened, quiet, sold, written

pytestmark = [pytest.mark.database, pytest.mark.anyio]


@pytest.fixture
async def line(counter: Counter) -> Counter:
    """Sell one line: number 0 with card 0."""
    await sold(counter)
    return counter


async def said_lost(counter: Counter, *, found: bool = False, card: int = 0, write: WriteKey | None = None) -> Answer:
    """Report the n-th card lost, or found again."""
    say, wish = withdraw_loss if found else report_loss, LossWish(card=CARDS[card], reason="10086", order_ref="B-7")
    async with counter.database.session() as session:
        return await say(session, counter.caller, write or fresh(), wish, now=counter.now)


async def test_lost_card_is_replaced_from_its_loss(line: Counter) -> None:
    """S12, S13: a card that was reported lost becomes REPLACED, with an event from that state."""
    await said_lost(line)
    assert await quiet(line)
    order = (await opened(line)).body["hold"]
    await written(line, order)
    await line.confirm(order)
    assert await rows(line, "SELECT from_state, to_state FROM event WHERE name = 'sim.replaced'") == [
        ("REPORTED_LOST", "REPLACED")
    ]
    assert await quiet(line)
    with pytest.raises(IllegalTransition):
        await said_lost(line, found=True)


async def test_lost_card_is_found_again_and_was_never_for_sale(line: Counter) -> None:
    """S13: reported once and told once, whatever is sent twice; number and identity stay the customer's."""
    write = fresh()
    done = (await said_lost(line, write=write)).body
    assert done == (await said_lost(line, write=write)).body
    assert (done["from_state"], done["to_state"]) == ("IN_USE", "REPORTED_LOST")
    with pytest.raises(IllegalTransition):
        await said_lost(line)
    with pytest.raises(OutsideScope):  # it lies with the customer
        await line.hold(NUMBERS[1], iccid=CARDS[0])
    assert await rows(line, "SELECT state FROM number WHERE item_no = 0") == [("IN_USE",)]
    await said_lost(line, found=True)
    told = "SELECT name, version, reason, order_ref, to_state FROM event WHERE name LIKE 'sim.loss%' ORDER BY event_no"
    assert [tuple(row) for row in await rows(line, told)] == [
        ("sim.loss_reported", 6, "10086", "B-7", "REPORTED_LOST"),
        ("sim.loss_withdrawn", 7, "10086", "B-7", "IN_USE"),
    ]
    assert await quiet(line)


async def test_loss_and_return_leave_an_open_replacement_as_it_is(line: Counter) -> None:
    """The order holds the card by its lock; either state may be replaced."""
    order = (await opened(line)).body["hold"]
    await said_lost(line)
    await said_lost(line, found=True)
    await said_lost(line)
    await written(line, order)
    await line.confirm(order)
    assert (await rows(line, "SELECT state FROM sim WHERE item_no = 0"))[0].state == "REPLACED"
    assert await quiet(line)


async def test_card_that_nobody_uses_cannot_be_lost_by_a_customer(line: Counter) -> None:
    with pytest.raises(IllegalTransition):
        await said_lost(line, card=1)
    with pytest.raises(NotFound):
        await said_lost(line.by(replace(line.caller, city_id=530800)))
