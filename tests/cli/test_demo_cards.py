from __future__ import annotations

from pathlib import Path

import pytest

from inventory.cli.demo.errors import DemoFailed
from inventory.cli.demo.memory import CardChoice, Memory
from inventory.cli.demo.vendor import SCP03, SCP03_CARDS, article_of


def test_every_blank_with_a_secure_channel_is_sold_once_and_then_the_demo_says_what_to_do(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "demo.json", seed="00")
    taken: list[int] = []
    while len(taken) < len(SCP03_CARDS) - 1:
        memory.require(CardChoice.SCP03)
        taken.append(memory.next_blank(CardChoice.SCP03))
    assert {article_of(number) for number in taken} == {SCP03}
    assert len(set(taken)) == len(taken)
    with pytest.raises(DemoFailed, match="--card preset"):
        memory.require(CardChoice.SCP03)
    memory.require(CardChoice.PRESET)
