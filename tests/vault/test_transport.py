from __future__ import annotations

import pytest

from cardwriter.crypto.secret import Secret
from inventory.vault.transport import (
    TransportAlgorithm,
    TransportKeyUnusable,
    combine,
    enclose,
    key_check_value,
    unwrap,
)

AES, TDES = TransportAlgorithm.AES_128_ECB, TransportAlgorithm.TDES_ECB
FIPS_197_KEY = Secret.fromhex("000102030405060708090a0b0c0d0e0f")


def test_aes_unwraps_the_published_block() -> None:
    """FIPS 197 appendix C.1."""
    sealed = bytes.fromhex("69c4e0d86a7b0430d8cdb78070b4c55a")
    assert unwrap(AES, FIPS_197_KEY, sealed) == Secret.fromhex("00112233445566778899aabbccddeeff")


def test_triple_des_unwraps_the_published_blocks() -> None:
    """NIST SP 800-67 appendix B.1, its first two blocks."""
    key = Secret.fromhex("0123456789abcdef23456789abcdef01456789abcdef0123")
    sealed = bytes.fromhex("a826fd8ce53b855fcce21c8112256fe6")
    assert unwrap(TDES, key, sealed) == Secret.fromhex("54686520717566636b2062726f776e20")


def test_a_key_of_32_bytes_is_unwrapped_block_by_block() -> None:
    """K and TOPc of TUAK."""
    sealed = bytes(range(16)), bytes(range(16, 32))
    parts = (unwrap(AES, FIPS_197_KEY, one).reveal() for one in sealed)
    assert unwrap(AES, FIPS_197_KEY, b"".join(sealed)) == Secret(b"".join(parts))


def test_a_triple_des_key_of_two_parts_repeats_its_first() -> None:
    two, three = Secret(b"ABCDEFGHIJKLMNOP"), Secret(b"ABCDEFGHIJKLMNOPABCDEFGH")
    assert unwrap(TDES, two, bytes(16)) == unwrap(TDES, three, bytes(16))


def test_the_check_value_is_the_head_of_the_encryption_of_zeros() -> None:
    """The AES-128 and DES values of an all-zero key are widely printed on key letters: 66E94B and 8CA64D."""
    assert key_check_value(AES, Secret(bytes(16))).hex() == "66e94b"
    assert key_check_value(TDES, Secret(bytes(16))).hex() == "8ca64d"


def test_custodians_parts_make_the_key_only_together() -> None:
    parts = [Secret.fromhex("f0" * 16), Secret.fromhex("0f" * 16), Secret.fromhex("01" * 16)]
    assert combine(parts) == Secret.fromhex("fe" * 16)
    assert combine(parts[:1]) == parts[0]


@pytest.mark.parametrize("parts", [[], [Secret(bytes(16)), Secret(bytes(8))]])
def test_parts_that_do_not_fit_together_are_refused(parts: list[Secret]) -> None:
    with pytest.raises(TransportKeyUnusable):
        combine(parts)


@pytest.mark.parametrize(("algorithm", "length"), [(AES, 24), (AES, 8), (TDES, 8), (TDES, 0)])
def test_a_key_of_a_wrong_length_is_refused(algorithm: TransportAlgorithm, length: int) -> None:
    with pytest.raises(TransportKeyUnusable, match=f"not {length}"):
        key_check_value(algorithm, Secret(bytes(length)))


@pytest.mark.parametrize("length", [0, 15, 17, 24, 48])
def test_a_card_key_of_a_wrong_length_is_refused(length: int) -> None:
    with pytest.raises(TransportKeyUnusable, match=f"not {length}"):
        unwrap(AES, FIPS_197_KEY, bytes(length))


@pytest.mark.parametrize("size", [16, 32])
@pytest.mark.parametrize("algorithm", list(TransportAlgorithm))
def test_what_is_enclosed_opens_again(algorithm: TransportAlgorithm, size: int) -> None:
    key, inside = Secret(bytes(range(16))), Secret(bytes(range(100, 100 + size)))
    sealed = enclose(algorithm, key, inside)
    assert sealed != inside.reveal()
    assert unwrap(algorithm, key, sealed) == inside


def test_what_is_no_card_key_is_not_enclosed() -> None:
    with pytest.raises(TransportKeyUnusable, match="not 8"):
        enclose(TransportAlgorithm.AES_128_ECB, Secret(bytes(16)), Secret(bytes(8)))
