"""The one shape of every life cycle: a table of legal moves and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from inventory.domain.errors import IllegalTransition

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


class Name(NamedTuple):
    """What a person reads for a state."""

    zh: str
    en: str


@dataclass(frozen=True)
class Lifecycle(Generic[S, E]):
    """A life cycle as data.

    `table` maps (state, event) to the next state; what is not in it is refused. Where the target of a move depends on
    facts, the facts choose the event, so the table stays a function. `entries` maps the events that bring an item into
    being to its first state; `initial` is the usual one. `names` holds the Chinese and English name of every state.
    """

    initial: S
    table: Mapping[tuple[S, E], S]
    entries: Mapping[E, S]
    names: Mapping[S, Name]

    def advance(self, state: S, event: E) -> S:
        """Give the state after `event`.

        Raises
        ------
        IllegalTransition
            The table has no such move (REQ-NUM-10).
        """
        target = self.table.get((state, event))
        if target is None:
            raise IllegalTransition(state=str(state), event=str(event))
        return target

    def enter(self, event: E) -> S:
        """Give the first state of an item that comes into being by `event`.

        Raises
        ------
        IllegalTransition
            No item begins with this event; `state` is then "NONE".
        """
        target = self.entries.get(event)
        if target is None:
            raise IllegalTransition(state="NONE", event=str(event))
        return target

    @property
    def terminal(self) -> frozenset[S]:
        """The states that nothing leaves."""
        return frozenset(self.names) - {source for (source, _) in self.table}
