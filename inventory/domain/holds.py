"""For how long something is held, and how often that may be extended (REQ-RSV-03, REQ-RSV-04)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from inventory.domain.channels import Channel
from inventory.domain.errors import HoldExtendedTooOften, InvalidField
from inventory.domain.kinds import KINDS, SIM
from inventory.domain.rulefile import HIGHEST_CLASS

MOST_EXTENSIONS: Final = 2
"""A hold is extended at most twice, to at most twice its first duration (N4)."""
_MOST_TIMES_FIRST: Final = 2


class Flow(StrEnum):
    """Which flow a hold serves; each has a duration of its own (REQ-RSV-03)."""

    NORMAL = "normal"
    LONG = "long"
    GROUP_MEMBER = "group_member"
    FIXED_BATCH = "fixed_batch"
    BOOKING_UNPAID = "booking_unpaid"
    BOOKING_APPROVAL = "booking_approval"
    BOOKING_DELIVERY = "booking_delivery"
    BOOKING_PAID = "booking_paid"
    RETENTION = "retention"


@dataclass(frozen=True)
class HoldRule:
    """A duration for the holds that have all the facts named; None stands for any. `seconds` None: no expiry."""

    seconds: int | None
    kind: str | None = None
    channel: Channel | None = None
    flow: Flow | None = None
    number_class: int | None = None

    def __post_init__(self) -> None:
        if self.seconds is not None and self.seconds <= 0:
            raise InvalidField(field="seconds", value=self.seconds, reason="a positive number of seconds is needed")

    @classmethod
    def of(
        cls,
        seconds: int | None,
        *,
        kind: str | None = None,
        channel: str | None = None,
        flow: str | None = None,
        number_class: int | None = None,
    ) -> HoldRule:
        """Read a rule from plain values.

        Raises
        ------
        InvalidField
            There is no such kind, channel, flow or class, or a card is said to have a class.
        """
        _require_one_of("kind", kind, KINDS)
        _require_one_of("channel", channel, list(Channel))
        _require_one_of("flow", flow, list(Flow))
        if number_class is not None and not 0 <= number_class <= HIGHEST_CLASS:
            raise InvalidField(field="number_class", value=number_class, reason=f"0 to {HIGHEST_CLASS}")
        if number_class is not None and kind == SIM.name:
            raise InvalidField(field="number_class", value=number_class, reason="cards have no class")
        return cls(
            seconds,
            kind,
            None if channel is None else Channel(channel),
            None if flow is None else Flow(flow),
            number_class,
        )

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the rule names, by name."""
        return {name: getattr(self, name) for name in _named(self)}

    def same_facts(self, other: HoldRule) -> bool:
        """Tell whether both are about the same holds."""
        return self.facts == other.facts


def _require_one_of(field: str, value: Any, known: Collection[Any]) -> None:
    if value is not None and value not in known:
        raise InvalidField(field=field, value=value, reason=f"one of {', '.join(map(str, known))} is needed")


_FACTS: Final = tuple(field.name for field in fields(HoldRule) if field.name != "seconds")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400

DEFAULT_HOLD_RULES: Final = (
    HoldRule(30 * _MINUTE),
    HoldRule(60 * _MINUTE, channel=Channel.CALL_CENTRE),
    HoldRule(1 * _DAY, channel=Channel.SELF_SERVICE),
    HoldRule(4 * _DAY, channel=Channel.WEB),
    HoldRule(24 * _HOUR, flow=Flow.LONG),
    HoldRule(60 * _MINUTE, flow=Flow.GROUP_MEMBER),
    HoldRule(24 * _HOUR, flow=Flow.FIXED_BATCH),
    HoldRule(7 * _DAY, flow=Flow.BOOKING_UNPAID),
    HoldRule(8 * _DAY, flow=Flow.BOOKING_APPROVAL),
    HoldRule(15 * _DAY, flow=Flow.BOOKING_DELIVERY),
    HoldRule(None, flow=Flow.BOOKING_PAID),
    HoldRule(15 * _DAY, flow=Flow.RETENTION),
)
"""The defaults: hall 30 minutes, and what channels and flows change about it."""


@dataclass(frozen=True)
class HoldPolicy:
    """How long what is held, by resource kind, channel, flow and number class (REQ-RSV-03).

    Of the rules that fit, the one that names most facts decides; among those a flow says more than a class, a class
    more than a kind, a kind more than a channel; then the later rule. The rules must hold one that names nothing.
    """

    rules: Sequence[HoldRule] = DEFAULT_HOLD_RULES

    def __post_init__(self) -> None:
        if not any(_named(rule) == () for rule in self.rules):
            raise InvalidField(field="rules", value=len(self.rules), reason="a rule for everything else is needed")

    @classmethod
    def of_city(cls, rules: Iterable[HoldRule]) -> HoldPolicy:
        """Give the policy of a city that has set these rules: they come after the defaults and say what differs."""
        return cls((*DEFAULT_HOLD_RULES, *rules))

    def rule_for(self, facts: HoldRule) -> HoldRule | None:
        """Return the rule for exactly these facts, or None: then a less exact one decides."""
        return next((rule for rule in reversed(self.rules) if rule.same_facts(facts)), None)

    def duration(
        self, *, kind: str, channel: Channel, flow: Flow = Flow.NORMAL, number_class: int | None = None
    ) -> timedelta | None:
        """Give how long such a hold lasts at first; None is without expiry."""
        facts = {"kind": kind, "channel": channel, "flow": flow, "number_class": number_class}
        fitting = [rule for rule in self.rules if all(getattr(rule, name) == facts[name] for name in _named(rule))]
        best = max(enumerate(fitting), key=lambda placed: (*_weight(placed[1]), placed[0]))[1]
        return None if best.seconds is None else timedelta(seconds=best.seconds)


def _named(rule: HoldRule) -> tuple[str, ...]:
    return tuple(name for name in _FACTS if getattr(rule, name) is not None)


def _weight(rule: HoldRule) -> tuple[int, bool, bool, bool]:
    return (len(_named(rule)), rule.flow is not None, rule.number_class is not None, rule.kind is not None)


DEFAULT_POLICY: Final = HoldPolicy()
"""Of a city that has set nothing."""


def extended_until(
    *, hold: str, created_at: datetime, expires_at: datetime, first: timedelta, extensions: int
) -> datetime:
    """Give the new expiry of a hold: one more first duration, in all never over twice that (N4).

    `hold` is the public id, `first` the duration the hold began with, `extensions` how often it was extended.

    Raises
    ------
    HoldExtendedTooOften
        Two extensions are used up, or the hold lasts twice its first duration already.
    """
    if extensions >= MOST_EXTENSIONS:
        raise HoldExtendedTooOften(hold=hold, reason=f"it was extended {MOST_EXTENSIONS} times")
    until = min(expires_at + first, created_at + _MOST_TIMES_FIRST * first)
    if until <= expires_at:
        raise HoldExtendedTooOften(hold=hold, reason="it lasts twice its first duration already")
    return until
