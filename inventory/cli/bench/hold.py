"""`haoka bench hold`: holds through our service function and over HTTP, against pgbench running the same statement."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from inventory.cli.bench.ground import Ground, fresh_key
from inventory.cli.bench.http import post_all, serving
from inventory.cli.bench.report import BenchFailed, Measurement, against_raw
from inventory.cli.bench.stock import Shelves, stocked
from inventory.cli.demo.operator import HLR
from inventory.domain.identifiers import Iccid, Number
from inventory.services import holds
from inventory.services.kits import KitWish
from inventory.store.holds import hold_statement

CLIENTS = 16
SERVICE_TARGET, HTTP_TARGET = 0.4, 0.2
ROUNDS = 2
"""Both sides take turns so often, the best turn of each counts: whatever else the machine does only slows."""
_KEPT = timedelta(minutes=30)
_SCRIPT = """
\\set item :first + :client_id * :each + :done
\\set done :done + 1
\\set key :item + 0
\\set number_item :item + 0
"""
_CARD_TOO = """
\\set sim_item :item + 0
\\set data_start random(0, :last_data)
"""


@dataclass(frozen=True)
class Work:
    """One turn: `clients` at once take `each` items one after the other, item numbers from `first` on, none twice."""

    first: int
    clients: int
    each: int

    @property
    def total(self) -> int:
        """How many items are held."""
        return self.clients * self.each

    def items(self, client: int) -> range:
        """Give the items of one client."""
        start = self.first + client * self.each
        return range(start, start + self.each)


Side = Callable[[Work], Awaitable[float]]
"""Does the work and returns holds per second."""


async def measure(
    ground: Ground, *, each: int, http_each: int, clients: int = CLIENTS, rounds: int = ROUNDS
) -> AsyncIterator[Measurement]:
    """Hold numbers and kits through the service function, and kits over HTTP: so many on every client and turn."""
    shelves = await stocked(ground, clients * 2 * rounds * (2 * each + http_each))
    first = 0
    number, kit = ours(ground, with_card=False), ours(ground, with_card=True)
    raw_number, raw_kit = pgbench(ground, shelves, with_card=False), pgbench(ground, shelves, with_card=True)
    figures = {"unit": "holds/s", "clients": clients}

    async def compared(our_side: Side, raw_side: Side, each: int) -> dict[str, Any]:
        nonlocal first
        rates: dict[str, float] = {"ours": 0.0, "raw": 0.0}
        for _ in range(rounds):
            for name, side in (("ours", our_side), ("raw", raw_side)):
                work = Work(first, clients, each)
                first += work.total
                rates[name] = max(rates[name], await side(work))
        return {**rates, **figures, "size": clients * each}

    yield against_raw("hold.service.number", target=SERVICE_TARGET, **await compared(number, raw_number, each))
    yield against_raw("hold.service.kit", target=SERVICE_TARGET, **await compared(kit, raw_kit, each))
    with serving(ground) as port:
        found = await compared(http(ground, port), raw_kit, http_each)
    yield against_raw("hold.http.kit", target=HTTP_TARGET, **found)


def ours(ground: Ground, *, with_card: bool) -> Side:
    """Give the side that calls the service function, each call on an autocommit connection of its own."""

    async def client(items: range) -> None:
        for item_no in items:
            iccid = Iccid(Shelves.iccid(item_no)) if with_card else None
            wish = KitWish(number=Number(Shelves.number(item_no)), iccid=iccid)
            async with ground.database.autocommit() as connection:
                await holds.hold(connection, ground.seller, fresh_key(), wish, now=ground.now)

    async def side(work: Work) -> float:
        began = time.perf_counter()
        await asyncio.gather(*(client(work.items(place)) for place in range(work.clients)))
        return work.total / (time.perf_counter() - began)

    return side


def http(ground: Ground, port: int) -> Side:
    """Give the side that asks the service at the port for kits."""

    async def side(work: Work) -> float:
        requests = [
            [(f"bench-{no}", {"number": Shelves.number(no), "iccid": Shelves.iccid(no)}) for no in work.items(place)]
            for place in range(work.clients)
        ]
        seconds = await post_all(port, "/v1/holds", ground.login, requests)
        return work.total / seconds

    return side


def pgbench(ground: Ground, shelves: Shelves, *, with_card: bool) -> Side:
    """Give the side of the raw engine: the whole statement of a hold, documents as our side sends them."""
    caller = ground.seller

    async def side(work: Work) -> float:
        quote, answer = _documents(ground)
        script = f"{_SCRIPT}{_CARD_TOO if with_card else ''}{hold_statement()};\n"
        variables: dict[str, object] = {
            "first": work.first,
            "each": work.each,
            "done": 0,
            "city": caller.city_id,
            "interface": caller.interface_no,
            "staff": caller.staff_no,
            "operation": "bench",
            "body_sha256": "\\x" + bytes(32).hex(),
            "now": ground.now.isoformat(),
            "until": (ground.now + _KEPT).isoformat(),
            "seconds": int(_KEPT.total_seconds()),
            "org": caller.org_id,
            "holders": _array(caller.scope),
            "pools": _array(caller.pools),
            "business": "activation",
            "cls": shelves.number_class,
            "outcome": shelves.outcome,
            "rule_set": shelves.rule_set_id,
            "fee_change": 0,
            "quote": quote,
            "answer": answer,
        }
        if with_card:
            variables |= {"data_hlr": HLR, "last_data": shelves.count - 1}
        before = _held(ground)
        rate = ground.engine.rate(script, variables, clients=work.clients, transactions=work.each)
        if _held(ground) - before != work.total:
            raise BenchFailed("pgbench did not hold every item: the sides cannot be compared")
        return rate

    return side


def _documents(ground: Ground) -> tuple[str, str]:
    """Give quote and answer of the last hold of our side: what the raw engine is to write."""
    quote = ground.engine.sql("SELECT quote FROM hold WHERE quote <> '{}' ORDER BY hold_id DESC LIMIT 1")
    answer = ground.engine.sql("SELECT answer FROM idempotency WHERE answer ? 'quote' ORDER BY created_at DESC LIMIT 1")
    return quote.strip(), answer.strip()


def _held(ground: Ground) -> int:
    return int(ground.engine.sql("SELECT count(*) FROM hold"))


def _array(values: frozenset[int] | frozenset[str]) -> str:
    return "{" + ",".join(map(str, sorted(values))) + "}"
