"""Keys sealed by a token, against a real one in software (SoftHSM)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from inventory.domain.errors import (
    DomainError,
    InvalidField,
    KeyFileDamaged,
    KeyFileExposed,
    KeyFileForeign,
    KeyFileNotOpened,
    KeyTokenAbsent,
    KeyTokenFailed,
    KeyTokenKeyMissing,
    KeyTokenModuleMissing,
    KeyTokenPinMissing,
    KeyTokenPinRefused,
    KeyTokenSupportMissing,
)
from inventory.vault.envelope import Vault
from inventory.vault.guard import PLAIN
from inventory.vault.keys import FileKeyProvider
from inventory.vault.token import TokenAddress, TokenGuard, guard_of, parse_address
from tests.vault.tokens import PIN, Hsm, init_token, make_hsm

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
PLACE = {"table": "card_secret", "row": "530700/42", "field": "adm1"}


@pytest.fixture
def hsm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hsm:
    """Give a token with nothing in it."""
    return make_hsm(tmp_path, monkeypatch)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault.key"


@pytest.fixture
def made(hsm: Hsm) -> Hsm:
    """Give a token with its key."""
    assert hsm.guard.make_key()
    return hsm


def test_keys_come_back_through_the_token_and_the_file_has_none_of_them(made: Hsm, path: Path) -> None:
    first = FileKeyProvider(path, guard=made.guard)
    first.rotate(now=NOW)
    again = FileKeyProvider(path, guard=made.guard)
    assert [again.key(1), again.key(2), again.root()] == [first.key(1), first.key(2), first.root()]
    written = path.read_text()
    assert not [key for key in (first.key(1), first.key(2), first.root()) if key.reveal().hex() in written]
    assert json.loads(written)["sealed_by"] == "pkcs11:token=haoka;object=haoka-kek"


def test_the_key_of_the_token_is_made_once(made: Hsm) -> None:
    assert not made.guard.make_key()


def test_a_plain_file_is_enclosed_and_everything_sealed_before_still_opens(made: Hsm, path: Path) -> None:
    plain = FileKeyProvider(path)
    vault = Vault(plain)
    sealed, derived = vault.seal(b"31415926", **PLACE), vault.derive("hold-key")
    plain.guard_with(made.guard)
    enclosed = Vault(FileKeyProvider(path, guard=made.guard))
    assert enclosed.open(sealed, **PLACE).reveal() == b"31415926"
    assert enclosed.derive("hold-key") == derived


def test_a_process_that_runs_on_seals_nothing_and_opens_everything_until_it_is_started_with_the_token(
    made: Hsm, path: Path
) -> None:
    running = Vault(FileKeyProvider(path))
    sealed = running.seal(b"31415926", **PLACE)
    FileKeyProvider(path).guard_with(made.guard)
    with pytest.raises(KeyFileForeign, match="HAOKA_KEY_TOKEN"):
        running.seal(b"31415926", **PLACE)
    assert running.open(sealed, **PLACE).reveal() == b"31415926"


def test_a_running_vault_outlives_its_token_and_takes_new_versions_when_it_is_back(made: Hsm, path: Path) -> None:
    running, beside = FileKeyProvider(path, guard=made.guard), FileKeyProvider(path, guard=made.guard)
    vault = Vault(running)
    sealed = vault.seal(b"31415926", **PLACE)
    made.store.rename(made.store.with_name("away"))
    made.store.mkdir()
    assert vault.open(vault.seal(b"1", **PLACE), **PLACE).reveal() == b"1"
    with pytest.raises(KeyTokenAbsent):
        beside.rotate(now=NOW)
    made.store.rmdir()
    made.store.with_name("away").rename(made.store)
    beside.rotate(now=NOW)
    assert vault.seal(b"1", **PLACE)[1:3] == b"\0\2"
    assert vault.open(sealed, **PLACE).reveal() == b"31415926"


def test_a_new_version_is_not_used_without_the_token_that_opens_it(made: Hsm, path: Path) -> None:
    running = Vault(FileKeyProvider(path, guard=made.guard))
    FileKeyProvider(path, guard=made.guard).rotate(now=NOW)
    made.store.rename(made.store.with_name("away"))
    made.store.mkdir()
    with pytest.raises(KeyTokenAbsent):
        running.seal(b"1", **PLACE)


Fault = Callable[[Hsm], TokenGuard]
FAULTS: dict[str, tuple[type[DomainError], Fault]] = {
    "no module": (
        KeyTokenModuleMissing,
        lambda hsm: TokenGuard(replace(hsm.address, module="/usr/lib/softhsm/none.so")),
    ),
    "no token": (KeyTokenAbsent, lambda hsm: TokenGuard(replace(hsm.address, token="other"))),
    "no key": (KeyTokenKeyMissing, lambda hsm: TokenGuard(replace(hsm.address, key="other"))),
    "no PIN": (KeyTokenPinMissing, lambda hsm: TokenGuard(replace(hsm.address, pin_file=hsm.store / "none"))),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_missing_is_named_and_no_file_is_made(made: Hsm, path: Path, fault: str) -> None:
    refusal, guard = FAULTS[fault]
    with pytest.raises(refusal):
        FileKeyProvider(path, guard=guard(made))
    assert not path.exists()


def test_a_wrong_pin_is_refused_and_never_said(made: Hsm, path: Path) -> None:
    made.address.pin_file.write_text("13572468")
    with pytest.raises(KeyTokenPinRefused) as refused:
        FileKeyProvider(path, guard=made.guard)
    whole = f"{refused.value} {refused.value.params} {made.guard!r} {made.address!r} {refused.value.__cause__}"
    assert "13572468" not in whole


def test_a_pin_that_is_no_text_is_not_said_either(made: Hsm, path: Path) -> None:
    made.address.pin_file.write_bytes(b"1357\xff2468")
    with pytest.raises(KeyTokenPinMissing) as refused:
        FileKeyProvider(path, guard=made.guard)
    assert "1357" not in f"{refused.value} {refused.value.params} {refused.value.__cause__}"


def test_a_refused_pin_is_not_tried_again_before_its_file_has_changed(made: Hsm, path: Path) -> None:
    """Whatever asks for a key to seal with, again and again, would lock the token with it."""
    running = Vault(FileKeyProvider(path, guard=made.guard))
    FileKeyProvider(path, guard=made.guard).rotate(now=NOW)
    made.address.pin_file.write_text("13572468")
    with pytest.raises(KeyTokenPinRefused):
        running.seal(b"1", **PLACE)
    made.store.rename(made.store.with_name("away"))
    made.store.mkdir()
    with pytest.raises(KeyTokenPinRefused):  # the token that is away was not asked
        running.seal(b"1", **PLACE)
    made.store.rmdir()
    made.store.with_name("away").rename(made.store)
    made.address.pin_file.write_text(f"{PIN}\n")
    assert running.seal(b"1", **PLACE)[1:3] == b"\0\2"


@pytest.mark.parametrize("content", ["", "\n"])
def test_an_empty_pin_file_costs_no_try_at_the_token(made: Hsm, path: Path, content: str) -> None:
    made.address.pin_file.write_text(content)
    with pytest.raises(KeyTokenPinMissing):
        FileKeyProvider(path, guard=made.guard)


def test_a_pin_file_that_others_may_read_is_refused(made: Hsm, path: Path) -> None:
    made.address.pin_file.chmod(0o644)
    with pytest.raises(KeyFileExposed, match="chmod 600"):
        FileKeyProvider(path, guard=made.guard)


def test_a_token_of_the_same_names_with_another_key_does_not_open_the_file(made: Hsm, path: Path) -> None:
    FileKeyProvider(path, guard=made.guard)
    init_token("fresh")
    fresh = TokenGuard(replace(made.address, token="fresh"))
    fresh.make_key()
    path.write_text(path.read_text().replace("token=haoka", "token=fresh"))
    with pytest.raises(KeyFileNotOpened, match="another key"):
        FileKeyProvider(path, guard=fresh)


def test_a_key_moved_to_another_version_of_the_file_does_not_open(made: Hsm, path: Path) -> None:
    FileKeyProvider(path, guard=made.guard).rotate(now=NOW)
    content = json.loads(path.read_text())
    content["keys"] = {"1": content["keys"]["2"], "2": content["keys"]["1"]}
    path.write_text(json.dumps(content))
    with pytest.raises(KeyFileNotOpened):
        FileKeyProvider(path, guard=made.guard)


def test_a_sealed_file_without_the_setting_is_not_taken_for_a_plain_one(made: Hsm, path: Path) -> None:
    FileKeyProvider(path, guard=made.guard)
    with pytest.raises(KeyFileForeign):
        FileKeyProvider(path, guard=PLAIN)


def generate(hsm: Hsm, *, label: str, key_length: int, may: tuple[str, ...] = ("ENCRYPT", "DECRYPT")) -> None:
    """Make a key in the token as other tools might."""
    with hsm.guard._session(write=True) as (pkcs11, session):
        may_all = pkcs11.MechanismFlag(sum(getattr(pkcs11.MechanismFlag, name) for name in may))
        session.generate_key(pkcs11.KeyType.AES, key_length, label=label, store=True, capabilities=may_all)


@pytest.mark.parametrize("traits", [{"key_length": 128}, {"key_length": 256, "may": ("ENCRYPT",)}])
def test_a_key_of_another_sort_is_not_used(made: Hsm, path: Path, traits: dict[str, Any]) -> None:
    generate(made, label="other", **traits)
    with pytest.raises(KeyTokenKeyMissing):
        FileKeyProvider(path, guard=TokenGuard(replace(made.address, key="other")))


def test_of_two_keys_of_one_name_none_is_guessed(made: Hsm, path: Path) -> None:
    generate(made, label="haoka-kek", key_length=256)
    with pytest.raises(KeyTokenFailed, match="2 keys haoka-kek"):
        FileKeyProvider(path, guard=made.guard)


def test_any_other_fault_of_the_token_is_named_and_the_file_stays(
    made: Hsm, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The module works no more, as after an update that broke it."""
    plain = FileKeyProvider(path)
    monkeypatch.setenv("SOFTHSM2_CONF", str(path.with_name("none.conf")))
    with pytest.raises(KeyTokenFailed, match="GeneralError"):
        plain.guard_with(made.guard)
    assert FileKeyProvider(path).root() == plain.root()


def test_a_sealed_file_that_is_damaged_is_refused(made: Hsm, path: Path) -> None:
    path.write_text(json.dumps({"sealed_by": made.guard.name, "root": "zz", "keys": {}}))
    path.chmod(0o600)
    with pytest.raises(KeyFileDamaged):
        FileKeyProvider(path, guard=made.guard)


def test_without_the_library_the_file_to_install_is_named(
    made: Hsm, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(KeyTokenSupportMissing, match="hsm"):
        FileKeyProvider(path, guard=made.guard)


def test_the_setting_is_a_pkcs11_uri(hsm: Hsm) -> None:
    """RFC 7512 section 2.3."""
    assert parse_address(hsm.uri) == hsm.address
    spaced = "pkcs11:token=My%20token;object=k?module-path=/m.so&pin-source=/p"
    assert parse_address(spaced) == TokenAddress("/m.so", "My token", "k", Path("/p"))
    assert guard_of(None) is PLAIN


@pytest.mark.parametrize(
    ("uri", "named"),
    [
        ("file:/etc/key", "pkcs11:"),
        ("pkcs11:token=a?module-path=/m.so&pin-source=/p", "object"),
        ("pkcs11:token=a;object=?module-path=/m.so&pin-source=/p", "object"),
        ("pkcs11:token=a;object=b?module-path=/m.so&pin-value=4711", "pin-value"),
        ("pkcs11:token=a;object=b?module-path=/m.so&pin-source=/p&slot=4711", "slot"),
    ],
)
def test_a_setting_that_is_none_is_refused_without_what_it_says(uri: str, named: str) -> None:
    with pytest.raises(InvalidField, match=named) as refused:
        parse_address(uri)
    assert "4711" not in str(refused.value)
