"""A PKCS#11 token in software (SoftHSM), in a folder of the test's own."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from inventory.vault.token import TokenAddress, TokenGuard

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "48291375"


@dataclass(frozen=True)
class Hsm:
    """A token, the file of its PIN, and the folder where its objects lie."""

    address: TokenAddress
    store: Path

    @property
    def guard(self) -> TokenGuard:
        """What seals a key file by its key."""
        return TokenGuard(self.address)

    @property
    def uri(self) -> str:
        """What HAOKA_KEY_TOKEN would say."""
        at = self.address
        return f"pkcs11:token={at.token};object={at.key}?module-path={at.module}&pin-source=file:{at.pin_file}"


def make_hsm(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Hsm:
    """Make a token with nothing in it; this process finds no other."""
    store, pin_file, settings = folder / "tokens", folder / "pin", folder / "softhsm2.conf"
    store.mkdir()
    settings.write_text(f"directories.tokendir = {store}\nobjectstore.backend = file\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(settings))
    init_token("haoka")
    pin_file.touch(mode=0o600)
    pin_file.write_text(f"{PIN}\n")
    return Hsm(TokenAddress(MODULE, "haoka", "haoka-kek", pin_file), store)


def init_token(label: str) -> None:
    """Make an empty token where SOFTHSM2_CONF says."""
    given = ["--label", label, "--pin", PIN, "--so-pin", "00000000"]
    subprocess.run(["/usr/bin/softhsm2-util", "--init-token", "--free", *given], check=True, capture_output=True)
