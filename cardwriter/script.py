"""Scripts: the only thing that travels from the service (which knows) to the station (which has hands).

A script is an ordered list of APDUs with the status words that let it go on. The station runs it step by step and
reports raw results; it never judges. The wire form is JSON with bytes as lower-case hex.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SW_DIGITS = 4
_LONGEST_NAME = 200
_HEX = "0123456789abcdef"


class ScriptError(ValueError):
    """A script or report on the wire is not well formed."""


def is_name(value: object) -> bool:
    """Whether the value from the wire can be a name or id: a text of 1 to 200 printable characters."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and value.isprintable()


def status_word(digits: object) -> int:
    """Read a status word from the wire: four lower-case hex digits.

    Raises
    ------
    ScriptError
        It is something else.
    """
    if not isinstance(digits, str) or len(digits) != _SW_DIGITS or any(c not in _HEX for c in digits):
        raise ScriptError("status word is not four hex digits")
    return int(digits, 16)


def _name(value: object) -> str:
    if not is_name(value):
        raise ScriptError("name is not a short printable text")
    return str(value)


def _flag(value: object) -> bool:
    """Read a flag that decides what is hidden, journaled or believed: nothing but true and false will do."""
    if not isinstance(value, bool):
        raise ScriptError("flag is neither true nor false")
    return value


class Purpose(enum.StrEnum):
    """Why a script is run."""

    IDENTIFY = "identify"
    WRITE = "write"
    VERIFY = "verify"


class Otherwise(enum.StrEnum):
    """What the station does when a status word is not among the expected ones."""

    STOP = "stop"
    CONTINUE = "continue"


class Outcome(enum.StrEnum):
    """How the run of a script ended, as the station saw it; the verdict is the service's."""

    COMPLETED = "completed"
    """Every step ran (with `Otherwise.CONTINUE` steps allowed to miss their expectation)."""
    STOPPED = "stopped"
    """A step answered an unexpected status word; the last result is that step's."""
    LOST = "lost"
    """The card or reader went away in the middle; `Report.error` names the driver's error."""
    REFUSED = "refused"
    """Nothing was sent: another card, expired script, forbidden command; `Report.error` says which."""
    CANCELLED = "cancelled"
    """Stopped on request before a card-changing step."""


@dataclass(frozen=True)
class SwMask:
    """A status word with wildcards: four hex digits where `x` matches any digit, such as `61xx` or `63cx`."""

    pattern: str
    _bits: int = field(init=False, repr=False, compare=False)
    _value: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse a pattern that is not four hex digits or `x`.

        Raises
        ------
        ScriptError
            The pattern is malformed.
        """
        if len(self.pattern) != _SW_DIGITS or any(c not in _HEX + "x" for c in self.pattern):
            raise ScriptError(f"status word mask {self.pattern!r} is not four hex digits or 'x'")
        bits = "".join("0" if digit == "x" else "f" for digit in self.pattern)
        object.__setattr__(self, "_bits", int(bits, 16))
        object.__setattr__(self, "_value", int(self.pattern.replace("x", "0"), 16))

    def matches(self, sw: int) -> bool:
        """Whether the status word fits the mask."""
        return sw & self._bits == self._value


OK = (SwMask("9000"), SwMask("91xx"))
"""Success, or success with a proactive command waiting (TS 102 221 §10.2.1.1)."""
TRANSIENT = (SwMask("6fxx"), SwMask("64xx"))
"""No diagnosis, or an execution error (TS 102 221 §10.2.1): says nothing about files or keys, ask again."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command for the card.

    `apdu` is the whole command APDU including Le where the case has one; the driver follows 61xx/6Cxx itself.
    `returns` asks for the response data in the report; `secret` keeps the command's and the answer's data out of
    every journal, trace and log; `changes_card` marks what must be journaled before it is sent.
    """

    name: str
    apdu: bytes = field(repr=False)
    expect: tuple[SwMask, ...] = OK
    otherwise: Otherwise = Otherwise.STOP
    returns: bool = False
    secret: bool = False
    changes_card: bool = False

    def expects(self, sw: int) -> bool:
        """Whether the status word lets the script go on as planned."""
        return any(mask.matches(sw) for mask in self.expect)

    def to_wire(self) -> dict[str, Any]:
        """Return the step as JSON-ready values."""
        return {
            "name": self.name,
            "apdu": self.apdu.hex(),
            "expect": [mask.pattern for mask in self.expect],
            "otherwise": self.otherwise.value,
            "returns": self.returns,
            "secret": self.secret,
            "changes_card": self.changes_card,
        }

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Self:
        """Build a step from its wire form.

        Raises
        ------
        ScriptError
            A field is missing or malformed.
        """
        try:
            return cls(
                name=_name(wire["name"]),
                apdu=bytes.fromhex(wire["apdu"]),
                expect=tuple(SwMask(pattern) for pattern in wire["expect"]),
                otherwise=Otherwise(wire["otherwise"]),
                returns=_flag(wire["returns"]),
                secret=_flag(wire["secret"]),
                changes_card=_flag(wire["changes_card"]),
            )
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            raise ScriptError(f"malformed step: {type(error).__name__}") from None


@dataclass(frozen=True, kw_only=True)
class Script:
    """Commands for one card: `card` is the hex of EF.ICCID as read (10 bytes) that must still be in the reader.

    A card that gets its ICCID in the hall is named by `serial` instead, the hex of its chip serial as read. Both are
    None only for `Purpose.IDENTIFY`, which is read-only by rule. `expires_at` is UTC seconds since the epoch;
    a station refuses to start a script after it.
    """

    id: str
    purpose: Purpose
    card: str | None
    steps: tuple[Step, ...]
    expires_at: int
    serial: str | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return the script as JSON-ready values."""
        return {
            "id": self.id,
            "purpose": self.purpose.value,
            "card": self.card,
            "serial": self.serial,
            "expires_at": self.expires_at,
            "steps": [step.to_wire() for step in self.steps],
        }

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Self:
        """Build a script from its wire form.

        Raises
        ------
        ScriptError
            A field is missing or malformed, or an identify script changes the card.
        """
        try:
            script = cls(
                id=_name(wire["id"]),
                purpose=Purpose(wire["purpose"]),
                card=wire["card"],
                serial=wire.get("serial"),
                expires_at=int(wire["expires_at"]),
                steps=tuple(Step.from_wire(step) for step in wire["steps"]),
            )
        except ScriptError:
            raise
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            raise ScriptError(f"malformed script: {type(error).__name__}") from None
        if script.purpose is Purpose.IDENTIFY and any(step.changes_card for step in script.steps):
            raise ScriptError("an identify script may not change the card")
        return script


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """What one step answered; `data` is empty unless the step asked for it."""

    name: str
    sw: int
    data: bytes = field(default=b"", repr=False)

    def to_wire(self) -> dict[str, Any]:
        """Return the result as JSON-ready values."""
        return {"name": self.name, "sw": f"{self.sw:04x}", "data": self.data.hex()}

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Self:
        """Build a result from its wire form.

        Raises
        ------
        ScriptError
            A field is missing or malformed.
        """
        try:
            return cls(name=_name(wire["name"]), sw=status_word(wire["sw"]), data=bytes.fromhex(wire["data"]))
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            raise ScriptError(f"malformed result: {type(error).__name__}") from None


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a station says about one run: raw results in step order, nothing judged.

    `atr` is the card's answer to reset; `error` is a driver error code (`card_removed`, `reader_lost` …) when the run
    did not complete. `changed` is False only when the journal proves that no card-changing step was sent.
    """

    script_id: str
    outcome: Outcome
    results: tuple[StepResult, ...]
    atr: bytes = b""
    error: str | None = None
    changed: bool = True

    def result(self, name: str) -> StepResult | None:
        """Return the last result of the step with this name, or None if it did not run."""
        return next((result for result in reversed(self.results) if result.name == name), None)

    def to_wire(self) -> dict[str, Any]:
        """Return the report as JSON-ready values."""
        return {
            "script_id": self.script_id,
            "outcome": self.outcome.value,
            "results": [result.to_wire() for result in self.results],
            "atr": self.atr.hex(),
            "error": self.error,
            "changed": self.changed,
        }

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Self:
        """Build a report from its wire form.

        Raises
        ------
        ScriptError
            A field is missing or malformed.
        """
        try:
            results: Sequence[Mapping[str, Any]] = wire["results"]
            return cls(
                script_id=_name(wire["script_id"]),
                outcome=Outcome(wire["outcome"]),
                results=tuple(StepResult.from_wire(result) for result in results),
                atr=bytes.fromhex(wire["atr"]),
                error=None if wire["error"] is None else _name(wire["error"]),
                changed=_flag(wire["changed"]),
            )
        except ScriptError:
            raise
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            raise ScriptError(f"malformed report: {type(error).__name__}") from None
