"""A self-service machine goes on from what it sees: every branch on the real database, with real scripts on cards."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import Any

import pytest

from cardwriter.script import Purpose
from inventory.domain.errors import DomainError, KioskNotReady, NumberNotFree, QuoteNotAccepted
from inventory.domain.kiosk import CHECKING, IDLE, SHOWN, STALLED, Act, Step, decide
from inventory.domain.lifecycle import KioskState
from inventory.services import expiry, kiosk, kiosk_loop
from inventory.services.orders import Move, Run
from inventory.store import kiosk as store
from tests.cards.hall import READER, Hall, adm_tries, card_of, fresh
from tests.cards.self_service import Machine, locked, spoiled

pytestmark = [pytest.mark.database, pytest.mark.anyio]


@pytest.fixture
def machine(hall: Hall) -> Machine:
    """Give a machine with an empty stack, not opened yet."""
    return Machine(hall)


async def test_customer_gets_a_working_card_and_the_screen_is_free_for_the_next(machine: Machine) -> None:
    """REQ-HW-11, REQ-RSV-18: feed, take, write, confirm, hand out; the sale ends when the card is taken."""
    await machine.open(card_of(0), card_of(1))
    await machine.buy()
    assert (machine.made, await machine.sale()) == (["feed", "hand_out"], ("sold", None, 1))
    assert (await machine.card(0), await machine.number(), await machine.kit()) == ("IN_USE", "IN_USE", "CONFIRMED")
    machine.body.gate = None
    await machine.tell()
    await machine.go_on()
    assert (await machine.sale(), machine.ended) == (("done", None, 1), [KioskState.DONE])
    machine.hall.later(seconds=SHOWN.total_seconds() - 1)
    assert await machine.shows() == "done"
    machine.hall.later(seconds=1)
    assert await machine.shows() is None
    await machine.hall.connect()
    await machine.tell()
    await machine.buy(1)
    assert await machine.card(1) == "IN_USE"
    await machine.quiet()


async def test_machine_with_an_empty_stack_holds_no_number(machine: Machine) -> None:
    await machine.open()
    with pytest.raises(KioskNotReady):
        await machine.choose()
    assert await machine.number() == "UNUSED"
    machine.body.stack.append(card_of(0))
    await machine.tell()
    await machine.choose()
    assert await machine.number() == "HELD"


async def test_stack_that_runs_out_while_a_customer_waits_gives_the_number_back(machine: Machine) -> None:
    await machine.open(spoiled(0))
    await machine.buy()
    assert (machine.made, await machine.sale()) == (["feed", "bin", "feed"], ("stopped", "stacker_empty", 2))
    assert (await machine.number(), await machine.kit(), await machine.card(0)) == ("UNUSED", "RELEASED", "DAMAGED")
    assert machine.ended == [KioskState.STOPPED]
    await machine.quiet()


@pytest.mark.parametrize("accepted", [False, True], ids=["terms", "check"])
async def test_number_of_a_customer_who_walks_away_is_free_again_after_a_while(
    machine: Machine, *, accepted: bool
) -> None:
    """Two minutes before the terms, longer for the identity check; then the first screen stands there."""
    await machine.open(card_of(0))
    await machine.choose()
    if accepted:
        await machine.accept()
    patience = CHECKING if accepted else IDLE
    machine.hall.later(seconds=patience.total_seconds() - 1)
    await machine.hall.connect()
    await machine.go_on()
    assert (await machine.shows(), await machine.number()) == ("waiting", "HELD")
    machine.hall.later(seconds=1)
    await machine.go_on()
    assert (await machine.shows(), await machine.sale()) == (None, ("left", None, 0))
    assert (await machine.number(), await machine.kit(), machine.made) == ("UNUSED", "RELEASED", [])


async def test_customer_changes_its_mind_until_a_card_is_fed_and_not_after(machine: Machine) -> None:
    await machine.open(card_of(0))
    await machine.choose()
    await machine.accept()
    await machine.leave()
    assert (await machine.sale(), await machine.number(), await machine.shows()) == (("left", None, 0), "UNUSED", None)
    await machine.choose(1)
    await machine.accept()
    await machine.check()
    moves = await machine.step()
    await machine.leave()
    assert (await machine.sale(), await machine.number(1)) == (("serving", None, 1), "HELD")
    await machine.make(moves)
    await machine.go_on()
    assert (await machine.sale(), await machine.number(1)) == (("sold", None, 1), "IN_USE")


async def test_nothing_is_fed_before_terms_of_the_quote_are_accepted_and_the_person_was_checked(
    machine: Machine,
) -> None:
    """REQ-CMP-03, REQ-CMP-06."""
    await machine.open(card_of(0))
    await machine.choose()
    async with machine.hall.database.session() as session:
        for version in (None, 99):
            with pytest.raises(QuoteNotAccepted):
                await kiosk.accept(session, machine.caller, machine.hold, version, now=machine.now)
    await machine.check()
    await machine.go_on()
    assert machine.made == []
    await machine.accept()
    await machine.go_on()
    assert (await machine.sale())[0] == "sold"


async def test_cards_that_are_not_of_the_product_or_unknown_are_binned_and_the_next_is_tried(machine: Machine) -> None:
    stranger = card_of(4711)
    await machine.open(stranger, card_of(1))
    await machine.hall.change("UPDATE sim SET hlr_code = NULL WHERE item_no = 1")
    await machine.buy()
    assert (machine.made, await machine.sale()) == (["feed", "bin", "feed", "hand_out"], ("sold", None, 2))
    assert [slot.card for slot in machine.body.bin] == [stranger]
    assert await machine.card(1) == "IN_USE"


async def test_card_that_is_sold_already_stays_where_it_is_and_the_customer_goes_to_the_counter(
    machine: Machine,
) -> None:
    """REQ-HW-08: a card with an identity of another sale in the stack is no waste."""
    await machine.open(card_of(0), card_of(0), card_of(1))
    await machine.buy()
    machine.body.gate = None
    await machine.tell()
    await machine.go_on()
    await machine.buy(1)
    assert await machine.sale() == ("stopped", "card_must_stay", 1)
    assert (machine.body.bin, machine.body.inside is None, await machine.number(1)) == ([], False, "UNUSED")
    await machine.quiet()


async def test_after_three_bad_cards_the_number_is_free_and_nothing_more_is_fed(machine: Machine) -> None:
    """REQ-RSV-16."""
    await machine.open(spoiled(0), spoiled(1), spoiled(2), card_of(3))
    await machine.buy()
    assert (machine.made, await machine.sale()) == (["feed", "bin"] * 3, ("stopped", "tries_spent", 3))
    assert [await machine.card(item) for item in range(4)] == ["DAMAGED"] * 3 + ["AVAILABLE"]
    assert (await machine.number(), await machine.kit(), len(machine.body.stack)) == ("UNUSED", "RELEASED", 1)
    await machine.quiet()


async def test_bad_card_stays_inside_where_the_bin_is_full(machine: Machine) -> None:
    await machine.open(spoiled(0), card_of(1))
    await machine.choose()
    await machine.accept()
    await machine.check()
    moves = await machine.step()
    await machine.make(moves)
    machine.body.bin_size = 0
    await machine.go_on()
    assert (machine.made, await machine.sale()) == (["feed", "bin"], ("stopped", "bin_full", 1))
    assert (await machine.number(), machine.body.inside is None) == ("UNUSED", False)
    with pytest.raises(KioskNotReady):
        await machine.choose(1)


async def test_jam_on_the_way_in_gives_the_number_back(machine: Machine) -> None:
    await machine.open(card_of(0))
    machine.body.jams = True
    await machine.buy()
    assert (await machine.sale(), await machine.number()) == (("stopped", "card_jam", 1), "UNUSED")


async def test_jam_on_the_way_out_leaves_the_line_sold_until_the_staff_gives_the_card(machine: Machine) -> None:
    """REQ-HW-08: the money is paid and the line is the customer's; only its card is still inside."""
    await machine.open(card_of(0))
    await machine.choose()
    await machine.accept()
    await machine.check()
    await machine.make(await machine.step())
    machine.body.jams = True
    await machine.go_on()
    assert (await machine.sale(), await machine.card(0), await machine.number()) == (
        ("sold", None, 1), "IN_USE", "IN_USE",
    )  # fmt: skip
    machine.body.taken_out()
    await machine.tell()
    await machine.go_on()
    assert (await machine.sale())[0] == "done"


async def test_machine_that_never_answers_sends_the_customer_to_the_counter(machine: Machine) -> None:
    await machine.open(card_of(0))
    await machine.choose()
    await machine.accept()
    await machine.check()
    assert len(await machine.step()) == 1
    machine.hall.later(seconds=STALLED.total_seconds())
    assert await machine.step() == ()
    assert (await machine.sale(), await machine.number()) == (("stopped", "no_answer", 1), "UNUSED")


async def test_kit_that_was_ended_from_outside_ends_the_sale(machine: Machine) -> None:
    await machine.open(card_of(0))
    await machine.choose()
    await machine.accept()
    machine.hall.later(hours=2)
    async with machine.hall.database.autocommit() as connection:
        await expiry.sweep(connection, now=machine.now)
    await machine.go_on()
    assert (await machine.sale(), await machine.number()) == (("stopped", "kit_ended", 0), "UNUSED")


async def test_card_that_falls_silent_while_it_is_written_stays_and_its_number_is_kept(machine: Machine) -> None:
    """REQ-HW-08, REQ-RSV-15: nobody guesses; kit and card wait for a person, the customer goes to the counter."""
    await machine.open(card_of(0), card_of(1))
    await machine.choose()
    await machine.accept()
    await machine.check()
    await machine.make(await machine.step())
    await machine.step()
    orders = await machine.hall.take_up()
    while runs := [order for order in orders if isinstance(order, Run)]:
        reported = machine.hall.run(runs[0])
        if runs[0].script.purpose is Purpose.WRITE:
            break
        orders = await machine.hall.report(reported)
    for filed in machine.hall.journal.unacknowledged():
        machine.hall.journal.acknowledge(filed.report.script_id)
    machine.body.inside.dead = True
    await machine.hall.reconnect()
    await machine.tell()
    await machine.go_on()
    assert (await machine.sale(), machine.made) == (("stopped", "card_must_stay", 1), ["feed"])
    assert (await machine.card(0), await machine.number(), await machine.kit()) == ("WRITE_UNKNOWN", "HELD", "ACTIVE")
    await machine.quiet()


async def test_card_whose_key_is_another_one_is_binned_untouched_and_marked(machine: Machine) -> None:
    """Its key is not tried a second time, at this machine or anywhere."""
    await machine.open(locked(0), card_of(1))
    await machine.buy()
    assert (machine.made, await machine.sale()) == (["feed", "bin", "feed", "hand_out"], ("sold", None, 2))
    assert tuple(await machine.hall.one("SELECT adm_refused, hold_id FROM sim WHERE item_no = 0")) == (True, None)
    assert adm_tries(machine.body.bin[0].card) == adm_tries(card_of(1)) - 1


class Died(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("at", range(1, 7), ids=["feed", "take", "write", "confirm", "hand out", "finish"])
async def test_service_that_dies_before_it_notes_what_it_did_goes_on_and_sells_one_card(
    machine: Machine, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is kept but the row: another process sees what is done already, and does the rest once."""
    await machine.open(card_of(0), card_of(1))
    await machine.choose()
    await machine.accept()
    await machine.check()
    keep, notes = store.change_sale, itertools.count(1)

    async def noted(*given: Any, **values: Any) -> bool:
        if next(notes) == at:
            raise Died
        return await keep(*given, **values)

    monkeypatch.setattr(store, "change_sale", noted)
    died = False
    for _ in range(2):
        try:
            await machine.go_on()
            machine.body.gate = None
            await machine.tell()
            await machine.go_on()
        except Died:
            died, machine.loop = True, replace(machine.loop)
            await machine.hall.restart_station()
    assert (died, machine.made, await machine.sale()) == (True, ["feed", "hand_out"], ("done", None, 1))
    assert [await machine.card(item) for item in (0, 1)] == ["IN_USE", "AVAILABLE"]
    assert (await machine.hall.one("SELECT count(*) FROM write_job"))[0] == 1
    await machine.quiet()


async def test_two_processes_that_look_at_once_feed_one_card(machine: Machine) -> None:
    """A station's link moves to another process while the first one still works."""
    await machine.open(card_of(0), card_of(1))
    await machine.choose()
    await machine.accept()
    await machine.check()
    moves = await asyncio.gather(*(machine.step() for _ in range(4)))
    assert [one.movement for asked in moves for one in asked] == ["feed"]
    assert await machine.sale() == ("serving", None, 1)


async def test_sold_card_is_handed_out_although_the_first_order_was_lost(machine: Machine) -> None:
    """The process dies between noting the movement and sending it, or the station before it made it."""
    await machine.open(card_of(0))
    await machine.choose()
    await machine.accept()
    await machine.check()
    await machine.make(await machine.step())
    await machine.step()
    await machine.hall.work(await machine.hall.take_up())
    lost = await machine.step()
    assert [one.movement for one in lost] == ["hand_out"]
    machine.stopped, machine.moved = None, None
    await machine.tell()
    assert await machine.step() == ()
    machine.hall.later(seconds=STALLED.total_seconds())
    await machine.go_on()
    assert (machine.made, machine.body.gate is None) == (["feed", "hand_out"], False)
    machine.body.gate = None
    await machine.tell()
    await machine.go_on()
    assert (await machine.sale())[0] == "done"


async def test_card_that_a_person_hands_out_after_a_jam_ends_the_sale(machine: Machine) -> None:
    """The desk moves it, by a movement that is not the sale's; the machine serves the next one then."""
    machine.loop = replace(machine.loop, take_back=None)
    await machine.open(card_of(0), card_of(1))
    await machine.choose()
    await machine.accept()
    await machine.check()
    await machine.make(await machine.step())
    machine.body.jams = True
    await machine.go_on()
    machine.body.jams = False
    await machine.make((Move(READER, "hand_out"),))
    machine.hall.later(seconds=STALLED.total_seconds())
    await machine.go_on()
    assert ((await machine.sale())[0], machine.made) == ("sold", ["feed", "hand_out", "hand_out"])
    machine.body.gate = None
    machine.hall.later(seconds=STALLED.total_seconds())
    await machine.hall.connect()
    await machine.tell()
    machine.hall.later(seconds=STALLED.total_seconds())
    await machine.go_on()
    assert (await machine.sale())[0] == "done"


async def test_sold_card_comes_out_although_its_keeper_may_no_longer_act(machine: Machine) -> None:
    """The person who opened the machine leaves the company while a customer's card is written."""
    await machine.open(card_of(0), card_of(1))
    await machine.choose()
    await machine.accept()
    await machine.check()
    await machine.make(await machine.step())
    await machine.step()
    await machine.hall.work(await machine.hall.take_up())
    lost = await machine.step()
    await machine.hall.change("UPDATE staff SET active = false")
    await machine.make(lost)
    machine.body.gate = None
    await machine.tell()
    await machine.go_on()
    assert (await machine.sale(), machine.ended) == (("done", None, 1), [KioskState.DONE])


async def test_sale_whose_keeper_may_no_longer_act_ends_at_the_counter(machine: Machine) -> None:
    await machine.open(card_of(0))
    await machine.choose()
    await machine.hall.change("UPDATE staff SET active = false")
    await machine.go_on()
    assert (await machine.sale(), machine.made) == (("stopped", "kit_ended", 0), [])


async def test_of_two_fingers_at_one_machine_one_gets_a_number_and_the_other_ones_is_free(machine: Machine) -> None:
    """REQ-NUM-10."""
    await machine.open(card_of(0))
    both = await asyncio.gather(machine.choose(0), machine.choose(1), return_exceptions=True)
    assert sorted(type(one).__name__ for one in both) == ["Answer", "KioskNotReady"]
    assert sorted([await machine.number(0), await machine.number(1)]) == ["HELD", "UNUSED"]
    await machine.quiet()


async def test_of_two_machines_that_want_one_number_one_gets_it_and_the_other_is_told(machine: Machine) -> None:
    """REQ-NUM-10: the loser's machine stays free for its customer's next choice."""
    await machine.open(card_of(0))
    await machine.hall.change(
        "INSERT INTO station_reader (city_id, station_id, name, state, insertion, seen_at, dispenser, kiosk_kind)"
        " SELECT city_id, station_id, 'second', state, insertion, seen_at, dispenser, kiosk_kind FROM station_reader"
    )
    second = replace(machine.place, reader="second")
    both = await asyncio.gather(machine.choose(), machine.choose(at=second), return_exceptions=True)
    assert sorted(type(one).__name__ for one in both) == ["Answer", "NumberNotFree"]
    loser = machine.place if isinstance(both[0], NumberNotFree) else second
    await machine.choose(1, at=loser)
    assert (await machine.number(0), await machine.number(1)) == ("HELD", "HELD")


async def test_sale_that_cannot_be_brought_on_holds_up_no_other_machine(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A movement that was noted must be made: else its machine stands still until its customer is sent away."""
    await machine.open(card_of(0))
    await machine.hall.change(
        "INSERT INTO station_reader (city_id, station_id, name, state, insertion, seen_at, dispenser, kiosk_kind)"
        " SELECT city_id, station_id, 'second', state, insertion, seen_at, dispenser, kiosk_kind FROM station_reader"
    )
    await machine.choose()
    await machine.accept()
    await machine.check()
    await machine.choose(1, at=replace(machine.place, reader="second"))
    impossible = Step(Act.FINISH)  # nothing was sold there
    monkeypatch.setattr(kiosk_loop, "decide", lambda sight: decide(sight) if sight.checked else impossible)
    advanced = await machine.loop.advance(machine.hall.station, now=machine.now)
    assert ([one.movement for one in advanced.moves], advanced.failed) == (["feed"], ("IllegalTransition",))


async def test_machine_that_is_closed_serves_its_present_customer_to_the_end_and_then_nobody(machine: Machine) -> None:
    await machine.open(card_of(0), card_of(1))
    await machine.choose()
    async with machine.hall.database.session() as session:
        await kiosk.close_machine(session, machine.caller, fresh(), machine.place, now=machine.now)
    await machine.accept()
    await machine.check()
    await machine.go_on()
    machine.body.gate = None
    await machine.tell()
    await machine.go_on()
    assert (await machine.sale())[0] == "done"
    with pytest.raises(DomainError):
        await machine.choose(1)
