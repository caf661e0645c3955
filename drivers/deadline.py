"""A thread for calls that may never return.

PC/SC has no time-out for a card that takes a command and stays silent, and no way to take the call back. So the call is
made in a thread of its own; whoever waits for it may give up, and the thread tidies up if the call ever returns.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")


class Lane:
    """Runs calls one after the other in one daemon thread: the process can end while a call hangs."""

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._stuck = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def call(self, work: Callable[[], T], deadline: float) -> T:
        """Run `work` and return its result, or raise what it raised.

        Raises
        ------
        TimeoutError
            It did not return within `deadline` seconds, or an earlier call never did.
        """
        if self._stuck:
            raise TimeoutError
        future: Future[T] = Future()
        self._calls.put(lambda: _settle(future, work))
        try:
            return future.result(deadline)
        except TimeoutError:
            self._stuck = True
            raise

    def close(self, last: Callable[[], object], deadline: float) -> None:
        """Run `last` and end the thread; when a call hangs, leave both to the thread and return at once."""
        self._calls.put(lambda: _settle(Future(), last))
        self._calls.put(None)
        if not self._stuck:
            self._thread.join(deadline)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


def _settle(future: Future[T], work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - handed to the waiting thread, which raises it
        future.set_exception(error)
