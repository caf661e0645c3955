"""A card whose outcome is unknown, and the ways in which its kit and its job go on."""

from __future__ import annotations

import pytest

from cardwriter.crypto.secret import Secret
from cardwriter.script import Purpose
from cardwriter.virtual.uicc import VirtualUicc
from inventory.domain.cardjobs import LEASE
from inventory.domain.errors import CardBeingWritten, KeyTokenAbsent
from inventory.services.card_data import Workbench
from inventory.store import cardjobs
from inventory.vault.envelope import Vault
from tests.cards.hall import Hall, card_of
from tests.cards.test_settling import broken, state, until
from tests.waiting import PausedAfter

pytestmark = [pytest.mark.database, pytest.mark.anyio]


async def unanswered(hall: Hall) -> tuple[VirtualUicc, str]:
    """Lose the write script of card 0 on its way; give the card, which is out of the reader, and its hold."""
    card = card_of(0)
    await hall.insert(card)
    job, _ = await until(hall, Purpose.WRITE)
    hall.source.remove()
    await hall.reconnect()
    return card, str((await hall.job(job))["hold"])


async def test_kit_that_an_unknown_card_kept_beyond_its_end_has_time_for_the_next_card(hall: Hall) -> None:
    """REQ-RSV-15, REQ-RSV-16: it is not taken away in the moment in which it gets its new card."""
    _, hold = await unanswered(hall)
    hall.later(hours=1)
    await hall.connect()
    taken = await hall.take_card(hold, 1)
    assert taken.body["expires_at"] == (hall.now + LEASE).isoformat()
    await hall.insert(card_of(1))
    second = await hall.start(hold)
    await hall.work(await hall.take_up())
    assert await state(hall, str(second.body["id"])) == "verified"
    assert await broken(hall) == set()


async def test_card_that_is_just_being_settled_stays_in_its_kit(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who settles has the job and wants the kit, who takes a card has the kit: neither waits for the other for ever."""
    card, hold = await unanswered(hall)

    async def refused() -> None:
        with pytest.raises(CardBeingWritten):
            await hall.take_card(hold, 1)

    settling = PausedAfter(monkeypatch, cardjobs, "unknown_job_of")
    await settling.meanwhile(hall.insert(card), refused(), hall.database)
    assert await hall.states(0) == ("HELD", "RESERVED", 1)


class NoToken:
    """Keys that lie in a token which is not there."""

    current = 1

    def key(self, version: int) -> Secret:
        """Refuse."""
        del version
        raise KeyTokenAbsent(token="hall")

    def root(self) -> Secret:
        """Refuse."""
        raise KeyTokenAbsent(token="hall")


async def test_report_that_comes_while_keys_are_away_is_not_lost(hall: Hall) -> None:
    """The station forgets what it reported: the job must not wait for it for ever, and the card is proven later."""
    card = card_of(0)
    await hall.insert(card)
    job, order = await until(hall, Purpose.WRITE)
    bench, hall.bench = hall.bench, Workbench(Vault(NoToken()), bytes)
    await hall.work(await hall.report(hall.run(order)))
    assert await state(hall, job) == "unknown"
    hall.bench = bench
    hall.source.remove()
    await hall.insert(card)
    assert await state(hall, job) == "verified"
