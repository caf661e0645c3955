"""Which operator's system a worker calls, by its settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.settings import Settings
from inventory.worker.main import operator_adapter

ADDRESS = "https://cards.example.cn/v1"


def test_a_worker_calls_nobody_unless_an_address_is_set() -> None:
    assert operator_adapter(Settings()) is None


def test_the_key_comes_from_its_file_and_is_never_shown(tmp_path: Path) -> None:
    """REQ-SEC-01: a key stands in no setting, only in a file."""
    key = tmp_path / "operator.key"
    key.write_text("a-key-of-the-province\n")
    adapter = operator_adapter(Settings(operator_url=ADDRESS, operator_key_file=key))
    assert ADDRESS in repr(adapter)
    assert "a-key-of" not in repr(adapter) + repr(vars(adapter))


def test_an_address_without_a_key_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="HAOKA_OPERATOR_KEY_FILE"):
        operator_adapter(Settings(operator_url=ADDRESS))


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", "键".encode(), b"two\nlines"])
def test_a_file_without_a_key_is_refused_at_start(tmp_path: Path, content: bytes) -> None:
    """No system would take it, and each card would say that the system is silent."""
    key = tmp_path / "operator.key"
    key.write_bytes(content)
    with pytest.raises(ValueError, match=r"operator\.key holds no key"):
        operator_adapter(Settings(operator_url=ADDRESS, operator_key_file=key))
