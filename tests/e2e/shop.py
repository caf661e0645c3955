"""A hall on a demo's data: the demo's own processes, started one by one so that a test may kill one."""

from __future__ import annotations

import asyncio
import io
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cardwriter.crypto.milenage import Milenage
from cardwriter.crypto.secret import Secret
from cardwriter.virtual.faults import Fault
from cardwriter.virtual.image import CardImage
from inventory.cli.database import running_database
from inventory.cli.demo import acceptance, hall
from inventory.cli.demo.memory import Memory
from inventory.cli.processes import Processes, environment, listen, ours, service_and_worker
from inventory.runtime import utc_now
from inventory.services.auditing import audit
from inventory.settings import Settings
from inventory.store.engine import connect
from tests.e2e.demos import until

_ENDED = frozenset({"verified", "nothing_written", "damaged", "cancelled"})
_IMSI = "7fff/6f07"


@dataclass
class Shop:
    """Service, worker, reader and station as processes; `call` speaks to the service as one of the demo's people."""

    settings: Settings
    memory: Memory
    processes: Processes
    address: str
    listening: int
    hall: hall.Hall
    _apis: dict[str, acceptance.Api] = field(default_factory=dict)

    def api(self, who: str) -> acceptance.Api:
        """Give the calls of one of the demo's people."""
        if who not in self._apis:
            login = self.memory.logins[who]
            assert login.key is not None
            http = acceptance.client(
                address=self.address, interface_no=login.interface_no, staff_no=login.staff_no, key=login.key
            )
            self._apis[who] = acceptance.Api(http, io.StringIO())
        return self._apis[who]

    def insert(self, faults: Sequence[Fault] = (), *, wrong_key: bool = False) -> Path:
        """Put a blank that never was in a reader into the reader and give its image's file."""
        path = hall.make_card(self.memory, self.memory.next_card(), self.settings.data_dir / "cards")
        image = CardImage.load(path)
        image.faults = list(faults)
        if wrong_key:
            image.keys = Milenage(Secret(bytes(16)), image.keys.opc)
        image.save(path)
        self.hall.insert(path)
        iccid = hall.iccid_of(self.memory, self.memory.cards)
        until(lambda: acceptance.blank_in_reader(self.api("acceptance"))[1]["card"]["iccid"] == iccid)
        return path

    def begin(self) -> acceptance.Begun:
        """Begin the sale of a line with the blank in the reader."""
        return acceptance.begin(self.api("acceptance"))

    def job(self, begun: acceptance.Begun) -> Mapping[str, Any]:
        """Give the write job of a sale as it is now."""
        found: Mapping[str, Any] = self.api("acceptance").get(f"/v1/write-jobs/{begun.job}", quiet=True)
        return found

    def reached(self, begun: acceptance.Begun, state: str, steps: int) -> None:
        """Return when the job is in the state with so many steps done."""

        def there() -> bool:
            job = self.job(begun)
            assert job["state"] not in _ENDED, job
            return bool(job["state"] == state and job["steps_done"] >= steps)

        until(there)

    def ended(self, begun: acceptance.Begun) -> str:
        """Return the state in which the job ends."""
        until(lambda: self.job(begun)["state"] in _ENDED)
        return str(self.job(begun)["state"])

    def kill(self, name: str) -> None:
        """Take a process away as a power cut does."""
        child = next(child for child in self.processes.children if child.name == name)
        os.kill(child.process.pid, signal.SIGKILL)
        child.process.wait()
        self.processes.children.remove(child)

    def start_station(self) -> None:
        """Start the station; the first time it enrols."""
        env = {**environment(self.settings), "PCSCLITE_CSOCK_NAME": self.hall.socket}
        hall.open_station(self.processes, self.memory, self.address, self.settings.data_dir / "station", env)

    def start_service(self) -> None:
        """Start the service on the socket that it had before."""
        argv = ours("serve", "--fd", str(self.listening))
        self.processes.start("service", argv, env=environment(self.settings), inherit=[self.listening])
        self.processes.wait_ready(f"{self.address}/v1/health/ready", seconds=120)

    def findings(self) -> list[dict[str, Any]]:
        """Give what an audit finds."""

        async def found() -> list[dict[str, Any]]:
            database = connect(self.settings.sqlalchemy_url(), pool_size=1)
            try:
                async with database.session() as session:
                    return (await audit(session, now=utc_now())).findings
            finally:
                await database.close()

        return asyncio.run(found())


def has_identity(card: Path) -> bool:
    """Whether EF.IMSI, the commit mark, is written."""
    body = CardImage.load(card).file(_IMSI)
    assert body is not None
    return body.content != b"\xff" * len(body.content)


@contextmanager
def open_shop(data: Path) -> Iterator[Shop]:
    """Open a shop on the data of a demo while the block lasts."""
    given = Settings(data_dir=data, database_url=None, database_pool=2, host="127.0.0.1", port=0)
    memory = Memory.open(data / "demo.json")
    with (
        running_database(given, print) as settings,
        listen("127.0.0.1", 0) as listening,
        Processes(data / "log") as processes,
    ):
        address = service_and_worker(settings, processes, listening)
        opened = hall.open_hall(processes, [], data, environment(settings))
        shop = Shop(settings, memory, processes, address, listening.fileno(), opened)
        shop.start_station()
        yield shop
        for api in shop._apis.values():
            api.http.close()
