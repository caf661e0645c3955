"""Refusals at the command line's edge: their text and their exit status."""

from __future__ import annotations

import os
from typing import assert_never

from inventory.domain.errors import DomainError, Refusal
from inventory.i18n import Language, catalogue


def language(asked: Language | None) -> Language:
    """Give the language asked for, else that of the first set of LC_ALL, LC_MESSAGES and LANG, else English."""
    if asked is not None:
        return asked
    named = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "")
    return "zh" if named.lower().startswith("zh") else "en"


def text_of(refusal: DomainError, lang: Language) -> str:
    """Give one line for a person: what was refused, why, what to do next, and the code to ask about."""
    texts = catalogue(lang)
    return f"{texts.title(refusal.code)}: {texts.detail(refusal.code, refusal.params)} [{refusal.code}]"


def exit_status(sort: Refusal) -> int:
    """Give the exit status: 2 wrong request, 77 not allowed and 75 try again (sysexits.h), 1 the rest."""
    match sort:
        case Refusal.INVALID:
            return 2
        case Refusal.UNAUTHENTICATED | Refusal.FORBIDDEN:
            return 77
        case Refusal.BUSY | Refusal.TOO_OFTEN:
            return 75
        case Refusal.NOT_FOUND | Refusal.CONFLICT | Refusal.GONE:
            return 1
    assert_never(sort)
