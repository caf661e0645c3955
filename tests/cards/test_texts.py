from __future__ import annotations

import pytest

from cardwriter.profiles import Failure
from inventory.domain.bulk import NotTaken
from inventory.domain.cardjobs import NextStep
from inventory.i18n import Language, texts


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_failure_and_every_next_step_has_words(language: Language) -> None:
    """REQ-HW-06: what went wrong and what to do now, in both languages."""
    wanted = {("failure", failure.value) for failure in Failure} | {("next_step", step.value) for step in NextStep}
    wanted |= {("not_taken", reason.value) for reason in NotTaken}
    found = texts("cards", language)
    assert set(found) == wanted
    assert all(found.values())
