"""Find items: lists of a kind by what they are called, where they lie, how they are and what they are (REQ-QRY-01)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import InvalidField, NotFound, OutsideScope
from inventory.domain.identifiers import format_public_id, parse_public_id
from inventory.domain.kinds import NUMBER, SIM, ResourceKind, kind_named
from inventory.services.custody import node_of_city
from inventory.services.selecting import is_serial, item_name
from inventory.services.stations import reach
from inventory.store import items, organisation, segments
from inventory.store.crossing import NO_LOAD
from inventory.store.items import ItemFilter, ListedItem
from inventory.store.organisation import Node

_PATTERN = re.compile(r"[0-9A-F?*]{1,40}")
_PREFIX = re.compile(r"[0-9]{1,20}")
_NO_SUCH_LOAD = -1


@dataclass(frozen=True, kw_only=True)
class ItemQuery:
    """What is asked for; every part that is given must hold.

    `place` is the code of an organisation: what lies there and below, with `itself` there alone. `name` is the
    beginning of a name, or a pattern of the whole with `?` and `*`. `sort` is a card product or a kind of number,
    `batch` a load's id such as `b-530700-12`; `capability` asks cards; `number_class`, `segment` and `group` (号群) ask
    numbers.
    """

    resource: str
    place: str | None = None
    itself: bool = False
    name: str | None = None
    first: str | None = None
    last: str | None = None
    states: tuple[str, ...] = ()
    sort: str | None = None
    number_class: int | None = None
    segment: str | None = None
    group: str | None = None
    hlr: str | None = None
    batch: str | None = None
    capability: str | None = None
    on_the_way: bool | None = None
    legal_hold: bool | None = None


@dataclass(frozen=True)
class ItemPage:
    """Items in the order of their numbers, the nodes that hold them by id; `next_after` asks for the page behind."""

    kind: ResourceKind
    items: list[ListedItem]
    holders: Mapping[int, Node]
    next_after: int | None


async def read_items(
    session: AsyncSession, caller: Caller, query: ItemQuery, *, after: int = -1, limit: int = 100
) -> ItemPage:
    """Return a page of the items of the caller's part that the query asks for (REQ-QRY-01).

    Raises
    ------
    InvalidField, InvalidIdentifier
        A part of the query has a value that cannot be, or asks what the kind does not have.
    NotFound
        There is no such kind of stock, or group of segments.
    OrganisationUnknown, OutsideScope
        The place does not exist in the city, or is elsewhere.
    """
    kind = kind_named(query.resource)
    async with session.begin():
        wanted = await compile_query(session, caller, kind, query)
        found = await items.list_items(session, kind, wanted, city_id=caller.city_id, after=after, limit=limit)
        holders = await organisation.by_ids(session, {item.holder_id for item in found})
    return ItemPage(kind, found, holders, found[-1].item_no if len(found) == limit else None)


def load_of(item: ListedItem, *, city_id: int) -> str:
    """Give the id of the load that brought an item; empty for what came from another city."""
    return load_name(item.batch_id, city_id=city_id)


def load_name(batch_id: int, *, city_id: int) -> str:
    """Give the id of a load; empty for `NO_LOAD`."""
    return "" if batch_id == NO_LOAD else format_public_id("b", city_id, batch_id)


async def compile_query(session: AsyncSession, caller: Caller, kind: ResourceKind, query: ItemQuery) -> ItemFilter:
    """Return the conditions that the query stands for, bounded to the caller's part; raises as `read_items`."""
    first, last = (name and item_name(kind, name) for name in (query.first, query.last))
    wanted = ItemFilter(
        holders=await _holders(session, caller, query),
        name=_pattern(query.name),
        first=first,
        last=last,
        by_serial=any(name and is_serial(kind, name) for name in (first, last)),
        states=_states(kind, query.states),
        sorts=None if query.sort is None else (query.sort,),
        classes=() if query.number_class is None else (query.number_class,),
        segment=query.segment,
        segments=() if query.group is None else await _segments_of(session, caller, query.group),
        hlr=query.hlr,
        batch_id=_batch(caller, query.batch),
        on_the_way=query.on_the_way,
        legal_hold=query.legal_hold,
    )
    if kind is not NUMBER:
        _require_none("number_class", query.number_class, of=NUMBER)
        _require_none("segment", query.segment, of=NUMBER)
        _require_none("group", query.group, of=NUMBER)
    if query.segment is not None and _PREFIX.fullmatch(query.segment) is None:
        raise InvalidField(field="segment", value=query.segment, reason="the digits that its numbers begin with")
    if query.capability is None:
        return wanted
    if kind is not SIM:
        _require_none("capability", query.capability, of=SIM)
    able = await items.card_kinds_with(session, query.capability)
    return replace(wanted, sorts=able if query.sort is None else sorted({query.sort} & set(able)))


async def _segments_of(session: AsyncSession, caller: Caller, group: str) -> list[str]:
    """Return the segments of the city's group (REQ-NUM-12)."""
    found = await segments.prefixes_of_group(session, city_id=caller.city_id, name=group)
    if not found:
        raise NotFound(what="segment group", value=group)
    return found


async def _holders(session: AsyncSession, caller: Caller, query: ItemQuery) -> frozenset[int]:
    """Return whose items are asked for, within the caller's reach: a clerk also looks at what its hall has."""
    within = await reach(session, caller)
    if query.place is None:
        return frozenset({caller.org_id}) if query.itself else within
    node = await node_of_city(session, caller, query.place)
    if node.id not in within:
        raise OutsideScope(what=node.code)
    if query.itself:
        return frozenset({node.id})
    return within & {below.id for below in await organisation.subtree(session, node)}


def _pattern(name: str | None) -> str | None:
    if not name:
        return None
    signs = "".join(sign for sign in name.upper() if sign not in " -\t")
    if _PATTERN.fullmatch(signs) is None:
        raise InvalidField(field="name", value=name, reason="characters 0-9 A-F, ? for any one, * for any run")
    return signs


def _states(kind: ResourceKind, states: tuple[str, ...]) -> tuple[str, ...]:
    known = {str(state) for state in kind.lifecycle.names}
    for state in states:
        if state not in known:
            raise InvalidField(field="state", value=state, reason="one of " + ", ".join(sorted(known)))
    return states


def _batch(caller: Caller, batch: str | None) -> int | None:
    """Return the number of a load; that of another city is none of ours, and no item has it."""
    if batch is None:
        return None
    wanted = parse_public_id(batch, "b", field="batch")
    return wanted.serial if wanted.city_id == caller.city_id else _NO_SUCH_LOAD


def _require_none(field: str, value: object, *, of: ResourceKind) -> None:
    if value is not None:
        raise InvalidField(field=field, value=value, reason=f"only items of the kind {of.name} have it")
