"""Watches the readers and gives each one a worker thread; survives unplugging and a restart of the PC/SC service."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from queue import SimpleQueue
from typing import Final

from drivers.base import Presence, ReaderSource, ReaderState
from drivers.errors import ServiceDownError

LOOK_AGAIN: Final = 5.0
"""Seconds until a look even without news: another program's grip on a reader makes no event."""
SERVICE_PAUSE: Final = 1.0
"""Seconds between two tries to reach a PC/SC service that is down."""
_ENDING = 60.0

_log = logging.getLogger(__name__)


class Supervisor:
    """Knows every reader's state and runs tasks one at a time per reader.

    `on_change` is called with all readers, from the watching thread, after the first look and whenever one of them or
    the service behind them changed.
    """

    def __init__(
        self,
        source: ReaderSource,
        *,
        on_change: Callable[[tuple[ReaderState, ...]], None],
        service_pause: float = SERVICE_PAUSE,
    ) -> None:
        self._source = source
        self._on_change = on_change
        self._service_pause = service_pause
        self.service_up: bool | None = None
        """Whether the service behind the readers answered at the last look; None before the first."""
        self._known: dict[str, ReaderState] = {}
        self._workers: dict[str, _Worker] = {}
        self._hiring = threading.Lock()
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="readers", daemon=True)

    @property
    def readers(self) -> tuple[ReaderState, ...]:
        """The readers seen so far, as they were at the last look."""
        return tuple(self._known.values())

    def find(self, name: str) -> ReaderState | None:
        """Return the reader of this name, or None if it was never seen."""
        return self._known.get(name)

    def start(self) -> None:
        """Begin to watch."""
        self._watcher.start()

    def submit(self, reader: str, task: Callable[[], None]) -> None:
        """Run a task in the reader's own thread, after those submitted before."""
        with self._hiring:
            if reader not in self._workers:
                self._workers[reader] = _Worker(reader)
        self._workers[reader].tasks.put(task)

    def stop(self) -> None:
        """End watching and let each worker finish the task it is in."""
        self._stopping.set()
        while self._watcher.is_alive():
            self._source.interrupt()
            self._watcher.join(0.1)
        for worker in self._workers.values():
            worker.tasks.put(None)
        for worker in self._workers.values():
            worker.thread.join(_ENDING)
        self._source.close()

    def _watch(self) -> None:
        while not self._stopping.is_set():
            try:
                found = {reader.name: reader for reader in self._source.wait(LOOK_AGAIN)}
            except ServiceDownError as error:
                _log.debug("%s", error)
                self._tell(
                    {name: _without_card(old, Presence.SERVICE_DOWN) for name, old in self._known.items()}, up=False
                )
                self._stopping.wait(self._service_pause)
            except Exception:  # noqa: BLE001 - a driver's fault: a station that no longer looks would not show it
                _log.exception("looking at the readers failed")
                self._stopping.wait(self._service_pause)
            else:
                gone = {name: _without_card(old, Presence.LOST) for name, old in self._known.items()}
                self._tell(gone | found, up=True)

    def _tell(self, readers: dict[str, ReaderState], *, up: bool) -> None:
        if readers != self._known or up is not self.service_up:
            self._known, self.service_up = readers, up
            self._on_change(self.readers)


class _Worker:
    """One reader's thread: tasks in order, until None."""

    def __init__(self, reader: str) -> None:
        self.tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self.thread = threading.Thread(target=self._work, name=f"worker {reader}", daemon=True)
        self.thread.start()

    def _work(self) -> None:
        while (task := self.tasks.get()) is not None:
            try:
                task()
            except Exception:  # noqa: BLE001 - the tasks after this one wait for the same thread
                _log.exception("a task failed")


def _without_card(reader: ReaderState, presence: Presence) -> ReaderState:
    return replace(reader, presence=presence, atr=b"")
