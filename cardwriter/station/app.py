"""One station: readers, journal and link put together."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cardwriter.script import Outcome, Report, Script, ScriptError, StepResult
from cardwriter.station.journal import Entry, Filed, Journal
from cardwriter.station.link import Link, LinkRefusedError, Message
from cardwriter.station.readers import Supervisor
from cardwriter.station.runner import run
from drivers.base import ReaderSource, ReaderState
from drivers.errors import DriverError, NoReaderError
from drivers.trace import TracingConnection

VERSION: Final = "1"
"""Of the link's messages."""
OTHER_INSERTION: Final = "other_insertion"
"""`Report.error` of a script whose reader has had another card put in since the script was accepted."""
FAILURE: Final = "station_failure"
"""`Report.error` when the station itself failed, such as a disk that takes no journal."""
INSERTIONS_PER_START: Final = 1_000_000
"""Insertions are counted on across restarts: a report from before one never passes for the card that is in now."""
_ENDING = 15.0

_log = logging.getLogger(__name__)


class AlreadyRunningError(Exception):
    """Another station process works in the same data folder."""


class Station:
    """Runs what the service sends, reports what cards say, forgets nothing until told.

    Parameters
    ----------
    source
        Where the readers are; closed by `stop`.
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
    """

    def __init__(
        self,
        source: ReaderSource,
        *,
        service: str,
        credential: str,
        data: Path,
        tell: Callable[..., None],
        on_end: Callable[[], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._link = Link(service, credential, hello=self._hello, receive=self._receive)
        self._lock = lock(data)
        self._source = source
        self._tell = tell
        self._on_end = on_end
        self._clock = clock
        self._cancelled: set[str] = set()
        self._stopping = threading.Event()
        self._shown: dict[str, ReaderState] = {}
        self.refused: LinkRefusedError | None = None
        """Why the service would not have this station, once it said so."""
        self._journal = Journal(data)
        self._first_insertion = self._journal.settle() * INSERTIONS_PER_START
        self._supervisor = Supervisor(source, on_change=self._readers_changed)
        self._link_thread = threading.Thread(target=self._keep_link, name="link", daemon=True)

    def start(self) -> None:
        """Begin to watch the readers and to keep the link; returns at once."""
        self._supervisor.start()
        self._link_thread.start()

    def stop(self) -> None:
        """End cleanly: a script that has not changed its card stops, one that has runs to its end."""
        self._stopping.set()
        self._supervisor.stop()
        self._link.stop()
        self._link_thread.join(_ENDING)
        self._journal.close()
        self._lock.close()

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

    def _receive(self, message: Message) -> None:
        match message:
            case {"type": "run", "reader": str(reader), "script": {"id": str(script_id)} as script}:
                self._accept(message.get("job"), reader, script_id, script)
            case {"type": "ack", "script": str(script_id)}:
                self._journal.acknowledge(script_id)
            case {"type": "cancel", "script": str(script_id)}:
                self._cancelled.add(script_id)
            case {"type": "welcome"}:
                self._tell("connected", name=message.get("name", ""))
            case _:
                _log.warning("link: dropped a message of type %.40r", message.get("type"))

    def _accept(self, job: str | None, reader: str, script_id: str, wire: dict[str, Any]) -> None:
        """Put a script into the journal and into its reader's queue; one that was here before runs no second time."""
        state = self._supervisor.find(reader)
        insertion = self._insertion(reader)
        try:
            script = Script.from_wire(wire)
        except ScriptError:
            report = _nothing_sent(script_id, Outcome.REFUSED, "malformed_script")
            self._link.send(Filed(job=job, reader=reader, insertion=insertion, report=report).to_wire())
            return
        entry = self._journal.open(script, job=job, reader=reader, insertion=insertion)
        if entry is None:
            self._send_report(script_id)
        elif state is None:
            entry.close(_nothing_sent(script_id, Outcome.LOST, NoReaderError.code))
            self._send_report(script_id)
        else:
            self._supervisor.submit(reader, lambda: self._work(reader, script, entry))

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
            self._tell("step", reader=reader, **step)

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
                TracingConnection(card, _log.debug),
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


def lock(folder: Path) -> Any:
    """Hold the data folder for this process; closing what is returned gives it back.

    Raises
    ------
    AlreadyRunningError
        Another process holds it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = (folder / "station.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise AlreadyRunningError(os.fspath(folder)) from None
    return file


def _nothing_sent(script_id: str, outcome: Outcome, error: str) -> Report:
    return Report(script_id=script_id, outcome=outcome, results=(), error=error, changed=False)
