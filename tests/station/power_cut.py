"""A station whose power goes while a card is written: `python -m tests.station.power_cut FOLDER COMMAND [--no-sync]`.

Run with `keep_what_is_synced.c` preloaded, what is left in the folder of kept files is what a disk has for certain.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from typing_extensions import override

from cardwriter.station.journal import Journal
from cardwriter.station.runner import run
from drivers.virtual import VirtualSource
from tests.station.scripts import NOW, SELECT_AD, SELECT_IMSI, VERIFY_ADM, WRITE_AD, WRITE_IMSI, script, step
from tests.station.tiny_card import TinyCard

TRY_ADM = step("verify ADM", VERIFY_ADM.apdu.hex(), secret=True, changes=True)
"""As the card families mark it: a try of the ADM is a change of the card."""
JOB = script(SELECT_AD, TRY_ADM, WRITE_AD, SELECT_IMSI, WRITE_IMSI, named="write-1")
DONE = "done"


class LastSeen(TinyCard):
    """A card at whose command of this name the power goes."""

    def __init__(self, command: bytes) -> None:
        super().__init__()
        self._command = command

    @override
    def transmit(self, apdu: bytes) -> bytes:
        """Answer, or take the whole process away."""
        if apdu in (self._command, self._command[:-1]):  # T=0 carries no Le after data
            os._exit(0)
        return super().transmit(apdu)


def main(folder: Path, last: str, *unsynced: str) -> None:
    """Write the card until the command of this name, or to its end."""
    if unsynced:
        synced = Journal._transaction
        Journal._transaction = lambda self, **_: synced(self, synced=False)  # type: ignore[method-assign] # canary
    journal = Journal(folder)
    journal.settle()
    commands = {one.name: one.apdu for one in JOB.steps}
    entry = journal.open(JOB, job="job-1", reader="virtual", insertion=1)
    if entry is not None:
        card = VirtualSource(LastSeen(commands.get(last, b""))).connect("virtual")
        run(card, JOB, entry, on_step=lambda *_: None, cancelled=lambda: False, now=NOW)
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
