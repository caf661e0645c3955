"""Low stock: thresholds that keepers set, what is there against them, how long it lasts, and who beside could help."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.cover import HISTORY_DAYS, Shelf, Suggestion, suggest
from inventory.domain.errors import InvalidField, NotFound
from inventory.domain.kinds import KINDS, NUMBER, SIM
from inventory.domain.organisation import in_subtree
from inventory.services.acting import acting
from inventory.services.custody import place_within
from inventory.services.once import Answer, WriteKey, once
from inventory.store import alerts, catalogue, movements, organisation
from inventory.store.alerts import DATA, NUMBERED, About, Threshold
from inventory.store.events import EventDraft, record
from inventory.store.organisation import PSEUDO, Node
from inventory.store.sorts import SortCount, moved_since
from inventory.store.stock import allow_long_statements

RESOURCES = (*KINDS, DATA)
"""What a threshold may be about."""
_LARGEST = 100_000_000
_WATCHER = {"staff_no": "system", "interface_no": "system"}


@dataclass(frozen=True, kw_only=True)
class ThresholdWish:
    """A threshold for what lies at a place and below it; `minimum` None takes it away.

    `sort` is a card product, the digit of a number's class, or `iccid` for the card data that bring one, `hlr` an HLR;
    empty is any. Card data is the city's.
    """

    place: str
    resource: str
    sort: str = ""
    hlr: str = ""
    minimum: int | None


@dataclass(frozen=True)
class Alert:
    """A threshold with what is there against it; of a low one since when that is known, and who beside could help."""

    place: Node
    threshold: Threshold
    shelf: Shelf
    suggestion: Suggestion | None
    giver: Node | None


async def set_threshold(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: ThresholdWish, *, now: datetime
) -> Answer:
    """Set a threshold of a place in the caller's part, or take it away; answers both values.

    Raises
    ------
    InvalidField
        The kind, the class or the minimum is none, or card data is asked of another place than the city company.
    NotFound
        There is no such card product or HLR.
    OrganisationUnknown, OutsideScope
        The place does not exist in the city, or is elsewhere.
    """

    async def work() -> dict[str, Any]:
        place = await place_within(session, caller, wish.place)
        await _require_sort(session, caller, place, wish)
        about = About(place.id, wish.resource, wish.sort, wish.hlr)
        if wish.minimum is None:
            before = await alerts.drop_threshold(session, about, city_id=caller.city_id)
        else:
            before = await alerts.put_threshold(
                session, about, city_id=caller.city_id, minimum=wish.minimum, staff_no=caller.staff_no, now=now
            )
        told = _told(about, place.code) | {"before": before, "minimum": wish.minimum}
        event = EventDraft(name="threshold.set", kind="threshold", item_no=place.id, data=told)
        await record(session, [event], **acting(caller, now))
        return told

    return await once(session, caller, write, work, now=now)


async def read_alerts(
    session: AsyncSession, caller: Caller, *, place: str | None = None, low: bool = False, now: datetime
) -> list[Alert]:
    """Return the thresholds of a place and all below it, by default of the caller's part, low ones first.

    `low` leaves out the others. What is free and was sold is counted as it is now.

    Raises
    ------
    OrganisationUnknown, OutsideScope
        The place does not exist in the city, or is elsewhere.
    """
    async with session.begin():
        await allow_long_statements(session)
        top = await place_within(session, caller, place)
        below = await organisation.subtree(session, top)
        wanted = await alerts.thresholds(session, city_id=caller.city_id, places=[node.id for node in below])
        book = await _count(session, caller.city_id, wanted, now=now)
        everywhere = await alerts.thresholds(session, city_id=caller.city_id, places=book.nodes)
    minima = {one.about: one.minimum for one in everywhere}
    found = [_alert(one, book, minima) for one in wanted]
    return sorted(
        (one for one in found if one.shelf.low or not low), key=lambda one: (not one.shelf.low, one.place.path)
    )


async def count_alerts(session: AsyncSession, caller: Caller) -> int:
    """Return how many thresholds of the caller's part were crossed when somebody last watched."""
    async with session.begin():
        return await alerts.count_low(session, city_id=caller.city_id, places=caller.scope)


async def watch(session: AsyncSession, *, now: datetime) -> int:
    """Compare every threshold with what is there; tell each crossing once, and each recovery once. Return how many.

    Each city is a transaction of its own. Two watchers at once do not tell twice: thresholds are locked, and those that
    are locked already are left to the other.
    """
    async with session.begin():
        cities = await alerts.watched_cities(session)
    return sum([await _watch_city(session, city_id, now=now) for city_id in cities])


async def _watch_city(session: AsyncSession, city_id: int, *, now: datetime) -> int:
    events = []
    async with session.begin():
        await allow_long_statements(session)
        watched = await alerts.thresholds_to_watch(session, city_id=city_id)
        book = await _count(session, city_id, watched, now=None)
        for one in watched:
            shelf = book.shelf(one, one.org_id, one.minimum)
            if shelf is None or shelf.low is (one.low_since is not None):
                continue
            await alerts.set_low(session, one, city_id=city_id, since=now if shelf.low else None)
            told = _told(one.about, shelf.place) | {"minimum": one.minimum, "free": shelf.free}
            name = "threshold.crossed" if shelf.low else "threshold.recovered"
            events.append(EventDraft(name=name, kind="threshold", item_no=one.org_id, data=told))
        await record(session, events, city_id=city_id, now=now, **_WATCHER)
    return len(events)


@dataclass(frozen=True)
class _Book:
    """What is free and was sold of each sort at each place itself."""

    nodes: Mapping[int, Node]
    free: Sequence[SortCount]
    sold: Sequence[SortCount]

    def shelf(self, about: Threshold, org_id: int, minimum: int) -> Shelf | None:
        """Return what a place and all below it have of what the threshold is about; None for a place that is gone."""
        place = self.nodes.get(org_id)
        if place is None:
            return None
        return Shelf(place.code, self._sum(self.free, about, place), self._sum(self.sold, about, place), minimum)

    def _sum(self, counts: Iterable[SortCount], about: Threshold, place: Node) -> int:
        return sum(
            row.count
            for row in counts
            if row.resource == about.resource
            and about.sort in {"", row.sort}
            and about.hlr in {"", row.hlr}
            and in_subtree(place.path, self.nodes[row.org_id].path)
        )

    def beside(self, org_id: int) -> list[Node]:
        """Return the other open children of the place's parent."""
        parent = self.nodes[org_id].parent_id
        if parent is None:
            return []
        return [node for node in self.nodes.values() if node.parent_id == parent and node.id != org_id and node.active]


async def _count(session: AsyncSession, city_id: int, wanted: Collection[Threshold], *, now: datetime | None) -> _Book:
    """Count what the thresholds are about, over the whole city: once for each kind; with `now` what was sold too.

    Of card data, what was sold is the numbers of its HLR: each of them took a unit.
    """
    city = await organisation.city_node(session, city_id)
    tree = [] if city is None else await organisation.subtree(session, city)
    nodes = {node.id: node for node in tree if node.level not in PSEUDO}
    holders = list(nodes)
    free: list[SortCount] = []
    sold: list[SortCount] = []
    for resource in sorted({one.resource for one in wanted}):
        free += await alerts.free_items(session, resource, city_id=city_id, holders=holders)
        if now is None:
            continue
        kind = NUMBER if resource == DATA else KINDS[resource]
        since = now - timedelta(days=HISTORY_DAYS)
        rows = await moved_since(
            session, kind, movements.SALE, "from_holder", city_id=city_id, holders=holders, since=since
        )
        sold += [
            SortCount(row.org_id, resource, "" if resource == DATA else row.sort, row.hlr, row.count) for row in rows
        ]
    return _Book(nodes, free, sold)


def _alert(one: Threshold, book: _Book, minima: Mapping[About, int]) -> Alert:
    shelf = book.shelf(one, one.org_id, one.minimum)
    place = book.nodes[one.org_id]
    if shelf is None or not shelf.low:
        return Alert(place, one, shelf or Shelf(place.code, 0, 0, one.minimum), None, None)
    beside = {node.code: node for node in book.beside(one.org_id)}
    shelves = [book.shelf(one, node.id, minima.get(one.about._replace(org_id=node.id), 0)) for node in beside.values()]
    found = suggest(shelf, [one for one in shelves if one is not None])
    return Alert(place, one, shelf, found, None if found is None else beside[found.place])


def _told(about: About, place: str) -> dict[str, Any]:
    """Return what a threshold is about, for answers and events."""
    return {"place": place, "resource": about.resource, "sort": about.sort, "hlr": about.hlr}


async def _require_sort(session: AsyncSession, caller: Caller, place: Node, wish: ThresholdWish) -> None:
    """Let pass a threshold about something that there can be."""
    if wish.resource not in RESOURCES:
        raise InvalidField(field="resource", value=wish.resource, reason="one of " + ", ".join(RESOURCES))
    if wish.minimum is not None and not 0 <= wish.minimum <= _LARGEST:
        raise InvalidField(field="minimum", value=wish.minimum, reason=f"0 to {_LARGEST}")
    if wish.resource == DATA and place.parent_id is not None:
        raise InvalidField(field="place", value=wish.place, reason="card data lies with the city company, per HLR")
    if wish.resource == DATA and wish.sort not in {"", NUMBERED}:
        raise InvalidField(field="sort", value=wish.sort, reason=f"{NUMBERED}, for data with an ICCID, or nothing")
    if wish.resource == NUMBER.name and wish.sort not in {"", *"0123456789"}:
        raise InvalidField(field="sort", value=wish.sort, reason="a class of numbers, one digit")
    if wish.resource == SIM.name and wish.sort and await catalogue.find_card_kind(session, wish.sort) is None:
        raise NotFound(what="card kind", value=wish.sort)
    if wish.hlr and wish.hlr not in {row.code for row in await catalogue.hlrs_of(session, caller.city_id)}:
        raise NotFound(what="HLR", value=wish.hlr)
