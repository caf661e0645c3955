"""A sold card that nobody takes at a self-service machine, on the real database with real scripts on cards."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inventory.domain.errors import KioskNotReady, NotFound
from inventory.domain.kiosk import TAKE_BACK
from inventory.domain.lifecycle import KioskState
from inventory.services import expiry
from tests.cards.hall import READER, Hall, card_of
from tests.cards.self_service import Machine

pytestmark = [pytest.mark.database, pytest.mark.anyio]


@pytest.fixture
def machine(hall: Hall) -> Machine:
    """Give a machine with an empty stack, not opened yet."""
    return Machine(hall)


async def test_card_nobody_takes_is_drawn_in_for_its_customer_and_the_next_is_served(machine: Machine) -> None:
    """REQ-HW-08, REQ-HW-11: no working card lies before strangers; its sale stands, and the staff gives it."""
    await machine.open(card_of(0), card_of(1))
    await machine.buy()
    machine.hall.later(seconds=TAKE_BACK.total_seconds() - 1)
    await machine.hall.connect()
    await machine.go_on()
    assert (await machine.sale(), await machine.kept()) == (("sold", None, 1), [])
    machine.hall.later(seconds=1)
    await machine.go_on()
    assert (machine.made, len(machine.body.bin)) == (["feed", "hand_out", "bin"], 1)
    assert (await machine.sale(), await machine.kit(), await machine.card(0)) == (
        ("taken_back", None, 1), "CONFIRMED", "IN_USE",
    )  # fmt: skip
    assert (machine.ended, await machine.shows()) == ([KioskState.TAKEN_BACK], "taken_back")
    first = machine.hold
    (kept,) = await machine.kept()
    assert (kept["hold"], kept["number"], kept["reader"]) == (first, "13888810000", READER)
    await machine.buy(1)
    assert (await machine.sale(), await machine.card(1)) == (("sold", None, 1), "IN_USE")
    machine.hold = first
    for _ in range(2):
        await machine.give()
        assert (await machine.sale(), await machine.kept()) == (("done", None, 1), [])
    await machine.quiet()


async def test_card_that_is_taken_as_it_is_drawn_in_is_its_customers(machine: Machine) -> None:
    await machine.open(card_of(0))
    await machine.buy()
    machine.hall.later(seconds=TAKE_BACK.total_seconds())
    await machine.hall.connect()
    moves = await machine.step()
    assert [one.movement for one in moves] == ["bin"]
    machine.body.gate = None
    await machine.make(moves)
    await machine.go_on()
    assert (await machine.sale(), await machine.kept(), machine.body.bin) == (("done", None, 1), [], [])


async def test_card_that_is_drawn_in_is_not_given_by_another_hall(machine: Machine) -> None:
    await machine.open(card_of(0))
    await machine.buy()
    machine.hall.later(seconds=TAKE_BACK.total_seconds())
    await machine.hall.connect()
    await machine.go_on()
    with pytest.raises(NotFound):
        await machine.give(replace(machine.caller, scope=frozenset({-1})))
    assert len(await machine.kept()) == 1


async def test_card_that_a_full_bin_does_not_take_waits_at_the_gate(machine: Machine) -> None:
    await machine.open(card_of(0))
    await machine.buy()
    machine.body.bin_size = 0
    machine.hall.later(hours=1)
    await machine.hall.connect()
    await machine.go_on()
    assert (machine.made, await machine.sale()) == (["feed", "hand_out", "bin"], ("sold", None, 1))
    machine.body.gate = None
    await machine.tell()
    await machine.go_on()
    assert await machine.sale() == ("done", None, 1)


async def test_card_nobody_takes_waits_at_the_gate_where_the_hall_wants_that(hall: Hall) -> None:
    """REQ-HW-08, REQ-HW-11: a sold card is its customer's: it is not sold again, and no other customer is served."""
    machine = Machine(hall, take_back=None)
    await machine.open(card_of(0), card_of(1))
    await machine.buy()
    machine.hall.later(hours=9)
    await machine.hall.connect()
    await machine.tell()
    await machine.go_on()
    async with machine.hall.database.autocommit() as connection:
        await expiry.sweep(connection, now=machine.now)
    assert (machine.made, machine.body.gate is None) == (["feed", "hand_out"], False)
    assert (await machine.sale(), await machine.kit(), await machine.card(0)) == (
        ("sold", None, 1), "CONFIRMED", "IN_USE",
    )  # fmt: skip
    with pytest.raises(KioskNotReady):
        await machine.choose(1)
    assert await machine.number(1) == "UNUSED"
    await machine.quiet()
