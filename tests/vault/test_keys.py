from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from inventory.vault.keys import FileKeyProvider, KeyFileUnusable, UnknownKeyVersion


def test_the_key_file_is_made_at_first_start_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "vault.key"
    FileKeyProvider(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["vault.key"]


def test_a_second_start_finds_the_same_keys(tmp_path: Path) -> None:
    first, second = FileKeyProvider(tmp_path / "vault.key"), FileKeyProvider(tmp_path / "vault.key")
    assert (first.key(1), first.root()) == (second.key(1), second.root())


def test_processes_that_start_at_once_share_one_file(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    with ThreadPoolExecutor(8) as pool:
        providers = list(pool.map(lambda _: FileKeyProvider(path), range(32)))
    assert len({provider.key(1) for provider in providers}) == 1


def test_a_rotation_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    provider = FileKeyProvider(path)
    old = provider.key(1)
    provider.rotate()
    again = FileKeyProvider(path)
    assert again.current == 2
    assert again.key(1) == old != again.key(2)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_version_that_is_not_kept_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownKeyVersion):
        FileKeyProvider(tmp_path / "vault.key").key(7)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "vault.key"
    FileKeyProvider(path)
    path.chmod(mode)
    with pytest.raises(KeyFileUnusable, match="chmod 600"):
        FileKeyProvider(path)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"root": "00", "keys": {"1": "00"}}', '{"root": "zz", "keys": {}}', "\x00\x01"]
)
def test_a_file_that_is_no_key_file_is_refused_and_left_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / "vault.key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileUnusable):
        FileKeyProvider(path)
    assert path.read_text() == content
