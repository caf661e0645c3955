from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import pytest

from cardwriter.station.readers import Supervisor
from drivers.base import CardConnection, Presence, ReaderState
from drivers.errors import ServiceDownError
from drivers.virtual import VirtualSource
from tests.patience import PATIENCE
from tests.station.tiny_card import TinyCard

States = tuple[ReaderState, ...]


class Source:
    """Readers as the test says they are; an error in the list is raised."""

    def __init__(self) -> None:
        self.looks: SimpleQueue[States | Exception | None] = SimpleQueue()
        self.last: States = ()
        self.closed = False

    def wait(self, timeout: float) -> States:
        """Block until the test says something."""
        assert timeout > 1, "a station at rest does not poll"
        look = self.looks.get()
        if isinstance(look, Exception):
            raise look
        self.last = self.last if look is None else look
        return self.last

    def interrupt(self) -> None:
        """Wake the one who waits."""
        self.looks.put(None)

    def connect(self, reader: str) -> CardConnection:
        """Open no card; this source has none."""
        raise AssertionError(reader)

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


@pytest.fixture
def told() -> SimpleQueue[States]:
    return SimpleQueue()


@pytest.fixture
def source(told: SimpleQueue[States]) -> Iterator[Source]:
    source = Source()
    supervisor = Supervisor(source, on_change=told.put, service_pause=0.0)
    supervisor.start()
    yield source
    supervisor.stop()
    assert source.closed


A_EMPTY = ReaderState("A", Presence.NO_CARD)
A_CARD = ReaderState("A", Presence.CARD, b"\x3b\x00", 1)
B_CARD = ReaderState("B", Presence.CARD, b"\x3b\x00", 4)


def test_each_change_is_told_once(source: Source, told: SimpleQueue[States]) -> None:
    for look in ((A_EMPTY,), (A_EMPTY,), (A_CARD,)):
        source.looks.put(look)
    assert [told.get(timeout=PATIENCE) for _ in range(2)] == [(A_EMPTY,), (A_CARD,)]


def test_no_reader_at_all_is_told_too(source: Source, told: SimpleQueue[States]) -> None:
    source.looks.put(())
    assert told.get(timeout=PATIENCE) == ()


def test_an_unplugged_reader_is_lost_and_comes_back(source: Source, told: SimpleQueue[States]) -> None:
    """REQ-HW-01: unplugging a reader is survived."""
    for look in ((A_CARD, B_CARD), (B_CARD,), (A_EMPTY, B_CARD)):
        source.looks.put(look)
    seen = [told.get(timeout=PATIENCE) for _ in range(3)]
    assert seen[1] == (ReaderState("A", Presence.LOST, b"", 1), B_CARD)
    assert seen[2] == (A_EMPTY, B_CARD)


def test_a_dead_service_marks_every_reader_and_is_asked_again(source: Source, told: SimpleQueue[States]) -> None:
    source.looks.put((A_CARD,))
    source.looks.put(ServiceDownError())
    source.looks.put(ServiceDownError())
    source.looks.put((A_EMPTY,))
    seen = [told.get(timeout=PATIENCE) for _ in range(3)]
    assert seen[1] == (ReaderState("A", Presence.SERVICE_DOWN, b"", 1),)
    assert seen[2] == (A_EMPTY,)


def test_a_service_dead_from_the_start_is_told(source: Source, told: SimpleQueue[States]) -> None:
    source.looks.put(ServiceDownError())
    assert told.get(timeout=PATIENCE) == ()


def test_a_look_that_fails_in_an_unknown_way_is_not_the_last(source: Source, told: SimpleQueue[States]) -> None:
    source.looks.put(RuntimeError())
    source.looks.put((A_EMPTY,))
    assert told.get(timeout=PATIENCE) == (A_EMPTY,)


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    supervisor = Supervisor(VirtualSource(TinyCard()), on_change=lambda _: None)
    supervisor.start()
    yield supervisor
    supervisor.stop()


def test_tasks_of_one_reader_run_in_order_and_of_two_side_by_side(supervisor: Supervisor) -> None:
    done: SimpleQueue[str] = SimpleQueue()
    other_ran = threading.Event()

    def first() -> None:
        assert other_ran.wait(PATIENCE)
        done.put("first")

    tasks: list[tuple[str, Callable[[], None]]] = [
        ("A", first),
        ("A", lambda: done.put("second")),
        ("B", other_ran.set),
    ]
    for reader, task in tasks:
        supervisor.submit(reader, task)
    assert [done.get(timeout=PATIENCE), done.get(timeout=PATIENCE)] == ["first", "second"]


def test_a_task_that_fails_is_not_its_readers_last(supervisor: Supervisor) -> None:
    done = threading.Event()

    def fail() -> None:
        raise RuntimeError

    supervisor.submit("A", fail)
    supervisor.submit("A", done.set)
    assert done.wait(PATIENCE)


def test_stopping_lets_the_task_in_hand_finish() -> None:
    supervisor = Supervisor(VirtualSource(), on_change=lambda _: None)
    supervisor.start()
    began, go, done = threading.Event(), threading.Event(), threading.Event()

    def task() -> None:
        began.set()
        assert go.wait(PATIENCE)
        done.set()

    supervisor.submit("A", task)
    assert began.wait(PATIENCE)
    stopper = threading.Thread(target=supervisor.stop)
    stopper.start()
    go.set()
    stopper.join(PATIENCE)
    assert done.is_set()
