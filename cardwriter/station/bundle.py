"""One file to send to whoever helps: how this station is, without anything that must not leave it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any, Final

from cardwriter.station import enrol
from cardwriter.station.app import LOG_NAME, VERSION
from cardwriter.station.journal import Journal
from cardwriter.station.selftest import Finding

LOG_LINES: Final = 500
_LIBRARIES: Final = ("pyscard", "pyserial", "websockets", "httpx2", "typer")
_SECONDS: Final = 5


def write_bundle(
    path: Path,
    *,
    data: Path,
    readers: str,
    shown: Iterable[dict[str, Any]],
    findings: Iterable[Finding],
    sentence: Callable[[Finding], str],
    now: datetime,
) -> None:
    """Write the bundle, readable by its owner alone, whole or not at all.

    It holds versions, settings (the credential only by its station's name), readers, the self-test, the journal
    without contents and the last lines of the log, which never had any.

    Raises
    ------
    OSError
        The file cannot be written, or a folder or device has its name.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "not a file")
    handle, draft = tempfile.mkstemp(prefix=f".{path.name[:40]}-", dir=path.parent)  # the owner's alone
    try:
        with os.fdopen(handle, "wb") as file:
            _fill(file, data=data, readers=readers, shown=shown, findings=findings, sentence=sentence, now=now)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _fill(
    file: IO[bytes], *, data: Path, readers: str, shown: Iterable[dict[str, Any]], findings: Iterable[Finding],
    sentence: Callable[[Finding], str], now: datetime,
) -> None:  # fmt: skip
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("about.json", _json(_about(data, readers, now)))
        bundle.writestr("readers.json", _json(list(shown)))
        bundle.writestr("selftest.txt", "".join(f"{found.result} {sentence(found)}\n" for found in findings))
        bundle.writestr("journal.json", _json(_journal(data)))
        bundle.writestr("station.log", _log(data))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)


def _about(data: Path, readers: str, now: datetime) -> dict[str, Any]:
    return {
        "at": now.isoformat(timespec="seconds"),
        "link_version": VERSION,
        "python": sys.version,
        "system": platform.platform(),
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "pcscd": _pcscd(),
        "readers": readers,
        "data": str(data),
        "station": _station(data),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _pcscd() -> str | None:
    """Return the first line of what the PC/SC daemon says of itself."""
    program = shutil.which("pcscd", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if program is None:
        return None
    try:
        said = subprocess.run(  # noqa: S603 - found in the system's own folders
            [program, "--version"], capture_output=True, text=True, timeout=_SECONDS, check=False
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return said.partition("\n")[0] or None


def _station(data: Path) -> dict[str, str] | None:
    try:
        credential = enrol.load(data)
    except (OSError, TypeError, ValueError):
        return None
    if credential is None:
        return None
    return {"service": credential.service, "id": credential.station_id, "name": credential.name}


def _journal(data: Path) -> list[dict[str, Any]]:
    """Return the journal's lines; of one that is broken, which may be the very fault, what is wrong with it."""
    try:
        with contextlib.closing(Journal(data)) as book:
            return [asdict(line) for line in book.lines()]
    except sqlite3.Error as error:
        return [{"error": f"{type(error).__name__}: {error}"}]


def _log(data: Path) -> str:
    try:
        lines = (data / LOG_NAME).read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    except OSError:
        return ""
    return "".join(lines[-LOG_LINES:])
