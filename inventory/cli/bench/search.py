"""`haoka bench search`: pages of free numbers by pattern, the time they take in the database against its limits."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import Any

from sqlalchemy import event

from inventory.access.caller import Caller
from inventory.cli.bench.ground import Ground, fresh_key
from inventory.cli.bench.report import Measurement
from inventory.cli.demo.operator import HLR
from inventory.domain.identifiers import NumberKind
from inventory.domain.search import SearchWish
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.numbers import SegmentWish, take_segments
from inventory.services.organisation import HALL_POOL
from inventory.services.search import SearchAsk, search_numbers
from inventory.store.engine import Database
from inventory.store.segments import SIZE
from inventory.store.selection import ByCount

_FIRST_PREFIX = 1380000
_HALL_SHARE = 100
"""The hall has one of so many numbers of the city, as a hall does."""
_WARM = 5
"""Pages that are not counted: the server prepares its statements."""


@dataclass(frozen=True)
class Pattern:
    """A search with its limits, in milliseconds in the database: half of the pages, and all but one of a hundred."""

    name: str
    wish: SearchWish
    p50: float = 1.0
    p99: float = 10.0


def _scan(name: str, wish: SearchWish) -> Pattern:
    """Make a pattern that no index answers whole: anywhere in the number, or open in its middle."""
    return Pattern(name, wish, p50=20.0, p99=20.0)


PATTERNS = (
    Pattern("any", SearchWish()),
    Pattern("ends_88", SearchWish(ends="88")),
    Pattern("ends_888", SearchWish(ends="888")),
    Pattern("ends_8888", SearchWish(ends="8888")),
    Pattern("ends_18888", SearchWish(ends="18888")),
    Pattern("aabb", SearchWish(letters="AABB")),
    Pattern("abcd_without_4", SearchWish(letters="ABAB", without="4")),
    Pattern("starts_13800", SearchWish(starts="13800")),
    Pattern("starts_138_ends_68", SearchWish(starts="138", ends="68")),
    Pattern("without_47", SearchWish(without="47")),
    _scan("contains_777", SearchWish(contains="777")),
    _scan("contains_1314", SearchWish(contains="1314")),
    _scan("wild_138????8?8?", SearchWish(pattern="138????8?8?")),
    _scan("aabbc", SearchWish(letters="AABBC")),
)


async def measure(ground: Ground, *, numbers: int, pages: int) -> AsyncIterator[Measurement]:
    """Take `numbers` into stock, give a hundredth to a hall, and ask for `pages` pages of each pattern in both."""
    await _stocked(ground, ceil(numbers / SIZE))
    for place, caller in (("city", ground.caller), ("hall", ground.seller)):
        for pattern in PATTERNS:
            yield await _measured(ground, caller, place, pattern, numbers, pages)


async def _stocked(ground: Ground, segments: int) -> None:
    prefixes = tuple(str(_FIRST_PREFIX + place) for place in range(segments))
    wish = SegmentWish(prefixes=prefixes, kind=NumberKind.MOBILE, carrier="mobile", hlr_code=HLR, pool=HALL_POOL)
    share = ByCount(segments * SIZE // _HALL_SHARE)
    async with ground.database.session() as session:
        await take_segments(session, ground.caller, fresh_key(), wish, now=ground.now)
        for giver, receiver in ground.way_to_hall:
            step = MoveWish(verb=Verb.ISSUE, resource="number", giver=giver, receiver=receiver, selection=share)
            await move(session, ground.caller, fresh_key(), step, now=ground.now)
    ground.engine.sql("VACUUM ANALYZE", "CHECKPOINT")


async def _measured(
    ground: Ground, caller: Caller, place: str, pattern: Pattern, numbers: int, pages: int
) -> Measurement:
    times = []
    found = 0
    with database_time(ground.database) as clock:
        for page in range(_WARM + pages):
            clock.milliseconds = 0.0
            async with ground.database.session() as session:
                answer = await search_numbers(session, caller, SearchAsk(wish=pattern.wish), now=ground.now)
            if page >= _WARM:
                times.append(clock.milliseconds)
                found += len(answer["numbers"])
    times.sort()
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    figures = {"ours": p50, "raw": pattern.p50, "unit": "ms", "p99": p99, "p99_limit": pattern.p99}
    ratio = min(pattern.p50 / p50, pattern.p99 / p99)
    sizes = {"size": numbers, "pages": pages, "numbers_a_page": found / pages}
    return Measurement(f"search.{place}.{pattern.name}", ratio, 1.0, figures | sizes)


@dataclass
class Clock:
    """Adds up the time between sending statements and having their answers."""

    milliseconds: float = 0.0
    sent: float = 0.0


@contextmanager
def database_time(database: Database) -> Iterator[Clock]:
    """Give a clock of the time that statements take in the block."""
    clock = Clock()
    engine = database.engine.sync_engine

    def before(*_: Any) -> None:
        clock.sent = time.perf_counter()

    def after(*_: Any) -> None:
        clock.milliseconds += (time.perf_counter() - clock.sent) * 1000

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    try:
        yield clock
    finally:
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "after_cursor_execute", after)
