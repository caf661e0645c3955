"""The items of a kind that meet conditions, in the order of their item numbers."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, not_, null, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.kinds import NUMBER, ResourceKind
from inventory.store.movements import brought_by
from inventory.store.schema import CardKind
from inventory.store.stock import key_columns, name_column, stock_table
from inventory.store.streams import Stream, in_batches

_AFTER_ALL = "~"
"""Comes after every character of a name, byte by byte."""
_WILD = re.compile(r"[?*]")


@dataclass(frozen=True, kw_only=True)
class ItemFilter:
    """Conditions that all hold; None and the empty tuple ask for nothing.

    `name` is how a name begins, or with `?` (one character) and `*` (any run) what all of it looks like. `first` and
    `last` are included, and with `by_serial` chip serials. `sorts` are card products or kinds of number
    (`sort_column`). A number begins as `segment` and as one of `segments`.
    """

    holders: Collection[int]
    name: str | None = None
    first: str | None = None
    last: str | None = None
    by_serial: bool = False
    states: Sequence[str] = ()
    sorts: Sequence[str] | None = None
    classes: Sequence[int] = ()
    segment: str | None = None
    segments: Sequence[str] = ()
    hlr: str | None = None
    batch_id: int | None = None
    on_the_way: bool | None = None
    legal_hold: bool | None = None


@dataclass(frozen=True)
class ListedItem:
    """An item as a list shows it; `cls` is a number's class, `serial` a card's chip serial."""

    item_no: int
    name: str
    state: str
    holder_id: int
    sort: str
    cls: int | None
    serial: str | None
    hlr: str | None
    pool: str | None
    batch_id: int
    transit_id: int | None
    legal_hold: bool
    hold_until: datetime | None
    updated_at: datetime


async def list_items(
    session: AsyncSession, kind: ResourceKind, wanted: ItemFilter, *, city_id: int, after: int, limit: int
) -> list[ListedItem]:
    """Return the first `limit` of the items that lie behind item number `after`."""
    query = _query(kind, wanted, city_id=city_id).where(stock_table(kind).c.item_no > after).limit(limit)
    return [ListedItem(*row) for row in await session.execute(query)]


def stream_items(session: AsyncSession, kind: ResourceKind, wanted: ItemFilter, *, city_id: int) -> Stream[ListedItem]:
    """Give all of the items, batch by batch."""
    return in_batches(session, _query(kind, wanted, city_id=city_id), ListedItem)


def sort_column(kind: ResourceKind) -> ColumnElement[str]:
    """Give the column that tells sorts of a kind apart (REQ-SIM-13): kind of number, card product."""
    return stock_table(kind).c["kind" if kind is NUMBER else "kind_code"]


async def card_kinds_with(session: AsyncSession, capability: str) -> list[str]:
    """Return the codes of the card products that can do something, such as `5G` (REQ-SIM-14)."""
    return list(await session.scalars(select(CardKind.code).where(CardKind.capabilities.contains([capability]))))


def _query(kind: ResourceKind, wanted: ItemFilter, *, city_id: int) -> Select[Any]:
    """Give the statement that lists the items."""
    c = stock_table(kind).c
    nothing = null()
    columns = (
        c.item_no, name_column(kind), c.state, c.holder_id, sort_column(kind), c.get("cls", nothing),
        c.get("serial", nothing), c.hlr_code, c.pool, c.batch_id, c.transit_id, c.legal_hold, c.hold_until,
        c.updated_at,
    )  # fmt: skip
    return select(*columns).where(*_conditions(kind, wanted, city_id=city_id)).order_by(c.item_no)


def _conditions(kind: ResourceKind, wanted: ItemFilter, *, city_id: int) -> list[ColumnElement[bool]]:
    c = stock_table(kind).c
    found = [c.city_id == city_id, c.holder_id.in_(wanted.holders), *_named(kind, wanted)]
    if wanted.states:
        found.append(c.state.in_(wanted.states))
    if wanted.sorts is not None:
        found.append(sort_column(kind).in_(wanted.sorts))
    if wanted.classes:
        found.append(c.cls.in_(wanted.classes))
    if wanted.hlr:
        found.append(c.hlr_code == wanted.hlr)
    if wanted.batch_id is not None:
        first, last = brought_by(city_id=city_id, batch_id=wanted.batch_id)
        found += [c.batch_id == wanted.batch_id, c.item_no.between(first, last)]
    if wanted.on_the_way is not None:
        found.append(c.transit_id.is_not(None) if wanted.on_the_way else c.transit_id.is_(None))
    if wanted.legal_hold is not None:
        found.append(c.legal_hold if wanted.legal_hold else not_(c.legal_hold))
    return found


def _named(kind: ResourceKind, wanted: ItemFilter) -> list[ColumnElement[bool]]:
    """Give the conditions on names."""
    keys = key_columns(kind)
    key, between = keys[0], keys[1 if wanted.by_serial else 0]
    found: list[ColumnElement[bool]] = []
    if wanted.name:
        found.append(or_(*(_looks_like(column, wanted.name) for column in keys)))
    if wanted.segment:
        found.append(_looks_like(key, wanted.segment))
    if wanted.segments:
        found.append(or_(*(_looks_like(key, segment) for segment in wanted.segments)))
    if wanted.first:
        found.append(between >= wanted.first)
    if wanted.last:
        found.append(between <= wanted.last)
    return found


def _looks_like(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Give the condition on a name; what it begins with is said as a range, which an index can walk."""
    start = _WILD.split(name, maxsplit=1)[0]
    begins = and_(column >= start, column < start + _AFTER_ALL)
    if start == name:
        return begins
    like = column.like(name.replace("?", "_").replace("*", "%"))
    return and_(begins, like) if start else like
