"""A blank with a secure channel, written through pyscard, a real PC/SC daemon and vpcd's wire."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardwriter.profiles import Kind, profile
from cardwriter.virtual.bench import running
from cardwriter.virtual.image import CardImage
from cardwriter.workshop.killed import KilledHands
from cardwriter.workshop.tear import Blank, Pool

pytestmark = pytest.mark.card


def test_blank_of_scp03_is_written_and_proven_through_a_real_daemon(memory_folder: Path) -> None:
    """REQ-HW-10: the script is encrypted for this card; what carries it sees neither key nor code."""
    blank, card = Blank.take(profile("scp03"), Pool()), memory_folder / "card.json"
    blank.card.image.save(card)
    with running(readers=2) as bench, KilledHands(bench, memory_folder / "journal") as hands:
        hands.insert(card)
        verdict = blank.job(hands, "job").run()
    assert verdict.kind is Kind.VERIFIED, verdict
    said = "\n".join(hands.said).encode()
    assert b"channel.open" in said
    assert not [secret for secret in blank.card.secrets if secret in said]
    channel = CardImage.load(card).channel
    assert channel is not None
    assert channel.failures == 0
