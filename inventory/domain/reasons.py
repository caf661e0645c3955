"""Reasons (原因) as a code table: what people say again and again, counted by its code (REQ-CFG-01)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, final

_CODE: Final = re.compile(r"[a-z][a-z0-9_]{1,39}", re.ASCII)
_COLON: Final = re.compile("[:：]")
LONGEST_NAME: Final = 100


class Purpose(StrEnum):
    """What a reason is given for."""

    RELEASE = "release"
    """Setting a state by hand (状态释放)."""
    ISSUE = "issue"
    RECALL = "recall"
    """Taking back, and ordering back."""
    TRANSFER = "transfer"
    REFUSE = "refuse"
    """Sending back, disputing or withdrawing a delivery."""
    SCRAP = "scrap"
    """Whatever leaves the stock: scrapped, written off, returned to the vendor, void, sent to another city."""
    BLOCK = "block"
    """Lost, found, disabled, enabled."""
    CANCEL = "cancel"
    """Cancelling a stocktake."""
    UNDO = "undo"
    """Undoing a load."""
    OPEN = "open"
    """Breaking the seal of a box."""
    FEE = "fee"
    """Changing what one number costs."""


@dataclass(frozen=True)
class Reason:
    """A row of the table; a closed one is offered no more, and stands where it was given."""

    code: str
    name_zh: str
    name_en: str
    purposes: tuple[str, ...]
    active: bool = True


@final
@dataclass(frozen=True)
class Given:
    """Why somebody does something: in words, with the code if the words begin with a reason of the table."""

    text: str
    code: str | None = None


def understood(said: str, offered: Iterable[Reason]) -> Given:
    """Give what was said as it is kept.

    A reason is meant by its code or by either name, alone or before a colon and more words. A code is kept as the
    Chinese name; all else is free text.
    """
    head, *rest = (part.strip() for part in _COLON.split(said, maxsplit=1))
    for reason in offered:
        names = {reason.code: reason.name_zh, reason.name_zh: reason.name_zh, reason.name_en: reason.name_en}
        name = {key.casefold(): kept for key, kept in names.items()}.get(head.casefold())
        if name is not None:
            return Given(": ".join(filter(None, [name, *rest])), reason.code)
    return Given(said.strip())


def is_code(value: str) -> bool:
    """Tell whether a code is well formed: lower-case letters, digits and `_`, beginning with a letter."""
    return _CODE.fullmatch(value) is not None


def is_name(value: str) -> bool:
    """Tell whether a name can be told from what is said behind it."""
    return 0 < len(value.strip()) <= LONGEST_NAME and _COLON.search(value) is None
