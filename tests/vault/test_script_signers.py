from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cardwriter.signing import is_endorsed
from inventory.vault.envelope import Vault
from inventory.vault.keys import FileKeyProvider
from inventory.vault.script_signers import ScriptSigners

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


@pytest.fixture
def provider(tmp_path: Path) -> FileKeyProvider:
    return FileKeyProvider(tmp_path / "vault.key")


@pytest.fixture
def signers(provider: FileKeyProvider) -> ScriptSigners:
    return ScriptSigners(Vault(provider))


def test_the_signing_key_is_the_same_in_every_process(provider: FileKeyProvider, signers: ScriptSigners) -> None:
    again = ScriptSigners(Vault(FileKeyProvider(provider._path)))
    assert again.current().public == signers.current().public


def test_it_rotates_with_the_vaults_keys_and_the_one_before_endorses_it(
    provider: FileKeyProvider, signers: ScriptSigners
) -> None:
    first = signers.current().public
    provider.rotate(now=NOW)
    provider.rotate(now=NOW)
    successor = signers.current()
    assert successor.public != first
    endorsement = signers.endorsed_by(first.hex(), successor)
    assert endorsement is not None
    assert is_endorsed(first, endorsement, successor.public)


@pytest.mark.parametrize("known", [None, "", "ab" * 32, 7])
def test_a_key_that_is_none_of_ours_endorses_nothing(signers: ScriptSigners, known: object) -> None:
    assert signers.endorsed_by(known, signers.current()) is None


def test_a_version_that_was_retired_endorses_nothing_any_more(
    provider: FileKeyProvider, signers: ScriptSigners
) -> None:
    first = signers.current().public.hex()
    provider.rotate(now=NOW)
    provider.retire(1, reason="yearly", now=NOW)
    assert signers.endorsed_by(first, signers.current()) is None
