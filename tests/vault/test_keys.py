from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inventory.domain.errors import InvalidField, KeyFileDamaged, KeyFileExposed, KeyFileMissing
from inventory.vault.key_file import Retired
from inventory.vault.keys import FileKeyProvider, UnknownKeyVersion

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


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
    provider.rotate(now=NOW)
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
    with pytest.raises(KeyFileExposed, match="chmod 600"):
        FileKeyProvider(path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"root": "00", "keys": {"1": "00"}}',
        '{"root": "zz", "keys": {}}',
        "\x00\x01",
        *(json.dumps({"root": "00" * 32, "keys": {version: "00" * 32}}) for version in ("0", "-1", "65536")),
    ],
)
def test_a_file_that_is_no_key_file_is_refused_and_left_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / "vault.key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileDamaged):
        FileKeyProvider(path)
    assert path.read_text() == content


def test_where_a_key_file_must_be_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(KeyFileMissing):
        FileKeyProvider(tmp_path / "vault.key", make=False)
    assert not list(tmp_path.iterdir())


def test_a_process_that_runs_seals_with_a_version_that_another_one_made(tmp_path: Path) -> None:
    running, beside = FileKeyProvider(tmp_path / "vault.key"), FileKeyProvider(tmp_path / "vault.key")
    beside.rotate(now=NOW)
    assert running.current == 2
    assert running.key(2) == beside.key(2)


def test_a_process_that_runs_opens_what_a_version_made_later_seals(tmp_path: Path) -> None:
    running, beside = FileKeyProvider(tmp_path / "vault.key"), FileKeyProvider(tmp_path / "vault.key")
    beside.rotate(now=NOW)
    assert running.key(2) == beside.key(2)


def test_rotations_at_once_lose_no_version(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: FileKeyProvider(path).rotate(now=NOW), range(24)))
    assert sorted(made) == list(range(2, 26))
    assert list(FileKeyProvider(path).versions) == list(range(1, 26))
    assert [file.name for file in tmp_path.iterdir()] == ["vault.key"]


def test_a_version_knows_when_it_was_made(tmp_path: Path) -> None:
    provider = FileKeyProvider(tmp_path / "vault.key")
    provider.rotate(now=NOW)
    assert dict(FileKeyProvider(tmp_path / "vault.key").versions) == {1: None, 2: NOW}


def test_a_retired_version_is_gone_from_the_file_and_its_reason_stays(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    provider = FileKeyProvider(path)
    old = provider.key(1).reveal().hex()
    provider.rotate(now=NOW)
    provider.retire(1, reason="泄露", now=NOW)
    again = FileKeyProvider(path)
    with pytest.raises(UnknownKeyVersion):
        again.key(1)
    assert again.retired == {1: Retired(NOW, "泄露")}
    assert old not in path.read_text(encoding="utf-8")


def test_a_retired_number_is_not_given_again(tmp_path: Path) -> None:
    provider = FileKeyProvider(tmp_path / "vault.key")
    provider.rotate(now=NOW)
    provider.retire(1, reason="old", now=NOW)
    assert provider.rotate(now=NOW) == 3


def test_the_version_that_seals_is_not_retired(tmp_path: Path) -> None:
    provider = FileKeyProvider(tmp_path / "vault.key")
    with pytest.raises(InvalidField, match="haoka keys rotate"):
        provider.retire(1, reason="old", now=NOW)
    assert provider.current == 1


def test_a_version_that_is_not_there_is_not_retired(tmp_path: Path) -> None:
    with pytest.raises(UnknownKeyVersion):
        FileKeyProvider(tmp_path / "vault.key").retire(7, reason="old", now=NOW)


def test_the_last_version_that_an_envelope_can_name_is_the_last(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    FileKeyProvider(path)
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "keys": {"65535": content["keys"]["1"]}}))
    with pytest.raises(InvalidField, match="no key version is left"):
        FileKeyProvider(path).rotate(now=NOW)


def test_a_key_file_that_vanishes_under_a_process_leaves_it_its_keys(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    provider = FileKeyProvider(path)
    path.unlink()
    assert provider.current == 1


def test_nothing_is_sealed_while_the_file_that_replaced_the_keys_cannot_be_used(tmp_path: Path) -> None:
    """Who cannot see a new version must not go on sealing with one that may be retired."""
    path = tmp_path / "vault.key"
    provider = FileKeyProvider(path)
    path.rename(tmp_path / "kept.key")
    path.write_text("{}")
    path.chmod(0o600)
    with pytest.raises(KeyFileDamaged):
        _ = provider.current
    assert provider.key(1)
    path.unlink()
    (tmp_path / "kept.key").rename(path)
    assert provider.current == 1
