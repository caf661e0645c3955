"""Card families: the explicit list, and everything the service calls.

A card kind in stock names its profile: the stock record outranks what the card looks like, `matching` is for cards
that no stock record knows.
"""

from __future__ import annotations

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
from cardwriter.profiles.export import card_report
from cardwriter.profiles.families import PROFILES
from cardwriter.profiles.family import CardFamily, Named
from cardwriter.profiles.file_set import measured_for, unknown_files
from cardwriter.profiles.identify import identify_script, read_facts
from cardwriter.profiles.judgement import VERIFY_ADM, settle, tells_of_adm
from cardwriter.profiles.product import Product

__all__ = [
    "PROFILES",
    "VERIFY_ADM",
    "CardFacts",
    "CardFamily",
    "CardProfile",
    "CardRefused",
    "Challenge",
    "Expectation",
    "FactsError",
    "Failure",
    "IdentityError",
    "Kind",
    "Named",
    "Personalisation",
    "Problem",
    "Product",
    "Verdict",
    "card_report",
    "challenge",
    "identify_script",
    "identity_problems",
    "matching",
    "measured_for",
    "profile",
    "read_facts",
    "settle",
    "tells_of_adm",
    "unknown_files",
]


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
