"""Bring what people and scanners call an item into its one normal form."""

from __future__ import annotations

from typing import assert_never

from inventory.domain.errors import InvalidField
from inventory.domain.identifiers import NUMBER_FORMS, parse_chip_serial, parse_iccid, parse_number
from inventory.domain.kinds import NUMBER, ResourceKind
from inventory.store.selection import ByCount, ByName, ByRange, Selection

_ICCID_ISSUERS = ("89", "98")


def item_name(kind: ResourceKind, value: str) -> str:
    """Return the normal form of an item's name: of a number any of its kinds, of a card ICCID or chip serial.

    Raises
    ------
    InvalidIdentifier
        It has the form of none.
    """
    if kind is NUMBER:
        fitting = (sort for sort, form in NUMBER_FORMS.items() if form.pattern.fullmatch(value.strip()))
        sort = next(fitting, None)
        return parse_number(value) if sort is None else parse_number(value, sort)
    if value.strip().startswith(_ICCID_ISSUERS):
        return parse_iccid(value).iccid
    return parse_chip_serial(value)


def in_normal_form(kind: ResourceKind, selection: Selection) -> Selection:
    """Return the selection with its names in normal form, each once.

    Raises
    ------
    InvalidField
        It selects nothing.
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
            lowest, highest = item_name(kind, first), item_name(kind, last)
            if lowest > highest:
                raise InvalidField(field="range", value=f"{first}-{last}", reason="the first comes before the last")
            return ByRange(lowest, highest)
        case ByCount(count):
            if count < 1:
                raise InvalidField(field="count", value=count, reason="at least 1")
            return selection
        case _:
            assert_never(selection)
