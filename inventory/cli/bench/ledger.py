"""`haoka bench ledger`: the whole life of one number, read from a ledger of millions of movements."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

from inventory.cli.bench.ground import Ground, fresh_key
from inventory.cli.bench.report import Measurement
from inventory.cli.bench.search import database_time
from inventory.cli.demo.operator import HLR
from inventory.domain.identifiers import NumberKind
from inventory.services.numbers import SegmentWish, take_segments
from inventory.services.organisation import HALL_POOL
from inventory.services.reporting import read_history
from inventory.store.segments import SIZE

P99_LIMIT = 3.0
"""Milliseconds in the database within which 99 of 100 lives are read."""
_PREFIX = "1380000"
_WARM = 5
_LINES_A_DOCUMENT = 100
_ITEMS = 2_000_000
"""The ledger is about so many items; those of one segment are in stock and are asked for."""
_STEP = 7919
"""A prime: one line after the other is about an item far away, as in real life."""


async def measure(ground: Ground, *, movements: int, lives: int) -> AsyncIterator[Measurement]:
    """Fill the ledger with so many lines of single items, and read the lives of numbers picked at random."""
    wish = SegmentWish(prefixes=(_PREFIX,), kind=NumberKind.MOBILE, carrier="mobile", hlr_code=HLR, pool=HALL_POOL)
    async with ground.database.session() as session:
        await take_segments(session, ground.caller, fresh_key(), wish, now=ground.now)
    _fill(ground, movements)
    pick = random.Random(movements)  # noqa: S311 - the same lives in every run
    times, entries = [], 0
    with database_time(ground.database) as clock:
        for turn in range(_WARM + lives):
            clock.milliseconds = 0.0
            async with ground.database.session() as session:
                name = f"{_PREFIX}{pick.randrange(SIZE):04d}"
                life = await read_history(session, ground.caller, resource="number", name=name)
            if turn >= _WARM:
                times.append(clock.milliseconds)
                entries += len(life)
    times.sort()
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    figures = {"ours": p99, "raw": P99_LIMIT, "unit": "ms", "p50": p50, "movements": movements}
    yield Measurement(
        "ledger.life", P99_LIMIT / p99, 1.0, figures | {"lives": lives, "entries_a_life": entries / lives}
    )


def _fill(ground: Ground, movements: int) -> None:
    """Write documents of a hundred lines each, every line one item, spread over all items."""
    city, holder, last = ground.caller.city_id, ground.caller.org_id, movements - 1
    documents = f"""
        INSERT INTO movement (city_id, movement_id, kind, resource, state, from_holder, to_holder, item_count,
                              accepted_count, staff_no, interface_no, created_at)
        SELECT {city}, 1000 + d, 'ISSUE', 'number', 'ACCEPTED', {holder}, {holder}, {_LINES_A_DOCUMENT},
               {_LINES_A_DOCUMENT}, 'bench', 'bench', now()
        FROM generate_series(0, {last // _LINES_A_DOCUMENT}) AS d
    """  # noqa: S608 - numbers of ours
    lines = f"""
        INSERT INTO movement_line (city_id, movement_id, line_no, resource, level, block, lo, hi)
        SELECT {city}, 1000 + n / {_LINES_A_DOCUMENT}, 1 + n % {_LINES_A_DOCUMENT}, 'number', 0, item / 10, item, item
        FROM generate_series(0, {last}) AS n,
             LATERAL (SELECT CAST(n AS bigint) * {_STEP} % {_ITEMS} AS item) AS i
    """  # noqa: S608 - numbers of ours
    ground.engine.sql(documents, lines, "VACUUM ANALYZE", "CHECKPOINT")
