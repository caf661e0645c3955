"""Keys sealed by a PKCS#11 token: the file's keys open only through an AES-256 key that never leaves the token.

The token is asked when the file is read or written, not for each secret: a running service outlives the token's
restart, and a load of a million cards costs what it costs without one. Each time begins a new session.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from typing_extensions import override

from cardwriter.crypto.secret import Secret
from inventory.domain.errors import (
    InvalidField,
    KeyTokenAbsent,
    KeyTokenFailed,
    KeyTokenKeyMissing,
    KeyTokenModuleMissing,
    KeyTokenPinMissing,
    KeyTokenPinRefused,
    KeyTokenSupportMissing,
)
from inventory.vault.guard import PLAIN, KeyGuard, NotOpened
from inventory.vault.key_file import look, require_private

_SETTING = "HAOKA_KEY_TOKEN"
_KEY_BITS = 256
_NONCE = 12  # NIST SP 800-38D clause 8.2.2: random 96-bit nonces
_TAG_BITS = 128
_ONE_AT_A_TIME = threading.Lock()
"""A session begins with the module started anew, which ends every other session of this process."""


@dataclass(frozen=True)
class TokenAddress:
    """Where the key is: module (a path), labels of token and key, and the file that has the PIN."""

    module: str
    token: str
    key: str
    pin_file: Path


def parse_address(uri: str) -> TokenAddress:
    """Return what a PKCS#11 URI says (RFC 7512): `pkcs11:token=…;object=…?module-path=…&pin-source=…`.

    Raises
    ------
    InvalidField
        It is none, lacks one of the four, or has another attribute, such as a PIN itself.
    """
    scheme, _, rest = uri.partition(":")
    path, _, query = rest.partition("?")
    if scheme != "pkcs11":
        raise InvalidField(field=_SETTING, value=scheme, reason="it must begin with pkcs11: (RFC 7512)")
    given: dict[str, str] = {}
    for part in filter(None, [*path.split(";"), *query.split("&")]):
        name, _, value = part.partition("=")
        if name not in {"token", "object", "module-path", "pin-source"}:
            reason = "only token, object, module-path and pin-source are allowed; the PIN goes into a file"
            raise InvalidField(field=_SETTING, value=name, reason=reason)
        given[name] = unquote(value)
    for name in ("token", "object", "module-path", "pin-source"):
        if not given.get(name):
            raise InvalidField(field=_SETTING, value=name, reason="it is missing; docs/keys.md has an example")
    pin_file = Path(given["pin-source"].removeprefix("file:"))
    return TokenAddress(given["module-path"], given["token"], given["object"], pin_file)


def guard_of(uri: str | None) -> KeyGuard:
    """Return what the setting says: a token, or nothing.

    Raises
    ------
    InvalidField
        As `parse_address`.
    """
    return PLAIN if uri is None else TokenGuard(parse_address(uri))


class TokenGuard:
    """Seals the keys of a key file with AES-256-GCM inside the token."""

    def __init__(self, address: TokenAddress) -> None:
        self._at = address
        self._refused: tuple[int, int, int] | None = None
        """What the PIN file was when the token refused its PIN: it is not asked with that again, for tokens lock."""

    @property
    def name(self) -> str:
        """Labels of token and key, as a URI without the way there."""
        return f"pkcs11:token={self._at.token};object={self._at.key}"

    @contextlib.contextmanager
    def opened(self) -> Iterator[TokenWrapping]:
        """Give the token's key for as long as the block.

        Raises
        ------
        DomainError
            One of the `KeyToken…` refusals: what is missing, and what to do.
        """
        with self._session(write=False) as (pkcs11, session):
            yield TokenWrapping(pkcs11, self._key(pkcs11, session))

    def make_key(self) -> bool:
        """Make the token's key unless it is there, so that it cannot leave the token; whether it was made.

        Raises
        ------
        DomainError
            As `opened`.
        """
        with self._session(write=True) as (pkcs11, session):
            try:
                self._key(pkcs11, session)
            except KeyTokenKeyMissing:
                traits = pkcs11.Attribute
                template = {traits.SENSITIVE: True, traits.EXTRACTABLE: False, traits.PRIVATE: True}
                session.generate_key(
                    pkcs11.KeyType.AES, _KEY_BITS, label=self._at.key, store=True, template=template,
                    capabilities=pkcs11.MechanismFlag.ENCRYPT | pkcs11.MechanismFlag.DECRYPT,
                )  # fmt: skip
                return True
        return False

    @override
    def __repr__(self) -> str:
        return f"TokenGuard({self.name})"

    @contextlib.contextmanager
    def _session(self, *, write: bool) -> Iterator[tuple[Any, Any]]:
        try:
            pkcs11: Any = import_module("pkcs11")
        except ImportError:
            raise KeyTokenSupportMissing from None
        seen, pin = _pin(self._at.pin_file)
        refused = KeyTokenPinRefused(token=self._at.token, file=str(self._at.pin_file))
        if seen == self._refused:
            raise refused
        with _ONE_AT_A_TIME:
            try:
                with (
                    self._library(pkcs11).get_token(token_label=self._at.token).open(rw=write, user_pin=pin) as session
                ):
                    yield pkcs11, session
            except (pkcs11.NoSuchToken, pkcs11.TokenNotPresent, pkcs11.TokenNotRecognised):
                raise KeyTokenAbsent(token=self._at.token) from None
            except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange, pkcs11.PinLocked, pkcs11.PinExpired):
                self._refused = seen
                raise refused from None
            except pkcs11.PKCS11Error as error:
                raise KeyTokenFailed(token=self._at.token, fault=type(error).__name__) from None

    def _library(self, pkcs11: Any) -> Any:
        """Give the module, started anew: a token that came back since is only seen so."""
        try:
            library = pkcs11.lib(self._at.module)
        except (pkcs11.PKCS11Error, OSError):
            raise KeyTokenModuleMissing(module=self._at.module) from None
        library.reinitialize()
        return library

    def _key(self, pkcs11: Any, session: Any) -> Any:
        known = pkcs11.Attribute
        wanted = {
            known.CLASS: pkcs11.ObjectClass.SECRET_KEY,
            known.KEY_TYPE: pkcs11.KeyType.AES,
            known.VALUE_LEN: _KEY_BITS // 8,
            known.ENCRYPT: True,
            known.DECRYPT: True,
            known.LABEL: self._at.key,
        }
        keys = list(session.get_objects(wanted))
        if not keys:
            raise KeyTokenKeyMissing(token=self._at.token, key=self._at.key)
        if len(keys) > 1:
            raise KeyTokenFailed(token=self._at.token, fault=f"{len(keys)} keys {self._at.key}")
        return keys[0]


class TokenWrapping:
    """The token's key in an open session; what is sealed is a nonce (12 bytes), ciphertext and tag (16 bytes)."""

    def __init__(self, pkcs11: Any, key: Any) -> None:
        self._pkcs11 = pkcs11
        self._key = key

    def wrap(self, key: Secret, label: str) -> bytes:
        """Return the key sealed by the token for this label."""
        nonce = os.urandom(_NONCE)
        sealed: bytes = self._key.encrypt(key.reveal(), **self._mechanism(nonce, label))
        return nonce + sealed

    def unwrap(self, wrapped: bytes, label: str) -> Secret:
        """Return the key.

        Raises
        ------
        NotOpened
            It was altered, moved, or sealed by another key of the same name.
        """
        known = self._pkcs11
        try:
            return Secret(self._key.decrypt(wrapped[_NONCE:], **self._mechanism(wrapped[:_NONCE], label)))
        except (known.EncryptedDataInvalid, known.EncryptedDataLenRange, known.GeneralError, known.FunctionFailed):
            raise NotOpened from None

    def _mechanism(self, nonce: bytes, label: str) -> dict[str, Any]:
        return {
            "mechanism": self._pkcs11.Mechanism.AES_GCM,
            "mechanism_param": self._pkcs11.GCMParams(nonce, label.encode(), _TAG_BITS),
        }


def _pin(path: Path) -> tuple[tuple[int, int, int], str]:
    """Return what tells the file from its successor, and the PIN in it."""
    try:
        require_private(path)
        seen, pin = look(path), path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError):
        raise KeyTokenPinMissing(file=str(path)) from None
    if not pin:  # a try with none would count, too
        raise KeyTokenPinMissing(file=str(path))
    return seen, pin
