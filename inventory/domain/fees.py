"""The class of a number and what it costs (选号费): rule sets, classification, quotes.

A price is prepayment, return period, minimum monthly spend and commitment; the cash selection fee is 0 unless a city
has opened its compliance switch (REQ-CMP-02). Same input, same answer (REQ-FEE-04).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, NamedTuple

from inventory.domain.channels import Channel
from inventory.domain.errors import InvalidField, RuleSetInvalid
from inventory.domain.feerules import Criterion, Modifier, Outcome, Rule
from inventory.domain.identifiers import NumberKind
from inventory.domain.money import Terms
from inventory.domain.patterns import BLOCK_DIGITS
from inventory.domain.rulefile import NumberClass, RuleDocument, read_rule_document

_NO_RULE: Final = 255
"""In a block's table of winners: no rule matches."""
_MOST_OUTCOMES: Final = 256
"""An outcome travels as one byte."""
_MEMO_DIGITS: Final = 2
"""Endings are kept for rules that read at most this many digits before the last four: 100 contexts, often met again."""


ORDINARY_RULE: Final = "ORDINARY"
"""Stands in a quote where no rule gave the class."""
SIM_PRICE_RULE: Final = "SIM_PRICE"
"""Stands in a quote beside the price of the card, which its kind gives."""


class Classification(NamedTuple):
    """What the rules make of one number, with the trace: every rule, tag and modifier that matched, best first."""

    number_class: int
    winner: str | None
    matches: tuple[str, ...]
    tags: tuple[str, ...]
    modifiers: tuple[str, ...]

    @property
    def outcome(self) -> Outcome:
        """Class and winner, as the rule set's list of outcomes holds them."""
        return Outcome(self.number_class, self.winner)


class RuleSet:
    """A version of the fee rules.

    `outcomes` lists every class and winner the rules can give; a number's outcome travels as one byte, its index in
    the list. The list is part of the document (`to_dict`), so a byte means the same for ever.
    """

    def __init__(self, parts: RuleDocument, document: Mapping[str, Any]) -> None:
        self.version: int = parts.version
        self.ordinary: int = parts.ordinary
        self.classes: Mapping[int, NumberClass] = parts.classes
        self.rules: tuple[Rule, ...] = tuple(
            sorted(
                (rule for rule in parts.rules if rule.enabled), key=lambda rule: (rule.number_class, rule.precedence)
            )
        )
        self.tags: tuple[Criterion, ...] = tuple(
            sorted((tag for tag in parts.tags if tag.enabled), key=lambda tag: tag.precedence)
        )
        self.modifiers: tuple[Modifier, ...] = tuple(modifier for modifier in parts.modifiers if modifier.enabled)
        self.outcomes: tuple[Outcome, ...] = parts.outcomes or self._possible_outcomes()
        self._document = document
        self._codes = {outcome: code for code, outcome in enumerate(self.outcomes)}
        self._memo: dict[tuple[str, str], tuple[int, ...]] = {}
        missing = [outcome for outcome in self._possible_outcomes() if outcome not in self._codes]
        if missing or not len(self._codes) == len(self.outcomes) <= _MOST_OUTCOMES:
            raise RuleSetInvalid(
                field="outcomes", value=missing, reason="every class and winner that can come out, once, at most 256"
            )

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> RuleSet:
        """Read a rule set from its document (parsed JSON).

        Raises
        ------
        RuleSetInvalid
            The document is not a rule set; `field` is the path to what is wrong.
        """
        return cls(read_rule_document(document), document)

    def to_dict(self) -> dict[str, Any]:
        """Give the document to store, with the list of outcomes in it."""
        return {**self._document, "outcomes": [list(outcome) for outcome in self.outcomes]}

    def terms(self, number_class: int) -> Terms:
        """Give what a class asks.

        Raises
        ------
        InvalidField
            The rule set has no such class.
        """
        found = self.classes.get(number_class)
        if found is None:
            raise InvalidField(field="class", value=number_class, reason=f"one of {sorted(self.classes)} is needed")
        return found.terms

    def outcome_code(self, outcome: Outcome) -> int:
        """Give the byte that stands for a class and winner of this rule set."""
        return self._codes[outcome]

    def classify(self, number: str, kind: NumberKind = NumberKind.MOBILE) -> Classification:
        """Give the class of one number with its trace; `number` is the local part for a fixed line.

        Precedence: lowest class, then priority, then code; then the modifiers (REQ-FEE-01).
        """
        found = [rule for rule in self.rules if rule.kind is kind and rule.matches(number)]
        outcome = found[0].outcome if found else Outcome(self.ordinary, None)
        modified: list[str] = []
        for modifier in self.modifiers:
            shifted = modifier.shift(outcome)
            if modifier.kind is kind and shifted != outcome and modifier.matches(number):
                outcome = shifted
                modified.append(modifier.code)
        return Classification(
            outcome.number_class,
            outcome.winner,
            tuple(rule.code for rule in found),
            tuple(tag.code for tag in self.tags if tag.kind is kind and tag.matches(number)),
            tuple(modified),
        )

    def classify_segment(self, prefix: str, kind: NumberKind = NumberKind.MOBILE) -> bytes:
        """Give the outcomes of the 10,000 numbers of a block in number order, one byte each (index into `outcomes`).

        `prefix` is all of the number but its last four digits (for a fixed line without the area code).
        """
        winners = bytearray(self._short_winners[kind])
        for rank, rule in enumerate(self.rules):
            if rule.kind is kind and not rule.is_short:
                for ending in self._endings(rule, prefix):
                    winners[ending] = min(winners[ending], rank)
        codes = bytearray(winners.translate(self._winner_codes))
        for modifier in self.modifiers:
            if modifier.kind is kind:
                shifted = bytes(self._codes.get(modifier.shift(outcome), 0) for outcome in self.outcomes)
                for ending in self._endings(modifier, prefix):
                    codes[ending] = shifted[codes[ending]]
        return bytes(codes)

    @cached_property
    def _short_winners(self) -> Mapping[NumberKind, bytes]:
        """The best rule per ending among those that read only the ending: the same in every block."""
        tables = {kind: bytearray([_NO_RULE]) * 10**BLOCK_DIGITS for kind in NumberKind}
        for rank, rule in reversed(tuple(enumerate(self.rules))):
            if rule.is_short:
                for ending in rule.endings(""):
                    tables[rule.kind][ending] = rank
        return {kind: bytes(table) for kind, table in tables.items()}

    @cached_property
    def _winner_codes(self) -> bytes:
        """Translates a rank in `rules` (or none) into the byte of its outcome before modifiers."""
        table = bytearray([self._codes[Outcome(self.ordinary, None)]]) * (_NO_RULE + 1)
        for rank, rule in enumerate(self.rules):
            table[rank] = self._codes[rule.outcome]
        return bytes(table)

    def _endings(self, criterion: Rule | Modifier, prefix: str) -> tuple[int, ...]:
        """Give the endings that match in a block, kept where many blocks share the digits that are read."""
        decisive = max(criterion.reads, BLOCK_DIGITS) - BLOCK_DIGITS
        if criterion.whole or decisive > _MEMO_DIGITS:
            return tuple(criterion.endings(prefix))
        key = (criterion.code, prefix[len(prefix) - decisive :])
        if key not in self._memo:
            self._memo[key] = tuple(criterion.endings(prefix))
        return self._memo[key]

    def _possible_outcomes(self) -> tuple[Outcome, ...]:
        outcomes = {rule.outcome for rule in self.rules}
        for modifier in self.modifiers:
            outcomes |= {modifier.shift(outcome) for outcome in outcomes}
        return (*sorted(outcomes), Outcome(self.ordinary, None))


class Business(StrEnum):
    """What the customer comes for (REQ-FEE-04)."""

    ACTIVATION = "activation"
    """开户"""
    CHANGE_NUMBER = "change_number"
    """改号"""
    TRANSFER = "transfer"
    """过户: the number keeps its terms; the new owner accepts them, nothing is paid for the number again."""
    REPLACE_SIM = "replace_sim"
    """补卡"""
    SECOND_NUMBER = "second_number"
    """副号: a second number on a card in use; a number is sold, and no card."""


_TERMS: Final = ("cash_fee", "prepay", "return_months", "min_monthly", "commitment_months")
_ELEMENTS: Final[Mapping[Business, tuple[str, ...]]] = {
    Business.ACTIVATION: ("sim_fee", *_TERMS),
    Business.CHANGE_NUMBER: _TERMS,
    Business.TRANSFER: ("min_monthly", "commitment_months"),
    Business.REPLACE_SIM: ("sim_fee",),
    Business.SECOND_NUMBER: _TERMS,
}
_DUE_NOW: Final = frozenset({"sim_fee", "cash_fee", "prepay"})
_UNITS: Final[Mapping[str, str]] = {
    "sim_fee": "fen",
    "cash_fee": "fen",
    "prepay": "fen",
    "min_monthly": "fen",
    "return_months": "month",
    "commitment_months": "month",
}


class FeeElement(NamedTuple):
    """One element of a quote: `amount` in `unit` ("fen" or "month") and the rule that asks for it."""

    code: str
    amount: int
    unit: str
    rule: str


@dataclass(frozen=True)
class Quote:
    """Every fee element of one business with one number, and where it comes from (REQ-FEE-04, REQ-FEE-06).

    `rule` is the code of the rule that gave the class (`ORDINARY` where none did); `due_now` is what is paid at once,
    in fen.
    """

    number: str
    business: Business
    channel: Channel
    number_class: int
    rule: str
    rule_set_version: int
    elements: tuple[FeeElement, ...]
    due_now: int

    def to_dict(self) -> dict[str, Any]:
        """Give the quote as JSON values: what is stored, shown and accepted."""
        return {**vars(self), "elements": [element._asdict() for element in self.elements]}


def quote(
    number: str,
    terms: Terms,
    rule_set_version: int,
    business: Business,
    channel: Channel,
    sim_fee: int,
    *,
    outcome: Outcome,
    cash_fee_allowed: bool = False,
) -> Quote:
    """Give every fee element for a business with a number.

    `outcome` is the number's class and the rule that gave it, `terms` what holds for this number (of its class, or
    changed for it alone), `sim_fee` the price of the card in fen. The cash selection fee is 0 unless `cash_fee_allowed`
    (REQ-CMP-02). The card's fee and the prepayment stand apart from it (REQ-FEE-06).

    Raises
    ------
    InvalidField
        The card's fee is negative.
    """
    if sim_fee < 0:
        raise InvalidField(field="sim_fee", value=sim_fee, reason="an amount of fen from 0 up is needed")
    rule = outcome.winner or ORDINARY_RULE
    amounts = {name: getattr(terms, name) for name in _TERMS} | {"sim_fee": sim_fee}
    if not cash_fee_allowed:
        amounts["cash_fee"] = 0
    elements = tuple(
        FeeElement(code, amounts[code], _UNITS[code], SIM_PRICE_RULE if code == "sim_fee" else rule)
        for code in _ELEMENTS[business]
    )
    return Quote(
        number=number,
        business=business,
        channel=channel,
        number_class=outcome.number_class,
        rule=rule,
        rule_set_version=rule_set_version,
        elements=elements,
        due_now=sum(element.amount for element in elements if element.code in _DUE_NOW),
    )
