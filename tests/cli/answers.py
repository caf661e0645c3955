"""What commands answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from inventory.cli import main


def answered(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Run a command with --json and give its answer."""
    assert main([*arguments, "--json"]) == 0, capsys.readouterr().err
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document
