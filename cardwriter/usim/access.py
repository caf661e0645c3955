"""Access rules in expanded format, the records of EF.ARR (TS 102 221 §9.2.4, ISO/IEC 7816-4)."""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cardwriter.usim import tlv
from cardwriter.usim.bcd import CodecError

_MODE, _INSTRUCTIONS = 0x80, 0x84
_ALWAYS, _NEVER, _CREDENTIAL, _ANY_OF, _ALL_OF = 0x90, 0x97, 0xA4, 0xA0, 0xAF
_KEY_REFERENCE, _USAGE = 0x83, 0x95
_USER_AUTHENTICATION = b"\x08"


class Access(enum.IntFlag):
    """Access mode byte of an EF (TS 102 221 §9.2.4, ISO/IEC 7816-4 table 16)."""

    READ = 0x01
    UPDATE = 0x02
    WRITE = 0x04
    DEACTIVATE = 0x08
    ACTIVATE = 0x10
    TERMINATE = 0x20
    DELETE = 0x40


@dataclass(frozen=True)
class Always:
    """No condition."""


@dataclass(frozen=True)
class Never:
    """Nobody may."""


@dataclass(frozen=True)
class Key:
    """The PIN or ADM with this key reference must be verified (TS 102 221 §9.5.1)."""

    reference: int


@dataclass(frozen=True)
class AnyOf:
    """One of the conditions is enough."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class AllOf:
    """All conditions must hold."""

    conditions: tuple[Condition, ...]


Condition = Always | Never | Key | AnyOf | AllOf


@dataclass(frozen=True)
class Rule:
    """One access mode with its condition; `instructions` names commands by INS where no mode bit exists."""

    access: Access
    condition: Condition
    instructions: bytes = b""


def encode_rules(rules: Sequence[Rule]) -> bytes:
    """Return one record of EF.ARR, without padding."""
    return b"".join(_encode_mode(rule) + _encode_condition(rule.condition) for rule in rules)


def _encode_mode(rule: Rule) -> bytes:
    if rule.instructions:
        return tlv.encode(_INSTRUCTIONS, rule.instructions)
    return tlv.encode(_MODE, bytes([rule.access]))


def _encode_condition(condition: Condition) -> bytes:
    match condition:
        case Always():
            return tlv.encode(_ALWAYS, b"")
        case Never():
            return tlv.encode(_NEVER, b"")
        case Key(reference):
            template = tlv.encode(_KEY_REFERENCE, bytes([reference])) + tlv.encode(_USAGE, _USER_AUTHENTICATION)
            return tlv.encode(_CREDENTIAL, template)
        case AnyOf(conditions):
            return tlv.encode(_ANY_OF, b"".join(map(_encode_condition, conditions)))
        case _:
            return tlv.encode(_ALL_OF, b"".join(map(_encode_condition, condition.conditions)))


def decode_rules(record: bytes) -> tuple[Rule, ...]:
    """Return the rules of one record of EF.ARR.

    Raises
    ------
    CodecError
        The record is not pairs of access mode and condition, or a condition is of no known kind.
    """
    objects = tlv.parse(record)
    if len(objects) % 2:
        raise CodecError("an access mode has no condition")
    rules = []
    for mode, condition in zip(objects[::2], objects[1::2], strict=True):
        if mode.tag == _MODE and mode.value:
            rules.append(Rule(Access(mode.value[0]), _decode_condition(condition)))
        elif mode.tag == _INSTRUCTIONS:
            rules.append(Rule(Access(0), _decode_condition(condition), mode.value))
        else:
            raise CodecError(f"unknown access mode {mode.tag:02x}")
    return tuple(rules)


def _decode_condition(found: tlv.Tlv) -> Condition:
    if found.tag == _ALWAYS:
        return Always()
    if found.tag == _NEVER:
        return Never()
    if found.tag == _ANY_OF:
        return AnyOf(tuple(map(_decode_condition, tlv.parse(found.value))))
    if found.tag == _ALL_OF:
        return AllOf(tuple(map(_decode_condition, tlv.parse(found.value))))
    reference = tlv.first(tlv.parse(found.value), _KEY_REFERENCE) if found.tag == _CREDENTIAL else None
    if not reference:
        raise CodecError(f"unknown security condition {found.tag:02x}")
    return Key(reference[0])


def allows(rules: Sequence[Rule], access: Access, verified: Collection[int]) -> bool:
    """Whether the rules grant an access once the key references in `verified` are; what no rule names is refused."""
    return any(rule.access & access and _holds(rule.condition, verified) for rule in rules)


def _holds(condition: Condition, verified: Collection[int]) -> bool:
    match condition:
        case Always():
            return True
        case Never():
            return False
        case Key(reference):
            return reference in verified
        case AnyOf(conditions):
            return any(_holds(one, verified) for one in conditions)
        case _:
            return all(_holds(one, verified) for one in condition.conditions)
