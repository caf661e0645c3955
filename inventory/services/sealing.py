"""The hash chain of a city's events: seal what is new, and verify what was sealed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.store import sealing
from inventory.store.sealing import Block, EventRow, PlacedEvent

GENESIS = bytes(32)
"""What the first block of a city names as the hash before it."""
BLOCK_EVENTS = 5_000

_log = structlog.get_logger(__name__)


def canonical(placed: PlacedEvent) -> bytes:
    """Give the one serialisation of an event at its position that the chain hashes.

    A JSON object with sorted keys, no spaces, UTF-8, times in UTC with microseconds; one line. The code of a reason is
    in it only where there is one: events were sealed before there were any.
    """
    fields = {**vars(placed.event), "position": placed.position}
    if placed.event.reason_code is None:
        del fields["reason_code"]
    fields["at"] = placed.event.at.astimezone(UTC).isoformat(timespec="microseconds")
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def block_hash(city_id: int, block_no: int, previous_hash: bytes, events: Iterable[PlacedEvent]) -> bytes:
    """Give the SHA-256 of a block: its head line, then every event of it."""
    digest = hashlib.sha256(f"{city_id} {block_no} {previous_hash.hex()}\n".encode())
    for event in events:
        digest.update(canonical(event))
    return digest.digest()


def _next_block(city_id: int, last: Block | None, events: list[EventRow], now: datetime) -> Block:
    """Give the block that follows `last` with these events in it."""
    previous_hash, block_no, position = (
        (GENESIS, 1, 1) if last is None else (last.hash, last.block_no + 1, last.last_position + 1)
    )
    placed = [PlacedEvent(position + offset, event) for offset, event in enumerate(events)]
    return Block(
        block_no,
        position,
        position + len(events) - 1,
        previous_hash,
        block_hash(city_id, block_no, previous_hash, placed),
        now,
    )


async def seal_city(session: AsyncSession, city_id: int, *, now: datetime) -> int:
    """Seal the next block of the city and return how many events went into it; 0 when there is nothing to do.

    One sealer per city: who does not get the city's lock leaves it to the other.
    """
    async with session.begin():
        if not await sealing.try_to_be_sealer(session, city_id):
            return 0
        events = await sealing.take_unsealed(session, city_id, limit=BLOCK_EVENTS)
        if not events:
            return 0
        last = await sealing.last_block(session, city_id)
        block = _next_block(city_id, last, events, now)
        await sealing.append_block(session, city_id, block, [event.event_no for event in events])
    return len(events)


async def seal_all(session: AsyncSession, *, now: datetime) -> int:
    """Seal everything that can be sealed in every city; return how many events.

    A city whose chain does not take its events is logged and left for the next time; the others are sealed.
    """
    async with session.begin():
        cities = await sealing.cities_with_events(session)
    sealed = 0
    for city_id in cities:
        try:
            while count := await seal_city(session, city_id, now=now):
                sealed += count
        except DBAPIError:
            _log.exception("events of a city cannot be sealed", city=city_id)
    return sealed


@dataclass(frozen=True)
class ChainReport:
    """What verifying a chain found: how many blocks and events stand, the last one's hash, the first break, if any."""

    blocks: int
    events: int
    head: bytes
    fault: str | None


async def verify_chain(session: AsyncSession, city_id: int) -> ChainReport:
    """Compute every block of the city's chain anew from the events as they stand now.

    Works inside the caller's transaction. Ends at the first break: everything behind it is unproven.
    """
    previous_hash, position, block_no = GENESIS, 0, 0
    while blocks := await sealing.blocks_after(session, city_id, block_no=block_no, limit=100):
        for block in blocks:
            if block.block_no != block_no + 1 or block.first_position != position + 1:
                return ChainReport(block_no, position, previous_hash, f"block {block_no + 1} is missing")
            if block.previous_hash != previous_hash:
                return ChainReport(
                    block_no, position, previous_hash, f"block {block.block_no} does not follow block {block_no}"
                )
            size = block.last_position - block.first_position + 1
            placed = await sealing.sealed_events(session, city_id, after=position, limit=size)
            if block_hash(city_id, block.block_no, previous_hash, placed) != block.hash:
                return ChainReport(block_no, position, previous_hash, f"block {block.block_no} differs from its events")
            previous_hash, position, block_no = block.hash, block.last_position, block.block_no
    return ChainReport(block_no, position, previous_hash, None)
