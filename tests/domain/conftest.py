import json
from importlib import resources
from typing import Any

import pytest

from inventory.domain.fees import RuleSet


@pytest.fixture(scope="session")
def default_document() -> dict[str, Any]:
    text = (resources.files("inventory.domain") / "rules" / "default.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


@pytest.fixture(scope="session")
def rules(default_document: dict[str, Any]) -> RuleSet:
    return RuleSet.from_dict(default_document)
