"""The one shape of every life cycle: a table of legal moves and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar

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


def joined(usual: Lifecycle[Any, Any], *others: Lifecycle[Any, Any]) -> Lifecycle[Any, Any]:
    """Give the life cycle of a kind of stock of which some sorts live by tables of their own.

    It begins as the usual one. Each state belongs to one of the tables and so tells which one an item lives by; only a
    final state may be of several.
    """
    cycles = (usual, *others)
    return Lifecycle(
        initial=usual.initial,
        entries=usual.entries,
        table={move: target for cycle in cycles for move, target in cycle.table.items()},
        names={state: name for cycle in cycles for state, name in cycle.names.items()},
    )
