"""A hall desk with a card dispenser: an emulated one on a pty, a real station, the service and its API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from cardwriter.virtual.dispenser import Dispenser
from cardwriter.virtual.serial_bench import PtyBench
from drivers.crt_device import CrtDevice, Patience
from drivers.dispenser import CrtDispenser
from tests.api.desk import Desk
from tests.api.live import served, wait_until
from tests.builders import Operator
from tests.cards.hall import InSlot, card_of
from tests.patience import PATIENCE
from tests.station.tiny_card import TinyCard

pytestmark = [pytest.mark.database, pytest.mark.e2e]
CALM = Patience(card=PATIENCE, movement=PATIENCE, device=PATIENCE, acknowledgement=PATIENCE)


@pytest.fixture
def machine() -> Dispenser:
    """Give a dispenser with a blank of the stock in front of one that the stock does not know."""
    return Dispenser(stacker=[InSlot(card_of(1)), TinyCard()])


@pytest.fixture
def desk(app: FastAPI, operator: Operator, operator_url: str, machine: Dispenser, tmp_path: Path) -> Iterator[Desk]:
    """Give a desk whose station has the dispenser for its reader."""
    with served(app) as service, ExitStack() as ends:
        desk = Desk(app, operator_url, operator, service, tmp_path)
        desk.bring_key()
        bench = PtyBench(machine)
        ends.callback(bench.unplug)
        desk.reader_source = CrtDispenser("crt", CrtDevice(bench.url, patience=CALM), interval=0.1)
        ends.callback(desk.engine.dispose)
        ends.callback(desk.client.close)
        ends.callback(desk.stop_station)
        yield desk


def move(desk: Desk, movement: str) -> dict[str, Any]:
    wish = {"reader": "crt", "movement": movement}
    return desk.call(desk.operator.clerk, f"/v1/stations/{desk.name}:move-card", wish)


def stands(desk: Desk, **wanted: Any) -> None:
    """Wait until the dispenser is said to stand so."""
    wait_until(lambda: wanted.items() <= (desk.reader().get("dispenser") or {}).items())


def test_card_is_fed_written_kept_until_it_is_sold_and_handed_out(desk: Desk, machine: Dispenser) -> None:
    """REQ-HW-11: a machine with a stack brings its own cards; nobody carries one off that is not sold."""
    hold = desk.stock(1)
    desk.start_station()
    stands(desk, card="nowhere", in_bin=0)
    assert move(desk, "feed")["status_code"] == 200
    wait_until(lambda: desk.reader()["card"] is not None)
    assert (move(desk, "hand_out")["code"], machine.gate) == ("card_must_stay", None)
    assert desk.ended(desk.write(hold, reader="crt")["id"])["state"] == "verified"
    assert move(desk, "bin")["code"] == "card_must_stay"
    with desk.engine.begin() as connection:
        connection.execute(text("UPDATE sim SET state = 'COMPLETING' WHERE item_no = 1"))
    assert move(desk, "hand_out")["status_code"] == 200
    stands(desk, card="gate", stop="handed_out")


def test_unknown_card_goes_into_the_bin_and_an_empty_stack_is_named(desk: Desk, machine: Dispenser) -> None:
    del machine.stacker[0]
    desk.start_station()
    stands(desk, card="nowhere")
    wish = {"reader": "another", "movement": "feed"}
    assert desk.call(desk.operator.clerk, f"/v1/stations/{desk.name}:move-card", wish)["code"] == "invalid_field"
    move(desk, "feed")
    wait_until(lambda: desk.reader()["card"] is not None)
    move(desk, "feed")
    stands(desk, stop="card_inside")
    move(desk, "bin")
    stands(desk, card="nowhere", in_bin=1, stop=None)
    move(desk, "feed")
    stands(desk, stop="stacker_empty", stacker="empty")
