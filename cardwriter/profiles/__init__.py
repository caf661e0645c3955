"""Card families: the explicit list, and everything the service calls.

A card kind in stock names its profile: the stock record outranks what the card looks like, `matching` is for cards
that no stock record knows.
"""

from __future__ import annotations

from typing import Final

from cardwriter.profiles.base import (
    CardFacts,
    CardProfile,
    CardRefused,
    Challenge,
    Expectation,
    FactsError,
    Failure,
    Kind,
    Personalisation,
    Verdict,
    challenge,
)
from cardwriter.profiles.consistency import IdentityError, Problem, identity_problems
from cardwriter.profiles.identify import identify_script, read_facts
from cardwriter.profiles.judgement import settle
from cardwriter.profiles.preset_key import PresetKey

__all__ = [
    "PROFILES",
    "CardFacts",
    "CardProfile",
    "CardRefused",
    "Challenge",
    "Expectation",
    "FactsError",
    "Failure",
    "IdentityError",
    "Kind",
    "Personalisation",
    "Problem",
    "Verdict",
    "challenge",
    "identify_script",
    "identity_problems",
    "matching",
    "profile",
    "read_facts",
    "settle",
]

PROFILES: Final[tuple[CardProfile, ...]] = (
    PresetKey("preset_key"),
    PresetKey("preset_key_separate_gsm", gsm_linked=False),
)


def profile(name: str) -> CardProfile:
    """Return the profile with this name.

    Raises
    ------
    KeyError
        No profile is called so.
    """
    found = next((one for one in PROFILES if one.name == name), None)
    if found is None:
        raise KeyError(name)
    return found


def matching(facts: CardFacts) -> tuple[CardProfile, ...]:
    """Return the profiles whose cards look like this one."""
    return tuple(one for one in PROFILES if one.matches(facts))
