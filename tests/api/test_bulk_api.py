"""Bulk writing over the real link: eight readers of one station at once, ordered from the command line."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from cardwriter.crypto.secret import Secret
from cardwriter.virtual.uicc import VirtualUicc
from drivers.base import CardConnection, ReaderState
from drivers.errors import NoReaderError
from drivers.virtual import VirtualSource
from inventory.cli import main
from tests.api.desk import Desk
from tests.api.live import served, wait_until
from tests.builders import Operator
from tests.cards.hall import CardKeys, InSlot, card_of, imsi_on

pytestmark = pytest.mark.database
BLANK = b"\xff" * 9
READERS = 8


class Rack:
    """Several virtual readers of one station, watched together."""

    def __init__(self) -> None:
        self.slots = [VirtualSource(name=f"slot {number}") for number in range(READERS)]
        self.changed = threading.Condition()
        for slot in self.slots:
            slot.changed = self.changed

    def wait(self, timeout: float) -> tuple[ReaderState, ...]:
        """Wait for news of any slot; give them all."""
        with self.changed:
            self.changed.wait_for(lambda: any(slot._news for slot in self.slots), timeout)
            return tuple(state for slot in self.slots for state in slot.wait(0))

    def interrupt(self) -> None:
        """Let a `wait` return."""
        self.slots[0].interrupt()

    def connect(self, reader: str) -> CardConnection:
        """Open the card in a slot."""
        found = next((slot for slot in self.slots if slot.name == reader), None)
        if found is None:
            raise NoReaderError(reader=reader)
        return found.connect(reader)

    def close(self) -> None:
        """Let waiters go."""
        self.interrupt()


@pytest.fixture
def desk(app: FastAPI, operator: Operator, operator_url: str, tmp_path: Path) -> Iterator[Desk]:
    """Give a back office whose station has eight readers."""
    with served(app) as service:
        desk = Desk(app, operator_url, operator, service, tmp_path)
        desk.bring_key()
        with ExitStack() as ends:
            ends.callback(desk.engine.dispose)
            ends.callback(desk.client.close)
            ends.callback(desk.stop_station)
            yield desk


def stock_blank(desk: Desk, item_no: int, keys: CardKeys | None = None) -> VirtualUicc:
    """Put a free blank and a free data unit into stock, and give the card."""
    desk.stock(item_no)
    with desk.engine.begin() as connection:
        for statement in (
            "UPDATE sim SET state = 'AVAILABLE', hold_id = NULL, hold_until = NULL WHERE item_no = :item",
            "UPDATE subscription_data SET state = 'FREE', hold_id = NULL WHERE data_no = :item",
            "DELETE FROM hold WHERE sim_item_no = :item",
        ):
            connection.execute(text(statement), {"item": item_no})
    return card_of(item_no, keys)


def ended_jobs(desk: Desk) -> int:
    """Count the write jobs that have ended."""
    with desk.engine.connect() as connection:
        return int(
            connection.execute(text("SELECT count(*) FROM write_job WHERE finished_at IS NOT NULL")).scalar_one()
        )


def test_eight_readers_write_at_once_and_the_order_ends_with_the_last_card(
    desk: Desk,
    operator: Operator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """REQ-HW-04, REQ-HW-05: cards that lie in the readers are begun when the order is opened, others as they come.

    REQ-SIM-12: the one that was spoiled is on the account, and on the claim for its vendor.
    """
    wrong = CardKeys(Secret(bytes(16)), CardKeys.of(8).opc, CardKeys.of(8).adm1)
    cards = [stock_blank(desk, item_no, wrong if item_no == READERS else None) for item_no in range(1, READERS + 2)]
    rack = Rack()
    desk.reader_source = rack
    desk.start_station()
    for slot, card in zip(rack.slots, cards, strict=False):
        slot.insert(InSlot(card))
    wait_until(lambda: all(reader["card"] for reader in desk.seen()["readers"]))

    monkeypatch.setenv("HAOKA_SERVICE_URL", desk.service)
    keeper = operator.hall_keeper
    for name, value in (("INTERFACE", keeper.interface_no), ("STAFF", keeper.staff_no), ("SECRET", keeper.key)):
        monkeypatch.setenv(f"HAOKA_{name}", value)

    def bulk(*arguments: str) -> dict[str, Any]:
        assert main(["bulk", *arguments, "--json"]) == 0
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    order = bulk("open", desk.name, "P", "LJ1", str(READERS))["id"]
    wait_until(lambda: ended_jobs(desk) == READERS)
    shown = bulk("show", order)
    assert (shown["state"], shown["written"], shown["damaged"], shown["left"]) == ("RUNNING", READERS - 1, 1, 1)
    steps = {reader["name"]: reader["job"]["next_step"] for reader in shown["readers"]}
    assert steps == dict.fromkeys((slot.name for slot in rack.slots), "take_out") | {"slot 7": "put_aside"}
    rack.slots[7].insert(InSlot(cards[READERS]))
    wait_until(lambda: ended_jobs(desk) == READERS + 1)
    assert bulk("show", order)["state"] == "DONE"
    assert [one["id"] for one in bulk()["orders"]] == [order]
    assert main(["spoiled", "--json"]) == 0
    assert [(row["fault"], row["count"]) for row in json.loads(capsys.readouterr().out)["rows"]] == [("wrong_key", 1)]
    assert main(["spoiled", "claim", str(tmp_path / "claim.csv")]) == 0
    assert "89860026000000000008" in (tmp_path / "claim.csv").read_text(encoding="utf-8-sig")
    on_cards = [imsi_on(card) for card in cards if card is not cards[READERS - 1]]
    assert BLANK not in on_cards
    assert len(set(on_cards)) == READERS


def test_only_keepers_open_bulk_orders(desk: Desk, operator: Operator) -> None:
    wish = {"station": "st-530700-1", "kind": "P", "hlr": "LJ1", "count": 5}
    assert desk.call(operator.clerk, "/v1/bulk-orders", wish)["code"] == "permission_denied"
    assert desk.call(operator.hall_keeper, "/v1/bulk-orders", wish)["code"] == "station_unknown"
    assert desk.call(operator.hall_keeper, "/v1/bulk-orders/bo-530700-9:pause", {})["code"] == "not_found"
