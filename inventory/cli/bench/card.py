"""`haoka bench card`: the card path, measured by a program of the card side; the service's code never touches it."""

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
    command = [sys.executable, "-m", "cardwriter.measure", f"--rounds={rounds}", f"--wire={wire}"]
    command.append(f"--readers={','.join(map(str, readers))}")
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as program:  # noqa: S603 - our own
        if program.stdout is not None:
            yield from map(_read, program.stdout)
    if program.returncode:
        raise BenchFailed(f"cardwriter.measure ended with status {program.returncode}")


def _read(line: str) -> Measurement:
    found = json.loads(line)
    figures = {name: value for name, value in found.items() if name not in _HEAD}
    return Measurement(found["name"], found["ratio"], found["target"], figures)
