"""The kinds of stock. Load, issue, recall, hold, release, ledger and audit are written once over this descriptor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from inventory.domain.errors import NotFound
from inventory.domain.lifecycle import (
    NUMBER_LIFECYCLE,
    NUMBER_MOVABLE_DOWN,
    NUMBER_MOVABLE_UP,
    SIM_LIFECYCLE,
    SIM_MOVABLE_DOWN,
    SIM_MOVABLE_UP,
    Lifecycle,
)
from inventory.domain.organisation import NUMBER_LEVELS, SIM_LEVELS, Level


@dataclass(frozen=True)
class ResourceKind:
    """What the generic parts need to know of a kind of stock.

    `table` and `key` name its stock table and the column of its natural key; `events` is the prefix of its event names
    (`number.held`); `identifiers` are the kinds it writes into the registry of identifiers that are unique across
    cities (empty where something else finds its city, as a segment does for a number).
    """

    name: str
    zh: str
    en: str
    table: str
    key: str
    lifecycle: Lifecycle[Any, Any]
    movable_up: frozenset[StrEnum]
    movable_down: frozenset[StrEnum]
    levels: frozenset[Level]
    events: str
    identifiers: tuple[str, ...]


NUMBER = ResourceKind(
    name="number",
    zh="号码",
    en="Number",
    table="number",
    key="number",
    lifecycle=NUMBER_LIFECYCLE,
    movable_up=frozenset(NUMBER_MOVABLE_UP),
    movable_down=frozenset(NUMBER_MOVABLE_DOWN),
    levels=NUMBER_LEVELS,
    events="number",
    identifiers=(),
)

SIM = ResourceKind(
    name="sim",
    zh="SIM卡",
    en="SIM card",
    table="sim",
    key="iccid",
    lifecycle=SIM_LIFECYCLE,
    movable_up=frozenset(SIM_MOVABLE_UP),
    movable_down=frozenset(SIM_MOVABLE_DOWN),
    levels=SIM_LEVELS,
    events="sim",
    identifiers=("iccid", "serial"),
)

KINDS: dict[str, ResourceKind] = {kind.name: kind for kind in (NUMBER, SIM)}
"""Every kind of stock by its name; a new kind is registered here."""


def kind_named(name: str) -> ResourceKind:
    """Give the kind called `name`.

    Raises
    ------
    NotFound
        There is no such kind.
    """
    kind = KINDS.get(name)
    if kind is None:
        raise NotFound(what="kind", value=name)
    return kind
