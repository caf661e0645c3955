"""Another card for a number in use: one order at a time, one working card at any moment, nothing half done."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest

from inventory.domain.errors import (
    CardNotVerified,
    CardServesNoMore,
    DomainError,
    ExtraCheckMissing,
    HlrMismatch,
    HoldExpired,
    InvalidField,
    LegalHold,
    MissingField,
    NotFound,
    NumberNotInUse,
    QuoteNotAccepted,
    ServiceOrderOpen,
    SimNotFree,
)
from inventory.domain.fees import Business
from inventory.domain.replacement import ReplaceReason
from inventory.domain.search import SearchWish
from inventory.observability import Metrics
from inventory.services import expiry
from inventory.services.auditing import audit
from inventory.services.kits import KitWish, SimWish
from inventory.services.once import Answer
from inventory.services.promises import read_hold
from inventory.services.reporting import read_item
from inventory.services.search import SearchAsk, search_numbers
from inventory.stock_metrics import StockMetrics
from inventory.store import holds, replace_sql
from inventory.store.hot import HotStatement
from tests.builders_stock import HLR, KIND, OTHER_HLR, TOWN, finish_card, write_card
from tests.promises.conftest import NUMBERS, Counter, fresh
from tests.promises.test_ending import change, rows
from tests.promises.test_hold import CARDS
from tests.promises.test_kit_cards import take
from tests.promises.test_legal_holds import place
from tests.promises.test_races import outcomes, somebody_has
from tests.waiting import until_locked

pytestmark = [pytest.mark.database, pytest.mark.anyio]

CARDS_OF_LINE = """
    SELECT s.item_no, s.state, s.holder_id, s.hold_id, i.auc, i.number_item_no, d.state
    FROM sim s LEFT JOIN sim_identity i ON i.item_no = s.item_no LEFT JOIN subscription_data d ON d.imsi = i.imsi
    WHERE s.item_no IN (0, 1) ORDER BY s.item_no
"""


async def written(counter: Counter, hold: str) -> None:
    """Leave the kit's card written and proven."""
    async with counter.database.session() as session, session.begin():
        await write_card(session, int(hold.rsplit("-", 1)[1]))


async def sold(counter: Counter, place: int = 0) -> None:
    """Sell the n-th number with the n-th card."""
    hold = (await counter.hold(NUMBERS[place], iccid=CARDS[place])).body["hold"]
    await written(counter, hold)
    await counter.confirm(hold)


async def opened(counter: Counter, number: str | None = NUMBERS[0], card: int = 1, **wish: Any) -> Answer:
    """Open a replacement of the number's card by the n-th one."""
    asked = {"business": Business.REPLACE_SIM, "replace_reason": ReplaceReason.BROKEN, "iccid": CARDS[card], **wish}
    return await counter.hold(number, **asked)


async def quiet(counter: Counter) -> bool:
    """Whether the audit finds nothing."""
    async with counter.database.session() as session:
        done = await audit(session, now=counter.now)
    assert done.findings == []
    return done.ok


@pytest.fixture
async def line(counter: Counter) -> Counter:
    """Sell one line: number 0 with card 0."""
    await sold(counter)
    return counter


async def test_open_order_locks_number_and_card_and_both_go_on_working(line: Counter) -> None:
    """REQ-LCK-01: the lock is the hold; state and version stay, the price is the card's alone."""
    before = await rows(line, "SELECT version FROM number WHERE item_no = 0 UNION ALL SELECT version FROM sim LIMIT 1")
    order = (await opened(line, order_ref="B-7")).body
    assert (order["business"], order["old_iccid"], order["replace_reason"]) == ("replace_sim", CARDS[0], "broken")
    assert [(element["code"], element["amount"]) for element in order["quote"]["elements"]] == [("sim_fee", 1000)]
    assert await rows(
        line,
        "SELECT n.state, n.hold_id, s.state, s.hold_id FROM number n, sim s WHERE n.item_no = 0 AND s.item_no = 0",
    ) == [("IN_USE", 2, "IN_USE", 2)]
    assert before == await rows(
        line, "SELECT version FROM number WHERE item_no = 0 UNION ALL SELECT version FROM sim LIMIT 1"
    )
    assert await quiet(line)


@pytest.mark.parametrize(("handed_in", "with_whom"), [(True, TOWN.clerk), (False, TOWN.customer)])
async def test_confirmed_replacement_changes_the_card_of_the_line(
    line: Counter, *, handed_in: bool, with_whom: int
) -> None:
    """REQ-FLOW-03: new card in use, old one replaced, its data retired; handed in it lies where the new one lay."""
    order = (await opened(line)).body["hold"]
    await written(line, order)
    done = await line.confirm(order, old_card_handed_in=handed_in)
    assert (done.body["state"], done.body["number"], done.body["iccid"]) == ("CONFIRMED", NUMBERS[0], CARDS[1])
    assert await rows(line, CARDS_OF_LINE) == [
        (0, "REPLACED", with_whom, None, "deleted", None, "RETIRED"),
        (1, "IN_USE", TOWN.customer, None, "confirmed", 0, "BOUND"),
    ]
    assert await rows(line, "SELECT state, hold_id, holder_id FROM number WHERE item_no = 0") == [
        ("IN_USE", None, TOWN.customer)
    ]
    assert await quiet(line)


async def test_life_of_number_and_cards_tells_of_the_pair_before_and_after(line: Counter) -> None:
    """REQ-NUM-11, REQ-EVT-01: who served the number until when stays readable, with the reason."""
    order = (await opened(line, order_ref="B-7", replace_reason=ReplaceReason.LOST)).body["hold"]
    await written(line, order)
    await line.confirm(order)
    told = await rows(
        line,
        "SELECT name, item_no, reason, order_ref, data FROM event"
        " WHERE name IN ('number.card_replaced', 'sim.replaced', 'data.retired') ORDER BY name DESC",
    )
    assert [tuple(row[:4]) for row in told] == [
        ("sim.replaced", 0, "lost", "B-7"),
        ("number.card_replaced", 0, "lost", "B-7"),
        ("data.retired", told[2].item_no, "lost", "B-7"),
    ]
    assert told[0].data == {"hold": order, "number_item": 0, "sim_item": 1}
    assert told[1].data == {"hold": order, "sim_before": 0, "sim_item": 1}


async def test_number_shows_its_card_and_a_card_its_number(line: Counter) -> None:
    """A clerk with a customer and no card finds the card of the line, and a replaced card shows none."""
    order = (await opened(line)).body["hold"]
    await written(line, order)
    await line.confirm(order, old_card_handed_in=True)
    hall, shown = TOWN.caller(TOWN.hall), {}
    for resource, name in (("number", NUMBERS[0]), ("sim", CARDS[0]), ("sim", CARDS[1])):
        async with line.database.session() as session:
            shown[name] = list((await read_item(session, hall, resource=resource, name=name)).line)
    assert shown == {NUMBERS[0]: [CARDS[1]], CARDS[0]: [], CARDS[1]: [NUMBERS[0]]}


async def test_replacements_are_counted_by_reason(line: Counter) -> None:
    metrics = Metrics()
    stock = StockMetrics(metrics, line.database, now=line.now)
    await stock.refresh()
    order = (await opened(line)).body["hold"]
    await written(line, order)
    await line.confirm(order)
    await stock.refresh()
    assert metrics.registry.get_sample_value("haoka_replacements_total", {"reason": "broken"}) == 1


async def test_finished_card_replaces_unwritten_and_the_old_card_names_the_line(line: Counter) -> None:
    async with line.database.session() as session, session.begin():
        await finish_card(session, 1, data_no=900)
    order = (await opened(line, None, old_card=CARDS[0])).body
    assert order["number"] == NUMBERS[0]
    await line.confirm(order["hold"])
    assert await rows(line, "SELECT item_no FROM sim_identity WHERE number_item_no = 0") == [(1,)]
    assert await quiet(line)


@pytest.mark.parametrize("end", ["release", "sweep", "by_key"])
@pytest.mark.parametrize("is_written", [True, False])
async def test_order_that_ends_leaves_the_line_as_it_was(line: Counter, end: str, *, is_written: bool) -> None:
    """REQ-LCK-01, REQ-RSV-19: the lock goes, the number stays in use; a written card stays a finished one."""
    order = (await opened(line)).body["hold"]
    if is_written:
        await written(line, order)
    later = line.at(31)
    if end == "release":
        await line.release(order)
    elif end == "sweep":
        async with line.database.autocommit() as connection:
            assert await expiry.sweep(connection, now=later.now) == 1
    else:
        await opened(later, card=2)
        await change(later, "UPDATE sim SET updated_at = now() WHERE item_no = 0")
    assert await rows(line, "SELECT state, version FROM number WHERE item_no = 0") == [("IN_USE", 3)]
    assert await rows(line, "SELECT state, hlr_code, hold_id FROM sim WHERE item_no = 1") == [
        ("AVAILABLE", HLR if is_written else None, None)
    ]
    free = await rows(line, "SELECT count(*) FROM subscription_data WHERE state = 'FREE'")
    assert free == [(6 - 1 - is_written - (end == "by_key"),)]
    locked = await rows(line, "SELECT hold_id FROM number WHERE item_no = 0")
    assert locked == [(3,)] if end == "by_key" else [(None,)]
    assert await quiet(later)


async def test_second_order_is_refused_with_the_firsts_reason(line: Counter) -> None:
    """REQ-LCK-01."""
    first = (await opened(line, replace_reason=ReplaceReason.LOST)).body
    with pytest.raises(ServiceOrderOpen) as refused:
        await opened(line, card=2)
    assert refused.value.params == {
        "number": NUMBERS[0],
        "business": "replace_sim",
        "reason": "lost",
        "until": datetime.fromisoformat(first["expires_at"]),
    }
    assert await rows(line, "SELECT state FROM sim WHERE item_no = 2") == [("AVAILABLE",)]


REFUSED: list[tuple[str, type[DomainError]]] = [
    ("UPDATE number SET state = 'FROZEN' WHERE item_no = 0", NumberNotInUse),
    ("UPDATE number SET legal_hold = true WHERE item_no = 0", LegalHold),
    ("UPDATE sim SET legal_hold = true WHERE item_no = 0", LegalHold),
    ("UPDATE sim_identity SET number_item_no = NULL", InvalidField),
    (
        """INSERT INTO sim_identity (city_id, item_no, slot, application, imsi, hlr_code, state, auc, number_item_no)
           SELECT city_id, item_no, 2, application, 'X', hlr_code, state, auc, 5 FROM sim_identity""",
        CardServesNoMore,
    ),
    ("UPDATE sim SET state = 'DAMAGED' WHERE item_no = 1", SimNotFree),
    (f"UPDATE sim SET hlr_code = '{OTHER_HLR}' WHERE item_no = 1", HlrMismatch),
]


@pytest.mark.parametrize(("spoil", "refusal"), REFUSED)
async def test_order_that_may_not_be_opened_takes_nothing(
    line: Counter, spoil: str, refusal: type[DomainError]
) -> None:
    """REQ-NUM-10, REQ-LGL-01: each guard by its name."""
    await change(line, spoil)
    with pytest.raises(refusal):
        await opened(line)
    assert await rows(line, "SELECT count(*) FROM hold") == [(1,)]


async def test_free_number_and_idle_card_are_no_line(counter: Counter) -> None:
    with pytest.raises(NumberNotInUse):
        await opened(counter)
    with pytest.raises(NotFound):
        await opened(counter, None, old_card=CARDS[3])


async def test_named_old_card_must_be_the_numbers_own(line: Counter) -> None:
    with pytest.raises(InvalidField, match="another card"):
        await opened(line, old_card=CARDS[2])


@pytest.mark.parametrize("lacks", ["replace_reason", "iccid", "number"])
def test_a_replacement_says_what_why_and_with_which_card(lacks: str) -> None:
    wish: dict[str, Any] = {"number": NUMBERS[0], "iccid": CARDS[1], "replace_reason": ReplaceReason.LOST}
    with pytest.raises(MissingField):
        KitWish(business=Business.REPLACE_SIM, **(wish | {lacks: None}))


@pytest.mark.parametrize("more", [{"replace_reason": ReplaceReason.LOST}, {"old_card": CARDS[0]}])
def test_a_sale_has_nothing_to_replace(more: dict[str, Any]) -> None:
    with pytest.raises(InvalidField, match="only a replacement"):
        KitWish(number=NUMBERS[0], **more)  # type: ignore[arg-type]  # normal form already


async def test_order_is_not_confirmed_without_what_a_sale_needs(line: Counter) -> None:
    """REQ-SIM-17, REQ-CMP-03, REQ-RSV-05: the new card proven, the price accepted, in time."""
    order = (await opened(line)).body["hold"]
    with pytest.raises(CardNotVerified):
        await line.confirm(order)
    await written(line, order)
    with pytest.raises(QuoteNotAccepted):
        await line.confirm(order, quote_accepted=2)
    with pytest.raises(HoldExpired):
        await line.at(31).confirm(order)
    with pytest.raises(InvalidField, match="not booked"):
        await line.book(order, customer_ref="C-1")
    assert await rows(line, "SELECT item_no FROM sim_identity WHERE number_item_no = 0") == [(0,)]


async def test_card_of_a_good_number_is_replaced_only_after_an_extra_check(line: Counter) -> None:
    """REQ-FLOW-03: what was checked is kept with the real-name reference."""
    order = (await opened(line)).body["hold"]
    await written(line, order)
    await change(line, "UPDATE hold SET quote = jsonb_set(quote, '{number_class}', '3') WHERE hold_id = 2")
    for handed_in in (False, True):
        with pytest.raises(ExtraCheckMissing):
            await line.confirm(order, old_card_handed_in=handed_in)
        with pytest.raises(ExtraCheckMissing):
            await line.confirm(order, old_card_handed_in=handed_in, extra_check=" ")
    await line.confirm(order, extra_check="three numbers that it often calls")
    told = await rows(line, "SELECT data ->> 'extra_check' FROM event WHERE name = 'hold.confirmed' AND item_no = 2")
    assert told == [("three numbers that it often calls",)]


async def test_number_under_an_order_that_is_over_is_offered_to_nobody(line: Counter) -> None:
    """REQ-RSV-04: an expired hold is free, an expired order leaves a number in use."""
    await opened(line)
    admin = TOWN.caller(TOWN.city, scope=frozenset(range(1, 7)))
    async with line.database.session() as session:
        found = await search_numbers(
            session, admin, SearchAsk(wish=SearchWish(ends=NUMBERS[0][-4:])), now=line.at(31).now
        )
    assert found["numbers"] == []


async def test_sale_takes_no_old_card_in(counter: Counter) -> None:
    hold = (await counter.hold(NUMBERS[0], iccid=CARDS[0])).body["hold"]
    await written(counter, hold)
    with pytest.raises(InvalidField, match="replaces no card"):
        await counter.confirm(hold, old_card_handed_in=True)
    assert (await counter.confirm(hold)).body["state"] == "CONFIRMED"


async def test_order_can_be_kept_longer_with_its_locks(line: Counter) -> None:
    order = (await opened(line)).body["hold"]
    await line.extend(order)
    assert await quiet(line)


async def test_spoiled_card_is_exchanged_inside_the_order(line: Counter) -> None:
    """REQ-RSV-16, REQ-RSV-18: key, number, old card and quote stay."""
    order = (await opened(line, iccid=None, sim_wish=SimWish(KIND, TOWN.hall))).body["hold"]
    await take(line, order, 2)
    await take(line, order, 1)
    await written(line, order)
    await line.confirm(order)
    assert await rows(line, "SELECT item_no FROM sim_identity WHERE number_item_no = 0") == [(1,)]
    assert await quiet(line)


@pytest.mark.parametrize(("resource", "item"), [("number", NUMBERS[0]), ("sim", CARDS[0]), ("sim", CARDS[1])])
async def test_legal_hold_ends_an_open_order_and_leaves_the_line_working(
    line: Counter, resource: str, item: str
) -> None:
    """REQ-LGL-01: on the number, the old card or the new one."""
    order = (await opened(line)).body["hold"]
    assert (await place(line, item, resource=resource)).body["kits_ended"] == 1
    assert await rows(line, "SELECT state, hold_id FROM number WHERE item_no = 0") == [("IN_USE", None)]
    with pytest.raises(LegalHold):
        await line.confirm(order)
    assert await quiet(line)


@pytest.mark.parametrize("table", ["number", "sim WHERE item_no = 0", "sim WHERE item_no = 1"])
async def test_the_statement_asks_for_the_mark_itself(line: Counter, table: str) -> None:
    order = (await opened(line)).body["hold"]
    await written(line, order)
    where = table if "WHERE" in table else f"{table} WHERE item_no = 0"
    await change(line, f"UPDATE {where.replace(' WHERE', ' SET legal_hold = true WHERE')}")
    with pytest.raises(LegalHold):
        await line.confirm(order)


async def test_replaced_card_can_be_replaced_no_more_and_its_line_can_again(line: Counter) -> None:
    order = (await opened(line)).body["hold"]
    await written(line, order)
    await line.confirm(order)
    with pytest.raises(NotFound):
        await opened(line, None, card=2, old_card=CARDS[0])
    again = (await opened(line, card=2)).body
    assert again["old_iccid"] == CARDS[1]


async def test_repeated_confirm_replaces_once(line: Counter) -> None:
    order = (await opened(line)).body["hold"]
    await written(line, order)
    write = fresh()
    first = await line.confirm(order, write=write)
    again = await line.confirm(order, write=write)
    assert (again.body, again.replayed) == (first.body, True)


async def race_to_open(line: Counter) -> list[Answer | DomainError]:
    """Let two halls open a replacement of one card, both begun before either could have it."""
    other = line.by(TOWN.caller(interface_no="LJ-HALL-02"))
    async with somebody_has(line, "SELECT FROM number WHERE item_no = 0 FOR UPDATE"):
        both = asyncio.create_task(outcomes(opened(line), opened(other, card=2)))
        await until_locked(line.database, 2)
    return await both


async def test_of_two_replacements_at_once_one_is_opened(line: Counter) -> None:
    """REQ-LCK-01."""
    results = await race_to_open(line)
    assert sorted(type(result).__name__ for result in results) == ["Answer", "ServiceOrderOpen"]
    assert await quiet(line)


async def test_canary_without_the_lock_opens_both(line: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    unguarded = replace_sql.OPEN.replace("FOR NO KEY UPDATE SKIP LOCKED", "")
    monkeypatch.setattr(holds, "_OPEN_REPLACEMENT", HotStatement(unguarded))
    assert [type(result).__name__ for result in await race_to_open(line)] == ["Answer", "Answer"]


async def race_to_end(line: Counter, other: str) -> list[Answer | DomainError]:
    """Let an order be confirmed, and released or found over, at one moment."""
    order = (await opened(line)).body["hold"]
    await written(line, order)
    async with somebody_has(line, "SELECT FROM hold WHERE hold_id = 2 FOR UPDATE"):
        against = line.release(order) if other == "release" else opened(line.at(31), card=2)
        both = asyncio.create_task(outcomes(line.confirm(order), against))
        await until_locked(line.database, 2)
    return await both


@pytest.mark.parametrize("other", ["release", "expiry"])
async def test_of_confirm_and_end_one_takes_effect(line: Counter, other: str) -> None:
    """REQ-LCK-01, REQ-RSV-05: whichever comes first, the line has one working card."""
    await race_to_end(line, other)
    assert await rows(line, "SELECT count(*) FROM sim_identity WHERE number_item_no = 0") == [(1,)]
    assert await rows(line, "SELECT state FROM number WHERE item_no = 0") == [("IN_USE",)]
    assert await quiet(line.at(31))


async def test_canary_that_does_not_look_again_replaces_by_an_ended_order(
    line: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order is locked and looked at again; without that a released one goes through."""
    order = (await opened(line)).body["hold"]
    await written(line, order)
    blind = replace_sql.REPLACE
    for what in ("", " OF number", " OF sim"):
        blind = blind.replace(f"    FOR NO KEY UPDATE{what}\n", "")
    monkeypatch.setattr(holds, "_REPLACE", HotStatement(blind))
    ended = "UPDATE number SET hold_id = NULL WHERE item_no = 0"
    async with somebody_has(line, ended):
        confirming = asyncio.create_task(outcomes(line.confirm(order, old_card_handed_in=True)))
        await until_locked(line.database)
    assert isinstance((await confirming)[0], Answer)


TAMPERED = [
    ("hold_without_its_items", "UPDATE sim SET hold_id = NULL WHERE item_no = 0"),
    ("hold_without_its_items", "UPDATE number SET state = 'HELD' WHERE item_no = 0"),
    ("item_without_its_hold", "UPDATE hold SET old_sim_item_no = 5 WHERE hold_id = 2"),
    ("line_incomplete", "UPDATE sim_identity SET number_item_no = 0 WHERE item_no = 7"),
    ("line_incomplete", "UPDATE sim SET state = 'REPLACED' WHERE item_no = 0"),
    ("data_unit_astray", "UPDATE sim_identity SET auc = 'deleted' WHERE item_no = 0"),
]


@pytest.mark.parametrize(("check", "statement"), TAMPERED)
async def test_audit_names_what_was_done_behind_an_orders_back(line: Counter, check: str, statement: str) -> None:
    async with line.database.session() as session, session.begin():
        await finish_card(session, 7, data_no=900)
    await opened(line)
    await change(line, statement)
    async with line.database.session() as session:
        found = (await audit(session, now=line.now)).findings
    assert check in {finding["check"] for finding in found}


async def test_order_is_read_with_what_it_replaces_and_why(line: Counter) -> None:

    order = (await opened(line)).body["hold"]
    async with line.database.session() as session:
        shown = await read_hold(session, line.caller, order, now=line.now)
    assert (shown["business"], shown["old_iccid"], shown["old_sim_state"], shown["replace_reason"]) == (
        "replace_sim",
        CARDS[0],
        "IN_USE",
        "broken",
    )
