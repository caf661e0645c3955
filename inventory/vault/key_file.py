"""The file that keys lie in: made whole, read, and replaced at once."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cardwriter.crypto.secret import Secret
from inventory.domain.errors import KeyFileDamaged, KeyFileExposed, KeyFileForeign, KeyFileNotOpened
from inventory.vault.guard import KeyGuard, NotOpened, Wrapping

MAX_VERSION = 0xFFFF
"""An envelope has two bytes for the version."""
_KEY_BYTES = 32
_OWNER_ONLY = 0o600


@dataclass(frozen=True)
class Retired:
    """When a key version was destroyed, and why."""

    at: datetime
    reason: str


@dataclass(frozen=True)
class Content:
    """What a key file holds; `made` names the versions that were added to it later."""

    root: Secret
    keys: Mapping[int, Secret]
    made: Mapping[int, datetime] = field(default_factory=dict)
    retired: Mapping[int, Retired] = field(default_factory=dict)


def fresh_key() -> Secret:
    """Return 32 random bytes."""
    return Secret(secrets.token_bytes(_KEY_BYTES))


def look(path: Path) -> tuple[int, int, int]:
    """Return what differs between a file and the one that replaces it."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def read(path: Path, guard: KeyGuard) -> Content:
    """Return what the file holds.

    Raises
    ------
    DomainError
        `KeyFileExposed`, `KeyFileDamaged`, `KeyFileForeign`, `KeyFileNotOpened`, or what the guard lacks.
    """
    require_private(path)
    try:
        wire = json.loads(path.read_text(encoding="utf-8"))
        by = wire.get("sealed_by")
    except (ValueError, AttributeError):
        raise KeyFileDamaged(file=str(path)) from None
    if by != guard.name:
        raise KeyFileForeign(file=str(path), by=by or "-", now=guard.name or "-")
    with guard.opened() as wrapping:
        try:
            content = _of_json(wire, wrapping)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise KeyFileDamaged(file=str(path)) from None
        except NotOpened:
            raise KeyFileNotOpened(file=str(path), by=guard.name) from None
    if (
        not content.keys
        or not all(0 < version <= MAX_VERSION for version in content.keys)
        or any(len(secret) != _KEY_BYTES for secret in (content.root, *content.keys.values()))
    ):
        raise KeyFileDamaged(file=str(path))
    return content


def require_private(path: Path) -> None:
    """Refuse a file that others than its owner may read.

    Raises
    ------
    KeyFileExposed
        They may.
    """
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise KeyFileExposed(file=str(path))


def create(path: Path, content: Content, guard: KeyGuard) -> None:
    """Make the key file whole or not at all; of two processes that start at once, one makes it and both read it."""
    spare = _write_spare(path, content, guard)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(spare, path)
    finally:
        spare.unlink()
    _settle(path.parent)


def put(path: Path, content: Content, guard: KeyGuard) -> None:
    """Replace the file at once, for the owner it had; it is on the disk before anything is sealed with it."""
    owner = path.stat()
    spare = _write_spare(path, content, guard)
    try:
        if (os.geteuid(), os.getegid()) != (owner.st_uid, owner.st_gid):
            os.chown(spare, owner.st_uid, owner.st_gid)
        spare.replace(path)
    finally:
        spare.unlink(missing_ok=True)
    _settle(path.parent)


def _write_spare(path: Path, content: Content, guard: KeyGuard) -> Path:
    """Write the content to a file of our own beside `path`, for its owner only, and give its path."""
    with guard.opened() as wrapping:
        sealed_by = {} if guard.name is None else {"sealed_by": guard.name}
        wire = {**sealed_by, **_to_json(content, wrapping)}
    path.parent.mkdir(parents=True, exist_ok=True)
    spare = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(wire, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    return spare


def _settle(folder: Path) -> None:
    """Bring the folder's names to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _to_json(content: Content, wrapping: Wrapping) -> dict[str, Any]:
    return {
        "root": wrapping.wrap(content.root, "root").hex(),
        "keys": {str(version): wrapping.wrap(key, f"key/{version}").hex() for version, key in content.keys.items()},
        "made": {str(version): at.isoformat() for version, at in content.made.items()},
        "retired": {
            str(version): {"at": gone.at.isoformat(), "reason": gone.reason}
            for version, gone in content.retired.items()
        },
    }


def _of_json(wire: Any, wrapping: Wrapping) -> Content:
    return Content(
        wrapping.unwrap(bytes.fromhex(wire["root"]), "root"),
        {
            int(version): wrapping.unwrap(bytes.fromhex(key), f"key/{int(version)}")
            for version, key in wire["keys"].items()
        },
        {int(version): datetime.fromisoformat(at) for version, at in wire.get("made", {}).items()},
        {
            int(version): Retired(datetime.fromisoformat(gone["at"]), str(gone["reason"]))
            for version, gone in wire.get("retired", {}).items()
        },
    )
