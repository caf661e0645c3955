"""A sale that waits for the network is rolled back: a fresh hold has its number and card (N9, S10b)."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from inventory.access.caller import Caller
from inventory.access.permissions import Role
from inventory.domain.auc import AucAnswer
from inventory.domain.errors import (
    DomainError,
    HoldKeyWrong,
    LegalHold,
    LineNotWaiting,
    NetworkHasIdentity,
    NumberNotFree,
    OutsideScope,
    ReasonMissing,
)
from inventory.domain.fees import Business
from inventory.domain.identifiers import parse_iccid
from inventory.domain.replacement import ReplaceReason
from inventory.observability import Metrics
from inventory.services import expiry, kit_cards, promises
from inventory.services.auc_answers import NetworkAnswer, take_answers
from inventory.services.kits import CardWish
from inventory.services.once import Answer, WriteKey
from inventory.services.rolling_back import roll_back
from inventory.stock_metrics import StockMetrics
from inventory.store import holds, roll_back_sql
from inventory.store.hot import HotStatement
from tests.builders_stock import TOWN, finish_card, write_card
from tests.promises.conftest import KEYS, NUMBERS, Counter, fresh
from tests.promises.test_completion import ADMIN, CARD, WAITS, knows, quiet, said, written
from tests.promises.test_ending import change, rows
from tests.promises.test_races import outcomes, somebody_has
from tests.waiting import until_locked

pytestmark = [pytest.mark.database, pytest.mark.anyio]
__all__ = ["written"]
KEEPER = TOWN.caller(TOWN.hall, role=Role.HALL_KEEPER, staff_no="LJ0009")
_STOCK = "SELECT n.state, s.state, n.holder_id, s.holder_id FROM number n, sim s WHERE n.item_no = 0 AND s.item_no = {}"


async def back(
    counter: Counter, hold: str, *, write: WriteKey | None = None, key: str | None = "", **more: Any
) -> Answer:
    """Roll the sale of a hold back, with its key unless another one is given."""
    async with counter.database.autocommit() as connection:
        return await roll_back(
            connection,
            more.get("caller", counter.caller),
            write or fresh(),
            hold,
            keys=KEYS,
            key=counter.key(hold) if key == "" else key,
            reason=more.get("reason"),
            now=counter.now,
        )


async def stock(counter: Counter, card: int = 0) -> tuple[Any, ...]:
    """Give the states of number and card, and who has them."""
    [row] = await rows(counter, _STOCK.format(card))
    return tuple(row)


@pytest.fixture
async def sold(counter: Counter, written: str) -> str:
    """Sell a written card in a city that waits; the network was told of it and is silent."""
    await knows(counter, "sent")
    await counter.confirm(written)
    return written


async def test_a_sale_is_taken_back_by_a_fresh_hold_with_a_key_of_its_own(counter: Counter, sold: str) -> None:
    """REQ-NUM-10, REQ-RSV-06, REQ-EVT-01: both are where they were, the ledger says how, the old hold is history."""
    later = counter.at(90)
    done = await back(later, sold, reason="no answer")
    assert done.body["hold"] == "h-530700-2"
    assert (done.body["original_hold"], done.body["number"], done.body["iccid"]) == (sold, NUMBERS[0], CARD)
    assert (done.body["state"], done.body["network_has_it"]) == ("ACTIVE", True)
    assert done.body["expires_at"] == later.at(120).now.isoformat()
    assert await stock(counter) == ("HELD", "WRITTEN", TOWN.hall, TOWN.clerk)
    assert await rows(counter, "SELECT state, close_reason FROM hold ORDER BY hold_id") == [
        ("ROLLED_BACK", "no answer"),
        ("ACTIVE", None),
    ]
    assert await rows(counter, "SELECT number_item_no, auc FROM sim_identity") == [(None, "sent")]
    moved = await rows(counter, "SELECT resource, from_holder, to_holder FROM movement WHERE kind = 'ROLL_BACK'")
    assert sorted(tuple(row) for row in moved) == [
        ("number", TOWN.customer, TOWN.hall),
        ("sim", TOWN.customer, TOWN.clerk),
    ]
    assert await rows(
        counter, "SELECT hold_id = 1 OR quote = (SELECT quote FROM hold WHERE hold_id = 1) FROM hold"
    ) == [
        (True,),
        (True,),
    ]
    told = await rows(counter, "SELECT name, to_state FROM event WHERE reason = 'no answer' ORDER BY name")
    assert [tuple(row) for row in told] == [
        ("hold.created", "ACTIVE"),
        ("hold.rolled_back", "ROLLED_BACK"),
        ("number.rolled_back", "HELD"),
        ("sim.rolled_back", "WRITTEN"),
    ]
    await quiet(counter)


async def test_what_was_rolled_back_is_sold_again_and_rolled_back_again(counter: Counter, sold: str) -> None:
    again = (await back(counter, sold)).body["hold"]
    assert (await counter.confirm(again)).body["line"] == "COMPLETING"
    await quiet(counter)
    third = (await back(counter, again)).body["hold"]
    await quiet(counter)
    await knows(counter, "confirmed")
    assert (await counter.confirm(third)).body["line"] == "IN_USE"
    assert await stock(counter) == ("IN_USE", "IN_USE", TOWN.customer, TOWN.customer)
    assert await rows(counter, "SELECT original_hold_id FROM hold ORDER BY hold_id") == [(None,), (1,), (2,)]
    await quiet(counter)


async def test_the_same_request_again_gives_the_same_fresh_hold(counter: Counter, sold: str) -> None:
    """REQ-RSV-07."""
    write = fresh()
    first, second = await back(counter, sold, write=write), await back(counter, sold, write=write)
    assert (second.replayed, second.body) == (True, first.body)
    with pytest.raises(LineNotWaiting, match="ROLLED_BACK"):
        await back(counter, sold)
    with pytest.raises(HoldKeyWrong):
        await counter.confirm(first.body["hold"], key=counter.key(sold))


async def test_a_finished_card_is_held_as_one(counter: Counter) -> None:
    """S10b: nothing was written for this kit."""
    await change(counter, WAITS)
    async with counter.database.session() as session, session.begin():
        await finish_card(session, 3, data_no=900)
    hold = str((await counter.hold(NUMBERS[0], iccid="89860026000000000003")).body["hold"])
    await counter.confirm(hold)
    fresh_hold = (await back(counter, hold)).body
    assert fresh_hold["network_has_it"] is False
    assert await stock(counter, 3) == ("HELD", "HELD", TOWN.hall, TOWN.clerk)
    await quiet(counter)
    await counter.release(fresh_hold["hold"])
    assert (await stock(counter, 3))[:2] == ("UNUSED", "AVAILABLE")
    await quiet(counter)


@pytest.mark.parametrize("auc", ["sent", "failed"])
async def test_the_fresh_hold_is_released_only_once_the_network_has_deleted_the_identity(
    counter: Counter, sold: str, auc: str
) -> None:
    """N9: a refusal is no deletion, its answer may hide a success."""
    again = (await back(counter, sold)).body["hold"]
    await knows(counter, auc)
    with pytest.raises(NetworkHasIdentity, match=CARD):
        await counter.release(again)
    assert (await said(counter, AucAnswer.DELETED))["deleted"] == 1
    await counter.release(again)
    assert (await stock(counter))[:2] == ("UNUSED", "AVAILABLE")
    await quiet(counter)


async def test_the_fresh_hold_does_not_run_out_while_the_network_has_the_identity(counter: Counter, sold: str) -> None:
    """REQ-RSV-04: nobody finds or takes the number, the sweeper rests; with the deletion it is free at once."""
    again = (await back(counter, sold)).body["hold"]
    late = counter.at(60)

    async def swept() -> tuple[int, Any]:
        async with late.database.autocommit() as connection:
            return await expiry.sweep(connection, now=late.now), await expiry.next_end(connection)

    assert await swept() == (0, None)
    with pytest.raises(NumberNotFree):
        await late.hold(NUMBERS[0])
    await quiet(counter)
    async with late.database.session() as session:
        shown = await promises.read_hold(session, late.caller, again, now=late.now)
        own = await promises.read_own_holds(session, late.caller, now=late.now)
    assert (shown["state"], shown["network_has_it"], shown["original_hold"]) == ("ACTIVE", True, sold)
    assert [one["hold"] for one in own] == [again]
    await said(counter, AucAnswer.DELETED)
    late = counter.at(66)
    assert (await swept())[0] == 1
    assert (await late.hold(NUMBERS[0])).body["number"] == NUMBERS[0]
    await quiet(counter)


async def test_the_fresh_hold_can_be_sold_for_as_long_as_the_network_keeps_it(counter: Counter, sold: str) -> None:
    """N9: nobody else could have the number."""
    again = (await back(counter, sold)).body["hold"]
    late = counter.at(24 * 60)
    async with late.database.autocommit() as connection:
        await expiry.sweep(connection, now=late.now)
    assert (await late.confirm(again)).body["line"] == "COMPLETING"
    await quiet(counter)


async def test_a_number_that_is_wanted_after_the_deletion_needs_no_sweeper(counter: Counter, sold: str) -> None:
    await back(counter, sold)
    await said(counter, AucAnswer.DELETED)
    assert (await counter.at(60).hold(NUMBERS[0])).body["number"] == NUMBERS[0]


async def test_a_kit_with_another_card_still_waits_for_the_deletion_of_the_first(counter: Counter, sold: str) -> None:
    """REQ-RSV-16: what the network refused is sold with another card, and the first one stays known over there."""
    again = (await back(counter, sold)).body["hold"]
    wish = CardWish(iccid=parse_iccid("89860026000000000001").iccid)
    async with counter.database.session() as session:
        await kit_cards.take_card(
            session, counter.caller, fresh(), again, wish, keys=KEYS, key=counter.key(again), now=counter.now
        )
    with pytest.raises(NetworkHasIdentity, match=CARD):
        await counter.release(again)
    async with counter.database.session() as session, session.begin():
        await write_card(session, 2)
    assert (await counter.confirm(again)).body["line"] == "COMPLETING"
    third = (await back(counter, again)).body["hold"]
    await quiet(counter)
    assert await rows(counter, "SELECT rolled_back_cards FROM hold WHERE hold_id = 3") == [([0, 1],)]
    with pytest.raises(NetworkHasIdentity, match=CARD):
        await counter.release(third)
    await change(counter, "UPDATE sim_identity SET auc = 'none' WHERE item_no = 0")
    await counter.release(third)
    await quiet(counter)


async def test_only_a_line_that_waits_is_rolled_back(counter: Counter, written: str) -> None:
    """Neither a hold that is open or over, nor a line in use."""
    with pytest.raises(LineNotWaiting, match="ACTIVE"):
        await back(counter, written)
    await knows(counter, "confirmed")
    await counter.confirm(written)
    with pytest.raises(LineNotWaiting, match="IN_USE"):
        await back(counter, written)
    released = (await counter.hold(NUMBERS[1])).body["hold"]
    await counter.release(released)
    with pytest.raises(LineNotWaiting, match="RELEASED"):
        await back(counter, released)


async def test_a_replacement_and_a_second_number_have_nothing_to_roll_back(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are in use at once, in every city."""
    monkeypatch.setattr(holds, "_kinds", {})  # the product is changed below, which no product ever is
    await change(counter, WAITS)
    await change(counter, "UPDATE card_kind SET max_numbers = 2")
    async with counter.database.session() as session, session.begin():
        for card in (0, 1):
            await finish_card(session, card, data_no=900 + card)
    await knows(counter, "confirmed")
    await counter.confirm((await counter.hold(NUMBERS[0], iccid=CARD)).body["hold"])
    second = (await counter.hold(NUMBERS[1], iccid=CARD, business=Business.SECOND_NUMBER)).body["hold"]
    await counter.confirm(second)
    wish: dict[str, Any] = {"business": Business.REPLACE_SIM, "replace_reason": ReplaceReason.BROKEN}
    order = (await counter.hold(NUMBERS[0], iccid=CARD[:-1] + "1", **wish)).body["hold"]
    await counter.confirm(order)
    for hold in (second, order):
        with pytest.raises(LineNotWaiting, match="IN_USE"):
            await back(counter, hold)
    await quiet(counter)


@pytest.mark.parametrize("table", ["number", "sim"])
async def test_a_line_under_a_legal_hold_stays_as_it_is(counter: Counter, sold: str, table: str) -> None:
    """REQ-LGL-01."""
    await change(counter, f"UPDATE {table} SET legal_hold = true WHERE item_no = 0")
    with pytest.raises(LegalHold):
        await back(counter, sold)
    assert (await stock(counter))[:2] == ("COMPLETING", "COMPLETING")


async def test_a_legal_hold_ends_the_fresh_hold_once_the_network_has_let_go(counter: Counter, sold: str) -> None:
    """REQ-LGL-01: the sweeper ends it long before its time."""
    again = (await back(counter, sold)).body["hold"]
    await change(counter, "UPDATE number SET legal_hold = true WHERE item_no = 0")

    async def swept() -> tuple[Any, ...]:
        async with counter.database.autocommit() as connection:
            await expiry.sweep(connection, now=counter.now)
        return (await stock(counter))[:2]

    assert await swept() == ("HELD", "WRITTEN")
    with pytest.raises(LegalHold):
        await counter.confirm(again)
    await said(counter, AucAnswer.DELETED)
    assert await swept() == ("UNUSED", "AVAILABLE")
    assert await rows(counter, "SELECT state, close_reason FROM hold WHERE hold_id = 2") == [("RELEASED", "legal_hold")]


async def test_a_superior_rolls_back_with_a_reason_and_has_the_fresh_hold(counter: Counter, sold: str) -> None:
    """REQ-RSV-07: its key opens it, the clerk's does not."""
    with pytest.raises(HoldKeyWrong):
        await back(counter, sold, key=None)
    for nothing in (None, " "):
        with pytest.raises(ReasonMissing):
            await back(counter, sold, key=None, caller=KEEPER, reason=nothing)
    stranger = TOWN.caller(TOWN.other_hall, role=Role.HALL_KEEPER)
    with pytest.raises(OutsideScope):
        await back(counter, sold, key=None, caller=stranger, reason="mine")
    again = (await back(counter, sold, key=None, caller=KEEPER, reason="the customer has left")).body["hold"]
    owner = await rows(counter, "SELECT staff_no, org_id FROM hold WHERE hold_id = 2")
    assert [tuple(row) for row in owner] == [("LJ0009", TOWN.hall)]
    assert (await counter.by(KEEPER).confirm(again)).body["line"] == "COMPLETING"


async def test_what_a_closed_place_had_comes_back_to_the_one_above(counter: Counter, sold: str) -> None:
    """REQ-STK-03: nothing lies on an account that is closed, or about to be."""
    await change(counter, f"UPDATE organisation SET leaving_at = now() WHERE id = {TOWN.clerk}")
    await back(counter, sold)
    assert await stock(counter) == ("HELD", "WRITTEN", TOWN.hall, TOWN.hall)
    await quiet(counter)


async def test_metrics_tell_what_waits_since_when_and_count_each_roll_back_once(counter: Counter, sold: str) -> None:
    metrics = Metrics()
    figures = StockMetrics(metrics, counter.database, now=counter.now)
    names = ("sales_waiting", "sales_waiting_since_seconds", "roll_backs_total")

    async def shown() -> list[float | None]:
        await figures.refresh()
        return [metrics.registry.get_sample_value(f"haoka_{name}") for name in names]

    assert await shown() == [1, counter.now.timestamp(), 0]
    await back(counter, sold)
    assert await shown() == [0, 0, 1]
    assert await shown() == [0, 0, 1]


async def race_with_the_network(counter: Counter, hold: str) -> tuple[Answer | DomainError, dict[str, Any]]:
    """Let a roll back and the network's confirmation begin before either could have the identity."""
    [(imsi,)] = await rows(counter, "SELECT imsi FROM sim_identity")

    async def confirmed(caller: Caller) -> Answer:
        async with counter.database.session() as session:
            heard = [NetworkAnswer(imsi, AucAnswer.CONFIRMED)]
            return await take_answers(session, caller, fresh(), heard, now=counter.now)

    async with somebody_has(counter, "SELECT FROM sim_identity FOR UPDATE"):
        both = asyncio.create_task(outcomes(back(counter, hold), confirmed(ADMIN)))
        await until_locked(counter.database, 2)
    rolled, heard = await both
    assert isinstance(heard, Answer)
    return rolled, heard.body


async def test_of_the_networks_word_and_a_roll_back_at_one_moment_one_wins(counter: Counter, sold: str) -> None:
    """REQ-NUM-10: the line is in use, or a fresh hold has it; never both."""
    rolled, heard = await race_with_the_network(counter, sold)
    assert heard["confirmed"] == 1
    if isinstance(rolled, Answer):
        assert heard["completed"] == 0
        assert (await stock(counter))[:2] == ("HELD", "WRITTEN")
    else:
        assert (isinstance(rolled, LineNotWaiting), heard["completed"]) == (True, 1)
        assert (await stock(counter))[:2] == ("IN_USE", "IN_USE")
    await quiet(counter)


async def roll_back_overtaken(counter: Counter, hold: str) -> Answer | DomainError:
    """Let the network confirm while a roll back that has begun waits for its hold, and give what became of that."""
    async with somebody_has(counter, "SELECT FROM hold FOR UPDATE"):
        rolling = asyncio.create_task(outcomes(back(counter, hold)))
        await until_locked(counter.database)
        assert (await said(counter, AucAnswer.CONFIRMED))["completed"] == 1
    [rolled] = await rolling
    return rolled


async def test_a_line_that_came_into_use_while_its_roll_back_waited_stays_in_use(counter: Counter, sold: str) -> None:
    assert isinstance(await roll_back_overtaken(counter, sold), LineNotWaiting)
    assert (await stock(counter))[:2] == ("IN_USE", "IN_USE")
    await quiet(counter)


async def test_canary_without_the_locks_takes_a_line_in_use_back(
    counter: Counter, sold: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever locks looks again; without that the roll back believes what it saw when it began."""
    unguarded = re.sub(r"FOR NO KEY UPDATE OF \w+", "", roll_back_sql.ROLL_BACK)
    assert unguarded != roll_back_sql.ROLL_BACK
    monkeypatch.setattr(holds, "_ROLL_BACK", HotStatement(unguarded))
    assert isinstance(await roll_back_overtaken(counter, sold), Answer)
    assert (await stock(counter))[:2] == ("HELD", "WRITTEN")
