"""A thread for calls that may never return.

PC/SC has no time-out for a card that takes a command and stays silent, and no way to take the call back. So the call is
made in a thread of its own; whoever waits for it may give up, and the thread tidies up if the call ever returns.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")


class _GivenUp(BaseException):
    """Ends a conversation that nobody waits for any more; no handler of errors in it may take it for one."""


class Lane:
    """Runs calls one after the other in one daemon thread: the process can end while a call hangs.

    Handing a call over to the thread and back takes longer than many a call. `converse` hands over once for a whole
    series of them; the deadline still is that of each single call.
    """

    def __init__(self, name: str, deadline: float) -> None:
        self._deadline = deadline
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._verdict = threading.Lock()
        """Held to decide whether a call came back in time: it did, or it was given up, never both."""
        self._due = math.inf
        self._stuck = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def call(self, work: Callable[[], T]) -> T:
        """Run `work` and return its result, or raise what it raised.

        Raises
        ------
        TimeoutError
            It did not return within the deadline, or an earlier call never did.
        """
        return self.converse(lambda: self._in_time(work))

    def converse(self, work: Callable[[], T]) -> T:
        """Run `work` in the lane's thread, each `call` in it at once, and return its result or raise its error.

        Raises
        ------
        TimeoutError
            A call in it did not return within the deadline. Should it ever return, nothing more of `work` is run but
            what tidies up.
        """
        if threading.current_thread() is self._thread:
            return work()
        if self._stuck:
            raise TimeoutError
        future: Future[T] = Future()
        self._calls.put(lambda: _settle(future, work))
        while not future.done():
            # A call that has not begun by now is due a whole deadline from now at the earliest.
            with suppress(TimeoutError):
                future.exception(min(self._due - time.monotonic(), self._deadline))
            with self._verdict:
                self._stuck = self._due <= time.monotonic()
            if self._stuck:
                raise TimeoutError
        return future.result()

    def close(self, last: Callable[[], object], patience: float) -> None:
        """Run `last` and end the thread; when a call hangs, leave both to the thread and return at once."""
        self._calls.put(lambda: _settle(Future(), last))
        self._calls.put(None)
        if not self._stuck:
            self._thread.join(patience)

    def _in_time(self, work: Callable[[], T]) -> T:
        self._due = time.monotonic() + self._deadline
        try:
            return work()
        finally:
            with self._verdict:
                self._due = math.inf
                stuck = self._stuck
            if stuck:
                raise _GivenUp

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


def _settle(future: Future[T], work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - handed to the waiting thread, which raises it
        future.set_exception(error)
