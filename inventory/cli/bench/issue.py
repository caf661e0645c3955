"""`haoka bench issue`: documents of many numbers down and up again, against the engine's bare change of holders."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from math import ceil

from inventory.cli.bench.ground import Ground, fresh_key
from inventory.cli.bench.report import Measurement
from inventory.cli.demo.operator import HLR
from inventory.domain.identifiers import NumberKind
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.numbers import SegmentWish, take_segments
from inventory.services.organisation import HALL_POOL
from inventory.store.segments import SIZE
from inventory.store.selection import ByRange

LIMIT = 100_000.0
"""Numbers a second that a warehouse expects of one document, fees and ledger included."""
ROUNDS = 3
_FIRST_PREFIX = 1380000


async def measure(ground: Ground, *, sizes: Sequence[int], rounds: int = ROUNDS) -> AsyncIterator[Measurement]:
    """Issue documents of each size from the city to a district and recall them, the best turn of each counts."""
    await _stocked(ground, max(sizes))
    for size in sizes:
        times: dict[Verb, list[float]] = {Verb.ISSUE: [], Verb.RECALL: []}
        bare = []
        for _ in range(rounds):
            for verb, taken in times.items():
                taken.append(await _moved(ground, verb, size))
                ground.engine.sql("VACUUM ANALYZE number", "CHECKPOINT")
            bare.append(_bare(ground, size))
        for verb, taken in times.items():
            ours = size / min(taken)
            figures = {"ours": ours, "raw": LIMIT, "unit": "numbers/s", "items": size, "update": size / min(bare)}
            yield Measurement(f"issue.{verb}.{size}", ours / LIMIT, 1.0, figures)


async def _stocked(ground: Ground, items: int) -> None:
    prefixes = tuple(str(_FIRST_PREFIX + place) for place in range(ceil(items / SIZE)))
    wish = SegmentWish(prefixes=prefixes, kind=NumberKind.MOBILE, carrier="mobile", hlr_code=HLR, pool=HALL_POOL)
    async with ground.database.session() as session:
        await take_segments(session, ground.caller, fresh_key(), wish, now=ground.now)
    ground.engine.sql("VACUUM ANALYZE", "CHECKPOINT")


async def _moved(ground: Ground, verb: Verb, items: int) -> float:
    """Move the first numbers between city and district; return the seconds of the whole service call."""
    giver, receiver = ground.way_to_hall[0] if verb is Verb.ISSUE else ground.way_to_hall[0][::-1]
    wish = MoveWish(
        verb=verb, resource="number", giver=giver, receiver=receiver, selection=ByRange(_number(0), _number(items - 1))
    )
    began = time.perf_counter()
    async with ground.database.session() as session:
        await move(session, ground.caller, fresh_key(), wish, now=ground.now)
    return time.perf_counter() - began


def _bare(ground: Ground, items: int) -> float:
    """Let the engine write the same rows with the holder they have, and return its seconds."""
    last = items - 1
    began = time.perf_counter()
    ground.engine.sql(
        f"UPDATE number SET holder_id = holder_id, updated_at = now() "  # noqa: S608 - numbers of ours
        f"WHERE city_id = {ground.caller.city_id} AND item_no BETWEEN 0 AND {last}"
    )
    seconds = time.perf_counter() - began
    ground.engine.sql("VACUUM ANALYZE number", "CHECKPOINT")
    return seconds


def _number(place: int) -> str:
    return f"{_FIRST_PREFIX + place // SIZE}{place % SIZE:04d}"
