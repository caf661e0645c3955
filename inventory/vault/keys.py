"""Where the key-encryption keys come from. The default is a file; a PKCS#11 provider has the same three methods."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
from pathlib import Path
from typing import Any, Protocol

from typing_extensions import override

from cardwriter.crypto.secret import Secret

_KEY_BYTES = 32
_MAX_VERSION = 0xFFFF
_OWNER_ONLY = 0o600


class KeyProvider(Protocol):
    """What the vault needs of a place that keeps keys."""

    @property
    def current(self) -> int:
        """Version of the key that seals from now on."""

    def key(self, version: int) -> Secret:
        """Return the 32-byte key of a version, or raise `UnknownKeyVersion`."""

    def root(self) -> Secret:
        """Return the 32-byte root of derived secrets; it is the same for the life of the installation."""


class UnknownKeyVersion(LookupError):
    """The provider keeps no key of this version."""


class KeyFileUnusable(Exception):
    """The key file is readable by others or is not a key file; the message says what to do."""


class FileKeyProvider:
    """Keys in a JSON file that only its owner may read: a root, and one key per version, the highest in use.

    The file is made at first start. Losing it loses every sealed secret: back it up apart from the database.
    """

    def __init__(self, path: Path) -> None:
        """Open the key file, or make it.

        Raises
        ------
        KeyFileUnusable
            Others may read it, or it is not a key file.
        OSError
            It can be neither read nor made.
        """
        self._path = path
        if not path.exists():
            _create(path, {"root": _fresh(), "keys": {"1": _fresh()}})
        self._root, self._keys = _read(path)

    @property
    def current(self) -> int:
        """Version of the key that seals from now on: the highest in the file."""
        return max(self._keys)

    def key(self, version: int) -> Secret:
        """Return the 32-byte key of a version.

        Raises
        ------
        UnknownKeyVersion
            The file has no such key.
        """
        key = self._keys.get(version)
        if key is None:
            raise UnknownKeyVersion(version)
        return key

    def root(self) -> Secret:
        """Return the 32-byte root of derived secrets."""
        return self._root

    def rotate(self) -> int:
        """Add a fresh key, use it from now on and return its version; older envelopes still open.

        Other processes use it after their next start.

        Raises
        ------
        KeyFileUnusable
            All 65,535 versions are used up.
        """
        version = self.current + 1
        if version > _MAX_VERSION:
            raise KeyFileUnusable("no key version is left; start a new key file and load the secrets again")
        keys = {str(number): key.reveal().hex() for number, key in self._keys.items()} | {str(version): _fresh()}
        spare = _write_spare(self._path, {"root": self._root.reveal().hex(), "keys": keys})
        spare.replace(self._path)
        self._root, self._keys = _read(self._path)
        return version

    @override
    def __repr__(self) -> str:
        return f"FileKeyProvider({len(self._keys)} keys)"


def _fresh() -> str:
    return secrets.token_hex(_KEY_BYTES)


def _write_spare(path: Path, content: dict[str, Any]) -> Path:
    """Write the content to a file of our own beside `path`, for its owner only, and give its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    spare = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    return spare


def _create(path: Path, content: dict[str, Any]) -> None:
    """Make the key file whole or not at all; of two processes that start at once, one makes it and both read it."""
    spare = _write_spare(path, content)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(spare, path)
    finally:
        spare.unlink()


def _read(path: Path) -> tuple[Secret, dict[int, Secret]]:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise KeyFileUnusable(f"{path.name} may be read by others; run: chmod 600 {path}")
    try:
        content = json.loads(path.read_text(encoding="ascii"))
        root = Secret.fromhex(content["root"])
        keys = {int(version): Secret.fromhex(key) for version, key in content["keys"].items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        keys, root = {}, Secret(b"")
    if not keys or any(len(secret) != _KEY_BYTES for secret in (root, *keys.values())):
        raise KeyFileUnusable(f"{path.name} is not a key file; put the right file back, or restore it from a backup")
    return root, keys
