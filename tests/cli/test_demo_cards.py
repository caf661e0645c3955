from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from cardwriter.virtual.dispenser import Dispenser
from cardwriter.virtual.kiosk_bench import Customers
from inventory.cli import main
from inventory.cli.demo.errors import DemoFailed
from inventory.cli.demo.memory import CardChoice, Memory
from inventory.cli.demo.sizes import SMALL
from inventory.cli.demo.vendor import SCP03, SCP03_CARDS, article_of


def test_every_blank_with_a_secure_channel_is_sold_once_and_then_the_demo_says_what_to_do(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "demo.json", seed="00")
    taken: list[int] = []
    while len(taken) < len(SCP03_CARDS) - 1:
        memory.require(CardChoice.SCP03, SMALL)
        taken.append(memory.next_blank(CardChoice.SCP03))
    assert {article_of(number) for number in taken} == {SCP03}
    assert len(set(taken)) == len(taken)
    with pytest.raises(DemoFailed, match="--card preset"):
        memory.require(CardChoice.SCP03, SMALL)
    memory.require(CardChoice.PRESET, SMALL)


def test_every_blank_of_the_clerk_is_sold_once_and_then_the_demo_says_what_to_do(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "demo.json", seed="00")
    taken: list[int] = []
    while len(taken) < len(SMALL.cards_with_the_clerk) - 1:
        memory.require(CardChoice.PRESET, SMALL)
        taken.append(memory.next_blank(CardChoice.PRESET))
    assert taken == list(range(1, 20))
    with pytest.raises(DemoFailed, match="--card scp03"):
        memory.require(CardChoice.PRESET, SMALL)
    memory.require(CardChoice.SCP03, SMALL)


def test_each_card_is_filled_into_a_machine_once_and_then_the_demo_says_what_to_do(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "demo.json", seed="00")
    first = memory.next_kiosk_cards(SMALL.cards_with_the_hall, 5)
    again = Memory.open(memory.path)
    second = again.next_kiosk_cards(SMALL.cards_with_the_hall, 5)
    assert [*first, *second] == list(range(21, 31))
    with pytest.raises(DemoFailed, match="--fresh"):
        again.next_kiosk_cards(SMALL.cards_with_the_hall, 5)


def test_machine_that_would_end_at_once_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--kiosk", "--once"]) == 2
    assert "serves nobody" in capsys.readouterr().err


def test_customer_takes_the_card_from_the_gate_after_a_while() -> None:
    dispenser = Dispenser()
    customers = Customers(dispenser, patience=8)
    for card, come, taken in (("one", 0, 8), ("two", 9, 17)):
        dispenser.gate = cast("Any", card)
        for moment in range(come, taken):
            customers.look(moment)
            assert dispenser.gate == card
        customers.look(taken)
        assert dispenser.gate is None
        customers.look(taken)


def test_folder_that_is_no_demos_is_never_thrown_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "demo" / "slides.odp"
    kept.parent.mkdir()
    kept.touch()
    monkeypatch.setenv("HAOKA_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("HAOKA_DATABASE_URL", raising=False)
    assert main(["demo", "--fresh", "--once"]) == 1
    assert ("something else than a demo" in capsys.readouterr().err, kept.exists()) == (True, True)
