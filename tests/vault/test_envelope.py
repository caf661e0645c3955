from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from inventory.vault.envelope import EnvelopeBroken, Vault
from inventory.vault.keys import FileKeyProvider

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
PLACE = {"table": "card_secret", "row": "530700/42", "field": "adm1"}
ADM = b"31415926"


@pytest.fixture
def provider(tmp_path: Path) -> FileKeyProvider:
    return FileKeyProvider(tmp_path / "vault.key")


@pytest.fixture
def vault(provider: FileKeyProvider) -> Vault:
    return Vault(provider)


def test_what_was_sealed_opens_in_its_place(vault: Vault) -> None:
    assert vault.open(vault.seal(ADM, **PLACE), **PLACE).reveal() == ADM


def test_fields_sealed_together_open_each_in_its_own_place(vault: Vault) -> None:
    sealer = vault.for_rows(PLACE["table"], ("adm1", "pin1", "puk1"))
    sealed, nothing, puk = sealer.seal((ADM, None, b"1"), row=PLACE["row"])
    assert sealed is not None
    assert puk is not None
    assert vault.open(sealed, **PLACE).reveal() == ADM
    assert vault.open(puk, **(PLACE | {"field": "puk1"})).reveal() == b"1"
    assert nothing is None
    assert sealed[3:15] != puk[3:15]
    with pytest.raises(EnvelopeBroken):
        vault.open(puk, **PLACE)


def test_the_same_secret_sealed_twice_looks_different(vault: Vault) -> None:
    assert vault.seal(ADM, **PLACE) != vault.seal(ADM, **PLACE)


@pytest.mark.parametrize(
    "elsewhere", [{"table": "transport_key"}, {"row": "530700/43"}, {"row": "530701/42"}, {"field": "puk1"}]
)
def test_an_envelope_moved_to_another_place_does_not_open(vault: Vault, elsewhere: dict[str, str]) -> None:
    sealed = vault.seal(ADM, **PLACE)
    with pytest.raises(EnvelopeBroken):
        vault.open(sealed, **(PLACE | elsewhere))


def test_no_two_places_share_their_binding(vault: Vault) -> None:
    sealed = vault.seal(ADM, table="ab", row="c", field="d")
    with pytest.raises(EnvelopeBroken):
        vault.open(sealed, table="a", row="bc", field="d")


def test_a_flipped_bit_anywhere_is_noticed(vault: Vault) -> None:
    sealed = vault.seal(ADM, **PLACE)
    for index in range(len(sealed)):
        altered = bytearray(sealed)
        altered[index] ^= 1
        with pytest.raises(EnvelopeBroken):
            vault.open(bytes(altered), **PLACE)


def test_a_cut_envelope_is_noticed(vault: Vault) -> None:
    sealed = vault.seal(ADM, **PLACE)
    for length in range(len(sealed)):
        with pytest.raises(EnvelopeBroken):
            vault.open(sealed[:length], **PLACE)


def test_older_envelopes_open_after_the_key_was_rotated(vault: Vault, provider: FileKeyProvider) -> None:
    before = vault.seal(ADM, **PLACE)
    assert provider.rotate(now=NOW) == 2
    after = vault.seal(ADM, **PLACE)
    assert before[1:3] == b"\0\1"
    assert after[1:3] == b"\0\2"
    assert vault.open(before, **PLACE) == vault.open(after, **PLACE)


def test_a_missing_key_version_is_named(vault: Vault, provider: FileKeyProvider, tmp_path: Path) -> None:
    provider.rotate(now=NOW)
    sealed = vault.seal(ADM, **PLACE)
    other = Vault(FileKeyProvider(tmp_path / "other.key"))
    with pytest.raises(EnvelopeBroken, match="key version 2"):
        other.open(sealed, **PLACE)


def test_another_installation_cannot_open_it(vault: Vault, tmp_path: Path) -> None:
    other = Vault(FileKeyProvider(tmp_path / "other.key"))
    with pytest.raises(EnvelopeBroken):
        other.open(vault.seal(ADM, **PLACE), **PLACE)


def test_derived_secrets_differ_by_purpose_and_outlive_a_rotation(vault: Vault, provider: FileKeyProvider) -> None:
    before = vault.derive("hold-key")
    provider.rotate(now=NOW)
    assert len(before) == 32
    assert vault.derive("hold-key") == before
    assert vault.derive("something-else") != before


def test_nothing_of_the_vault_prints_a_secret(vault: Vault, provider: FileKeyProvider) -> None:
    """REQ-HW-10: keys never reach a text form, and a broken envelope says where it lies, not what it holds."""
    sealed = vault.seal(ADM, **PLACE)
    with pytest.raises(EnvelopeBroken) as refused:
        vault.open(sealed[:-1], **PLACE)
    texts = [repr(vault), repr(provider), repr(vault.open(sealed, **PLACE)), str(refused.value)]
    hidden = [ADM.decode(), ADM.hex(), provider.key(1).reveal().hex(), provider.root().reveal().hex(), sealed.hex()]
    assert not [secret for secret in hidden for text in texts if secret in text]
