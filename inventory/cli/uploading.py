"""Large files to the service: in pieces, taken up again where the connection broke, with a bar."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from inventory.cli.client import Client, Unreachable
from inventory.domain.lifecycle import LOAD_OPEN

PIECE = 4 * 1024 * 1024
"""Bytes of a piece; a file that is not larger is loaded while the command waits."""
_TRIES = 5
_WAIT_SECONDS = 1.0


def goes_in_pieces(file: Path) -> bool:
    """Return whether the file is so large that it is sent in pieces and loaded by a worker."""
    return file.stat().st_size > PIECE


def send(client: Client, file: Path) -> str:
    """Send the file and return the upload's id; after a lost connection the last piece is sent again.

    Raises
    ------
    Refused
        The service refused; the reason is on standard error.
    typer.Exit
        It cannot be reached any more.
    """
    upload = client.write("/v1/uploads", {"name": file.name, "size": file.stat().st_size})
    path, offset = f"/v1/uploads/{upload['id']}", int(upload["offset"])
    with _bar() as bar, file.open("rb") as content:
        task = bar.add_task(file.name, total=upload["size"])
        while offset < upload["size"]:
            content.seek(offset)
            sent = _patiently(partial(client.append, path, offset, content.read(PIECE)))
            offset = int(sent["offset"])
            bar.update(task, completed=offset)
    return str(upload["id"])


def follow(client: Client, load_id: str) -> dict[str, Any]:
    """Show how far a load is until it has ended, and return it."""
    with _bar() as bar:
        task = bar.add_task("waiting", total=None)
        while (load := _patiently(partial(client.read, f"/v1/loads/{load_id}")))["state"] in LOAD_OPEN:
            _show(bar, task, load["progress"])
            time.sleep(_WAIT_SECONDS / 2)
    return load


def _patiently(ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Ask again while the service cannot be reached, a few times, longer apart each time."""
    for turn in range(1, _TRIES):
        try:
            return ask()
        except Unreachable:
            time.sleep(_WAIT_SECONDS * turn)
    return ask()


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _show(bar: Progress, task: TaskID, progress: dict[str, Any] | None) -> None:
    if progress is not None:
        total = progress["total"] or None
        bar.update(task, description=progress["phase"], completed=progress["done"], total=total)
