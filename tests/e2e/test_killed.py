"""SIGKILL while a card is being written: the next start settles the job by reading that card."""

from __future__ import annotations

import pytest

from cardwriter.virtual.faults import Fault, FaultKind
from inventory.cli.demo import acceptance
from tests.e2e.shop import Shop, has_identity

pytestmark = [pytest.mark.e2e, pytest.mark.database, pytest.mark.card]

UPDATE_BINARY, AUTHENTICATE = 0xD6, 0x88
"""ETSI TS 102 221 §10.1.2."""


def slow(instruction: int, *, seconds: float) -> Fault:
    """Give a fault that makes every such command last: whoever is killed meanwhile is killed in its middle."""
    return Fault(FaultKind.SLOW, ins=instruction, seconds=seconds)


def test_station_killed_before_the_commit_mark_has_written_nothing(shop: Shop) -> None:
    """REQ-HW-07, REQ-HW-08: re-reading decides; the data go back to the pool."""
    card = shop.insert([slow(UPDATE_BINARY, seconds=0.5)])
    begun = shop.begin()
    shop.reached(begun, "writing", 5)
    shop.kill("station")
    assert not has_identity(card)
    shop.start_station()
    assert shop.ended(begun) == "nothing_written"


def test_station_killed_while_the_card_proves_itself_has_written_it(shop: Shop) -> None:
    """REQ-HW-07: a card that is whole is sold without another one."""
    card = shop.insert([slow(AUTHENTICATE, seconds=2)])
    begun = shop.begin()
    shop.reached(begun, "verifying", 20)
    shop.kill("station")
    assert has_identity(card)
    shop.start_station()
    assert shop.ended(begun) == "verified"
    acceptance.confirm(shop.api("acceptance"), begun)


def test_station_killed_over_a_card_with_a_wrong_key_leaves_it_damaged(shop: Shop) -> None:
    """REQ-HW-08: what was written but does not prove itself is damaged, never sold."""
    shop.insert([slow(AUTHENTICATE, seconds=2)], wrong_key=True)
    begun = shop.begin()
    shop.reached(begun, "verifying", 20)
    shop.kill("station")
    shop.start_station()
    assert shop.ended(begun) == "damaged"
    with pytest.raises(acceptance.SaleFailed, match="card_not_verified"):
        acceptance.confirm(shop.api("acceptance"), begun)


def test_service_killed_while_the_card_is_written_takes_the_report_when_it_is_back(shop: Shop) -> None:
    """REQ-HW-07: a report that failed to arrive is repaired without a new card."""
    shop.insert([slow(UPDATE_BINARY, seconds=0.5)])
    begun = shop.begin()
    shop.reached(begun, "writing", 5)
    shop.kill("service")
    shop.start_service()
    assert shop.ended(begun) == "verified"
    acceptance.confirm(shop.api("acceptance"), begun)
