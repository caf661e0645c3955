"""The card of a kit, chosen later or taken in place of another: key, number, quote and end stay."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from inventory.domain.errors import (
    CardBeingWritten,
    CardKindDiffers,
    CardUnknown,
    DomainError,
    HlrMismatch,
    HoldExpired,
    HoldKeyWrong,
    HoldNotActive,
    InvalidField,
    LegalHold,
    MissingField,
    NoDataUnit,
    NotFound,
    SimNotFree,
)
from inventory.domain.identifiers import parse_iccid
from inventory.services import kit_cards
from inventory.services.auditing import audit
from inventory.services.kits import CardWish, SimWish
from inventory.services.once import Answer, WriteKey
from inventory.services.promises import read_hold
from inventory.store import kits
from tests.builders_stock import CITY, HLR, KIND, OTHER_HLR, TOWN, finish_card, write_card
from tests.promises.conftest import KEYS, NUMBERS, Counter, fresh
from tests.promises.test_hold import CARDS, change, rows
from tests.waiting import PausedAfter

pytestmark = [pytest.mark.database, pytest.mark.anyio]


async def take(counter: Counter, hold: str, card: int | None, *, key: str | None = "", **more: Any) -> Answer:
    """Put the n-th card into the kit."""
    wish = CardWish(iccid=None if card is None else parse_iccid(CARDS[card]).iccid, **more.get("wish", {}))
    async with counter.database.session() as session:
        return await kit_cards.take_card(
            session,
            counter.caller,
            more.get("write") or fresh(),
            hold,
            wish,
            keys=KEYS,
            key=counter.key(hold) if key == "" else key,
            now=counter.now,
        )


async def stock(counter: Counter) -> list[tuple[Any, ...]]:
    """Give the cards that are not simply free: item, state, HLR, hold; and the data units in the same way."""
    sims = await rows(
        counter,
        "SELECT 'sim', item_no, state, hlr_code, hold_id FROM sim"
        " WHERE state <> 'AVAILABLE' OR hlr_code IS NOT NULL ORDER BY item_no",
    )
    units = await rows(
        counter,
        "SELECT 'data', count(*), state, sim_item_no, hold_id FROM subscription_data WHERE state <> 'FREE'"
        " GROUP BY state, sim_item_no, hold_id ORDER BY state",
    )
    return [tuple(row) for row in (*sims, *units)]


async def sound(counter: Counter) -> bool:
    """Whether the audit finds nothing."""
    async with counter.database.session() as session:
        return (await audit(session, now=counter.now)).findings == []


async def spoiled(counter: Counter) -> None:
    """Leave the kit's card as a write job leaves a card that it has spoiled."""
    await change(counter, "UPDATE sim SET state = 'DAMAGED', version = version + 1 WHERE hold_id IS NOT NULL")
    await change(
        counter,
        "UPDATE subscription_data SET state = 'QUARANTINED', version = version + 1, sim_item_no = 0"
        " WHERE hold_id IS NOT NULL",
    )


async def test_card_that_was_wished_for_is_chosen_when_the_customer_stands_there(counter: Counter) -> None:
    """REQ-RSV-18: bound later, to the same number, data unit, quote and key."""
    hold = (await counter.hold(NUMBERS[0], sim_wish=SimWish(KIND, TOWN.hall))).body
    taken = (await take(counter, hold["hold"], 3)).body
    assert (taken["iccid"], taken["expires_at"]) == (CARDS[3], hold["expires_at"])
    assert await stock(counter) == [("sim", 3, "HELD", None, 1), ("data", 1, "RESERVED", None, 1)]
    async with counter.database.session() as session:
        shown = await read_hold(session, counter.caller, hold["hold"], now=counter.now)
    assert (shown["number"], shown["iccid"], shown["quote"]) == (NUMBERS[0], CARDS[3], hold["quote"])
    await counter.release(hold["hold"])
    assert await stock(counter) == []
    assert await sound(counter)


async def test_spoiled_card_is_exchanged_inside_its_kit(counter: Counter) -> None:
    """REQ-RSV-16: key, number and quote stay; the spoiled card keeps its data, the new one gets others."""
    hold = (await counter.hold(NUMBERS[0], iccid=CARDS[0])).body["hold"]
    await spoiled(counter)
    await take(counter, hold, 1)
    assert await stock(counter) == [
        ("sim", 0, "DAMAGED", None, None),
        ("sim", 1, "HELD", None, 1),
        ("data", 1, "QUARANTINED", 0, None),
        ("data", 1, "RESERVED", None, 1),
    ]
    assert await rows(counter, "SELECT state, hold_id FROM number WHERE item_no = 0") == [("HELD", 1)]


async def test_untouched_card_goes_back_and_leaves_its_data_to_the_next(counter: Counter) -> None:
    hold = (await counter.hold(NUMBERS[0], iccid=CARDS[0])).body["hold"]
    await take(counter, hold, 1)
    assert await stock(counter) == [("sim", 1, "HELD", None, 1), ("data", 1, "RESERVED", None, 1)]
    assert await sound(counter)


async def test_written_card_that_leaves_is_a_finished_one(counter: Counter) -> None:
    """REQ-RSV-19: never a wasted one."""
    hold = (await counter.hold(NUMBERS[0], iccid=CARDS[0])).body["hold"]
    async with counter.database.session() as session, session.begin():
        await write_card(session, 1)
    await take(counter, hold, 1)
    assert await stock(counter) == [
        ("sim", 0, "AVAILABLE", HLR, None),
        ("sim", 1, "HELD", None, 1),
        ("data", 1, "BOUND", 0, None),
        ("data", 1, "RESERVED", None, 1),
    ]
    assert await sound(counter)


async def test_finished_card_gives_the_data_unit_back(counter: Counter) -> None:
    hold = (await counter.hold(NUMBERS[0], iccid=CARDS[0])).body["hold"]
    async with counter.database.session() as session, session.begin():
        await finish_card(session, 3, data_no=900)
    await take(counter, hold, 3)
    assert await stock(counter) == [("sim", 3, "HELD", HLR, 1), ("data", 1, "BOUND", 3, None)]
    await take(counter, hold, 1)
    assert ("data", 1, "RESERVED", None, 1) in await stock(counter)


async def test_each_step_is_an_event_of_its_item_and_of_the_kit(counter: Counter) -> None:
    hold = (await counter.hold(NUMBERS[0], iccid=CARDS[0])).body["hold"]
    await change(counter, "DELETE FROM event")
    await spoiled(counter)
    await take(counter, hold, 1)
    found = await rows(counter, "SELECT name, item_no, from_state, to_state, data FROM event ORDER BY name")
    unit = found[0][1]
    assert [tuple(row) for row in found] == [
        ("data.reserved", unit, "FREE", "RESERVED", {"hold": hold}),
        ("hold.card_taken", 1, "ACTIVE", "ACTIVE", {"sim_before": 0, "sim_item": 1, "data": unit}),
        ("sim.held", 1, "AVAILABLE", "HELD", {"hold": hold}),
    ]


async def test_same_request_again_changes_nothing(counter: Counter) -> None:
    hold = (await counter.hold(NUMBERS[0], iccid=CARDS[0])).body["hold"]
    write = WriteKey.of("again", "test", {})
    first = await take(counter, hold, 1, write=write)
    again = await take(counter, hold, 1, write=write)
    assert (again.body, again.replayed) == (first.body, True)
    assert await stock(counter) == [("sim", 1, "HELD", None, 1), ("data", 1, "RESERVED", None, 1)]


@pytest.mark.parametrize(
    ("before", "card", "refusal"),
    [
        ("UPDATE hold SET expires_at = created_at", 1, HoldExpired),
        ("UPDATE hold SET expires_at = created_at, state = 'EXPIRED'", 1, HoldExpired),
        ("UPDATE hold SET state = 'RELEASED'", 1, HoldNotActive),
        ("UPDATE hold SET state = 'RELEASED', close_reason = 'legal_hold'", 1, LegalHold),
        ("UPDATE sim SET state = 'DAMAGED' WHERE item_no = 1", 1, SimNotFree),
        ("UPDATE sim SET adm_refused = true WHERE item_no = 1", 1, SimNotFree),
        ("UPDATE sim SET transit_id = 9 WHERE item_no = 1", 1, SimNotFree),
        (f"UPDATE sim SET hlr_code = '{OTHER_HLR}' WHERE item_no = 1", 1, HlrMismatch),
        ("UPDATE sim SET iccid = '89860099999999999999' WHERE item_no = 1", 1, CardUnknown),
        ("SELECT 1", 0, InvalidField),
        ("SELECT 1", None, MissingField),
    ],
)
async def test_kit_stays_as_it_is_where_the_card_is_not_to_be_had(
    counter: Counter, before: str, card: int | None, refusal: type[DomainError]
) -> None:
    hold = (await counter.hold(NUMBERS[0], iccid=CARDS[0])).body["hold"]
    await change(counter, before)
    there = await stock(counter)
    with pytest.raises(refusal):
        await take(counter, hold, card)
    assert await stock(counter) == there


async def test_empty_pool_keeps_the_spoiled_card_in_its_kit(counter: Counter) -> None:
    hold = (await counter.hold(NUMBERS[0], iccid=CARDS[0])).body["hold"]
    await spoiled(counter)
    await change(counter, "UPDATE subscription_data SET state = 'RETIRED' WHERE state = 'FREE'")
    with pytest.raises(NoDataUnit):
        await take(counter, hold, 1)
    assert ("sim", 0, "DAMAGED", None, 1) in await stock(counter)


async def test_data_unit_of_the_kit_is_enough_when_the_pool_is_empty(counter: Counter) -> None:
    hold = (await counter.hold(NUMBERS[0], iccid=CARDS[0])).body["hold"]
    await change(counter, "UPDATE subscription_data SET state = 'RETIRED' WHERE state = 'FREE'")
    await take(counter, hold, 1)
    assert ("sim", 1, "HELD", None, 1) in await stock(counter)


async def test_card_of_another_product_has_another_price(counter: Counter) -> None:
    hold = (await counter.hold(NUMBERS[0], iccid=CARDS[0])).body["hold"]
    columns = "name_zh, name_en, capacity_kb, fee_fen, capabilities, profile, network"
    await change(
        counter, f"INSERT INTO card_kind (code, {columns}) SELECT '4G-OTHER', {columns} FROM card_kind LIMIT 1"
    )
    await change(counter, "UPDATE sim SET kind_code = '4G-OTHER' WHERE item_no = 1")
    with pytest.raises(CardKindDiffers, match="4G-OTHER"):
        await take(counter, hold, 1)


async def test_kit_that_was_quoted_without_a_card_gets_none(counter: Counter) -> None:
    hold = (await counter.hold(NUMBERS[0])).body["hold"]
    with pytest.raises(CardKindDiffers):
        await take(counter, hold, 1)


async def test_only_the_kits_own_key_opens_it(counter: Counter) -> None:
    hold = (await counter.hold(NUMBERS[0], iccid=CARDS[0])).body["hold"]
    with pytest.raises(HoldKeyWrong):
        await take(counter, hold, 1, key=None)
    with pytest.raises(NotFound):
        await take(counter, f"h-{CITY}-99", 1)


async def test_card_that_is_being_written_stays(counter: Counter) -> None:
    """REQ-RSV-15: not even its own seller takes a card out of a job's hands."""
    hold = (await counter.hold(NUMBERS[0], iccid=CARDS[0])).body["hold"]
    await change(counter, "UPDATE hold SET job_id = 7")
    with pytest.raises(CardBeingWritten):
        await take(counter, hold, 1)


async def test_two_kits_never_take_one_card(counter: Counter) -> None:
    holds = [(await counter.hold(number, iccid=CARDS[item])).body["hold"] for item, number in enumerate(NUMBERS[:4])]

    async def one(hold: str) -> bool:
        try:
            await take(counter, hold, 6)
        except SimNotFree:
            return False
        return True

    assert sorted(await asyncio.gather(*map(one, holds))) == [False, False, False, True]
    assert await sound(counter)


async def a_release_amid_a_choice(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Release the kit while its new card has been found and not been taken yet; give what lies about."""
    hold = (await counter.hold(NUMBERS[0], iccid=CARDS[0])).body["hold"]
    found = PausedAfter(monkeypatch, kits, "find_kit")

    async def released() -> None:
        try:
            await counter.release(hold)
        except DomainError:
            return

    await found.meanwhile(take(counter, hold, 1), released(), counter.database)
    return await stock(counter)


async def test_kit_that_is_released_meanwhile_leaves_nothing_held(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await a_release_amid_a_choice(counter, monkeypatch) == []
    assert await sound(counter)


async def test_canary_without_the_lock_on_the_kit_holds_a_card_for_nobody(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = kits.find_kit

    async def unlocked(*args: Any, **given: Any) -> Any:
        return await find(*args, **{**given, "lock": False})

    monkeypatch.setattr(kits, "find_kit", unlocked)
    assert await a_release_amid_a_choice(counter, monkeypatch) != []
