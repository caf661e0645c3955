"""The product as a hall has it: service and worker as processes, a real station, a private PC/SC daemon, Chromium."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import Engine, create_engine, text

from cardwriter.virtual.bench import Bench, Slot, running
from cardwriter.virtual.faults import Fault
from inventory.access.permissions import Role
from inventory.cli.processes import Processes, environment, listen, service_and_worker
from inventory.runtime import open_runtime, utc_now
from inventory.settings import Settings
from tests.api.live import wait_until
from tests.browser.cards import make_card
from tests.builders import Login, Operator
from tests.web.stock import Person, fill, hire

MORE_CARDS = 80
"""Cards beside those of the pages' tests: one product serves all tests of a browser, each with cards of its own."""


@dataclass
class Stage:
    """A running product; `slot` is the reader of the hall's PC."""

    address: str
    operator: Operator
    people: Mapping[Role, Person]
    engine: Engine
    folder: Path
    bench: Bench
    processes: Processes
    env: Mapping[str, str]

    @property
    def slot(self) -> Slot:
        """The first reader."""
        return self.bench.slots[0]

    def insert(self, serial: int, *, faults: tuple[Fault, ...] = (), stranger: bool = False) -> Path:
        """Put a blank of the vendor into the reader and wait until the service has identified it."""
        path = make_card(self.folder, serial, faults=faults, stranger=stranger)
        self.put_in(path)
        return path

    def put_in(self, path: Path) -> None:
        """Put a card in, in place of any other, and wait until it was looked at.

        The other one is seen to be gone first: the daemon, on a busy machine, may not look between the two.
        """
        self.take_out()
        self.slot.insert(path)
        wait_until(lambda: bool(self.one(_LOOKED, name=self.slot.reader)))

    def take_out(self) -> None:
        """Pull the card out and wait until the service knows."""
        self.slot.remove()
        wait_until(
            lambda: self.one("SELECT state FROM station_reader WHERE name = :name", name=self.slot.reader) != "card"
        )

    def one(self, question: str, **given: Any) -> Any:
        """Give the first value that the database answers."""
        with self.engine.connect() as connection:
            return connection.execute(text(question), given).scalar()

    def change(self, statement: str, **given: Any) -> None:
        """Change the database behind the service's back."""
        with self.engine.begin() as connection:
            connection.execute(text(statement), given)

    def api(self, login: Login, path: str, **query: Any) -> Any:
        """Read through the API."""
        answer = httpx2.get(f"{self.address}{path}", params=query, headers=login.headers, timeout=120, trust_env=False)
        answer.raise_for_status()
        return answer.json()


_LOOKED = """
SELECT state = 'card' AND script_id IS NULL AND facts IS NOT NULL
FROM station_reader WHERE name = :name
"""


async def _stock(settings: Settings, operator: Operator, folder: Path) -> dict[Role, Person]:
    runtime = open_runtime(settings, application="stock")
    try:
        async with runtime.database.session() as session:
            await fill(session, operator, runtime.vault, folder, now=utc_now(), more=MORE_CARDS)
            return await hire(session, operator, now=utc_now())
    finally:
        await runtime.close()


@contextmanager
def running_stage(settings: Settings, operator: Operator) -> Iterator[Stage]:
    """Stock the operator's database and run the product on it while the block lasts."""
    folder = settings.data_dir
    people = asyncio.run(_stock(settings, operator, folder))
    processes = Processes(folder / "log")
    processes.log_dir.mkdir()
    engine = create_engine(settings.sqlalchemy_url())
    with running(readers=1) as bench, listen("127.0.0.1", 0) as listening:
        try:
            address = service_and_worker(settings, processes, listening)
            env = {**environment(settings), "PCSCLITE_CSOCK_NAME": str(bench.socket)}
            stage = Stage(address, operator, people, engine, folder, bench, processes, env)
            start_station(stage)
            yield stage
        finally:
            processes.stop()
            engine.dispose()


def start_station(stage: Stage) -> None:
    """Start the hall PC's station, enrolled with a one-time code, and wait until it is connected."""
    keeper = stage.operator.hall_keeper
    answer = httpx2.post(
        f"{stage.address}/v1/stations:code",
        json={"org_id": stage.operator.point},
        headers={**keeper.headers, "Idempotency-Key": uuid.uuid4().hex},
        timeout=120,
        trust_env=False,
    )
    answer.raise_for_status()
    _run_station(stage, {**stage.env, "HAOKA_STATION_CODE": answer.json()["code"]})


def _run_station(stage: Stage, env: Mapping[str, str], *options: str) -> None:
    command = [sys.executable, "-P", "-m", "cardwriter.station", "run", "--service", stage.address]
    stage.processes.start("station", [*command, "--data", str(stage.folder / "station"), *options], env=env)
    online = "SELECT count(*) FROM station s JOIN station_reader r USING (city_id, station_id) WHERE {}"
    wait_until(lambda: bool(stage.one(online.format("s.online_since IS NOT NULL AND r.state <> 'lost'"))))


def stop_station(stage: Stage) -> None:
    """End the station as switching its PC off does."""
    station = next(child for child in stage.processes.children if child.name == "station")
    stage.processes.children.remove(station)
    station.process.terminate()
    station.process.wait()


def restart_station(stage: Stage, *options: str, **env: str) -> None:
    """Start the station that is enrolled already, with more options and environment if they are given."""
    _run_station(stage, {**stage.env, **env}, *options)


@contextmanager
def paused_worker(stage: Stage) -> Iterator[None]:
    """Let the worker stand still while the block lasts: what waits for it is seen to wait."""
    worker = next(child.process for child in stage.processes.children if child.name == "worker")
    worker.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        worker.send_signal(signal.SIGCONT)


def leave_words(stage: Stage, folder: Path) -> None:
    """Keep the end of each process's log beside the screenshots."""
    words = {child.name: child.last_words() for child in stage.processes.children}
    (folder / "browser-logs.json").write_text(json.dumps(words, ensure_ascii=False, indent=1))
