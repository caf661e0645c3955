"""Reads a rule set from its document (parsed JSON) and says exactly what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeGuard

from inventory.domain.channels import SaleChannel
from inventory.domain.errors import InvalidField, RuleSetInvalid
from inventory.domain.feerules import Criterion, Modifier, Outcome, Rule
from inventory.domain.identifiers import NUMBER_FORMS, NumberKind
from inventory.domain.money import Terms
from inventory.domain.patterns import DIGITS, Date, FewDigits, HasDigit, Pattern, Regex, Shape, Words
from inventory.domain.patterns import Sequence as Run

SCHEMA: Final = "haoka-fee-rules/1"
_LONGEST: Final = 13
"""No kind of number with fee rules has more digits."""
HIGHEST_CLASS: Final = 99
_LONGEST_REGEX: Final = 200
_SHAPE: Final = re.compile(r"[A-Za-z0-9.]+", re.ASCII)
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,39}", re.ASCII)
_DATES: Final = {"YYYYMMDD": 4, "YYMMDD": 2, "MMDD": 0}


class NumberClass(NamedTuple):
    """A class of numbers: its names and what it asks of the customer."""

    zh: str
    en: str
    terms: Terms


class RuleDocument(NamedTuple):
    """A rule set as read: consistent within itself."""

    version: int
    ordinary: int
    classes: Mapping[int, NumberClass]
    rules: tuple[Rule, ...]
    tags: tuple[Criterion, ...]
    modifiers: tuple[Modifier, ...]
    outcomes: tuple[Outcome, ...] | None


def _is_int(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


class _Part:
    """One object of the document with the path to it, so that a refusal names the place."""

    def __init__(self, value: Any, path: str) -> None:
        self.path = path
        if not isinstance(value, Mapping):
            raise RuleSetInvalid(field=path or "document", value=value, reason="an object is needed")
        self.value = value

    def refuse(self, key: str, reason: str) -> RuleSetInvalid:
        return RuleSetInvalid(field=f"{self.path}.{key}".lstrip("."), value=self.value.get(key), reason=reason)

    def only(self, *keys: str) -> None:
        for key in self.value:
            if key not in keys:
                raise self.refuse(str(key), f"not known here; known are {', '.join(keys)}")

    def text(self, key: str) -> str:
        value = self.value.get(key)
        if not isinstance(value, str) or not value:
            raise self.refuse(key, "a text is needed")
        return value

    def number(self, key: str, lowest: int, highest: int, default: int | None = None) -> int:
        value = self.value.get(key, default)
        if not _is_int(value) or not lowest <= value <= highest:
            raise self.refuse(key, f"a whole number from {lowest} to {highest} is needed")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        value = self.value.get(key, default)
        if not isinstance(value, bool):
            raise self.refuse(key, "true or false is needed")
        return value

    def list(self, key: str) -> Sequence[Any]:
        value = self.value.get(key, [])
        if not isinstance(value, list):
            raise self.refuse(key, "a list is needed")
        return value

    def parts(self, key: str) -> Iterator[_Part]:
        return (_Part(value, f"{self.path}.{key}[{place}]".lstrip(".")) for place, value in enumerate(self.list(key)))


def read_pattern(value: Any, path: str = "matcher") -> Pattern:
    """Read one pattern; its first key says which sort it is.

    Raises
    ------
    RuleSetInvalid
        It is none of the known sorts, or not well formed.
    """
    part = _Part(value, path)
    for key, read in _PATTERNS.items():
        if key in part.value:
            return read(part)
    raise RuleSetInvalid(field=path, value=value, reason=f"one of {', '.join(_PATTERNS)} is needed")


def _shape(part: _Part) -> Pattern:
    part.only("shape", "allowed")
    letters = part.text("shape")
    if _SHAPE.fullmatch(letters) is None or len(letters) > _LONGEST:
        raise part.refuse("shape", f"at most {_LONGEST} letters, digits and dots are needed")
    allowed = part.value.get("allowed", {})
    if not isinstance(allowed, Mapping) or not all(
        letter in letters
        and str(letter).isalpha()
        and isinstance(digits, str)
        and digits
        and set(digits) <= set(DIGITS)
        for letter, digits in allowed.items()
    ):
        raise part.refuse("allowed", "letters of the shape, each with its digits, are needed")
    return Shape(letters, dict(allowed))


def _sequence(part: _Part) -> Pattern:
    part.only("sequence", "step", "exact")
    step = part.number("step", -1, 1)
    if step == 0:
        raise part.refuse("step", "1 for rising or -1 for falling is needed")
    return Run(part.number("sequence", 2, len(DIGITS)), step, exact=part.flag("exact", default=False))


def _words(part: _Part) -> Pattern:
    part.only("words")
    words = part.list("words")
    if not words or not all(
        isinstance(word, str) and 0 < len(word) <= _LONGEST and set(word) <= set(DIGITS) for word in words
    ):
        raise part.refuse("words", "a list of digit strings is needed")
    return Words(tuple(words))


def _date(part: _Part) -> Pattern:
    part.only("date", "first", "last")
    form = part.text("date")
    if form not in _DATES:
        raise part.refuse("date", f"one of {', '.join(_DATES)} is needed")
    return Date(_DATES[form], part.number("first", 0, 9999, 0), part.number("last", 0, 9999, 9999))


def _few_digits(part: _Part) -> Pattern:
    part.only("few_digits", "reads", "each")
    return FewDigits(
        part.number("few_digits", 1, len(DIGITS)),
        part.number("reads", 1, _LONGEST),
        part.number("each", 1, _LONGEST, 1),
    )


def _has(part: _Part) -> Pattern:
    part.only("has", "lacks", "reads")
    key = "has" if "has" in part.value else "lacks"
    digit = part.text(key)
    if digit not in tuple(DIGITS):
        raise part.refuse(key, "one digit is needed")
    return HasDigit(digit, part.number("reads", 1, _LONGEST), present=key == "has")


def _regex(part: _Part) -> Pattern:
    part.only("regex", "reads")
    text = part.text("regex")
    if len(text) > _LONGEST_REGEX:
        raise part.refuse("regex", f"at most {_LONGEST_REGEX} characters are needed")
    try:
        regex = re.compile(text, re.ASCII)
    except re.error as error:
        raise part.refuse("regex", f"not a regular expression: {error}") from error
    return Regex(regex, part.number("reads", 1, _LONGEST))


_PATTERNS: Final = {
    "shape": _shape,
    "sequence": _sequence,
    "words": _words,
    "date": _date,
    "few_digits": _few_digits,
    "has": _has,
    "lacks": _has,
    "regex": _regex,
}


def _code(part: _Part) -> str:
    code = part.text("code")
    if _CODE.fullmatch(code) is None:
        raise part.refuse("code", "capital letters, digits and _ are needed, a letter first")
    return code


def _kind(part: _Part) -> NumberKind:
    kinds = [kind for kind, form in NUMBER_FORMS.items() if form.fee_rules]
    kind = part.text("kind")
    if kind not in kinds:
        raise part.refuse("kind", f"one of {', '.join(kinds)} is needed")
    return NumberKind(kind)


_CRITERION: Final = ("code", "zh", "en", "kind", "matcher", "reads", "unless", "whole", "priority", "enabled")


def _criterion(part: _Part) -> Criterion:
    criterion = Criterion(
        code=_code(part),
        zh=part.text("zh"),
        en=part.text("en"),
        kind=_kind(part),
        pattern=read_pattern(part.value.get("matcher"), f"{part.path}.matcher"),
        unless=tuple(
            read_pattern(value, f"{part.path}.unless[{place}]") for place, value in enumerate(part.list("unless"))
        ),
        whole=part.flag("whole", default=False),
        priority=part.number("priority", 0, 10_000),
        enabled=part.flag("enabled", default=True),
    )
    if part.number("reads", 1, _LONGEST) != criterion.reads:
        raise part.refuse("reads", f"this matcher and its exclusions read {criterion.reads} digits")
    return criterion


def _tag(part: _Part) -> Criterion:
    part.only(*_CRITERION)
    return _criterion(part)


def _rule(part: _Part, classes: Mapping[int, NumberClass]) -> Rule:
    part.only(*_CRITERION, "class")
    number_class = part.number("class", 0, HIGHEST_CLASS)
    if number_class not in classes:
        raise part.refuse("class", "a class with terms is needed")
    return Rule(**vars(_criterion(part)), number_class=number_class)


def _modifier(part: _Part, classes: Mapping[int, NumberClass], codes: frozenset[str]) -> Modifier:
    part.only(*_CRITERION, "add", "classes", "spares")
    add = part.number("add", -HIGHEST_CLASS, HIGHEST_CLASS)
    shifted = part.list("classes")
    if not shifted or not all(_is_int(cls) and cls in classes and cls + add in classes for cls in shifted):
        raise part.refuse("classes", "classes with terms are needed, before and after the shift")
    spares = part.list("spares")
    if not all(isinstance(code, str) and code in codes for code in spares):
        raise part.refuse("spares", "codes of rules are needed")
    return Modifier(**vars(_criterion(part)), add=add, classes=frozenset(shifted), spares=frozenset(spares))


def read_terms(value: Any, path: str = "terms") -> Terms:
    """Read the terms of a class: amounts in fen, periods in months.

    Raises
    ------
    RuleSetInvalid
        A field is missing, unknown or not a whole number from 0 up.
    """
    part = _Part(value, path)
    numbers = ("cash_fee", "prepay", "return_months", "min_monthly", "commitment_months")
    part.only(*numbers, "sale_channel", "waive_role")
    channel = part.text("sale_channel")
    if channel not in tuple(SaleChannel):
        raise part.refuse("sale_channel", f"one of {', '.join(SaleChannel)} is needed")
    waive_role = part.value.get("waive_role")
    amounts: dict[str, Any] = {key: part.value.get(key) for key in numbers}
    try:
        return Terms(
            **amounts,
            sale_channel=SaleChannel(channel),
            waive_role=None if waive_role is None else part.text("waive_role"),
        )
    except InvalidField as error:
        raise part.refuse(error.params["field"], error.params["reason"]) from error


def _classes(document: _Part) -> dict[int, NumberClass]:
    classes: dict[int, NumberClass] = {}
    for part in document.parts("classes"):
        part.only("class", "zh", "en", "terms")
        cls = part.number("class", 0, HIGHEST_CLASS)
        if cls in classes:
            raise part.refuse("class", "this class stands here twice")
        classes[cls] = NumberClass(
            part.text("zh"), part.text("en"), read_terms(part.value.get("terms"), f"{part.path}.terms")
        )
    if document.number("ordinary_class", 0, HIGHEST_CLASS) not in classes:
        raise document.refuse("ordinary_class", "a class with terms is needed")
    return classes


def _outcomes(document: _Part) -> tuple[Outcome, ...] | None:
    if "outcomes" not in document.value:
        return None
    rows = document.list("outcomes")
    if not all(
        isinstance(row, list)
        and len(row) == len(Outcome._fields)
        and _is_int(row[0])
        and isinstance(row[1], str | None)
        for row in rows
    ):
        raise document.refuse("outcomes", "pairs of class and rule code are needed")
    return tuple(Outcome(*row) for row in rows)


def read_rule_document(value: Any) -> RuleDocument:
    """Read a whole rule set.

    Raises
    ------
    RuleSetInvalid
        Something is missing, unknown, doubled or does not fit; `field` is the path to it (`rules[3].matcher`).
    """
    document = _Part(value, "")
    document.only(
        "schema", "version", "zh", "en", "ordinary_class", "classes", "rules", "tags", "modifiers", "outcomes"
    )
    if document.text("schema") != SCHEMA:
        raise document.refuse("schema", f"{SCHEMA} is needed")
    classes = _classes(document)
    rules = tuple(_rule(part, classes) for part in document.parts("rules"))
    tags = tuple(_tag(part) for part in document.parts("tags"))
    codes = frozenset(rule.code for rule in rules)
    modifiers = tuple(_modifier(part, classes, codes) for part in document.parts("modifiers"))
    seen: set[str] = set()
    for code in (entry.code for entries in (rules, tags, modifiers) for entry in entries):
        if code in seen:
            raise RuleSetInvalid(field="code", value=code, reason="this code stands here twice")
        seen.add(code)
    return RuleDocument(
        version=document.number("version", 1, 2**31 - 1),
        ordinary=document.number("ordinary_class", 0, HIGHEST_CLASS),
        classes=classes,
        rules=rules,
        tags=tags,
        modifiers=modifiers,
        outcomes=_outcomes(document),
    )
