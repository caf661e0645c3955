"""Refusals at the command line's edge: their text and their exit status."""

from __future__ import annotations

from typing import assert_never

from inventory.domain.errors import DomainError, Refusal


def text_of(refusal: DomainError) -> str:
    """Give one line for a person: what was refused and why, and the code to ask about."""
    return f"{refusal} [{refusal.code}]"


def exit_status(refusal: DomainError) -> int:
    """Give the exit status of a refusal: 2 wrong request, 77 not allowed (sysexits.h), 75 try again, 1 the rest."""
    match refusal.refusal:
        case Refusal.INVALID:
            return 2
        case Refusal.UNAUTHENTICATED | Refusal.FORBIDDEN:
            return 77
        case Refusal.BUSY | Refusal.TOO_OFTEN:
            return 75
        case Refusal.NOT_FOUND | Refusal.CONFLICT | Refusal.GONE:
            return 1
    assert_never(refusal.refusal)
