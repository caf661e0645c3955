"""`haoka bench card` and `tear`: run by programs of the card side, which the service's code never touches."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from inventory.cli.bench.report import BenchFailed, Measurement

_ROOT = Path(__file__).parents[3]
_HEAD = ("name", "ratio", "target", "ok")


def measure(*, rounds: int, readers: Sequence[int], wire: str) -> Iterator[Measurement]:
    """Run the program and pass on what it finds, line by line.

    Raises
    ------
    BenchFailed
        There is no PC/SC daemon to measure with, or a card did not end verified.
    """
    options = [f"--rounds={rounds}", f"--wire={wire}", f"--readers={','.join(map(str, readers))}"]
    yield from _found("cardwriter.measure", *options)


def tear(*, stride: int) -> Iterator[Measurement]:
    """Cut the write of every card family at every `stride`-th command, in every way; one line a family and way.

    For one family the station's process is killed over a PC/SC daemon, too, at every command that changes the card.

    Raises
    ------
    BenchFailed
        A program did not come to its end, or there is no PC/SC daemon.
    """
    for program in ("cardwriter.workshop.tear", "cardwriter.workshop.killed"):
        yield from _found(program, f"--stride={stride}")


def _found(program: str, *options: str) -> Iterator[Measurement]:
    command = [sys.executable, "-m", program, *options]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        if process.stdout is not None:
            yield from map(_read, process.stdout)
    if process.returncode:
        raise BenchFailed(f"{program} ended with status {process.returncode}")


def _read(line: str) -> Measurement:
    found = json.loads(line)
    figures = {name: value for name, value in found.items() if name not in _HEAD}
    return Measurement(found["name"], found["ratio"], found["target"], figures)
