"""`haoka transport-keys`: a key comes in by its parts, with two persons."""

from __future__ import annotations

import io

import pytest

from cardwriter.crypto.secret import Secret
from inventory.vault.transport import TransportAlgorithm, key_check_value
from tests.cli.answers import answered
from tests.cli.test_auc import grant_all

pytestmark = pytest.mark.database

PARTS = (bytes(range(16)), bytes(range(100, 116)))
KEY = Secret(bytes(a ^ b for a, b in zip(*PARTS, strict=True)))
KCV = key_check_value(TransportAlgorithm.AES_128_ECB, KEY).hex()
LETTER = ("transport-keys", "take", "HSS1", "aes-128-ecb", KCV, "--purpose", "network")


@pytest.mark.usefixtures("shell")
def test_custodians_send_their_parts_once_a_second_person_has_agreed(
    operator_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """REQ-SEC-01: two persons; the parts come from where nobody else sees them, and are shown nowhere."""
    approval = answered(capsys, *LETTER, "--ask")["approval"]
    grant_all(operator_url)
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{part.hex()}\n" for part in PARTS)))
    taken = answered(capsys, *LETTER, "--approval", approval)
    assert taken == {"index": "HSS1", "algorithm": "aes-128-ecb", "kcv": KCV, "purpose": "network"}
    assert taken in answered(capsys, "transport-keys")["transport_keys"]
