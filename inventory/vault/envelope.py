"""Envelopes: AES-256-GCM bound to the place where they lie, so that one moved to another row or field does not open.

Layout: format (1 byte, 0x01), key version (2 bytes, big endian), nonce (12 bytes), ciphertext, tag (16 bytes).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from typing_extensions import override

from cardwriter.crypto.secret import Secret
from inventory.vault.keys import KeyProvider, UnknownKeyVersion

_FORMAT = 1
_HEADER = 3
_NONCE = 12  # NIST SP 800-38D clause 8.2.2: random 96-bit nonces, good for 2^32 envelopes of one key
_TAG = 16
_DERIVED = 32


VERSION_AT = slice(1, _HEADER)
"""Where an envelope names its key version, two bytes, big endian."""


class EnvelopeBroken(Exception):
    """An envelope does not open: altered, cut, or moved to another row or field. Says where, never what."""


class Vault:
    """Seals and opens secrets with the provider's keys; the newest key seals, every key kept opens."""

    def __init__(self, provider: KeyProvider) -> None:
        self._provider = provider
        self._ciphers: dict[int, AESGCM] = {}

    @property
    def current(self) -> int:
        """Version of the key that seals from now on."""
        return self._provider.current

    def seal(self, plain: bytes, *, table: str, row: str, field: str) -> bytes:
        """Return the envelope of `plain` for this table, row (such as `530700/42`) and field."""
        version = self._provider.current
        nonce = os.urandom(_NONCE)
        return (
            _header(version) + nonce + self._cipher(version).encrypt(nonce, plain, _bound(table, row, field, version))
        )

    def for_rows(self, table: str, fields: Sequence[str]) -> RowSealer:
        """Give what seals these fields of many rows in the transaction at hand, under the version that seals now.

        Retiring that version waits for the transaction (docs/adr/0012).
        """
        version = self._provider.current
        return RowSealer(table, fields, version, self._cipher(version))

    def open(self, sealed: bytes, *, table: str, row: str, field: str) -> Secret:
        """Return what was sealed for exactly this table, row and field.

        Raises
        ------
        EnvelopeBroken
            It was altered, was sealed for another place, or its key is no longer kept.
        """
        place = f"{table}.{field} of {row}"
        if len(sealed) < _HEADER + _NONCE + _TAG or sealed[0] != _FORMAT:
            raise EnvelopeBroken(f"{place} is not an envelope; restore the row from a backup")
        version = int.from_bytes(sealed[VERSION_AT], "big")
        nonce, body = sealed[_HEADER : _HEADER + _NONCE], sealed[_HEADER + _NONCE :]
        try:
            return Secret(self._cipher(version).decrypt(nonce, body, _bound(table, row, field, version)))
        except UnknownKeyVersion:
            raise EnvelopeBroken(f"{place} needs key version {version}; put that key back into the provider") from None
        except InvalidTag:
            raise EnvelopeBroken(f"{place} was altered or moved; restore the row from a backup") from None

    def reseal(self, sealed: bytes, *, table: str, row: str, field: str) -> bytes:
        """Return an envelope of the current key for what another one holds, in the same place.

        Raises
        ------
        EnvelopeBroken
            As `open`.
        """
        return self.seal(
            self.open(sealed, table=table, row=row, field=field).reveal(), table=table, row=row, field=field
        )

    def derive(self, purpose: str, *, version: int | None = None) -> bytes:
        """Return the 32 bytes that belong to a purpose (HKDF-SHA256, RFC 5869).

        They stay when the keys are rotated, unless they are asked for of a key version.

        Raises
        ------
        UnknownKeyVersion
            No key of this version is kept.
        """
        source = self._provider.root() if version is None else self._provider.key(version)
        kdf = HKDF(algorithm=SHA256(), length=_DERIVED, salt=None, info=b"haoka/" + purpose.encode())
        return kdf.derive(source.reveal())

    @override
    def __repr__(self) -> str:
        return "Vault()"

    def _cipher(self, version: int) -> AESGCM:
        cipher = self._ciphers.get(version)
        if cipher is None:
            cipher = self._ciphers[version] = AESGCM(self._provider.key(version).reveal())
        return cipher


class RowSealer:
    """Seals row after row of one table; it has looked once which version seals: a look a row is a tenth of a load."""

    def __init__(self, table: str, fields: Sequence[str], version: int, cipher: AESGCM) -> None:
        self._encrypt = cipher.encrypt
        self._header, self._before = _header(version), _named(table)
        behind = (_named(field) + _named(str(version)) for field in fields)
        self._fields = tuple((slice(at * _NONCE, (at + 1) * _NONCE), after) for at, after in enumerate(behind))

    def seal(self, values: Sequence[bytes | None], *, row: str) -> list[bytes | None]:
        """Return the envelopes of a row's values, one for each field in their order, None for one that is None."""
        header, before, encrypt = self._header, self._before + _part(row), self._encrypt
        nonces = os.urandom(_NONCE * len(values))
        return [
            None if plain is None else header + (nonce := nonces[part]) + encrypt(nonce, plain, before + after)
            for plain, (part, after) in zip(values, self._fields, strict=True)
        ]


@lru_cache(maxsize=256)
def _header(version: int) -> bytes:
    return bytes([_FORMAT]) + version.to_bytes(2, "big")


def _bound(table: str, row: str, field: str, version: int) -> bytes:
    """Give the additional data; each part carries its length, so no two places share one."""
    return _named(table) + _part(row) + _named(field) + _named(str(version))


def _part(text: str) -> bytes:
    part = text.encode()
    return len(part).to_bytes(2, "big") + part


_named = lru_cache(maxsize=256)(_part)
"""Tables, fields and versions are few; a load seals a million rows of them."""
