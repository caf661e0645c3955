"""Where the key-encryption keys come from: a file, whose versions are added, read while services run, and retired."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from typing_extensions import override

from cardwriter.crypto.secret import Secret
from inventory.domain.errors import InvalidField, KeyFileMissing
from inventory.vault import key_file
from inventory.vault.guard import PLAIN, KeyGuard
from inventory.vault.key_file import MAX_VERSION, Content, Retired, fresh_key


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


class FileKeyProvider:
    """Keys in a JSON file that only its owner may read: a root, and one key per version, the highest in use.

    The file is made at first start. Losing it loses every sealed secret: back it up apart from the database. It is
    looked at again whenever something is sealed, so that a process that runs uses a new version from the moment it is
    there: only so may an older one be retired while services run.
    """

    def __init__(self, path: Path, *, guard: KeyGuard = PLAIN, make: bool = True) -> None:
        """Open the key file, whose keys the guard seals; `make` makes it where there is none.

        Raises
        ------
        KeyFileDamaged, KeyFileExposed, KeyFileForeign
            It is not a key file, others may read it, or something else seals its keys.
        KeyFileMissing
            There is none and none is to be made.
        DomainError
            One of the `KeyToken…` refusals of the guard.
        OSError
            It can be neither read nor made.
        """
        self._path = path
        self._guard = guard
        if not path.exists():
            if not make:
                raise KeyFileMissing(file=str(path))
            key_file.create(path, Content(fresh_key(), {1: fresh_key()}), guard)
        self._seen = key_file.look(path)
        self._content = key_file.read(path, guard)

    @property
    def current(self) -> int:
        """Version of the key that seals from now on: the highest in the file as it is now.

        Raises
        ------
        DomainError
            The file has changed to something that cannot be used: nothing is sealed until it is put right.
        """
        self._renew()
        return max(self._content.keys)

    @property
    def versions(self) -> Mapping[int, datetime | None]:
        """The versions kept, with the time each was made; None for the one that the file began with."""
        self._renew()
        return {version: self._content.made.get(version) for version in sorted(self._content.keys)}

    @property
    def retired(self) -> Mapping[int, Retired]:
        """The versions that were destroyed, with time and reason."""
        self._renew()
        return self._content.retired

    def key(self, version: int) -> Secret:
        """Return the 32-byte key of a version.

        Raises
        ------
        UnknownKeyVersion
            The file has no such key.
        """
        if version not in self._content.keys:
            self._renew()
        key = self._content.keys.get(version)
        if key is None:
            raise UnknownKeyVersion(version)
        return key

    def root(self) -> Secret:
        """Return the 32-byte root of derived secrets."""
        return self._content.root

    def rotate(self, *, now: datetime) -> int:
        """Add a fresh key, use it from now on and return its version; older envelopes still open.

        Raises
        ------
        InvalidField
            All 65,535 versions are used up.
        """
        with self._changing() as old:
            version = max([*old.keys, *old.retired]) + 1
            if version > MAX_VERSION:
                raise InvalidField(
                    field="version", value=version, reason="no key version is left; load into a new city"
                )
            self._put(replace(old, keys={**old.keys, version: fresh_key()}, made={**old.made, version: now}))
        return version

    def retire(self, version: int, *, reason: str, now: datetime) -> None:
        """Destroy the key of a version: what is still sealed under it never opens again.

        Raises
        ------
        InvalidField
            The version is the one that seals.
        UnknownKeyVersion
            The file has no such key.
        """
        with self._changing() as old:
            if version not in old.keys:
                raise UnknownKeyVersion(version)
            if version == max(old.keys):
                raise InvalidField(
                    field="version", value=version, reason="it is in use; add another first: haoka keys rotate"
                )
            keys = {number: key for number, key in old.keys.items() if number != version}
            self._put(replace(old, keys=keys, retired={**old.retired, version: Retired(now, reason)}))

    def guard_with(self, guard: KeyGuard) -> None:
        """Seal the keys of the file by another guard; the keys stay the same.

        Processes that run seal nothing more until they are started again with that guard.
        """
        with self._changing() as content:
            key_file.put(self._path, content, guard)
            self._guard = guard
            self._renew()

    @override
    def __repr__(self) -> str:
        return f"FileKeyProvider({len(self._content.keys)} keys)"

    def _renew(self) -> None:
        """Read the file again if it is another one; where it is gone for the moment, what was read is still true."""
        with contextlib.suppress(FileNotFoundError):
            found = key_file.look(self._path)
            if found != self._seen:
                self._content = key_file.read(self._path, self._guard)
                self._seen = found

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Content]:
        """Give what the file holds, and let nobody else change it meanwhile: a version lost is a secret lost."""
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield key_file.read(self._path, self._guard)
        finally:
            os.close(folder)

    def _put(self, content: Content) -> None:
        key_file.put(self._path, content, self._guard)
        self._renew()
