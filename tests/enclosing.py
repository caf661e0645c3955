"""Keys under a transport key, as vendors send them and networks open them: one block alone, nothing chained."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from cardwriter.crypto.secret import Secret


def enclosed(under: Secret, value: bytes) -> bytes:
    """Encrypt a key of one block or more under the transport key that both sides have."""
    encryptor = _cipher(under).encryptor()
    return encryptor.update(value) + encryptor.finalize()


def opened(under: Secret, value: bytes) -> bytes:
    """Open what `enclosed` gives."""
    decryptor = _cipher(under).decryptor()
    return decryptor.update(value) + decryptor.finalize()


def _cipher(under: Secret) -> Cipher[ECB]:
    return Cipher(AES(under.reveal()), ECB())  # noqa: S305 - the format of transport keys
