"""The identities that IMS derives from the IMSI, and the files that hold them."""

from __future__ import annotations

import pytest

from cardwriter.usim.bcd import CodecError
from cardwriter.usim.isim import (
    decode_pcscf,
    decode_text,
    encode_pcscf,
    encode_text,
    home_domain,
    private_identity,
    public_identity,
)


@pytest.mark.parametrize(
    ("imsi", "mnc_length", "domain"),
    [
        ("460001234567890", 2, "ims.mnc000.mcc460.3gppnetwork.org"),
        ("460110123456789", 2, "ims.mnc011.mcc460.3gppnetwork.org"),
        ("310410123456789", 3, "ims.mnc410.mcc310.3gppnetwork.org"),
    ],
)
def test_home_domain_comes_from_the_imsi(imsi: str, mnc_length: int, domain: str) -> None:
    assert home_domain(imsi, mnc_length) == domain
    assert private_identity(imsi, mnc_length) == f"{imsi}@{domain}"
    assert public_identity(imsi, mnc_length) == f"sip:{imsi}@{domain}"


def test_identities_as_on_the_card() -> None:
    imsi = "460001234567890"
    domain = encode_text(home_domain(imsi, 2), 64)
    assert domain.hex().startswith("8021" + "696d732e")
    assert domain.rstrip(b"\xff").hex().endswith("6f7267")
    assert encode_text(private_identity(imsi, 2), 80).hex().startswith("8031")
    assert encode_text(public_identity(imsi, 2), 80).hex().startswith("8035")
    assert decode_text(domain) == "ims.mnc000.mcc460.3gppnetwork.org"
    assert decode_text(b"\xff" * 64) == ""


def test_identity_that_does_not_fit_its_file_is_refused() -> None:
    with pytest.raises(CodecError):
        encode_text("a" * 70, 64)


def test_malformed_imsi_has_no_domain() -> None:
    with pytest.raises(CodecError):
        home_domain("46000X", 2)


def test_name_in_a_foreign_coding_is_refused() -> None:
    with pytest.raises(CodecError):
        decode_text(bytes.fromhex("8001e9"))


@pytest.mark.parametrize(
    ("address", "content"),
    [
        ("pcscf.ims.example", "8012" + "00" + b"pcscf.ims.example".hex()),
        ("192.0.2.1", "8005" + "01" + "c0000201"),
        ("2001:db8::1", "8011" + "02" + "20010db8000000000000000000000001"),
    ],
)
def test_call_session_control_address_as_on_the_card(address: str, content: str) -> None:
    assert encode_pcscf(address, 40).hex() == content.ljust(80, "f")
    assert decode_pcscf(bytes.fromhex(content)) == address
    assert decode_pcscf(b"\xff" * 40) == ""


@pytest.mark.parametrize("record", ["800300e9ff", "800301c000"])
def test_broken_control_address_is_refused(record: str) -> None:
    with pytest.raises(CodecError):
        decode_pcscf(bytes.fromhex(record))
