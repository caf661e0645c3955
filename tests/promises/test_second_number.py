"""A second number (副号) on a card in use: one more number, the same card, never more than its product allows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest
from typing_extensions import override

from inventory.domain.errors import (
    CardServesNoMore,
    DomainError,
    HlrMismatch,
    HoldExpired,
    InvalidField,
    LegalHold,
    MissingField,
    NumberNotFree,
    QuoteNotAccepted,
    ServiceOrderOpen,
    SimNotInUse,
)
from inventory.domain.fees import Business
from inventory.domain.identifiers import parse_iccid, parse_number
from inventory.domain.lifecycle import SimState
from inventory.domain.replacement import ReplaceReason
from inventory.services import expiry
from inventory.services.activation import ActivateWish, activate
from inventory.services.auditing import audit
from inventory.services.kits import KitWish
from inventory.services.once import Answer
from inventory.services.promises import read_hold
from inventory.services.reporting import read_history, read_item
from inventory.services.sales import ConfirmWish, RealName
from inventory.store import holds, second_sql
from inventory.store.hot import HotStatement
from tests.builders_stock import HLR, OTHER_HLR, TOWN, add_identity, finish_card
from tests.promises.conftest import KEYS, NUMBERS, Counter, fresh
from tests.promises.test_completion import WAITS
from tests.promises.test_ending import change, rows
from tests.promises.test_hold import CARDS
from tests.promises.test_kit_cards import take
from tests.promises.test_legal_holds import place
from tests.promises.test_races import outcomes, somebody_has
from tests.promises.test_replacing_walk import Walk
from tests.waiting import until_locked

pytestmark = [pytest.mark.database, pytest.mark.anyio]

SERVED = "SELECT second_number_item_no FROM sim WHERE item_no = 0"
MAIN = "SELECT DISTINCT number_item_no FROM sim_identity WHERE item_no = 0"
TWO = "UPDATE card_kind SET max_numbers = 2"


async def second(counter: Counter, number: int = 1, card: int = 0, **wish: Any) -> Answer:
    """Hold the n-th number for the n-th card, which is in use."""
    return await counter.hold(NUMBERS[number], business=Business.SECOND_NUMBER, iccid=CARDS[card], **wish)


async def replacing(counter: Counter, number: int = 0, card: int = 1) -> Answer:
    """Open a replacement of the n-th number's card by the n-th card."""
    wish: dict[str, Any] = {"business": Business.REPLACE_SIM, "replace_reason": ReplaceReason.BROKEN}
    return await counter.hold(NUMBERS[number], iccid=CARDS[card], **wish)


async def findings(counter: Counter) -> list[dict[str, Any]]:
    """Give what an audit finds now."""
    async with counter.database.session() as session:
        return (await audit(session, now=counter.now)).findings


async def sold_for_two(counter: Counter) -> None:
    """Sell one line, number 0 with card 0, of a product that allows two numbers; cards 1 and 2 are finished too."""
    holds._kinds.clear()  # the product is changed below, which no product ever is
    await change(counter, TWO)
    async with counter.database.session() as session, session.begin():
        for item in range(3):
            await finish_card(session, item, data_no=900 + item)
    await counter.confirm((await counter.hold(NUMBERS[0], iccid=CARDS[0])).body["hold"])


@pytest.fixture
async def line(counter: Counter) -> AsyncIterator[Counter]:
    await sold_for_two(counter)
    yield counter
    holds._kinds.clear()


async def added(line: Counter) -> str:
    """Give the card a second number; return its kit."""
    kit = str((await second(line)).body["hold"])
    await line.confirm(kit)
    return kit


async def test_kit_locks_the_card_which_goes_on_working(line: Counter) -> None:
    """REQ-SIM-17, REQ-LCK-01: the number is held as in a sale, the price is the number's alone."""
    before = await rows(line, "SELECT version FROM sim WHERE item_no = 0")
    kit = (await second(line)).body
    assert (kit["business"], kit["number"], kit["iccid"]) == ("second_number", NUMBERS[1], CARDS[0])
    assert "sim_fee" not in {element["code"] for element in kit["quote"]["elements"]}
    assert await rows(line, "SELECT state, hold_id FROM number WHERE item_no < 2 ORDER BY item_no") == [
        ("IN_USE", None),
        ("HELD", 2),
    ]
    assert await rows(line, "SELECT state, hold_id FROM sim WHERE item_no = 0") == [("IN_USE", 2)]
    assert await rows(line, "SELECT version FROM sim WHERE item_no = 0") == before
    assert await rows(line, "SELECT count(*) FROM subscription_data WHERE state = 'RESERVED'") == [(0,)]
    assert await findings(line) == []


async def test_confirmed_the_card_serves_both_numbers(line: Counter) -> None:
    """REQ-SIM-17: number and holder as after a sale; the card and its identity stay as they are."""
    before = await rows(line, "SELECT state, version, holder_id FROM sim WHERE item_no = 0")
    kit = str((await second(line)).body["hold"])
    done = (await line.confirm(kit)).body
    assert (done["state"], done["number"], done["iccid"], done["line"]) == (
        "CONFIRMED", NUMBERS[1], CARDS[0], "IN_USE",
    )  # fmt: skip
    assert await rows(line, "SELECT state, hold_id, holder_id FROM number WHERE item_no = 1") == [
        ("IN_USE", None, TOWN.customer)
    ]
    assert (await rows(line, MAIN), await rows(line, SERVED)) == ([(0,)], [(1,)])
    assert await rows(line, "SELECT state, version, holder_id FROM sim WHERE item_no = 0") == before
    assert await rows(line, "SELECT hold_id FROM sim WHERE item_no = 0") == [(None,)]
    assert await findings(line) == []


async def test_pages_of_card_and_numbers_tell_of_the_pair(line: Counter) -> None:
    """REQ-SIM-17, REQ-SIM-08: the card names both numbers, the main one first; the pair stays in the life of both."""
    await added(line)
    hall, shown, lives = TOWN.caller(TOWN.hall), {}, {}
    for resource, name in (("number", NUMBERS[0]), ("number", NUMBERS[1]), ("sim", CARDS[0])):
        async with line.database.session() as session:
            shown[name] = list((await read_item(session, hall, resource=resource, name=name)).line)
            life = await read_history(session, hall, resource=resource, name=name)
            lives[name] = [entry.what for entry in life]
    assert shown == {NUMBERS[0]: [CARDS[0]], NUMBERS[1]: [CARDS[0]], CARDS[0]: [NUMBERS[0], NUMBERS[1]]}
    assert "sim.number_added" in lives[CARDS[0]]
    assert "number.activated" in lives[NUMBERS[1]]
    told = await rows(
        line, "SELECT data FROM event WHERE name IN ('number.assigned', 'sim.number_added') ORDER BY event_no"
    )
    assert [row.data for row in told] == [
        {"hold": "h-530700-1", "sim_item": 0},
        {"hold": "h-530700-2", "sim_item": 0},
        {"hold": "h-530700-2", "number_item": 1},
    ]


async def test_all_identities_of_a_card_serve_its_second_number(line: Counter) -> None:
    """REQ-SIM-19: the card takes it as a whole."""
    async with line.database.session() as session, session.begin():
        await add_identity(session, 1, data_no=911)
    await line.confirm((await line.hold(NUMBERS[2], iccid=CARDS[1])).body["hold"])
    await line.confirm((await second(line, 3, 1)).body["hold"])
    assert await findings(line) == []


async def test_city_that_waits_for_the_network_needs_no_word_on_a_card_that_works(line: Counter) -> None:
    """REQ-AUC-01: the network knows the card."""
    await change(line, WAITS)
    kit = str((await second(line)).body["hold"])
    assert (await line.confirm(kit)).body["line"] == "IN_USE"
    assert await findings(line) == []


async def test_it_is_activated_by_card_and_number(line: Counter) -> None:
    """REQ-SIM-18: whoever names both, and however often."""
    kit = str((await second(line)).body["hold"])
    sale = ConfirmWish(quote_accepted=1, real_name=RealName(line.now, "hall", "passed"))
    wish = ActivateWish(iccid=parse_iccid(CARDS[0]).iccid, number=parse_number(NUMBERS[1]), sale=sale)
    replayed = []
    for _ in range(2):
        async with line.database.autocommit() as connection:
            done = await activate(connection, line.caller, fresh(), wish, keys=KEYS, key=line.key(kit), now=line.now)
        replayed.append((done.body["state"], done.replayed))
    assert replayed == [(SimState.IN_USE, False), (SimState.IN_USE, True)]


@pytest.mark.parametrize("end", ["release", "sweep", "by_key", "legal_hold"])
@pytest.mark.parametrize("booked", [False, True])
async def test_kit_that_ends_leaves_the_card_as_it_was(line: Counter, end: str, *, booked: bool) -> None:
    """REQ-RSV-05, REQ-RSV-08: the number is free again, the card works on with its own number."""
    before = await rows(line, "SELECT state, version, hold_id, hold_until FROM sim WHERE item_no = 0")
    kit = str((await second(line)).body["hold"])
    await line.extend(kit)
    if booked:
        await line.book(kit, customer_ref="C-1")
    assert await findings(line) == []
    later = line.at(60 * 24 * 30)
    if end == "release":
        await line.release(kit)
    elif end == "legal_hold":
        await place(line, CARDS[0], resource="sim")
    elif end == "sweep":
        async with line.database.autocommit() as connection:
            assert await expiry.sweep(connection, now=later.now) == 1
    else:
        await later.release((await second(later, 2)).body["hold"])
    assert await rows(line, "SELECT state FROM number WHERE item_no = 1") == [("UNUSED",)]
    assert await rows(line, "SELECT state, version, hold_id, hold_until FROM sim WHERE item_no = 0") == before
    assert (await rows(line, MAIN), await rows(line, SERVED)) == ([(0,)], [(None,)])
    assert await findings(later) == []


async def test_held_number_is_sold_to_nobody_else(line: Counter) -> None:
    """REQ-RSV-02."""
    await second(line)
    with pytest.raises(NumberNotFree):
        await line.hold(NUMBERS[1], iccid=CARDS[2])


async def test_product_of_one_number_takes_no_second(line: Counter) -> None:
    """REQ-SIM-17: one number is what a product allows unless it says otherwise."""
    await change(line, "UPDATE card_kind SET max_numbers = 1")
    with pytest.raises(CardServesNoMore) as refused:
        await second(line)
    assert refused.value.params == {"iccid": CARDS[0], "numbers": 1, "most": 1}
    assert await rows(line, "SELECT state FROM number WHERE item_no = 1") == [("UNUSED",)]


async def test_card_takes_no_third_number(line: Counter) -> None:
    """REQ-SIM-17."""
    await added(line)
    with pytest.raises(CardServesNoMore) as refused:
        await second(line, 2)
    assert refused.value.params == {"iccid": CARDS[0], "numbers": 2, "most": 2}


REFUSED: list[tuple[str, type[DomainError]]] = [
    (f"UPDATE number SET hlr_code = '{OTHER_HLR}' WHERE item_no = 1", HlrMismatch),
    ("UPDATE number SET legal_hold = true WHERE item_no = 1", LegalHold),
    ("UPDATE sim SET legal_hold = true WHERE item_no = 0", LegalHold),
    ("UPDATE sim SET state = 'REPORTED_LOST' WHERE item_no = 0", SimNotInUse),
    ("UPDATE sim SET state = 'AVAILABLE' WHERE item_no = 0", SimNotInUse),
]


@pytest.mark.parametrize(("spoil", "refusal"), REFUSED)
async def test_kit_that_may_not_be_takes_nothing(line: Counter, spoil: str, refusal: type[DomainError]) -> None:
    """REQ-SIM-17, REQ-LGL-01: each guard by its name."""
    await change(line, spoil)
    with pytest.raises(refusal):
        await second(line)
    assert await rows(line, "SELECT count(*) FROM hold WHERE state = 'ACTIVE'") == [(0,)]


CHANGED: list[tuple[str, type[DomainError]]] = [
    (f"UPDATE number SET hlr_code = '{OTHER_HLR}' WHERE item_no = 1", HlrMismatch),
    ("UPDATE sim SET legal_hold = true WHERE item_no = 0", LegalHold),
    ("UPDATE sim SET state = 'REPORTED_LOST' WHERE item_no = 0", SimNotInUse),
    ("UPDATE card_kind SET max_numbers = 1", CardServesNoMore),
    ("UPDATE sim SET second_number_item_no = 5 WHERE item_no = 0", CardServesNoMore),
    ("UPDATE sim SET hold_id = 1 WHERE item_no = 0", ServiceOrderOpen),
]


@pytest.mark.parametrize(("spoil", "refusal"), CHANGED)
async def test_pair_is_checked_again_at_the_commit(line: Counter, spoil: str, refusal: type[DomainError]) -> None:
    """REQ-SIM-17: what was right when it was held may not be when it is confirmed."""
    kit = str((await second(line)).body["hold"])
    await change(line, spoil)
    with pytest.raises(refusal):
        await line.confirm(kit)
    assert await rows(line, "SELECT state FROM number WHERE item_no = 1") == [("HELD",)]


async def test_it_is_not_confirmed_without_what_a_sale_needs(line: Counter) -> None:
    """REQ-CMP-03, REQ-RSV-05."""
    kit = str((await second(line)).body["hold"])
    with pytest.raises(QuoteNotAccepted):
        await line.confirm(kit, quote_accepted=2)
    with pytest.raises(InvalidField, match="replaces no card"):
        await line.confirm(kit, old_card_handed_in=True)
    with pytest.raises(HoldExpired):
        await line.at(31).confirm(kit)
    assert await rows(line, SERVED) == [(None,)]


async def test_kit_takes_no_other_card(line: Counter) -> None:
    """REQ-RSV-16 is for spoiled cards; this one works."""
    kit = str((await second(line)).body["hold"])
    with pytest.raises(InvalidField, match="held for"):
        await take(line, kit, 1)


@pytest.mark.parametrize("lacks", ["number", "iccid"])
def test_a_second_number_says_which_and_on_which_card(lacks: str) -> None:
    wish: dict[str, Any] = {"number": NUMBERS[1], "iccid": CARDS[0]}
    with pytest.raises(MissingField):
        KitWish(business=Business.SECOND_NUMBER, **(wish | {lacks: None}))


async def test_one_order_at_a_time(line: Counter) -> None:
    """REQ-LCK-01: a replacement and a second number of one card come after each other."""
    kit = str((await second(line)).body["hold"])
    with pytest.raises(ServiceOrderOpen) as refused:
        await replacing(line)
    assert refused.value.params["business"] == "second_number"
    await line.release(kit)
    await replacing(line)
    with pytest.raises(ServiceOrderOpen) as refused:
        await second(line)
    assert (refused.value.params["business"], refused.value.params["number"]) == ("replace_sim", NUMBERS[0])


@pytest.mark.parametrize("named", [0, 1])
async def test_replaced_card_hands_both_numbers_over(line: Counter, named: int) -> None:
    """REQ-SIM-17, REQ-FLOW-03: whichever number the customer names."""
    await added(line)
    await line.confirm((await replacing(line, named)).body["hold"])
    assert await rows(line, "SELECT number_item_no, auc FROM sim_identity WHERE item_no < 2 ORDER BY item_no") == [
        (None, "deleted"),
        (0, "confirmed"),
    ]
    assert await rows(
        line, "SELECT state, second_number_item_no, hold_id FROM sim WHERE item_no < 2 ORDER BY item_no"
    ) == [("REPLACED", None, None), ("IN_USE", 1, None)]
    assert await rows(line, "SELECT item_no FROM event WHERE name = 'number.card_replaced' ORDER BY 1") == [(0,), (1,)]
    assert await findings(line) == []


async def test_two_numbers_need_a_card_that_allows_them(line: Counter) -> None:
    """REQ-SIM-17."""
    await added(line)
    await change(
        line,
        """INSERT INTO card_kind SELECT 'one', name_zh, name_en, profile, capacity_kb, capabilities, network, fee_fen,
           active, algorithm, 1 FROM card_kind""",
    )
    await change(line, "UPDATE sim SET kind_code = 'one' WHERE item_no = 1")
    with pytest.raises(CardServesNoMore) as refused:
        await replacing(line)
    assert refused.value.params == {"iccid": CARDS[0], "numbers": 2, "most": 1}


@pytest.mark.parametrize("named", [0, 1])
async def test_legal_hold_on_the_other_number_keeps_the_card(line: Counter, named: int) -> None:
    """REQ-LGL-01: before the order and before its end."""
    await added(line)
    order = str((await replacing(line, named)).body["hold"])
    await change(line, f"UPDATE number SET legal_hold = true WHERE item_no = {1 - named}")
    with pytest.raises(LegalHold):
        await line.confirm(order)
    assert await rows(line, SERVED) == [(1,)]
    await line.release(order)
    with pytest.raises(LegalHold):
        await replacing(line, named)


async def race(line: Counter, *calls: Awaitable[Answer]) -> list[Answer | DomainError]:
    """Begin all calls while somebody has the card, and let it go."""
    async with somebody_has(line, "SELECT FROM sim WHERE item_no = 0 FOR UPDATE"):
        both = asyncio.create_task(outcomes(*calls))
        await until_locked(line.database, len(calls))
    return await both


async def test_of_two_halls_one_adds_its_number(line: Counter) -> None:
    """REQ-SIM-17, REQ-LCK-01: the loser's number stays free."""
    other = line.by(TOWN.caller(interface_no="LJ-HALL-02"))
    results = await race(line, second(line, 1), second(other, 2))
    assert sorted(type(result).__name__ for result in results) == ["Answer", "ServiceOrderOpen"]
    assert await rows(line, "SELECT count(*) FROM number WHERE state = 'HELD'") == [(1,)]
    assert await findings(line) == []


async def test_canary_without_the_lock_holds_the_card_for_both(line: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    unguarded = second_sql.OPEN.replace("FOR NO KEY UPDATE SKIP LOCKED", "")
    monkeypatch.setattr(holds, "_OPEN_SECOND", HotStatement(unguarded))
    results = await race(line, second(line, 1), second(line, 2))
    assert [type(result).__name__ for result in results] == ["Answer", "Answer"]
    assert await findings(line) != []


async def test_of_a_replacement_and_a_second_number_at_once_one_is_opened(line: Counter) -> None:
    """REQ-LCK-01."""
    results = await race(line, second(line), replacing(line))
    assert sorted(type(result).__name__ for result in results) == ["Answer", "ServiceOrderOpen"]
    assert await findings(line) == []


async def test_kit_whose_card_was_filled_meanwhile_is_not_opened(line: Counter) -> None:
    """REQ-SIM-17: the room on the card is looked at again once the card is to be had."""
    async with somebody_has(line, "UPDATE sim SET second_number_item_no = 7 WHERE item_no = 0"):
        opening = asyncio.create_task(outcomes(second(line)))
        await until_locked(line.database)
    assert [type(result).__name__ for result in await opening] == ["CardServesNoMore"]


LOSS = "UPDATE sim SET state = 'REPORTED_LOST', hold_id = NULL, hold_until = NULL WHERE item_no = 0"


async def test_card_that_ends_while_its_second_number_is_confirmed_takes_none(line: Counter) -> None:
    """REQ-SIM-17: the confirmation waits for whoever changes the card, and looks again."""
    kit = str((await second(line)).body["hold"])
    async with somebody_has(line, LOSS):
        confirming = asyncio.create_task(outcomes(line.confirm(kit)))
        await until_locked(line.database)
    assert [type(result).__name__ for result in await confirming] == ["SimNotInUse"]
    assert await rows(line, "SELECT state FROM number WHERE item_no = 1") == [("HELD",)]


async def test_canary_that_does_not_lock_the_card_confirms(line: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    blind = second_sql.ADD.replace("    FOR NO KEY UPDATE OF sim\n", "")
    assert blind != second_sql.ADD
    monkeypatch.setattr(holds, "_ADD_SECOND", HotStatement(blind))
    kit = str((await second(line)).body["hold"])
    async with somebody_has(line, LOSS):
        confirming = asyncio.create_task(outcomes(line.confirm(kit)))
        await until_locked(line.database)
    assert [type(result).__name__ for result in await confirming] == ["Answer"]
    assert await findings(line) != []


async def test_of_confirm_and_release_one_takes_effect(line: Counter) -> None:
    """REQ-RSV-05: the number is in use on the card, or free and on none."""
    kit = str((await second(line)).body["hold"])
    async with somebody_has(line, "SELECT FROM hold WHERE hold_id = 2 FOR UPDATE"):
        both = asyncio.create_task(outcomes(line.confirm(kit), line.release(kit)))
        await until_locked(line.database, 2)
    assert sorted(type(result).__name__ for result in await both) == ["Answer", "HoldNotActive"]
    assert await findings(line) == []


class SecondWalk(Walk):
    """Replacements and second numbers of two lines in any order."""

    @override
    async def open(self) -> None:
        """Open a replacement, or hold a number for a card in use."""
        if self.draw.random() < 0.5:
            await super().open()
            return
        working = await rows(self.counter, "SELECT item_no FROM sim WHERE state = 'IN_USE' ORDER BY item_no")
        number, card = self.draw.randrange(2, 8), self.draw.choice(working).item_no
        self.orders.append((await second(self.counter, number, card)).body["hold"])


@pytest.mark.parametrize("seed", [1, 4])
async def test_every_order_of_steps_leaves_each_number_on_one_card(line: Counter, seed: int) -> None:
    """REQ-SIM-17, REQ-LCK-01: and the audit quiet, after every step."""
    await line.confirm((await line.hold(NUMBERS[1], iccid=CARDS[1])).body["hold"])
    async with line.database.session() as session, session.begin():
        for item in range(3, 8):
            await finish_card(session, item, data_no=900 + item)
    walk = SecondWalk(line, seed)
    walk.orders.append((await second(line, 2)).body["hold"])
    for _ in range(40):
        await walk.step()
        assert await findings(walk.counter) == []
    [(added, replaced, moved)] = await rows(
        line,
        """SELECT count(*) FILTER (WHERE name = 'sim.number_added'), count(*) FILTER (WHERE name = 'sim.replaced'),
                  count(*) FILTER (WHERE name = 'number.card_replaced') FROM event""",
    )
    assert added > 0 < replaced < moved, "no card with two numbers was replaced on the way"


BROKEN = [
    "UPDATE sim SET second_number_item_no = NULL WHERE item_no = 0",
    "UPDATE sim SET second_number_item_no = 0 WHERE item_no = 0",
    "UPDATE sim SET second_number_item_no = 5 WHERE item_no = 0",
    "UPDATE sim SET second_number_item_no = 1 WHERE item_no = 3",
    "UPDATE card_kind SET max_numbers = 1",
    f"UPDATE number SET hlr_code = '{OTHER_HLR}' WHERE item_no = 1 AND hlr_code = '{HLR}'",
    "UPDATE number SET state = 'FROZEN' WHERE item_no = 1",
]


@pytest.mark.parametrize("spoil", BROKEN)
async def test_audit_names_a_second_number_that_is_not_as_it_must_be(line: Counter, spoil: str) -> None:
    """REQ-SIM-17: every number in use names its card, and the other way round."""
    await added(line)
    assert await findings(line) == []
    await change(line, spoil)
    assert "line_incomplete" in {finding["check"] for finding in await findings(line)}


async def test_kit_reads_as_one_that_needs_no_writing(line: Counter) -> None:
    kit = str((await second(line)).body["hold"])
    async with line.database.session() as session:
        shown = await read_hold(session, line.caller, kit, now=line.now)
    assert (shown["business"], shown["iccid"], shown["sim_state"]) == ("second_number", CARDS[0], "IN_USE")
