"""One station: readers, journal and link put together."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from filelock import BaseFileLock, FileLock, Timeout

from cardwriter.script import Outcome, Report, Script, ScriptError, StepResult
from cardwriter.signing import Destination
from cardwriter.station.dispensing import Movement, Stop, move
from cardwriter.station.journal import Entry, Filed, Journal
from cardwriter.station.link import Link, LinkRefusedError, Message
from cardwriter.station.readers import Supervisor
from cardwriter.station.runner import run
from cardwriter.station.trust import Trust
from drivers.base import Dispenser, ReaderSource, ReaderState
from drivers.errors import DriverError, NoReaderError
from drivers.trace import TracingConnection

VERSION: Final = "1"
"""Of the link's messages."""
LOG_NAME: Final = "station.log"
"""File in the data folder that keeps the last of what the station logged: headers and status words, never data."""
OTHER_INSERTION: Final = "other_insertion"
"""`Report.error` of a script whose reader has had another card put in since the script was accepted."""
FAILURE: Final = "station_failure"
"""`Report.error` when the station itself failed, such as a disk that takes no journal."""
INSERTIONS_PER_START: Final = 1_000_000
"""Insertions are counted on across restarts: a report from before one never passes for the card that is in now."""
_ENDING = 15.0
DISPENSER_LOOK: Final = 1.0
"""Seconds between two looks at what people change at a dispenser by hand."""

_log = logging.getLogger(__name__)


class AlreadyRunningError(Exception):
    """Another station process works in the same data folder."""


class Station:
    """Runs what the service sends, reports what cards say, forgets nothing until told.

    Parameters
    ----------
    source
        Where the readers are; closed by `stop`.
    trust
        Tells the service's scripts from others'.
    tell
        Told what a person may want to read: a code of `texts.TEXTS` and its values.
    clock
        Gives the current time, aware.

    Raises
    ------
    AlreadyRunningError
        The data folder is in use.
    LinkRefusedError
        The service's address is unfit.
    OSError, sqlite3.Error
        The data folder takes no file, or its journal is none.
    """

    def __init__(
        self,
        source: ReaderSource,
        *,
        service: str,
        credential: str,
        trust: Trust,
        data: Path,
        tell: Callable[..., None],
        on_end: Callable[[], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._link = Link(service, credential, hello=self._hello, receive=self._receive)
        self._lock = lock(data)
        self._source = source
        self._trust = trust
        self._tell = tell
        self._on_end = on_end
        self._clock = clock
        self._cancelled: set[str] = set()
        self._dispenser = source if isinstance(source, Dispenser) else None
        self._stopped_by: tuple[Stop | None, str | None, str | None] = (None, None, None)
        """How the dispenser's last movement ended, and the name that the service gave it."""
        self._told: Message = {}
        """What was last said of the dispenser."""
        self._stopping = threading.Event()
        self._shown: dict[str, ReaderState] = {}
        self.refused: LinkRefusedError | None = None
        """Why the service would not have this station, once it said so."""
        try:
            self._journal = Journal(data)
            self._first_insertion = self._journal.settle() * INSERTIONS_PER_START
        except sqlite3.Error:
            self._lock.release()
            raise
        self._supervisor = Supervisor(source, on_change=self._readers_changed)
        self._link_thread = threading.Thread(target=self._keep_link, name="link", daemon=True)
        self._watch_thread = threading.Thread(target=self._watch_dispenser, name="dispenser", daemon=True)

    def start(self) -> None:
        """Begin to watch the readers and to keep the link; returns at once."""
        self._supervisor.start()
        self._link_thread.start()
        if self._dispenser is not None:
            self._watch_thread.start()

    def stop(self) -> None:
        """End cleanly: a script that has not changed its card stops, one that has runs to its end."""
        self._stopping.set()
        self._supervisor.stop()
        self._link.stop()
        self._link_thread.join(_ENDING)
        self._journal.close()
        self._lock.release()

    def _keep_link(self) -> None:
        try:
            self._link.run()
        except LinkRefusedError as error:
            self.refused = error
        finally:
            self._on_end()

    def _hello(self) -> Message:
        return {
            "type": "hello",
            "version": VERSION,
            "signer": self._trust.signer.hex(),
            "readers": [self._wire(reader) for reader in self._supervisor.readers],
            "journal": [filed.to_wire() for filed in self._journal.unacknowledged()],
        }

    def _readers_changed(self, readers: tuple[ReaderState, ...]) -> None:
        self._link.send({"type": "readers", "readers": [self._wire(reader) for reader in readers]})
        for reader in readers:
            if self._shown.get(reader.name) != reader:
                self._tell(reader.presence.value, reader=reader.name)
        if not readers:
            self._tell("no_reader" if self._supervisor.service_up else "service_gone")
        self._shown = {reader.name: reader for reader in readers}
        for reader in readers:
            self._show_dispenser(reader.name)

    def _receive(self, message: Message) -> None:
        match message:
            case {"type": "run", "reader": str(reader), "script": {"id": str(script_id)} as script}:
                self._accept(message, reader, script_id, script)
            case {"type": "ack", "script": str(script_id)}:
                self._acknowledged(script_id)
            case {"type": "cancel", "script": str(script_id)}:
                self._cancelled.add(script_id)
            case {"type": "signer"}:
                self._follow(message)
            case {"type": "move", "reader": str(reader), "movement": str(wanted)} if wanted in set(Movement):
                self._supervisor.submit(reader, lambda: self._move(reader, Movement(wanted), message.get("name")))
            case {"type": "welcome"}:
                self._tell("connected", name=message.get("name", ""))
                for state in self._supervisor.readers:
                    self._supervisor.submit(state.name, partial(self._show_dispenser, state.name))
            case _:
                _log.warning("link: dropped a message of type %.40r", message.get("type"))

    def _move(self, reader: str, movement: Movement, name: str | None) -> None:
        """Let the dispenser move its card, in its reader's thread: no script runs meanwhile."""
        if self._dispenser is not None:
            self._stopped_by = (*move(self._dispenser, movement), name)
            self._show_dispenser(reader)

    def _show_dispenser(self, reader: str, *, again: bool = True) -> None:
        """Tell where the dispenser's card is, what is left in its stack and in its bin; not `again` what was told."""
        if self._dispenser is None:
            return
        stop, error, moved = self._stopped_by
        shown: Message = {"card": None, "stacker": None, "bin_full": None, "in_bin": None}
        try:
            state = self._dispenser.state()
            in_bin = self._dispenser.rejected()
        except DriverError as failure:
            stop, error = Stop.DISPENSER_FAILED, failure.code
        else:
            shown = {"card": state.card, "stacker": state.stacker, "bin_full": state.bin_full, "in_bin": in_bin}
        told: Message = {"reader": reader, **shown, "stop": stop, "error": error, "moved": moved}
        if again or told != self._told:
            self._told = told
            self._link.send({"type": "dispenser", **told})

    def _watch_dispenser(self) -> None:
        """Look at stack, bin and gate by and by: they change by hand, and no reader says so."""
        looked = threading.Event()
        looked.set()

        def look(reader: str) -> None:
            try:
                self._show_dispenser(reader, again=False)
            finally:
                looked.set()

        while not self._stopping.wait(DISPENSER_LOOK):
            for state in self._supervisor.readers:
                if looked.is_set():  # not while a card is written: it would queue up behind
                    looked.clear()
                    self._supervisor.submit(state.name, partial(look, state.name))

    def _follow(self, message: Message) -> None:
        """Let another of the service's keys sign from now on."""
        try:
            self._trust.follow(message.get("key"), message.get("endorsement"))
        except OSError:  # its scripts are refused until the disk takes it: the next connection tells it again
            _log.exception("the service's new key was not kept")

    def _accept(self, message: Message, reader: str, script_id: str, wire: dict[str, Any]) -> None:
        """Put a script into the journal and into its reader's queue; one that was here before runs no second time."""
        job = message.get("job")
        state = self._supervisor.find(reader)
        insertion = self._insertion(reader)
        try:
            script = Script.from_wire(wire)
        except ScriptError:
            report = _nothing_sent(script_id, Outcome.REFUSED, "malformed_script")
            self._link.send(Filed(job=job, reader=reader, insertion=insertion, report=report).to_wire())
            return
        try:
            entry = self._journal.open(script, job=job, reader=reader, insertion=insertion)
        except sqlite3.Error:  # `changed` as if it were: no journal proves that this script did not run before
            _log.exception("script %s was not taken", script_id)
            report = Report(script_id=script_id, outcome=Outcome.LOST, results=(), error=FAILURE)
            self._link.send(Filed(job=job, reader=reader, insertion=insertion, report=report).to_wire())
            return
        if entry is None:
            self._send_report(script_id)
            return
        to = Destination(station=self._trust.station_id, reader=reader, job=job)
        refusal = self._trust.refusal(message, script, to)
        if refusal is not None:
            _log.warning("script %s was refused: %s", script_id, refusal)
            entry.close(_nothing_sent(script_id, Outcome.REFUSED, refusal))
            self._send_report(script_id)
        elif state is None:
            entry.close(_nothing_sent(script_id, Outcome.LOST, NoReaderError.code))
            self._send_report(script_id)
        else:
            self._supervisor.submit(reader, lambda: self._work(reader, script, entry))

    def _acknowledged(self, script_id: str) -> None:
        try:
            self._journal.acknowledge(script_id)
        except sqlite3.Error:  # the next hello repeats the report
            _log.exception("script %s was not forgotten", script_id)

    def _work(self, reader: str, script: Script, entry: Entry) -> None:
        """Run one script in its reader's thread, whatever happens."""
        try:
            report = self._run(reader, script, entry)
        except Exception:  # noqa: BLE001 - a full disk, a fault of ours: the service must hear of it, the worker must live
            _log.exception("script %s", script.id)
            report = Report(script_id=script.id, outcome=Outcome.LOST, results=(), error=FAILURE, changed=entry.changed)
            filed = Filed(job=entry.job, reader=reader, insertion=entry.insertion, report=report)
            self._link.send(filed.to_wire())
        else:
            self._send_report(script.id)
        self._cancelled.discard(script.id)
        self._tell(
            "ended", reader=reader, purpose=script.purpose.value, outcome=report.outcome.value, error=report.error or ""
        )

    def _run(self, reader: str, script: Script, entry: Entry) -> Report:
        def on_step(index: int, result: StepResult) -> None:
            step = {"index": index, "of": len(script.steps), "name": result.name, "sw": f"{result.sw:04x}"}
            self._link.send({"type": "step", "job": entry.job, "script": script.id, **step})
            self._tell("step", reader=reader, **step | {"index": index + 1})

        try:
            card = self._source.connect(reader)
        except DriverError as error:
            report = _nothing_sent(script.id, Outcome.LOST, error.code)
            entry.close(report)
            return report
        try:
            if self._insertion(reader) != entry.insertion:
                report = _nothing_sent(script.id, Outcome.REFUSED, OTHER_INSERTION)
                entry.close(report)
                return report
            return run(
                TracingConnection(card, _log.debug) if _log.isEnabledFor(logging.DEBUG) else card,
                script,
                entry,
                on_step=on_step,
                cancelled=lambda: self._stopping.is_set() or script.id in self._cancelled,
                now=self._clock(),
            )
        finally:
            card.close()

    def _insertion(self, reader: str) -> int:
        """Give the count of cards put into the reader, as of the last look at it."""
        state = self._supervisor.find(reader)
        return self._first_insertion + (state.insertion if state else 0)

    def _wire(self, reader: ReaderState) -> Message:
        return {
            "name": reader.name,
            "state": reader.presence.value,
            "atr": reader.atr.hex(),
            "insertion": self._first_insertion + reader.insertion,
        }

    def _send_report(self, script_id: str) -> None:
        filed = self._journal.find(script_id)
        if filed is not None:
            self._link.send(filed.to_wire())


def lock(folder: Path) -> BaseFileLock:
    """Hold the data folder for this process until it is released or the process ends.

    Raises
    ------
    AlreadyRunningError
        Another process holds it.
    OSError
        The folder takes no file.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = FileLock(folder / "station.lock", thread_local=False)
    try:
        held.acquire(blocking=False)
    except Timeout:
        raise AlreadyRunningError(os.fspath(folder)) from None
    return held


def _nothing_sent(script_id: str, outcome: Outcome, error: str) -> Report:
    return Report(script_id=script_id, outcome=outcome, results=(), error=error, changed=False)
