"""The kinds of stock. Load, issue, recall, hold, release, ledger and audit are written once over this descriptor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from inventory.domain.errors import NotFound
from inventory.domain.identifiers import NumberKind
from inventory.domain.lifecycle import (
    CODE_LIFECYCLE,
    CODE_MOVABLE_UP,
    NUMBER_LIFECYCLE,
    NUMBER_MOVABLE_DOWN,
    NUMBER_MOVABLE_UP,
    NUMBER_PROMISED,
    PORT_LIFECYCLE,
    PORT_MOVABLE_UP,
    SIM_LIFECYCLE,
    SIM_MOVABLE_DOWN,
    SIM_MOVABLE_UP,
    SIM_PROMISED,
    Lifecycle,
    joined,
)
from inventory.domain.organisation import NUMBER_LEVELS, SIM_LEVELS, Level


@dataclass(frozen=True)
class ResourceKind:
    """What the generic parts need to know of a kind of stock.

    `table` and `key` name its stock table and the column of its natural key; `events` is the prefix of its event names
    (`number.held`); `promised` are states that may still end as free stock where the item lies; a `physical` item is
    handed over and counted by hand, any other follows its document at once; `identifiers` are the kinds it writes into
    the registry of identifiers that are unique across cities (empty where something else finds its city, as a segment
    does for a number). `lives` are the life cycles of sorts that no hall sells; `lifecycle` is they and the usual one.
    """

    name: str
    zh: str
    en: str
    table: str
    key: str
    lifecycle: Lifecycle[Any, Any]
    movable_up: frozenset[StrEnum]
    movable_down: frozenset[StrEnum]
    promised: frozenset[StrEnum]
    physical: bool
    levels: frozenset[Level]
    events: str
    identifiers: tuple[str, ...]
    lives: Mapping[str, Lifecycle[Any, Any]] = field(default_factory=dict)

    @property
    def in_hand(self) -> frozenset[StrEnum]:
        """The states of an item that lies with its holder, to be found there when it is physical."""
        return self.movable_up | self.promised


_NOT_SOLD: Mapping[str, Lifecycle[Any, Any]] = {
    NumberKind.SMS_PORT: PORT_LIFECYCLE,
    NumberKind.ACCESS_CODE: CODE_LIFECYCLE,
}
"""REQ-NUM-15, REQ-NUM-16."""

NUMBER = ResourceKind(
    name="number",
    zh="号码",
    en="Number",
    table="number",
    key="number",
    lifecycle=joined(NUMBER_LIFECYCLE, *_NOT_SOLD.values()),
    movable_up=frozenset(NUMBER_MOVABLE_UP | PORT_MOVABLE_UP | CODE_MOVABLE_UP),
    movable_down=frozenset(NUMBER_MOVABLE_DOWN),
    promised=frozenset(NUMBER_PROMISED),
    physical=False,
    levels=NUMBER_LEVELS,
    events="number",
    identifiers=(),
    lives=_NOT_SOLD,
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
    promised=frozenset(SIM_PROMISED),
    physical=True,
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
