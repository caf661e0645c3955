"""Two callers at the same moment, on real commits; each race is lost by a canary with its guard taken out."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest
from sqlalchemy import text

from inventory.domain.errors import CardBeingWritten, DomainError, HoldNotActive, NumberNotFree
from inventory.services.auditing import audit
from inventory.services.once import Answer
from inventory.store import free_sql, hold_sql, holds
from inventory.store.hot import HotStatement
from tests.builders_stock import CITY, TOWN, write_card
from tests.promises.conftest import NUMBERS, Counter, fresh
from tests.promises.test_ending import rows
from tests.waiting import until_locked

pytestmark = [pytest.mark.database, pytest.mark.anyio]
CARD = "89860026000000000000"
OTHER_CARD = "89860026000000000001"
_LOCKS = re.compile(r"FOR NO KEY UPDATE( OF \w+)?")


@contextlib.asynccontextmanager
async def somebody_has(counter: Counter, sql: str) -> AsyncIterator[None]:
    """Hold the rows that the statement locks or changes; they are let go, committed, at the end of the block."""
    async with counter.database.session() as session, session.begin():
        await session.execute(text(sql))
        yield


async def outcomes(*calls: Awaitable[Answer]) -> list[Answer | DomainError]:
    """Run the calls at once and give each one's answer or refusal."""

    async def outcome(call: Awaitable[Answer]) -> Answer | DomainError:
        try:
            return await call
        except DomainError as refusal:
            return refusal

    return list(await asyncio.gather(*(outcome(call) for call in calls)))


async def race_for_number(counter: Counter) -> list[Answer | DomainError]:
    """Let two halls' clerks hold one number with different cards, both begun before either could have it."""
    other = counter.by(TOWN.caller(interface_no="LJ-HALL-02"))
    async with somebody_has(counter, "SELECT FROM number WHERE item_no = 0 FOR UPDATE"):
        both = asyncio.create_task(
            outcomes(counter.hold(NUMBERS[0], iccid=CARD), other.hold(NUMBERS[0], iccid=OTHER_CARD))
        )
        await until_locked(counter.database, 2)
    return await both


async def findings(counter: Counter) -> list[dict[str, Any]]:
    """Give what an audit finds now."""
    async with counter.database.session() as session:
        return (await audit(session, now=counter.now)).findings


async def test_of_two_callers_for_one_number_one_wins_and_the_other_is_told(counter: Counter) -> None:
    """REQ-RSV-02, REQ-NUM-10: the refusal is named, and the loser's card stays free."""
    results = await race_for_number(counter)
    assert sorted(type(result).__name__ for result in results) == ["Answer", "NumberNotFree"]
    assert await rows(counter, "SELECT count(*) FROM sim WHERE state = 'HELD'") == [(1,)]
    assert await findings(counter) == []


async def test_canary_without_the_lock_gives_the_number_to_both(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    unguarded = hold_sql.HOLD.replace("FOR NO KEY UPDATE SKIP LOCKED", "")
    monkeypatch.setattr(holds, "_HOLD", HotStatement(unguarded))
    results = await race_for_number(counter)
    assert [type(result).__name__ for result in results] == ["Answer", "Answer"]
    assert await findings(counter) != []


async def test_kit_whose_card_goes_meanwhile_is_not_taken(counter: Counter) -> None:
    async with somebody_has(counter, "UPDATE sim SET state = 'DISABLED' WHERE item_no = 0"):
        holding = asyncio.create_task(outcomes(counter.hold(NUMBERS[0], iccid=CARD)))
        await until_locked(counter.database)
    assert [type(result).__name__ for result in await holding] == ["SimNotFree"]
    assert await rows(counter, "SELECT state FROM number WHERE item_no = 0") == [("UNUSED",)]


async def test_canary_without_the_gate_takes_half_a_kit(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every change is gated on having found all rows; without the gate a held card does not stop its number."""
    gate = "AND (CAST(:sim_item AS bigint) IS NULL OR EXISTS (SELECT FROM s))"
    assert gate in hold_sql.HOLD
    monkeypatch.setattr(holds, "_HOLD", HotStatement(hold_sql.HOLD.replace(gate, "")))
    async with somebody_has(counter, "UPDATE sim SET state = 'DISABLED' WHERE item_no = 0"):
        holding = asyncio.create_task(counter.hold(NUMBERS[0], iccid=CARD))
        await until_locked(counter.database)
    assert isinstance(await holding, Answer)


async def test_sixteen_equal_requests_at_once_hold_once(counter: Counter) -> None:
    """REQ-RSV-07: one hold, fifteen times its answer."""
    write = fresh()
    results = await outcomes(*(counter.hold(NUMBERS[0], iccid=CARD, write=write) for _ in range(16)))
    answers = [result for result in results if isinstance(result, Answer)]
    assert sorted(answer.replayed for answer in answers) == [False] + 15 * [True]
    assert {answer.body["hold"] for answer in answers} == {"h-530700-1"}
    assert await rows(counter, "SELECT count(*) FROM hold") == [(1,)]


async def test_request_that_meets_its_key_on_the_way_takes_nothing(counter: Counter) -> None:
    """The key is kept last: who finds it taken there loses the whole statement, and reads the other's answer."""
    write = fresh()
    taken = "INSERT INTO idempotency VALUES ({}, 'LJ-HALL-01', '{}', 'another', '', '{{}}', now())"
    async with somebody_has(counter, taken.format(CITY, write.key)):
        holding = asyncio.create_task(outcomes(counter.hold(NUMBERS[0], write=write)))
        await until_locked(counter.database)
    assert [type(result).__name__ for result in await holding] == ["IdempotencyMismatch"]
    assert await rows(counter, "SELECT state FROM number WHERE item_no = 0") == [("UNUSED",)]
    assert await rows(counter, "SELECT count(*) FROM hold") == [(0,)]


async def test_canary_that_overlooks_the_key_holds_again(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    write = fresh()
    first = await counter.hold(NUMBERS[0], write=write)
    await counter.release(first.body["hold"])
    lax = hold_sql.HOLD.replace("FROM h\nRETURNING answer", "FROM h ON CONFLICT DO NOTHING\nRETURNING answer")
    assert lax != hold_sql.HOLD
    monkeypatch.setattr(holds, "_HOLD", HotStatement(lax))
    assert (await counter.hold(NUMBERS[0], write=write)).replayed
    assert await rows(counter, "SELECT state FROM number WHERE item_no = 0") == [("HELD",)]


_EXTENSION = """
    WITH h AS (UPDATE hold SET expires_at = expires_at + interval '30 min', extensions = 1 RETURNING expires_at),
         n AS (UPDATE number SET hold_until = h.expires_at FROM h WHERE item_no = 0)
    UPDATE sim SET hold_until = h.expires_at FROM h WHERE item_no = 0
"""


async def extension_against_expiry(counter: Counter) -> str:
    """Let a caller find a hold over whose extension is about to be committed; give the hold's state."""
    await counter.hold(NUMBERS[0], iccid=CARD)
    async with somebody_has(counter, _EXTENSION):
        taking = asyncio.create_task(outcomes(counter.at(30).hold(NUMBERS[0])))
        await until_locked(counter.database)
    await taking
    return str((await rows(counter, "SELECT state FROM hold WHERE hold_id = 1"))[0][0])


async def test_hold_extended_in_time_does_not_expire(counter: Counter) -> None:
    """REQ-RSV-05: who looked before the extension looks again after it."""
    assert await extension_against_expiry(counter) == "ACTIVE"
    assert await findings(counter) == []


async def test_canary_that_does_not_look_again_ends_an_extended_hold(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    blind = _LOCKS.sub("", free_sql.EXPIRE_ONE)
    assert blind != free_sql.EXPIRE_ONE
    monkeypatch.setattr(holds, "_EXPIRE_ONE", text(blind))
    assert await extension_against_expiry(counter) == "EXPIRED"


async def release_against_writing(counter: Counter) -> Answer | DomainError:
    """Let an owner release a kit at the moment in which a write job takes its card."""
    hold = (await counter.hold(NUMBERS[0], iccid=CARD)).body["hold"]
    async with somebody_has(counter, "UPDATE hold SET job_id = 9"):
        releasing = asyncio.create_task(outcomes(counter.release(hold)))
        await until_locked(counter.database)
    return (await releasing)[0]


async def test_kit_whose_writing_began_first_is_not_released(counter: Counter) -> None:
    """REQ-RSV-15: never early."""
    assert isinstance(await release_against_writing(counter), CardBeingWritten)
    assert await rows(counter, "SELECT state FROM number WHERE item_no = 0") == [("HELD",)]


async def test_canary_that_does_not_lock_releases_a_kit_in_the_writer(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    blind = _LOCKS.sub("", free_sql.RELEASE)
    assert blind != free_sql.RELEASE
    monkeypatch.setattr(holds, "_RELEASE", HotStatement(blind))
    assert isinstance(await release_against_writing(counter), Answer)


async def test_of_two_confirms_one_sells(counter: Counter) -> None:
    hold = (await counter.hold(NUMBERS[0], iccid=CARD)).body["hold"]
    async with counter.database.session() as session, session.begin():
        await write_card(session, 1)
    async with somebody_has(counter, "SELECT FROM hold FOR UPDATE"):
        both = asyncio.create_task(outcomes(counter.confirm(hold), counter.confirm(hold)))
        await until_locked(counter.database, 2)
    assert sorted(type(result).__name__ for result in await both) == ["Answer", "HoldNotActive"]
    assert await findings(counter) == []


async def test_of_confirm_and_release_one_takes_effect(counter: Counter) -> None:
    hold = (await counter.hold(NUMBERS[0], iccid=CARD)).body["hold"]
    async with counter.database.session() as session, session.begin():
        await write_card(session, 1)
    async with somebody_has(counter, "SELECT FROM hold FOR UPDATE"):
        both = asyncio.create_task(outcomes(counter.confirm(hold), counter.release(hold)))
        await until_locked(counter.database, 2)
    results = await both
    assert sum(isinstance(result, HoldNotActive) for result in results) == 1
    assert await findings(counter) == []


async def test_loser_of_a_race_can_take_the_number_once_it_is_free(counter: Counter) -> None:
    winner, loser = await race_for_number(counter)
    if isinstance(winner, DomainError):
        winner, loser = loser, winner
    assert isinstance(loser, NumberNotFree)
    assert isinstance(winner, Answer)
    await counter.release(winner.body["hold"])
    assert isinstance(await counter.hold(NUMBERS[0]), Answer)
