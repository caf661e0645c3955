"""A station's process killed (SIGKILL) at every card-changing command of a write, over a real PC/SC daemon.

`python -m cardwriter.workshop.killed` prints one JSON object for each moment, as `cardwriter.workshop.tear` does. What
another process left on disk and on the card is all there is to judge by.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Self

from cardwriter.profiles import CardProfile, profile
from cardwriter.script import Purpose, Report, Script
from cardwriter.virtual.bench import Bench, BenchError, Slot, running
from cardwriter.virtual.image import CardImage
from cardwriter.workshop.doomed import Moment
from cardwriter.workshop.tear import Blank, End, Pool, Row
from drivers.base import Presence

_ROOT: Final = Path(__file__).parents[2]
FAMILY: Final = "preset_key"


class KilledHands:
    """A station as a process of its own with a card in a virtual reader of a PC/SC daemon; it ends with the block.

    `kill` says at which card-changing command of the next write script, from 1, and when; None spares it. `killed`
    tells that it came to that. `changes` is how many such commands that script has.
    """

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.said: list[str] = []
        self.kill: tuple[int, Moment] | None = None
        self.killed = False
        self.changes = 0
        self._folder = folder
        self._slot: Slot = bench.slots[0]
        self._environment = {**os.environ, "PCSCLITE_CSOCK_NAME": os.fspath(bench.socket)}
        self._start()

    def __enter__(self) -> Self:
        """Give the station."""
        return self

    def __exit__(self, *_: object) -> None:
        """End its process."""
        self._process.kill()
        self._process.communicate()  # closes the pipes, too

    def put_in(self) -> None:
        """Leave the card where it is: a process that was killed has not moved it."""

    def insert(self, card: Path) -> None:
        """Put another card in, when the daemon has seen the reader empty."""
        self.said.clear()
        self.killed = False
        self._slot.remove()
        self._wait(Presence.NO_CARD)
        self._slot.insert(card)
        self._wait(Presence.CARD)

    def carry_out(self, script: Script, *, job: str) -> Report:
        """See `Hands.carry_out`."""
        kill = None
        if script.purpose is Purpose.WRITE:
            self.changes = sum(step.changes_card for step in script.steps)
            kill, self.kill = self.kill, None
        self._tell(run=script.to_wire(), job=job, kill=kill)
        heard = self._hear("report")
        if heard is None:
            self._process.communicate()
            self.killed = self._process.returncode == -signal.SIGKILL
            kept = {one["script_id"]: one for one in self._start()}
            heard = kept[script.id]
        report = Report.from_wire(heard)
        self.said.append(repr(report))
        self._tell(ack=script.id)
        return report

    def _start(self) -> list[dict[str, Any]]:
        """Start the process (anew) and give the reports that it finds on its disk."""
        reader = self._slot.reader
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "cardwriter.workshop.doomed", reader, os.fspath(self._folder)],
            cwd=_ROOT, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        found: list[dict[str, Any]] | None = self._hear("journal")
        if found is None:
            raise BenchError("the station does not start")
        return found

    def _wait(self, presence: Presence) -> None:
        self._tell(wait=presence.value)
        if self._hear("seen") is None:
            raise BenchError(f"the reader never shows {presence}")

    def _tell(self, **order: Any) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(f"{json.dumps(order)}\n")
            self._process.stdin.flush()

    def _hear(self, what: str) -> Any:
        """Return what the process answers under this name, or None if it ends before; the rest is said."""
        for line in self._process.stdout or ():
            message = json.loads(line)
            if what in message:
                return message[what]
            self.said.append(line)
        return None


def matrix(folder: Path, *, stride: int = 1, family: CardProfile | None = None) -> Iterator[Row]:
    """Give a row for each moment; every `stride`-th card-changing command is cut, and the last job is not disturbed.

    Raises
    ------
    BenchError
        There is no PC/SC daemon to run it over.
    """
    family, pool = family or profile(FAMILY), Pool()
    journal = folder / "journal"
    with running(readers=2) as bench, KilledHands(bench, journal) as hands:
        for moment in Moment:
            row, at = Row(family.name, moment), 1
            _cut(row, hands, pool, folder, family, at, moment)
            while at + stride <= hands.changes:
                at += stride
                _cut(row, hands, pool, folder, family, at, moment)
            _cut(row, hands, pool, folder, family, hands.changes + 1, moment)
            yield row


def _cut(row: Row, hands: KilledHands, pool: Pool, folder: Path, family: CardProfile, at: int, moment: Moment) -> None:
    """Run one job whose station dies at this card-changing command, and note how it ended."""
    blank = Blank.take(family, pool)
    path = folder / f"card-{blank.number}.json"
    blank.card.image.save(path)
    hands.insert(path)
    hands.kill = (at, moment)
    job = blank.job(hands, f"{family.name}-{moment}-{at}")
    verdict = job.run()
    job.sample = replace(blank.card, image=CardImage.load(path))
    row.add(at, End(blank, job, verdict, moment if hands.killed else None), pool, folder / "journal")


def main() -> None:
    """Run it whole and print one JSON object a line."""
    parser = argparse.ArgumentParser(description="Kill a station at every command that changes a card.")
    parser.add_argument("--stride", type=int, default=1, help="cut every n-th command only")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="haoka-killed-") as folder:
            for row in matrix(Path(folder), stride=options.stride):
                sys.stdout.write(f"{json.dumps(row.to_json())}\n")
                sys.stdout.flush()
    except BenchError as error:
        raise SystemExit(f"killed: {error}") from None


if __name__ == "__main__":
    main()
