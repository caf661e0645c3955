"""Stocktakes (盘点单): scanned blind, from several devices at once; closed, they say what differs from the book."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.boxes import PREFIX
from inventory.domain.errors import InvalidField, NotFound, StocktakeNotOpen
from inventory.domain.identifiers import format_public_id, parse_public_id
from inventory.domain.kinds import ResourceKind, kind_named
from inventory.domain.lifecycle import STOCKTAKE_LIFECYCLE, SimState, StocktakeEvent, StocktakeState
from inventory.domain.reasons import Purpose
from inventory.domain.stocktakes import EXTRA, SHORT, Finding, of_astray, of_unscanned
from inventory.services import reasons
from inventory.services.acting import acting
from inventory.services.custody import place_within
from inventory.services.once import Answer, WriteKey, once
from inventory.services.selecting import in_boxes, item_name
from inventory.store import ends, organisation
from inventory.store import stocktakes as store
from inventory.store.events import EventDraft, record
from inventory.store.organisation import Node
from inventory.store.stock import allow_long_statements
from inventory.store.stocktakes import FindingRow, Place, StocktakeRow

MOST_LISTED = 100
"""A list names this many stocktakes."""
LAST_SCANS = 10
"""So many scans are shown while the count goes on."""


@dataclass(frozen=True, kw_only=True)
class StocktakeWish:
    """A count to open at a place (code of an organisation), perhaps with all below it; `of` is a card kind."""

    resource: str
    place: str
    with_below: bool = False
    of: str | None = None


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What a device has scanned, in any order, the same thing once or more; `damaged` is said of all of it.

    The label of a sealed box stands for everything in it.
    """

    items: tuple[str, ...] = field(repr=False)
    damaged: bool = False


@dataclass(frozen=True)
class FindingView:
    """A difference with its holder by the book."""

    row: FindingRow
    holder: Node | None


@dataclass(frozen=True)
class StocktakeView:
    """A stocktake with its place, how much is scanned, and, once it is closed, a page of its differences."""

    row: StocktakeRow
    place: Node
    scanned: int
    last: list[tuple[str, str, bool]]
    findings: list[FindingView]
    next_after: int | None

    @property
    def name(self) -> str:
        """The id that callers see."""
        return stocktake_name(self.row)


def stocktake_name(row: StocktakeRow) -> str:
    """Write the id of a stocktake as callers see it."""
    return format_public_id("c", row.city_id, row.stocktake_id)


async def open_stocktake(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: StocktakeWish, *, now: datetime
) -> Answer:
    """Open a count and answer with it; what is expected is not told before it is closed.

    Raises
    ------
    InvalidField
        The kind is nothing that lies in a drawer.
    OrganisationUnknown, OutsideScope
        The place does not exist in the city, or is elsewhere.
    """

    async def work() -> dict[str, Any]:
        row, place = await begin(session, caller, wish, now=now)
        return as_dict(row, place, 0)

    return await once(session, caller, write, work, now=now)


async def scan_items(
    session: AsyncSession, caller: Caller, write: WriteKey, stocktake: str, scan: Scan, *, now: datetime
) -> Answer:
    """Keep what was scanned with what the book says of it at this moment (REQ-STK-01); answer with the tally only.

    Raises
    ------
    BoxNotSealed
        A box was scanned that is open, or inside another one: what is in it is scanned one by one.
    InvalidIdentifier
        Something scanned has the form of no item; nothing of this scan is kept.
    NotFound
        The caller's part has no such stocktake, or the city no such box.
    StocktakeNotOpen
        It is closed.
    """

    async def work() -> dict[str, Any]:
        row, _ = await find_stocktake(session, caller, stocktake, share=True)
        _require_open(row)
        new = await keep(session, caller, row, scan, now=now)
        return {"id": stocktake, "new": new, "scanned": await store.count_scans(session, row)}

    return await once(session, caller, write, work, now=now)


async def close_stocktake(
    session: AsyncSession, caller: Caller, write: WriteKey, stocktake: str, counted_by: str, *, now: datetime
) -> Answer:
    """Close the count with the counter's signature; answer with its figures. Nothing moves.

    Raises
    ------
    InvalidField
        Nobody signs.
    NotFound, StocktakeNotOpen
        As `scan_items`.
    """

    async def work() -> dict[str, Any]:
        row, place = await find_stocktake(session, caller, stocktake, lock=True)
        _require_open(row)
        if not counted_by.strip():
            raise InvalidField(field="counted_by", value=counted_by, reason="the person who counted signs with a name")
        closed, _ = await finish(session, caller, row, place, counted_by=counted_by, now=now)
        return as_dict(closed, place, closed.figures["scanned"])

    return await once(session, caller, write, work, now=now)


async def cancel_stocktake(
    session: AsyncSession, caller: Caller, write: WriteKey, stocktake: str, reason: str, *, now: datetime
) -> Answer:
    """Cancel a count that is open or closed, so that nothing follows from it; answer with it.

    Raises
    ------
    IllegalTransition
        It is posted or cancelled.
    NotFound
        The caller's part has no such stocktake.
    ReasonMissing
        There is none.
    """

    async def work() -> dict[str, Any]:
        row, place = await find_stocktake(session, caller, stocktake, lock=True)
        why = await reasons.given(session, caller, reason, Purpose.CANCEL)
        state = STOCKTAKE_LIFECYCLE.advance(StocktakeState(row.state), StocktakeEvent.CANCEL)
        done = await store.move(session, row, state=state, ended_by=caller.staff_no, ended_at=now, reason=why.text)
        event = EventDraft(
            name=f"{kind_named(row.resource).events}.count_cancelled",
            kind="stocktake",
            item_no=row.stocktake_id,
            from_state=row.state,
            to_state=state,
            reason=why.text,
            reason_code=why.code,
        )
        await record(session, [event], **acting(caller, now))
        return as_dict(done, place, await store.count_scans(session, row))

    return await once(session, caller, write, work, now=now)


async def read_stocktakes(
    session: AsyncSession, caller: Caller, *, most: int = MOST_LISTED
) -> list[tuple[StocktakeRow, Node]]:
    """Return the newest stocktakes of the caller's part with places, those under way first."""
    async with session.begin():
        rows = await store.stocktakes_at(session, city_id=caller.city_id, places=caller.scope, limit=most)
        places = await organisation.by_ids(session, {row.place_id for row in rows})
    return [(row, places[row.place_id]) for row in rows]


async def read_stocktake(
    session: AsyncSession, caller: Caller, stocktake: str, *, after: int = 0, limit: int = 200
) -> StocktakeView:
    """Return a stocktake; while it is open only the tally and the last scans, closed with a page of its differences.

    Raises
    ------
    InvalidIdentifier
        The id is not a stocktake's.
    NotFound
        The caller's part has none of that id.
    """
    async with session.begin():
        row, place = await find_stocktake(session, caller, stocktake)
        scanned = await store.count_scans(session, row)
        last = await store.last_scans(session, row, limit=LAST_SCANS)
        rows = await store.findings_of(session, row, after=after, limit=limit)
        nodes = await organisation.by_ids(session, {row.holder_id for row in rows if row.holder_id is not None})
    findings = [FindingView(found, None if found.holder_id is None else nodes[found.holder_id]) for found in rows]
    return StocktakeView(row, place, scanned, last, findings, rows[-1].finding_no if len(rows) == limit else None)


async def begin(
    session: AsyncSession, caller: Caller, wish: StocktakeWish, *, now: datetime
) -> tuple[StocktakeRow, Node]:
    """Open a count in the open transaction; raises as `open_stocktake`."""
    kind = kind_named(wish.resource)
    if not kind.physical:
        raise InvalidField(field="resource", value=kind.name, reason="it lies in no drawer; count cards")
    place = await place_within(session, caller, wish.place)
    row = await store.add(
        session,
        city_id=caller.city_id,
        resource=kind.name,
        place_id=place.id,
        with_below=wish.with_below,
        sort=wish.of,
        opened_by=caller.staff_no,
        interface_no=caller.interface_no,
        opened_at=now,
    )
    return row, place


async def keep(session: AsyncSession, caller: Caller, row: StocktakeRow, scan: Scan, *, now: datetime) -> int:
    """Keep a scan in the open transaction and return how much of it is new."""
    kind = kind_named(row.resource)
    single = [item for item in scan.items if not item.upper().startswith(PREFIX)]
    names = list(dict.fromkeys(item_name(kind, item) for item in single))
    labels = tuple(item for item in scan.items if item.upper().startswith(PREFIX))
    if labels:
        boxed = await in_boxes(session, kind, labels, city_id=row.city_id)
        names += (await ends.items_called(session, kind, boxed, city_id=row.city_id)).values()
    book = await store.named_items(session, kind, names, city_id=row.city_id)
    scans: dict[str, dict[str, Any]] = {}
    for name in names:
        item = book.get(name)
        known = name if item is None else item.name
        scans[known] = {
            "city_id": row.city_id,
            "stocktake_id": row.stocktake_id,
            "name": known,
            "item_no": item and item.item_no,
            "state": item and item.state,
            "holder_id": item and item.holder_id,
            "in_transit": item is not None and item.in_transit,
            "damaged": scan.damaged,
            "staff_no": caller.staff_no,
            "at": now,
        }
    return await store.keep_scans(session, row, list(scans.values()))


async def finish(
    session: AsyncSession, caller: Caller, row: StocktakeRow, place: Node, *, counted_by: str | None, now: datetime
) -> tuple[StocktakeRow, list[FindingRow]]:
    """Compare an open count with the book in the open transaction, close it, and return it with its differences."""
    await allow_long_statements(session)
    kind = kind_named(row.resource)
    counted = Place([node.id for node in await places_of(session, row, place)], row.sort)
    findings = await _compare(session, kind, row, counted)
    states = await store.book_by_state(session, kind, row, counted)
    by_code = Counter(finding.code for finding in findings)
    figures = {
        "expected": sum(states.values()),
        "scanned": await store.count_scans(session, row),
        "missing": sum(by_code[code] for code in SHORT),
        "extra": sum(by_code[code] for code in EXTRA),
        "written": states.get(SimState.WRITTEN, 0),
        "spoiled": states.get(SimState.DAMAGED, 0),
        "states": states,
        "findings": dict(by_code),
    }
    await store.keep_findings(session, row, findings)
    state = STOCKTAKE_LIFECYCLE.advance(StocktakeState(row.state), StocktakeEvent.CLOSE)
    signed = {"counted_by": counted_by, "closed_by": caller.staff_no, "closed_at": now}
    closed = await store.move(session, row, state=state, figures=figures, **signed)
    told = {"stocktake": stocktake_name(row), "place": place.code, "counted_by": counted_by, **figures}
    event = EventDraft(name=f"{kind.events}.counted", kind="stocktake", item_no=row.stocktake_id, data=told)
    await record(session, [event], **acting(caller, now))
    return closed, findings


async def places_of(session: AsyncSession, row: StocktakeRow, place: Node) -> list[Node]:
    """Return the nodes whose stock a stocktake counts."""
    below = await organisation.subtree(session, place) if row.with_below else [place]
    return [node for node in below if node.level not in organisation.PSEUDO]


async def find_stocktake(
    session: AsyncSession, caller: Caller, public_id: str, *, lock: bool = False, share: bool = False
) -> tuple[StocktakeRow, Node]:
    """Return a stocktake of the caller's part with its place, locked if so asked.

    Raises
    ------
    InvalidIdentifier
        The id is not a stocktake's.
    NotFound
        The caller's part has none of that id.
    """
    wanted = parse_public_id(public_id, "c", field="stocktake")
    row = place = None
    if wanted.city_id == caller.city_id:
        row = await store.find(session, city_id=caller.city_id, stocktake_id=wanted.serial, lock=lock, share=share)
    if row is not None and row.place_id in caller.scope:
        place = await organisation.by_id(session, row.place_id)
    if row is None or place is None:
        raise NotFound(what="stocktake", value=public_id)
    return row, place


def as_dict(row: StocktakeRow, place: Node, scanned: int) -> dict[str, Any]:
    """Return a stocktake in the form of the API; figures only once it is closed."""
    return {
        "id": stocktake_name(row),
        "resource": row.resource,
        "place": place.code,
        "with_below": row.with_below,
        "of": row.sort,
        "state": row.state,
        "opened_by": row.opened_by,
        "opened_at": row.opened_at.isoformat(),
        "scanned": scanned,
        "counted_by": row.counted_by,
        "closed_by": row.closed_by,
        "closed_at": row.closed_at and row.closed_at.isoformat(),
        "figures": row.figures or None,
        "ended_by": row.ended_by,
        "approver": row.approver,
        "ended_at": row.ended_at and row.ended_at.isoformat(),
        "reason": row.reason,
    }


def _require_open(row: StocktakeRow) -> None:
    """Let pass a stocktake that is open.

    Raises
    ------
    StocktakeNotOpen
        It is not.
    """
    if row.state != StocktakeState.OPEN:
        raise StocktakeNotOpen(stocktake=stocktake_name(row), state=row.state)


async def _compare(session: AsyncSession, kind: ResourceKind, row: StocktakeRow, place: Place) -> list[FindingRow]:
    """Return the differences between the book and what was scanned, what is short first."""
    found: list[tuple[Finding, str, store.BookItem | None]] = []
    for item, arrived in await store.unscanned(session, kind, row, place):
        found.append((of_unscanned(state=item.state, on_hold=item.on_hold, arrived=arrived), item.name, item))
    for name, stray, here in await store.astray(session, kind, row, place):
        code = Finding.NOT_IN_STOCK
        if stray is not None:
            code = of_astray(kind, state=stray.state, in_transit=stray.in_transit, lies_here_now=here)
        found.append((code, name, stray))
    found += [(Finding.DAMAGED_FOUND, item.name, item) for item in await store.found_damaged(session, kind, row, place)]
    found += [(Finding.MOVED, item.name, item) for item in await store.departed(session, kind, row, place)]
    items = [item.item_no for _, _, item in found if item is not None]
    last = await store.last_movements(session, kind, city_id=row.city_id, items=items)
    order = list(Finding)
    found.sort(key=lambda entry: order.index(entry[0]))
    return [_finding(number, *entry, last) for number, entry in enumerate(found, start=1)]


def _finding(number: int, code: Finding, name: str, item: store.BookItem | None, last: Mapping[int, int]) -> FindingRow:
    """Give the row of a difference."""
    if item is None:
        return FindingRow(number, code, name, None, None, None, None)
    return FindingRow(number, code, name, item.item_no, item.state, item.holder_id, last.get(item.item_no))
