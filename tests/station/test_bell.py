from __future__ import annotations

import signal
import threading

import pytest

from cardwriter.station.bell import Bell


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_just_before_the_wait_ends_it(number: signal.Signals) -> None:
    bell = Bell()
    with bell.rung_by_signals():
        signal.raise_signal(number)
        bell.wait()


def test_a_signal_that_another_thread_takes_ends_the_wait() -> None:
    """The main thread is in the middle of its wait and is not interrupted."""
    bell = Bell()
    with bell.rung_by_signals():
        other = threading.Timer(0.05, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM))
        other.start()
        bell.wait()
        other.join()


def test_another_thread_ends_the_wait_however_often_it_rings() -> None:
    bell = Bell()
    with bell.rung_by_signals():

        def insist() -> None:
            for _ in range(100_000):
                bell.ring()

        other = threading.Thread(target=insist)
        other.start()
        bell.wait()
        other.join()
    bell.ring()


def test_signals_do_as_before_after_the_block() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Bell().rung_by_signals():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
