"""Bring what people and scanners call items into one normal form: names, ranges, boxes, loads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, assert_never

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.boxes import Range, parse_box_code
from inventory.domain.errors import BoxNotSealed, InvalidField, NotFound, NothingOfLoad
from inventory.domain.identifiers import parse_any_number, parse_chip_serial, parse_iccid, parse_public_id
from inventory.domain.kinds import NUMBER, SIM, ResourceKind
from inventory.domain.lifecycle import BoxState
from inventory.store import boxes, custody, loads
from inventory.store.ends import bare
from inventory.store.selection import (
    ByBatch,
    ByBox,
    ByCount,
    ByItems,
    ByName,
    ByRange,
    ByRecall,
    ByScan,
    Meant,
    Selection,
    Wished,
)

_ICCID_BEGINS = re.compile(r"(?:89|98)(?!.{14}\Z)", re.DOTALL)
"""An ICCID begins so, read in order or swapped; what has 16 characters is a chip serial whatever it begins with."""
_KEPT = re.compile(r"(~(?:[0-9]{1,5}|m[0-9]{1,19})~)(.+)", re.ASCII)
"""The name of a card that was given back, or went to another city (`store.ends.GIVEN_BACK`, `store.crossing.mark`)."""


def item_name(kind: ResourceKind, value: str) -> str:
    """Return the normal form of an item's name: of a number any of its kinds, of a card ICCID or chip serial.

    Raises
    ------
    InvalidIdentifier
        It has the form of none.
    """
    if kind is NUMBER:
        return parse_any_number(value)
    kept = _KEPT.fullmatch(value.strip())
    mark, name = ("", value) if kept is None else kept.groups()
    if _ICCID_BEGINS.match(name.strip()):
        return mark + parse_iccid(name).iccid
    return mark + parse_chip_serial(name)


def in_normal_form(kind: ResourceKind, selection: Selection) -> Selection:
    """Return the selection with its names in normal form, each once.

    Raises
    ------
    InvalidField
        It selects nothing, or asks for a class of what has none.
    InvalidIdentifier
        A name has the form of no item.
    """
    match selection:
        case ByName(names):
            normal = dict.fromkeys(item_name(kind, name) for name in names)
            if not normal:
                raise InvalidField(field="items", value=[], reason="name at least one item")
            return ByName(tuple(normal))
        case ByRange(first, last):
            return _range_of(kind, item_name(kind, first), item_name(kind, last))
        case ByCount(count, _, number_class):
            if count < 1:
                raise InvalidField(field="count", value=count, reason="at least 1")
            if number_class is not None and kind is not NUMBER:
                raise InvalidField(field="number_class", value=number_class, reason="only numbers have a class")
            return selection
        case ByItems() | ByRecall() | ByScan():
            return selection
        case _:
            assert_never(selection)


def is_serial(kind: ResourceKind, name: str) -> bool:
    """Whether a name in normal form is the chip serial of a card."""
    return kind is SIM and _ICCID_BEGINS.match(bare(name)) is None


def _range_of(kind: ResourceKind, lowest: str, highest: str) -> ByRange:
    """Return the range between two names in normal form; of cards between two ICCIDs or between two chip serials."""
    by_serial = [is_serial(kind, name) for name in (lowest, highest)]
    shown = f"{lowest}-{highest}"
    if any(by_serial) and (not all(by_serial) or len(lowest) != len(highest)):
        reason = "both are ICCIDs, or both chip serials of the same length"
        raise InvalidField(field="range", value=shown, reason=reason)
    if lowest > highest:
        raise InvalidField(field="range", value=shown, reason="the first comes before the last")
    return ByRange(lowest, highest, all(by_serial))


async def resolved(
    session: AsyncSession,
    kind: ResourceKind,
    wished: Wished,
    *,
    city_id: int,
    holder_id: int | None = None,
    movement_id: int | None = None,
) -> Selection:
    """Return the selection in normal form, boxes and loads as the items in them, in the open transaction.

    A load stands for what of it lies with the holder, or is on its way by the document.

    Raises
    ------
    BoxNotSealed
        As `in_boxes`.
    InvalidField, InvalidIdentifier
        As `in_normal_form`.
    NotFound
        The city has no such box or load of this kind.
    NothingOfLoad
        Nothing of the load is there.
    """
    match wished:
        case ByBox(codes):
            return await in_boxes(session, kind, codes, city_id=city_id)
        case ByBatch(load):
            batch_id = await _load_of(session, kind, load, city_id=city_id)
            ranges = await custody.of_load(
                session, kind, city_id=city_id, batch_id=batch_id, holder_id=holder_id, movement_id=movement_id
            )
            if not ranges:
                raise NothingOfLoad(load=load)
            return ByItems(tuple(ranges))
        case _:
            return in_normal_form(kind, wished)


async def _load_of(session: AsyncSession, kind: ResourceKind, load: str, *, city_id: int) -> int:
    """Return the number of a load of the city that brought items of the kind."""
    wanted = parse_public_id(load, "b", field="batch")
    batch = None
    if wanted.city_id == city_id:
        batch = await loads.find_batch(session, city_id=city_id, batch_id=wanted.serial)
    if batch is None or batch.resource != kind.name:
        raise NotFound(what="load", value=load)
    return batch.batch_id


def kept_selection(kept: Mapping[str, Any]) -> Meant:
    """Read the selection of an act as an approval keeps it."""
    if "load" in kept:
        return ByBatch(kept["load"])
    if "codes" in kept:
        return ByBox(tuple(kept["codes"]))
    return ByName(tuple(kept["names"])) if "names" in kept else ByRange(kept["first"], kept["last"])


def each_box(codes: Iterable[str]) -> list[str]:
    """Return the codes of boxes in their form, each once.

    Raises
    ------
    InvalidIdentifier
        A code has another form.
    """
    return list(dict.fromkeys(parse_box_code(code) for code in codes))


async def in_boxes(session: AsyncSession, kind: ResourceKind, codes: Sequence[str], *, city_id: int) -> ByItems:
    """Return everything in the boxes, in the open transaction.

    Raises
    ------
    BoxNotSealed
        A box is open, or inside another sealed one: only what a seal holds together goes as one.
    InvalidField, InvalidIdentifier
        No box is named, or a code has another form.
    NotFound
        The city has no such box of this kind.
    """
    if not codes:
        raise InvalidField(field="boxes", value=[], reason="name at least one box")
    ranges: list[Range] = []
    for code in each_box(codes):
        row = await boxes.find(session, city_id=city_id, code=code)
        if row is None or row.resource != kind.name:
            raise NotFound(what="box", value=code)
        if row.state != BoxState.SEALED:
            raise BoxNotSealed(box=row.code, reason="its seal is broken")
        around = next((box for box in await boxes.above(session, row) if box.state == BoxState.SEALED), None)
        if around is not None:
            raise BoxNotSealed(box=row.code, reason=f"it is inside box {around.code}")
        ranges += await boxes.ranges_of(session, row)
    return ByItems(tuple(ranges))
