"""A second number (副号) and what befalls its card: loss, a replacement after its time, an outside order."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from inventory.domain.errors import CardLacksCapability, HlrMismatch, LegalHold, ServiceOrderOpen, SimNotInUse
from inventory.store import holds
from tests.promises.conftest import NUMBERS, Counter
from tests.promises.test_ending import change, rows
from tests.promises.test_hold import CARDS
from tests.promises.test_legal_holds import place
from tests.promises.test_loss import said_lost
from tests.promises.test_second_number import added, findings, replacing, second, sold_for_two

pytestmark = [pytest.mark.database, pytest.mark.anyio]

MONTH = 60 * 24 * 30
CARD = "SELECT state, hold_id FROM sim WHERE item_no = 0"


@pytest.fixture
async def line(counter: Counter) -> AsyncIterator[Counter]:
    """Sell number 0 with card 0, of a product that allows two numbers."""
    await sold_for_two(counter)
    yield counter
    holds._kinds.clear()


async def test_card_lost_while_a_number_is_held_for_it_takes_none_until_it_is_found(line: Counter) -> None:
    """REQ-LCK-01, S13: nothing is broken by a loss; the kit waits, and is confirmed once the card is there again."""
    kit = str((await second(line)).body["hold"])
    await said_lost(line)
    assert await findings(line) == []
    with pytest.raises(SimNotInUse):
        await line.confirm(kit)
    await said_lost(line, found=True)
    await line.confirm(kit)
    assert await findings(line) == []


async def test_lost_card_with_two_numbers_is_replaced_with_both(line: Counter) -> None:
    """REQ-SIM-17, REQ-FLOW-03: named by the second one."""
    await added(line)
    await said_lost(line)
    assert await findings(line) == []
    await line.confirm((await replacing(line, 1)).body["hold"])
    assert await findings(line) == []


async def test_kit_of_a_lost_card_ends_and_leaves_the_card_lost(line: Counter) -> None:
    """REQ-RSV-05."""
    kit = str((await second(line)).body["hold"])
    await said_lost(line)
    await line.release(kit)
    assert [tuple(row) for row in await rows(line, CARD)] == [("REPORTED_LOST", None)]
    assert await findings(line) == []


async def test_kit_whose_time_is_over_does_not_keep_its_card_from_being_replaced(line: Counter) -> None:
    """REQ-RSV-04, REQ-LCK-01: swept or not; the replacement takes over, and the number is free again."""
    await second(line)
    with pytest.raises(ServiceOrderOpen):
        await replacing(line)
    later = line.at(MONTH)
    await replacing(later)
    assert [tuple(row) for row in await rows(line, "SELECT state, hold_id FROM number WHERE item_no = 1")] == [
        ("UNUSED", None)
    ]
    assert await findings(later) == []


async def test_replacement_whose_time_is_over_does_not_keep_the_other_number(line: Counter) -> None:
    """REQ-RSV-04, REQ-LCK-01: opened by one number and let run out, it is opened by the other one."""
    await added(line)
    await replacing(line, 0)
    later = line.at(MONTH)
    await later.confirm((await replacing(later, 1, 2)).body["hold"])
    assert await findings(later) == []


async def test_number_whose_kit_is_over_is_sold_and_the_card_unlocked(line: Counter) -> None:
    """REQ-RSV-04."""
    await second(line)
    later = line.at(MONTH)
    await later.hold(NUMBERS[1], iccid=CARDS[2])
    assert [tuple(row) for row in await rows(line, CARD)] == [("IN_USE", None)]
    assert await findings(later) == []


async def test_card_whose_product_lacks_what_is_demanded_takes_no_second_number(line: Counter) -> None:
    """REQ-SIM-14."""
    with pytest.raises(CardLacksCapability):
        await second(line, capabilities=("NFC",))
    assert [tuple(row) for row in await rows(line, CARD)] == [("IN_USE", None)]


async def test_outside_order_on_the_held_number_ends_the_kit(line: Counter) -> None:
    """REQ-LGL-01: the card is unlocked, and goes on working."""
    kit = str((await second(line)).body["hold"])
    await place(line, NUMBERS[1], resource="number")
    with pytest.raises(LegalHold):
        await line.confirm(kit)
    assert [tuple(row) for row in await rows(line, CARD)] == [("IN_USE", None)]
    assert await findings(line) == []


@pytest.mark.parametrize("named", [0, 1])
async def test_outside_order_on_the_other_number_is_named_to_the_replacement(line: Counter, named: int) -> None:
    """REQ-LGL-01: a card serves both; the refusal is the order, not a service that is busy."""
    await added(line)
    order = str((await replacing(line, named)).body["hold"])
    await place(line, NUMBERS[1 - named], resource="number")
    with pytest.raises(LegalHold):
        await line.confirm(order)
    await line.release(order)
    assert await findings(line) == []


@pytest.mark.parametrize("card", [0, 1])
async def test_number_without_an_hlr_goes_on_no_card_and_is_refused_in_words(line: Counter, card: int) -> None:
    """REQ-SIM-17, REQ-NUM-10: such as a fixed line, as a second number or in a sale."""
    await change(line, "UPDATE number SET hlr_code = NULL WHERE item_no = 1")
    with pytest.raises(HlrMismatch) as refused:
        await (second(line) if card == 0 else line.hold(NUMBERS[1], iccid=CARDS[card]))
    assert refused.value.params["number_hlr"] == "-"
    assert "None" not in str(refused.value)
