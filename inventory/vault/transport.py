"""Transport keys: how Ki and OPc come from vendors and go to networks, blocks under a key both sides know."""

from __future__ import annotations

import enum
from collections.abc import Iterable

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from cardwriter.crypto.secret import Secret

_KCV_BYTES = 3
_CARD_KEY_BYTES = (16, 32)  # K and OPc of MILENAGE, K of TUAK; K and TOPc of TUAK: 3GPP TS 35.206 §2.3, TS 35.231 §5
_TDES_BYTES = 24
_WRAPPED_MORE = 8  # RFC 3394 clause 2.2.1


class KeyPurpose(enum.StrEnum):
    """What a transport key is for: whoever has it could read what lies under it, so none serves both ways."""

    VENDOR = "vendor"
    """Card keys come in under it."""
    NETWORK = "network"
    """Card keys go out under it, to an HSS or AuC."""


class TransportAlgorithm(enum.StrEnum):
    """How a vendor encrypts card keys; both without chaining, since K and OPc are single random values."""

    AES_128_ECB = "aes-128-ecb"
    TDES_ECB = "3des-ecb"


_KEY_LENGTHS = {TransportAlgorithm.AES_128_ECB: (16,), TransportAlgorithm.TDES_ECB: (16, 24)}


class TransportKeyUnusable(ValueError):
    """A transport key, its parts or what it should open have the wrong length; says lengths, never values."""


def combine(parts: list[Secret]) -> Secret:
    """Return the key whose custodians bring `parts`: their exclusive or (one part is the key itself).

    Raises
    ------
    TransportKeyUnusable
        There is no part, or they differ in length.
    """
    if not parts or len({len(part) for part in parts}) != 1:
        raise TransportKeyUnusable("the key's parts must be at least one and equally long")
    key = bytes(len(parts[0]))
    for part in parts:
        key = bytes(a ^ b for a, b in zip(key, part.reveal(), strict=True))
    return Secret(key)


def key_check_value(algorithm: TransportAlgorithm, key: Secret) -> bytes:
    """Return the first three bytes of the encryption of a block of zeros.

    Raises
    ------
    TransportKeyUnusable
        The key does not fit the algorithm.
    """
    block = _block_cipher(algorithm, key)
    encryptor = _ecb(block).encryptor()
    return (encryptor.update(bytes(block.block_size // 8)) + encryptor.finalize())[:_KCV_BYTES]


def unwrap(algorithm: TransportAlgorithm, key: Secret, sealed: bytes) -> Secret:
    """Return the card key of 16 or 32 bytes that a vendor encrypted.

    Raises
    ------
    TransportKeyUnusable
        The key does not fit the algorithm, or `sealed` is neither 16 nor 32 bytes.
    """
    if len(sealed) not in _CARD_KEY_BYTES:
        raise TransportKeyUnusable(f"an encrypted card key has 16 or 32 bytes, not {len(sealed)}")
    decryptor = _ecb(_block_cipher(algorithm, key)).decryptor()
    return Secret(decryptor.update(sealed) + decryptor.finalize())


def enclose(algorithm: TransportAlgorithm, key: Secret, card_key: Secret) -> bytes:
    """Return the card key of 16 or 32 bytes encrypted, for who has the same transport key; `unwrap` opens it.

    Raises
    ------
    TransportKeyUnusable
        The transport key does not fit the algorithm, or the card key is neither 16 nor 32 bytes.
    """
    if len(card_key) not in _CARD_KEY_BYTES:
        raise TransportKeyUnusable(f"a card key has 16 or 32 bytes, not {len(card_key)}")
    encryptor = _ecb(_block_cipher(algorithm, key)).encryptor()
    return encryptor.update(card_key.reveal()) + encryptor.finalize()


def as_delivered(sizes: Iterable[int]) -> list[int]:
    """Return how many bytes keys of these sizes have in a vendor's file: as many, or 8 more where they are wrapped."""
    return [delivered for size in sizes for delivered in (size, size + _WRAPPED_MORE)]


def _block_cipher(algorithm: TransportAlgorithm, key: Secret) -> AES | TripleDES:
    lengths = _KEY_LENGTHS[algorithm]
    if len(key) not in lengths:
        raise TransportKeyUnusable(f"a key for {algorithm} has {' or '.join(map(str, lengths))} bytes, not {len(key)}")
    value = key.reveal()
    if algorithm is TransportAlgorithm.AES_128_ECB:
        return AES(value)
    return TripleDES((value + value)[:_TDES_BYTES])  # two-key form: K3 = K1 (NIST SP 800-67 clause 3.1)


def _ecb(block: AES | TripleDES) -> Cipher[ECB]:
    return Cipher(block, ECB())  # noqa: S305  # the vendors' format: single random values, nothing to chain
