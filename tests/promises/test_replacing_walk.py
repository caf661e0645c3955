"""Replacements in any order: each number has one working card after every step, and the audit is quiet."""

from __future__ import annotations

import contextlib
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from inventory.domain.errors import DomainError
from inventory.services import expiry
from tests.builders_stock import finish_card
from tests.promises.conftest import NUMBERS, Counter
from tests.promises.test_ending import rows
from tests.promises.test_kit_cards import take
from tests.promises.test_replacing import opened, quiet, sold, written

pytestmark = [pytest.mark.database, pytest.mark.anyio]


class Walk:
    """Steps of a clerk and of time around two lines, in an order that a seed decides; what may be refused may be."""

    def __init__(self, counter: Counter, seed: int) -> None:
        self.counter = counter
        self.draw = random.Random(seed)  # noqa: S311 - a walk to be walked again
        self.orders: list[str] = []

    async def step(self) -> None:
        """Take one step."""
        often = (self.open, self.write, self.confirm, self.confirm)
        steps = (*often, *often, self.release, self.take, self.wait)
        with contextlib.suppress(DomainError):
            await self.draw.choice(steps)()

    async def open(self) -> None:
        """Open a replacement, by any card of the drawer."""
        answer = await opened(self.counter, self.draw.choice(NUMBERS[:2]), self.draw.randrange(8))
        self.orders.append(answer.body["hold"])

    async def write(self) -> None:
        """Write the card of an order, if it is a blank with data."""
        hold = self.draw.choice(self.orders[-2:])
        ready = await rows(
            self.counter,
            f"""SELECT FROM hold h JOIN sim s USING (city_id, hold_id) JOIN subscription_data d USING (city_id, hold_id)
                WHERE hold_id = {hold.rsplit("-", 1)[1]} AND s.state = 'HELD' AND d.state = 'RESERVED'""",
        )
        if ready:
            await written(self.counter, hold)

    async def confirm(self) -> None:
        """Confirm one of the last orders, open or not."""
        await self.counter.confirm(self.draw.choice(self.orders[-2:]), old_card_handed_in=self.draw.random() < 0.5)

    async def release(self) -> None:
        """Release one of the last orders, open or not."""
        await self.counter.release(self.draw.choice(self.orders[-2:]))

    async def take(self) -> None:
        """Give an order another card."""
        await take(self.counter, self.draw.choice(self.orders[-2:]), self.draw.randrange(8))

    async def wait(self) -> None:
        """Let time pass, and perhaps the sweeper."""
        self.counter = replace(self.counter, now=self.counter.now + timedelta(minutes=self.draw.choice((1, 10, 31))))
        if self.draw.random() < 0.5:
            async with self.counter.database.autocommit() as connection:
                await expiry.sweep(connection, now=self.counter.now)


@pytest.mark.parametrize("seed", [1, 3])
async def test_every_order_of_steps_leaves_each_number_one_working_card(counter: Counter, seed: int) -> None:
    """REQ-LCK-01, REQ-FLOW-03, REQ-RSV-19: and the audit quiet, after every step."""
    await sold(counter)
    await sold(counter, 1)
    async with counter.database.session() as session, session.begin():
        await finish_card(session, 6, data_no=900)
        await finish_card(session, 7, data_no=901)
    walk = Walk(counter, seed)
    walk.orders.append((await opened(counter, card=6)).body["hold"])
    for _ in range(40):
        await walk.step()
        assert await quiet(walk.counter)
    working = "SELECT number_item_no, count(*) FROM sim_identity WHERE number_item_no IS NOT NULL GROUP BY 1 ORDER BY 1"
    assert await rows(counter, working) == [(0, 1), (1, 1)]
    assert await rows(counter, "SELECT FROM event WHERE name = 'sim.replaced'"), "nothing was replaced on the way"
