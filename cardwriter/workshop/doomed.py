"""A station's hands in a process that is killed (SIGKILL) in the middle of a script: reader, journal and runner.

`python -m cardwriter.workshop.doomed READER FOLDER` takes one JSON object a line: `{"wait": STATE}` until the reader
shows that, `{"run": SCRIPT, "job": …, "kill": [N, MOMENT]}` with its end at the script's N-th card-changing command if
`kill` is given, `{"ack": SCRIPT ID}`. It answers with `{"said": …}`, `{"seen": …}`, `{"report": …}`, and begins with
`{"journal": …}`, all reports that are on its disk.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

from cardwriter.script import Script
from cardwriter.station.journal import Journal
from cardwriter.workshop.torn import run_on
from drivers.base import CardConnection, Presence
from drivers.pcsc import PcscSource

T = TypeVar("T")
_LOOKS: Final = 60
"""Times a second that a reader is waited for: cards come and go within a few tenths of one."""


class Moment(StrEnum):
    """When the process dies: before the command is sent, or when the card has acted and its answer is not noted."""

    BEFORE = "sigkill_before"
    AFTER = "sigkill_after"


class Doomed:
    """A card; this process ends at the n-th of the commands in `changing`, from 1."""

    def __init__(self, card: CardConnection, changing: frozenset[bytes], at: int, moment: Moment) -> None:
        self._card = card
        self._changing = changing
        self._left = at
        self._moment = moment

    @property
    def atr(self) -> bytes:
        """See `CardConnection.atr`."""
        return self._card.atr

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        """Send the command, and die at the one meant."""
        self._left -= apdu in self._changing
        meant = not self._left and apdu in self._changing
        if meant and self._moment is Moment.BEFORE:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = self._card.transmit(apdu)
        if meant:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    def reset(self) -> bytes:
        """See `CardConnection.reset`."""
        return self._card.reset()

    def converse(self, work: Callable[[], T]) -> T:
        """See `CardConnection.converse`."""
        return self._card.converse(work)

    def close(self) -> None:
        """See `CardConnection.close`."""
        self._card.close()


def _say(**message: Any) -> None:
    sys.stdout.write(f"{json.dumps(message)}\n")
    sys.stdout.flush()


def _wait(source: PcscSource, reader: str, wanted: Presence) -> None:
    for _ in range(_LOOKS):
        if any((state.name, state.presence) == (reader, wanted) for state in source.wait(1.0)):
            return
    raise RuntimeError(f"{reader} never shows {wanted}")


def _run(source: PcscSource, journal: Journal, reader: str, order: dict[str, Any]) -> None:
    script = Script.from_wire(order["run"])
    entry = journal.open(script, job=order["job"], reader=reader, insertion=1)
    if entry is None:
        raise RuntimeError(f"{script.id} was run before")
    changing = frozenset(step.apdu for step in script.steps if step.changes_card)

    def connect() -> CardConnection:
        card = source.connect(reader)
        if order["kill"] is None:
            return card
        at, moment = order["kill"]
        return Doomed(card, changing, at, Moment(moment))

    _say(report=run_on(connect, script, entry, lambda line: _say(said=line)).to_wire())


def main() -> None:
    """Do as told until the input ends, or the process is killed."""
    reader, folder = sys.argv[1:]
    source, journal = PcscSource(), Journal(Path(folder))
    journal.settle()
    _say(journal=[filed.report.to_wire() for filed in journal.unacknowledged()])
    for line in sys.stdin:
        match json.loads(line):
            case {"wait": str(wanted)}:
                _wait(source, reader, Presence(wanted))
                _say(seen=wanted)
            case {"ack": str(script_id)}:
                journal.acknowledge(script_id)
            case order:
                _run(source, journal, reader, order)
    source.close()


if __name__ == "__main__":
    main()
