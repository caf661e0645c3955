from __future__ import annotations

import threading

import pytest

from drivers.deadline import Lane
from tests.patience import PATIENCE


def test_a_call_gives_its_result_and_its_error() -> None:
    lane = Lane("test")
    assert lane.call(lambda: 42, 5.0) == 42
    with pytest.raises(ZeroDivisionError):
        lane.call(lambda: 1 // 0, 5.0)
    lane.close(lambda: None, 5.0)


def test_a_call_that_never_returns_is_given_up_and_tidied_up_later() -> None:
    lane = Lane("test")
    release, tidied = threading.Event(), threading.Event()
    with pytest.raises(TimeoutError):
        lane.call(release.wait, 0.01)
    with pytest.raises(TimeoutError):
        lane.call(lambda: "never run", 60.0)
    lane.close(tidied.set, 60.0)
    assert not tidied.is_set()
    release.set()
    assert tidied.wait(PATIENCE)


def test_calls_run_in_one_thread_of_their_own() -> None:
    lane = Lane("test")
    first, second = (lane.call(threading.get_ident, 5.0) for _ in range(2))
    assert first == second != threading.get_ident()
    lane.close(lambda: None, 5.0)
