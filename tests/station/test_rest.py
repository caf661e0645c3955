"""What a station costs while nothing happens, and after very many insertions. Counted, never timed."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import pytest

from cardwriter.station.app import Station
from cardwriter.station.readers import LOOK_AGAIN
from drivers.virtual import VirtualSource
from tests.patience import PATIENCE
from tests.station.conftest import ROOT
from tests.station.fake_service import CREDENTIAL, FakeService, trust
from tests.station.scripts import IDENTIFY, script
from tests.station.tiny_card import TinyCard

WAKES_A_SECOND = 3
INSERTIONS = 10_000
EVERY = 20
"""One insertion in so many is followed by a script."""
CHUNK = 1000


def wakes_between_looks(folder: Path, *, haste: int, before: int) -> int:
    """Give how often a connected station woke up between two looks, which lie `LOOK_AGAIN` seconds apart.

    The looks `before` are those while it comes up: that is no rest yet.
    """
    with FakeService() as service:
        command = [sys.executable, "-m", "tests.station.resting", service.url, CREDENTIAL, str(folder), str(haste)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as station:
            assert station.stdout is not None
            service.wait_for(lambda message: message["type"] == "hello")
            for _ in range(before):
                station.stdout.readline()
            counts = [int(station.stdout.readline()) for _ in range(2)]
            station.kill()  # a polling driver ends its look before it stops
    return counts[1] - counts[0]


@pytest.fixture(scope="module")
def wakes(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, int]:
    """Count those of a station, and of one whose driver polls twenty times a second, both at once."""
    # the link comes up after a station's second look; a polling driver has no news, so that its second comes later
    wanted = {"station": (1, 2), "polling driver": (100, 1)}

    def count(haste: int, before: int) -> int:
        return wakes_between_looks(tmp_path_factory.mktemp("rest"), haste=haste, before=before)

    with ThreadPoolExecutor(len(wanted)) as together:
        return dict(zip(wanted, together.map(count, *zip(*wanted.values(), strict=True)), strict=True))


@pytest.mark.e2e
@pytest.mark.parametrize(("who", "quiet"), [("station", True), ("polling driver", False)])
def test_a_station_at_rest_hardly_wakes(wakes: Mapping[str, int], who: str, *, quiet: bool) -> None:
    """At most a few wakes a second; the checker sees a driver that polls twenty times a second."""
    assert (wakes[who] <= WAKES_A_SECOND * LOOK_AGAIN) is quiet, wakes


def footprint() -> tuple[int, int, int]:
    """Give how many blocks of memory, threads and open files this process has."""
    gc.collect()
    return sys.getallocatedblocks(), threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))


class Hands:
    """Puts cards in and takes them out, each time as the station has seen it."""

    def __init__(self, service: FakeService, folder: Path) -> None:
        self.service, self.source, self.told = service, VirtualSource(), SimpleQueue[str]()
        self.station = Station(
            self.source,
            service=service.url,
            credential=CREDENTIAL,
            trust=trust(),
            data=folder,
            tell=lambda code, **_: self.told.put(code),
            on_end=lambda: None,
        )
        self.count = 0
        self.station.start()
        self.see("connected")

    def see(self, code: str) -> None:
        """Wait until the station tells this."""
        while self.told.get(timeout=PATIENCE) != code:
            """What else it tells is no matter."""

    def insert(self) -> None:
        """Put a card in, sometimes let it be identified, and take it out."""
        self.source.insert(TinyCard())
        self.see("card")
        if self.count % EVERY == 0:
            named = f"identify-{self.count}"
            self.service.send_run(script(*IDENTIFY.steps, named=named, purpose=IDENTIFY.purpose, card=None))
            self.service.wait_report(named)
            self.service.send({"type": "ack", "script": named})
        self.source.remove()
        self.see("no_card")
        self.count += 1


def growth(hands: Hands, insertions: int, also: Callable[[], object] = lambda: None) -> tuple[int, int, int]:
    """Give by how much blocks, threads and files rose over so many insertions, after as many as warm everything up."""
    for _ in range(CHUNK):
        hands.insert()
    hands.service.forget()
    before = footprint()
    for done in range(insertions):
        hands.insert()
        also()
        if done % CHUNK == 0:
            hands.service.forget()
    hands.service.forget()
    after = footprint()
    return after[0] - before[0], after[1] - before[1], after[2] - before[2]


@pytest.fixture
def hands(service: FakeService, memory_folder: Path) -> Iterator[Hands]:
    hands = Hands(service, memory_folder)
    yield hands
    hands.station.stop()


def test_ten_thousand_insertions_leave_nothing_behind(hands: Hands) -> None:
    """No memory, thread or file is kept per insertion."""
    blocks, threads, open_files = growth(hands, INSERTIONS)
    assert (threads, open_files) == (0, 0)
    assert blocks < INSERTIONS / 10


def test_one_object_kept_per_insertion_would_be_seen(hands: Hands) -> None:
    kept: list[object] = []
    assert growth(hands, CHUNK, also=lambda: kept.append(object()))[0] > CHUNK / 10
