"""Finds the one card meant and runs a reading script on it, as a station does."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from cardwriter.script import Outcome, Report, Script
from cardwriter.station.journal import Journal
from cardwriter.station.runner import run
from drivers import errors
from drivers.base import CardConnection, Presence, ReaderSource
from drivers.errors import DriverError, NoCardError, NoReaderError

_ERRORS: Final = {
    one.code: one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, DriverError)
}


class SeveralCardsError(Exception):
    """More than one reader holds a card; `readers` are their names."""

    def __init__(self, readers: list[str]) -> None:
        self.readers = readers
        super().__init__(", ".join(readers))


@contextlib.contextmanager
def the_card(source: ReaderSource) -> Iterator[tuple[str, CardConnection]]:
    """Hold the only card in these readers; gives its reader's name with it and closes both in the end.

    Raises
    ------
    DriverError
        There is no reader, no card, or it cannot be had.
    SeveralCardsError
        Which card is meant must be said.
    """
    with contextlib.closing(source):
        states = source.wait(0)
        if not states:
            raise NoReaderError
        held = [state.name for state in states if state.presence is not Presence.NO_CARD]
        if not held:
            raise NoCardError(reader=states[0].name)
        if len(held) > 1:
            raise SeveralCardsError(held)
        with contextlib.closing(source.connect(held[0])) as card:
            yield held[0], card


def read(card: CardConnection, script: Callable[[int], Script], *, now: datetime) -> Report:
    """Run a script that only reads, made for an expiry in UTC seconds; the runner refuses one that does more.

    Raises
    ------
    DriverError
        Card or reader failed under way: what was read until then is no picture of a card.
    """
    made = script(int(now.timestamp()) + 600)
    with tempfile.TemporaryDirectory(prefix="haoka-read-") as folder:
        journal = Journal(Path(folder))
        entry = journal.open(made, job=None, reader="", insertion=0)
        if entry is None:
            raise RuntimeError("a new journal knows this script")
        try:
            report = run(card, made, entry, on_step=lambda *_: None, cancelled=lambda: False, now=now)
        finally:
            journal.close()
    if report.outcome is Outcome.LOST:
        raise _ERRORS.get(report.error or "", DriverError)
    return report
