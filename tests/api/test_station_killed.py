from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from cardwriter.virtual.image import CardImage
from tests.api.conftest import Clock
from tests.api.desk import Desk
from tests.api.killable import CARD, STANDS, STOOD
from tests.api.live import served, wait_until
from tests.builders import Operator
from tests.cards.hall import card_of

pytestmark = [pytest.mark.database, pytest.mark.e2e]
ROOT = Path(__file__).parents[2]
BLANK = b"\xff" * 9


class StationProcess:
    """The real station program with a card in its reader that stands still before a command."""

    def __init__(self, desk: Desk, card: Path, before: str) -> None:
        self.command = [
            sys.executable, "-m", "cardwriter.station", "run", "--service", desk.service,
            "--data", str(desk.folder / "station"), "--readers", "virtual:tests.api.killable:slot",
        ]  # fmt: skip
        self.environment = {**os.environ, CARD: str(card), "LANG": "C.UTF-8"}
        self.log = desk.folder / "station.log"
        self.start(HAOKA_STATION_CODE=desk.code(), **{STANDS: before})

    def start(self, **extra: str) -> None:
        """Start it; the first time with a code."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env={**self.environment, **extra}, stdout=output, stderr=output
            )

    def kill(self) -> None:
        """Cut its power."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def desk(app: FastAPI, operator: Operator, operator_url: str, tmp_path: Path, clock: Clock) -> Iterator[Desk]:
    """Give a desk in the present, for a station that has a clock of its own."""
    clock.now = datetime.now(UTC)
    with served(app) as service, ExitStack() as ends:
        desk = Desk(app, operator_url, operator, service, tmp_path)
        ends.callback(desk.engine.dispose)
        ends.callback(desk.client.close)
        desk.bring_key()
        yield desk


@pytest.mark.parametrize(
    ("before", "state", "ends"),
    [
        ("UPDATE 1", "writing", "nothing_written"),
        ("UPDATE 6", "writing", "nothing_written"),
        ("AUTHENTICATE 1", "verifying", "verified"),
    ],
    ids=["at the first update", "in the middle", "while it is read back"],
)
def test_a_station_killed_in_mid_write_settles_its_job_by_reading_the_card(
    desk: Desk, before: str, state: str, ends: str
) -> None:
    """REQ-HW-07, REQ-HW-08: SIGKILL, start again: what the card holds decides, and no try of ADM1 is spent."""
    hold = desk.stock(1)
    path = desk.folder / "card.json"
    card_of(1).image.save(path)
    station = StationProcess(desk, path, before)
    try:
        wait_until(lambda: bool(desk.found_station() and (desk.reader()["card"] or {}).get("readable")))
        job = desk.write(hold)["id"]
        wait_until(lambda: STOOD in station.log.read_text(encoding="utf-8"))
        assert desk.call(desk.operator.clerk, f"/v1/write-jobs/{job}")["state"] == state
        station.kill()
        station.start()
        assert desk.ended(job, but={"wait", "read_again"})["state"] == ends
    finally:
        station.kill()
    image = CardImage.load(path)
    written = image.files["7fff/6f07"].content != BLANK
    assert written == (ends == "verified")
    assert image.codes[0x0A].tries == 3
    assert states(desk) == (("WRITTEN", "BOUND") if written else ("HELD", "RESERVED"))


def states(desk: Desk) -> tuple[Any, ...]:
    """Give the states of the card and of its data."""
    with desk.engine.connect() as conn:
        return tuple(conn.exec_driver_sql("SELECT s.state, d.state FROM sim s, subscription_data d").one())
