"""What a main thread waits for until it is to end."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

_STOPPING: Final = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]
"""SIGBREAK is what Windows sends when a console is closed."""


class Bell:
    """Wakes the main thread from any thread, or at a signal, whenever that comes.

    A handler in Python would run only once the main thread runs on: a signal in the moment before it rests would be
    heard by nobody. The interpreter's own handler writes into the socket instead, whatever the main thread does.
    """

    def __init__(self) -> None:
        self._ear, self._button = socket.socketpair()
        self._button.setblocking(False)

    def ring(self) -> None:
        """End the wait; once is enough."""
        with suppress(OSError):  # full: it has rung already; closed: nobody waits any more
            self._button.send(b"\0")

    def wait(self) -> None:
        """Return when it has rung."""
        self._ear.recv(1)

    @contextmanager
    def rung_by_signals(self) -> Iterator[None]:
        """Let SIGTERM and Ctrl-C ring, and do nothing else, while the block lasts."""
        before = {number: signal.signal(number, lambda *_: None) for number in _STOPPING}
        signal.set_wakeup_fd(self._button.fileno())
        try:
            yield
        finally:
            signal.set_wakeup_fd(-1)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._ear.close()
            self._button.close()
