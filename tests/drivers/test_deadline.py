from __future__ import annotations

import threading

import pytest

from drivers.deadline import Lane
from tests.patience import PATIENCE


def test_a_call_gives_its_result_and_its_error() -> None:
    lane = Lane("test", PATIENCE)
    assert lane.call(lambda: 42) == 42
    with pytest.raises(ZeroDivisionError):
        lane.call(lambda: 1 // 0)
    lane.close(lambda: None, PATIENCE)


def test_a_call_that_never_returns_is_given_up_and_tidied_up_later() -> None:
    lane = Lane("test", 0.01)
    release, tidied = threading.Event(), threading.Event()
    with pytest.raises(TimeoutError):
        lane.call(release.wait)
    with pytest.raises(TimeoutError):
        lane.call(lambda: "never run")
    lane.close(tidied.set, PATIENCE)
    assert not tidied.is_set()
    release.set()
    assert tidied.wait(PATIENCE)


def test_calls_run_in_one_thread_of_their_own() -> None:
    lane = Lane("test", PATIENCE)
    first, second = (lane.call(threading.get_ident) for _ in range(2))
    assert first == second != threading.get_ident()
    lane.close(lambda: None, PATIENCE)


def test_a_conversation_makes_its_calls_in_that_thread_at_once() -> None:
    lane = Lane("test", PATIENCE)
    talked = lane.converse(lambda: (threading.get_ident(), lane.call(threading.get_ident)))
    assert talked == (lane.call(threading.get_ident),) * 2
    with pytest.raises(ZeroDivisionError):
        lane.converse(lambda: lane.call(lambda: 1 // 0))
    lane.close(lambda: None, PATIENCE)


def test_a_conversation_may_last_longer_than_any_of_its_calls() -> None:
    lane = Lane("test", 1.0)

    def work() -> int:
        threading.Event().wait(1.1)  # between calls: none is late by it
        return lane.call(lambda: 42)

    assert lane.converse(work) == 42
    lane.close(lambda: None, PATIENCE)


def test_a_conversation_that_was_given_up_only_tidies_up_when_its_call_returns() -> None:
    lane = Lane("test", 0.01)
    release, tidied, ended = threading.Event(), threading.Event(), threading.Event()
    went_on: list[str] = []

    def work() -> None:
        try:
            lane.call(release.wait)
            went_on.append("after the call")
        except Exception:  # noqa: BLE001 - as a runner that reports every error would
            went_on.append("in a handler of errors")
        finally:
            tidied.set()

    with pytest.raises(TimeoutError):
        lane.converse(work)
    release.set()
    assert tidied.wait(PATIENCE)
    lane.close(ended.set, PATIENCE)
    assert ended.wait(PATIENCE)
    assert went_on == []


def test_the_thread_of_a_lane_that_closed_serves_the_next_and_the_closed_one_takes_no_more() -> None:
    first = Lane("first", PATIENCE)
    thread = first.call(threading.current_thread)
    first.close(lambda: None, PATIENCE)
    second, third = Lane("second", PATIENCE), Lane("third", PATIENCE)
    assert second.call(threading.current_thread) is thread
    assert thread.name == "second"
    assert third.call(threading.current_thread) is not thread
    with pytest.raises(TimeoutError):
        first.call(lambda: "in a thread that is the second's by now")
    for lane in (second, third):
        lane.close(lambda: None, PATIENCE)


def test_the_thread_of_a_lane_that_hangs_serves_no_other() -> None:
    hung = Lane("hung", 0.01)
    thread, release = hung.call(threading.current_thread), threading.Event()
    with pytest.raises(TimeoutError):
        hung.call(release.wait)
    hung.close(lambda: None, PATIENCE)
    after = Lane("after", PATIENCE)
    assert after.call(threading.current_thread) is not thread
    release.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    after.close(lambda: None, PATIENCE)
