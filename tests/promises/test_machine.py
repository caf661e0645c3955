"""Any sequence of holds, replacements, bookings, writes, releases, sales and roll backs leaves the audit quiet."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from typing_extensions import override

from inventory.domain.auc import AucAnswer
from inventory.domain.errors import DomainError
from inventory.domain.fees import Business
from inventory.domain.replacement import ReplaceReason
from inventory.services import expiry
from inventory.services.auc_answers import NetworkAnswer, take_answers
from inventory.services.auditing import audit
from inventory.services.kits import SimWish
from inventory.services.sealing import seal_all
from inventory.store.engine import connect
from tests.builders_stock import KIND, NOW, TOWN, add_data, add_numbers, add_sims, build_town, finish_card, write_card
from tests.promises.conftest import NUMBERS, Counter, fresh
from tests.promises.test_completion import ADMIN
from tests.promises.test_ending import change, rows
from tests.promises.test_kit_cards import take
from tests.promises.test_rolling_back import back

pytestmark = [pytest.mark.database]
T = TypeVar("T")
CARDS = tuple(f"8986002600{item_no:010d}" for item_no in range(8))
FINISHED = (7, 6, 5)
LINE = NUMBERS[0]
"""Is in use from the beginning, by the first of the finished cards."""
WAITS = """
INSERT INTO city_policy (city_id, name, value, changed_at, changed_by)
SELECT city_id, 'completion', 'by_network', now(), 'T' FROM organisation WHERE level = 'CITY' ON CONFLICT DO NOTHING
"""
HALL = TOWN.caller(TOWN.hall, interface_no="LJ-HALL-02")

_WRITABLE = """
    SELECT count(*) FROM hold h JOIN sim s ON s.hold_id = h.hold_id JOIN subscription_data d ON d.hold_id = h.hold_id
    WHERE h.hold_id = {} AND s.state = 'HELD' AND d.state = 'RESERVED' AND h.state IN ('ACTIVE', 'BOOKED')
"""


class Promises(RuleBasedStateMachine):
    """Two callers at a counter with few numbers and fewer data units; what may be refused may be refused."""

    url: str
    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.database = connect(self.url, pool_size=2)
        self.now = NOW

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do the work to its end."""
        return self.loop.run_until_complete(work)

    def try_(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Do the work to its end or its refusal."""
        try:
            return self.run(work)
        except DomainError:
            return None

    @property
    def counter(self) -> Counter:
        """The counter now."""
        return Counter(self.database, TOWN.caller(), self.now)

    @initialize()
    def stock(self) -> None:
        """Begin with an empty database and fill it."""

        async def fill() -> None:
            tables = await rows(
                self.counter,
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'",
            )
            async with self.database.session() as session, session.begin():
                names = ", ".join(row.tablename for row in tables)
                await (await session.connection()).exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
                await build_town(session)
                await add_numbers(session, NUMBERS)
                await add_sims(session, 8)
                await add_data(session, 3)
                for item in FINISHED:
                    await finish_card(session, item, data_no=900 + item)

        async def sell() -> None:
            line = await self.counter.hold(LINE, iccid=CARDS[FINISHED[0]])
            await self.counter.confirm(line.body["hold"])

        self.run(fill())
        self.run(sell())
        self.complete_by_network(waits=True)

    @rule(
        target=holds,
        number=st.sampled_from(NUMBERS[1:5]),
        card=st.none() | st.sampled_from(CARDS[:4]),
        us=st.booleans(),
    )
    def hold(self, number: str, card: str | None, *, us: bool) -> str | None:
        """Hold a number with a card or with the wish for one."""
        counter = self.counter if us else self.counter.by(HALL)
        wish: dict[str, Any] = {"sim_wish": SimWish(KIND, TOWN.hall)} if card is None else {"iccid": card}
        answer = self.try_(counter.hold(number, **wish))
        return None if answer is None else str(answer.body["hold"])

    @rule(
        target=holds,
        card=st.none() | st.sampled_from(CARDS),
        reason=st.sampled_from(ReplaceReason),
        at_once=st.booleans(),
    )
    def replace_card(self, card: str | None, reason: ReplaceReason, *, at_once: bool) -> str | None:
        """Open a replacement of the line's card, and confirm it at once if the new card came finished."""
        wish: dict[str, Any] = {"sim_wish": SimWish(KIND, TOWN.hall)} if card is None else {"iccid": card}
        answer = self.try_(self.counter.hold(LINE, business=Business.REPLACE_SIM, replace_reason=reason, **wish))
        if answer is None:
            return None
        hold = str(answer.body["hold"])
        if at_once:
            self.try_(self.counter.confirm(hold, old_card_handed_in=reason is not ReplaceReason.LOST))
        return hold

    @rule(hold=holds, card=st.sampled_from(CARDS))
    def take_card(self, hold: str | None, card: str) -> None:
        """Give the kit another card."""
        if hold is not None:
            self.try_(take(self.counter, hold, CARDS.index(card)))

    @rule(hold=holds)
    def extend(self, hold: str | None) -> None:
        """Keep it longer."""
        if hold is not None:
            self.try_(self.counter.extend(hold))

    @rule(hold=holds)
    def book(self, hold: str | None) -> None:
        """Book it."""
        if hold is not None:
            self.try_(self.counter.book(hold, customer_ref="C"))

    @rule(hold=holds)
    def write(self, hold: str | None) -> None:
        """Write the kit's card, if it is one that can be written now."""
        if hold is None:
            return
        hold_id = int(hold.rsplit("-", 1)[1])
        question = _WRITABLE.format(hold_id)

        async def write() -> None:
            if (await rows(self.counter, question))[0][0]:
                async with self.database.session() as session, session.begin():
                    await write_card(session, hold_id)

        self.run(write())

    @rule(
        target=holds,
        number=st.sampled_from(NUMBERS[1:5]),
        card=st.sampled_from(CARDS[:4]),
        then_back=st.booleans(),
    )
    def sell(self, number: str, card: str, *, then_back: bool) -> str | None:
        """Hold, write and confirm in one go, and perhaps take it back at once, if that waits for the network."""
        held = self.try_(self.counter.hold(number, iccid=card))
        if held is None:
            return None
        hold = str(held.body["hold"])
        self.write(hold)
        self.try_(self.counter.confirm(hold))
        return self.taken_back(hold) if then_back else hold

    @rule(hold=holds, handed_in=st.booleans())
    def confirm(self, hold: str | None, *, handed_in: bool) -> None:
        """Sell it, or put its card into the line."""
        if hold is not None and self.try_(self.counter.confirm(hold, old_card_handed_in=handed_in)) is None:
            self.try_(self.counter.confirm(hold))

    @rule(waits=st.booleans())
    def complete_by_network(self, *, waits: bool) -> None:
        """Let the city wait for the network from now on, or no longer."""
        self.run(change(self.counter, WAITS if waits else "DELETE FROM city_policy WHERE name = 'completion'"))

    @rule(answer=st.sampled_from(AucAnswer), told=st.booleans())
    def hear(self, answer: AucAnswer, *, told: bool) -> None:
        """Tell the network of every card that it does not know of, if it is to be, and take its answers in."""

        async def hear() -> None:
            if told:
                await change(self.counter, "UPDATE sim_identity SET auc = 'sent' WHERE auc IN ('none', 'failed')")
            imsis = [imsi for (imsi,) in await rows(self.counter, "SELECT imsi FROM sim_identity ORDER BY imsi")]
            async with self.database.session() as session:
                heard = [NetworkAnswer(imsi, answer) for imsi in imsis]
                await take_answers(session, ADMIN, fresh(), heard, now=self.now)

        self.run(hear())

    @rule(target=holds, hold=holds)
    def roll_back(self, hold: str | None) -> str | None:
        """Take its sale back, if that waits for the network."""
        return None if hold is None else self.taken_back(hold)

    def taken_back(self, hold: str) -> str:
        """Take the sale of a hold back and give the fresh hold, or the same one if there is nothing to take back."""
        answer = self.try_(back(self.counter, hold))
        return hold if answer is None else str(answer.body["hold"])

    @rule(hold=consumes(holds))
    def release(self, hold: str | None) -> None:
        """Give it back."""
        if hold is not None:
            self.try_(self.counter.release(hold))

    @rule(minutes=st.sampled_from([1, 29, 31, 61, 11_000]))
    def wait(self, minutes: int) -> None:
        """Let time pass."""
        self.now += timedelta(minutes=minutes)

    @rule()
    def sweep(self) -> None:
        """End what is over."""

        async def sweep() -> None:
            async with self.database.autocommit() as connection:
                await expiry.sweep(connection, now=self.now)

        self.run(sweep())

    @rule()
    def seal(self) -> None:
        """Seal what has happened."""

        async def seal() -> None:
            async with self.database.session() as session:
                await seal_all(session, now=self.now)

        self.run(seal())

    @invariant()
    def the_audit_is_quiet(self) -> None:
        """Audit after every step."""

        async def look() -> list[dict[str, Any]]:
            async with self.database.session() as session:
                return (await audit(session, now=self.now)).findings

        assert self.run(look()) == []

    @override
    def teardown(self) -> None:
        """Close what was opened."""
        self.run(self.database.close())
        self.loop.close()


def test_every_sequence_of_promises_leaves_the_audit_quiet(database_url: str) -> None:
    """REQ-LCK-01, REQ-RSV-02, REQ-RSV-04, REQ-RSV-05, REQ-RSV-16, REQ-RSV-17, REQ-RSV-19: in every order."""

    class Here(Promises):
        """The machine on this test's database."""

        url = database_url

    few = settings(max_examples=12, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Here, settings=few)
