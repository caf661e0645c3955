"""What a rule set is made of: rules give a number its class, tags describe it, modifiers shift the class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from inventory.domain.identifiers import NumberKind
from inventory.domain.patterns import BLOCK_DIGITS, Pattern, matches


class Outcome(NamedTuple):
    """What the rules make of a number: its class and the code of the rule that gave it (None: ordinary)."""

    number_class: int
    winner: str | None


@dataclass(frozen=True)
class Criterion:
    """Picks the numbers of `kind` that match `pattern` and none of `unless`; by itself it is a tag for search.

    `whole`: the number has no digit beyond those the pattern reads.
    """

    code: str
    zh: str
    en: str
    kind: NumberKind
    pattern: Pattern
    unless: tuple[Pattern, ...]
    whole: bool
    priority: int
    enabled: bool

    @property
    def reads(self) -> int:
        """How many last digits decide."""
        return max(part.reads for part in (self.pattern, *self.unless))

    def matches(self, number: str) -> bool:
        """Tell whether the rule speaks about this number (digits; a fixed line without its area code)."""
        if self.whole and len(number) != self.pattern.reads:
            return False
        return matches(self.pattern, number) and not any(matches(exclusion, number) for exclusion in self.unless)

    def endings(self, prefix: str) -> Iterator[int]:
        """Give the endings 0..9999 of the block `prefix` that match."""
        length = len(prefix) + BLOCK_DIGITS
        if self.pattern.reads > length or (self.whole and self.pattern.reads != length):
            return
        before = prefix[length - max(self.pattern.reads, BLOCK_DIGITS) :]
        for ending in self.pattern.endings(before):
            if not any(matches(exclusion, f"{prefix}{ending:04d}") for exclusion in self.unless):
                yield ending

    @property
    def is_short(self) -> bool:
        """Whether the last four digits decide, so that every block has the same endings."""
        return self.reads <= BLOCK_DIGITS and not self.whole

    @property
    def precedence(self) -> tuple[int, str]:
        """The order among criteria: lowest priority first, then the code."""
        return self.priority, self.code


@dataclass(frozen=True)
class Rule(Criterion):
    """Gives its numbers a class; of the rules that match, the lowest class wins, then precedence decides."""

    number_class: int

    @property
    def outcome(self) -> Outcome:
        """What the rule makes of a number, before modifiers."""
        return Outcome(self.number_class, self.code)


@dataclass(frozen=True)
class Modifier(Criterion):
    """Shifts the class of its numbers by `add`, where the class is one of `classes` and no spared rule won."""

    add: int
    classes: frozenset[int]
    spares: frozenset[str]

    def shift(self, outcome: Outcome) -> Outcome:
        """Give what becomes of an outcome when the number matches."""
        if outcome.number_class not in self.classes or outcome.winner in self.spares:
            return outcome
        return Outcome(outcome.number_class + self.add, outcome.winner)
