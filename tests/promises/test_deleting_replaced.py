"""The identity of a card that was replaced: it counts as deleted at once, and the network is told until it says so."""

from __future__ import annotations

import pytest

from inventory.domain.auc import AucAnswer
from inventory.domain.errors import NothingToDelete
from inventory.services.auc_answers import NetworkAnswer, take_answers
from inventory.services.auc_deletions import read_deletions
from tests.builders_stock import add_identity, finish_card
from tests.promises.conftest import NUMBERS, Counter, fresh
from tests.promises.test_completion import ADMIN
from tests.promises.test_deleting_rolled_back import cards_in, told
from tests.promises.test_ending import change, rows
from tests.promises.test_hold import CARDS
from tests.promises.test_replacing import line, opened, quiet, written
from tests.promises.test_several_identities import TWIN

pytestmark = [pytest.mark.database, pytest.mark.anyio]
__all__ = ["line"]


async def replaced(counter: Counter) -> None:
    """Give the customer of the line card 1 for card 0."""
    order = (await opened(counter)).body["hold"]
    await written(counter, order)
    await counter.confirm(order, old_card_handed_in=True)


async def answered(counter: Counter, answer: AucAnswer, *, card: int = 0) -> dict[str, object]:
    """Take in the network's word on every identity of a card."""
    found = await rows(counter, f"SELECT imsi FROM sim_identity WHERE item_no = {card} ORDER BY slot")
    answers = [NetworkAnswer(imsi, answer) for (imsi,) in found]
    async with counter.database.session() as session:
        return (await take_answers(session, ADMIN, fresh(), answers, now=counter.now)).body


async def left(counter: Counter) -> tuple[int, int]:
    """Return how many identities of the newest file are left, and how many are in no file."""
    async with counter.database.session() as session:
        files, waiting = await read_deletions(session, ADMIN, now=counter.now)
    return files[0].left, waiting


async def test_network_is_told_of_the_old_identity_until_it_says_that_it_is_deleted(line: Counter) -> None:
    """REQ-AUC-01, S12: the caller's word ends the line of the old card; the file ends its identity over there."""
    with pytest.raises(NothingToDelete):
        await told(line)
    await replaced(line)

    deletion = await told(line)

    assert await cards_in(line, deletion) == [CARDS[0]]
    assert await left(line) == (1, 0)
    with pytest.raises(NothingToDelete):
        await told(line)
    assert (await answered(line, AucAnswer.CONFIRMED))["refused"] == [{"row": 1, "code": "is_deleted"}]
    assert await cards_in(line, deletion) == [CARDS[0]]
    assert (await answered(line, AucAnswer.DELETED))["deleted"] == 1
    assert (await answered(line, AucAnswer.DELETED))["unchanged"] == 1
    assert await cards_in(line, deletion) == []
    assert await left(line) == (0, 0)
    assert await rows(line, "SELECT item_no FROM event WHERE name = 'sim.network_deleted'") == [(0,)]
    assert await quiet(line)


async def test_word_that_comes_before_any_file_was_made_ends_the_telling_too(line: Counter) -> None:
    await replaced(line)
    assert (await answered(line, AucAnswer.DELETED))["deleted"] == 1

    with pytest.raises(NothingToDelete):
        await told(line)


@pytest.mark.parametrize("state", ["SCRAPPED", "LOST", "DISABLED", "WRITTEN_OFF"])
async def test_old_identity_is_told_of_wherever_its_card_is_since(line: Counter, state: str) -> None:
    """Elsewhere a lost or blocked card may be released yet; one that was replaced serves nobody again."""
    await replaced(line)
    await change(line, f"UPDATE sim SET state = '{state}' WHERE item_no = 0")

    assert await cards_in(line, await told(line)) == [CARDS[0]]


async def test_every_identity_of_the_old_card_is_told_of(counter: Counter) -> None:
    """REQ-SIM-19."""
    async with counter.database.session() as session, session.begin():
        for card, data in ((3, 900), (4, 910)):
            await finish_card(session, card, data_no=data)
            await add_identity(session, card, data_no=data + 1)
    await counter.confirm((await counter.hold(NUMBERS[0], iccid=TWIN)).body["hold"])
    await counter.confirm((await opened(counter, card=4)).body["hold"])

    deletion = await told(counter)

    assert await cards_in(counter, deletion) == [TWIN] * 2
    assert (await answered(counter, AucAnswer.DELETED, card=3))["deleted"] == 2
    assert await cards_in(counter, deletion) == []


async def test_working_card_of_the_line_is_never_told_of(line: Counter) -> None:
    """The new card's identity may even be marked wrongly: what serves a number stays."""
    await replaced(line)
    await change(line, "UPDATE sim_identity SET to_delete = true WHERE item_no = 1")

    assert await cards_in(line, await told(line)) == [CARDS[0]]
