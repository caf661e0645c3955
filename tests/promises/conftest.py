"""A little city with numbers, cards and data units, and a counter clerk who sells them."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from inventory.access.caller import Caller
from inventory.domain.holds import Flow
from inventory.domain.identifiers import parse_any_number
from inventory.services import holds, promises, sales
from inventory.services.kits import KitWish
from inventory.services.once import Answer, WriteKey
from inventory.services.sales import ConfirmWish, RealName
from inventory.store.engine import Database, connect
from inventory.vault.hold_keys import HoldKeys
from tests.builders_stock import NOW, TOWN, add_data, add_numbers, add_sims, build_town

KEYS = HoldKeys(b"a secret of tests")
NUMBERS = tuple(f"138888{tail:05d}" for tail in (10235, 10236, 27530, 27531, 34917, 34918, 50721, 50722))
_keys = itertools.count(1)


def fresh(operation: str = "test", body: Any = None) -> WriteKey:
    """Give a write key that nobody has used."""
    return WriteKey.of(f"key-{next(_keys)}", operation, body)


@dataclass(frozen=True)
class Counter:
    """A place where things are sold; each call is one request with a connection of its own."""

    database: Database
    caller: Caller
    now: datetime = NOW

    def at(self, minutes: float) -> Counter:
        """Give the same place so many minutes after the beginning."""
        return replace(self, now=NOW + timedelta(minutes=minutes))

    def by(self, caller: Caller) -> Counter:
        """Give the place with another caller."""
        return replace(self, caller=caller)

    async def hold(self, number: str | None = None, *, write: WriteKey | None = None, **wish: Any) -> Answer:
        """Hold a number and what else the wish names, for an activation."""
        kit = KitWish(number=None if number is None else parse_any_number(number), **wish)
        async with self.database.autocommit() as connection:
            return await holds.hold(connection, self.caller, write or fresh(), kit, now=self.now)

    def key(self, hold: str) -> str:
        """Give the key of a hold as the API hands it out."""
        return KEYS.key(self.caller.city_id, int(hold.rsplit("-", 1)[1]))

    async def release(self, hold: str, *, write: WriteKey | None = None, key: str | None = "", **more: Any) -> Answer:
        """Release a hold, with its key unless another one is given."""
        async with self.database.autocommit() as connection:
            return await promises.release(
                connection,
                self.caller,
                write or fresh(),
                hold,
                keys=KEYS,
                key=self.key(hold) if key == "" else key,
                reason=more.get("reason"),
                now=self.now,
            )

    async def extend(self, hold: str, *, write: WriteKey | None = None, key: str | None = "") -> Answer:
        """Extend a hold."""
        key = self.key(hold) if key == "" else key
        async with self.database.autocommit() as connection:
            return await promises.extend(
                connection, self.caller, write or fresh(), hold, keys=KEYS, key=key, now=self.now
            )

    async def book(self, hold: str, *, write: WriteKey | None = None, **more: Any) -> Answer:
        """Book a hold."""
        async with self.database.autocommit() as connection:
            return await promises.book(
                connection,
                self.caller,
                write or fresh(),
                hold,
                keys=KEYS,
                key=self.key(hold),
                customer_ref=more.get("customer_ref"),
                order_ref=more.get("order_ref"),
                flow=more.get("flow", Flow.BOOKING_UNPAID),
                now=self.now,
            )

    async def confirm(self, hold: str, *, write: WriteKey | None = None, key: str | None = "", **wish: Any) -> Answer:
        """Confirm a hold with an accepted quote and a real-name reference, unless the wish says otherwise."""
        said = {"quote_accepted": 1, "real_name": RealName(self.now, "hall", "passed"), **wish}
        async with self.database.autocommit() as connection:
            return await sales.confirm(
                connection,
                self.caller,
                write or fresh(),
                hold,
                ConfirmWish(**said),
                keys=KEYS,
                key=self.key(hold) if key == "" else key,
                now=self.now,
            )


@pytest.fixture
def anyio_backend() -> str:
    """Database tests run on asyncio, as the service does."""
    return "asyncio"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Build the little city, with eight numbers, eight blank cards and six data units."""
    database = connect(database_url)
    async with database.session() as session, session.begin():
        await build_town(session)
        await add_numbers(session, NUMBERS)
        await add_sims(session, 8)
        await add_data(session, 6)
    yield database
    await database.close()


@pytest.fixture
def counter(database: Database) -> Counter:
    """Stand at the clerk's counter at the beginning."""
    return Counter(database, TOWN.caller())
