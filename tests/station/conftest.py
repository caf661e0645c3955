"""A service to talk to, and stations as processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cardwriter.station.enrol import FILE_NAME
from tests.patience import PATIENCE
from tests.station.enrolment_desk import Desk
from tests.station.fake_service import CREDENTIAL, SIGNER, STATION, FakeService

ROOT = Path(__file__).parents[2]


@pytest.fixture
def service() -> Iterator[FakeService]:
    """Serve the service's end of the link."""
    with FakeService() as service:
        yield service


class StationProcess:
    """`python -m cardwriter.station run`, or the same of another module, with all it printed and logged in `log`."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        environment: dict[str, str] | None = None,
        module: str = "cardwriter.station",
    ) -> None:
        self.log = folder / "station.log"
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, "run", "--data", str(folder / "data"), *options],
                cwd=ROOT,
                env=os.environ | {"LANG": "C.UTF-8"} | (environment or {}),
                stdout=output,
                stderr=output,
            )

    def kill(self) -> None:
        """Cut its power."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to end; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def text(self) -> str:
        """Return what it printed and logged so far."""
        return self.log.read_text(encoding="utf-8")


Start = Callable[..., StationProcess]


@pytest.fixture
def start_station(service: FakeService, tmp_path: Path) -> Iterator[Start]:
    """Start an enrolled station process, by default with the tiny card in a virtual reader."""
    processes: list[StationProcess] = []
    data = tmp_path / "data"
    data.mkdir()
    known = {"station_id": STATION, "name": "Hall desk 1", "signer": SIGNER.public.hex()}
    kept = {"service": service.url, **known, "secret": CREDENTIAL}
    (data / FILE_NAME).write_text(json.dumps(kept))

    def start(
        *options: str,
        readers: str = "virtual:tests.station.tiny_card:TinyCard",
        module: str = "cardwriter.station",
        **environment: str,
    ) -> StationProcess:
        arguments = ("--service", service.url, "--readers", readers, *options)
        processes.append(StationProcess(tmp_path, *arguments, environment=environment, module=module))
        return processes[-1]

    yield start
    for station in processes:
        station.kill()


@pytest.fixture
def desk() -> Iterator[Desk]:
    """Serve enrolment."""
    with Desk() as desk:
        thread = threading.Thread(target=desk.serve_forever)
        thread.start()
        yield desk
        desk.shutdown()
        thread.join()
