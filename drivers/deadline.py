"""A thread for calls that may never return.

PC/SC has no time-out for a card that takes a command and stays silent, and no way to take the call back. So the call is
made in a thread apart; whoever waits for it may give up, and the thread tidies up if the call ever returns.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from queue import SimpleQueue
from typing import Final, TypeVar

T = TypeVar("T")


class _GivenUp(BaseException):
    """Ends a conversation that nobody waits for any more; no handler of errors in it may take it for one."""


class _Hand:
    """A daemon thread that does what it is given, one after the other: the process can end while a call hangs."""

    def __init__(self) -> None:
        self.calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _work(self) -> None:
        while (call := self.calls.get()) is not None:
            call()
            del call  # nothing of a card stays with a thread that waits for the next


_MOST_IDLE: Final = 15
"""As many as a PC/SC service has readers; beyond that a thread ends with its lane."""
_idle: Final[list[_Hand]] = []
"""Threads of lanes that closed well: a new one for each card takes longer than many a command to it."""


class Lane:
    """Runs calls one after the other in one thread, which no other lane has meanwhile.

    Handing a call over to the thread and back takes longer than many a call. `converse` hands over once for a whole
    series of them; the deadline still is that of each single call.
    """

    def __init__(self, name: str, deadline: float) -> None:
        self._deadline = deadline
        try:
            self._hand = _idle.pop()
        except IndexError:
            self._hand = _Hand()
        self._hand.thread.name = name
        self._verdict = threading.Lock()
        """Held to decide whether a call came back in time: it did, or it was given up, never both."""
        self._due = math.inf
        self._stuck = False
        """Whether it takes no more work: a call hangs, or it is closed."""

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
        if threading.current_thread() is self._hand.thread:
            return work()
        if self._stuck:
            raise TimeoutError
        future: Future[T] = Future()
        self._hand.calls.put(lambda: _settle(future, work))
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
        """Run `last` and let go of the thread; when a call hangs, leave both to the thread and return at once."""
        ended: Future[object] = Future()
        self._hand.calls.put(lambda: _settle(ended, last))
        if not self._stuck:
            with suppress(TimeoutError):
                ended.exception(patience)
        self._stuck = True
        if ended.done() and len(_idle) < _MOST_IDLE:
            _idle.append(self._hand)
        else:
            self._hand.calls.put(None)

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


def _settle(future: Future[T], work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - handed to the waiting thread, which raises it
        future.set_exception(error)
