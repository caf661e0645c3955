import json
from importlib import resources
from typing import Any

import pytest
from hypothesis import settings

from inventory.domain.fees import RuleSet

# A slow machine is no failure: what is right is right at any speed.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def default_document() -> dict[str, Any]:
    text = (resources.files("inventory.domain") / "rules" / "default.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


@pytest.fixture(scope="session")
def rules(default_document: dict[str, Any]) -> RuleSet:
    return RuleSet.from_dict(default_document)
