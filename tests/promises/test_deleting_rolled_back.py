"""What keeps the hold of a sale that was rolled back: the network is told to delete it, once nobody can use it."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from inventory.domain.auc import AucAnswer
from inventory.domain.errors import NothingToDelete
from inventory.services import expiry
from inventory.services.auc_deletions import DeletionWish, deletion_file, tell_deletions
from tests.promises.conftest import NUMBERS, Counter, fresh
from tests.promises.test_completion import ADMIN, CARD, knows, quiet, said, written
from tests.promises.test_ending import change
from tests.promises.test_rolling_back import back, sold, stock

pytestmark = [pytest.mark.database, pytest.mark.anyio]
__all__ = ["sold", "written"]


async def told(counter: Counter) -> str:
    async with counter.database.session() as session:
        done = await tell_deletions(session, ADMIN, fresh(), DeletionWish(form="csv"), now=counter.now)
    return str(done.body["id"])


async def cards_in(counter: Counter, deletion: str) -> list[str]:
    async with counter.database.session() as session:
        file = await deletion_file(session, ADMIN, deletion, now=counter.now)
    async with counter.database.session() as session, aclosing(file.open(session)) as pieces:
        lines = b"".join([piece async for piece in pieces]).decode().splitlines()[1:]
    return [line.split(",")[1] for line in lines]


@pytest.mark.parametrize("auc", ["sent", "confirmed", "failed"])
async def test_identity_is_told_of_when_its_hold_is_over_and_its_deletion_frees_the_number(
    counter: Counter, sold: str, auc: str
) -> None:
    """N9, REQ-AUC-01: a number that nobody sells is not kept for ever by an identity that nobody deletes."""
    await back(counter, sold)
    await knows(counter, auc)
    with pytest.raises(NothingToDelete):  # the fresh hold may still be confirmed
        await told(counter)
    late = counter.at(60)

    deletion = await told(late)

    assert await cards_in(late, deletion) == [CARD]
    assert (await said(counter, AucAnswer.DELETED))["deleted"] == 1
    assert await cards_in(late, deletion) == []
    async with late.database.autocommit() as connection:
        assert await expiry.sweep(connection, now=late.now) == 1
    assert (await stock(counter))[:2] == ("UNUSED", "AVAILABLE")
    assert (await late.hold(NUMBERS[0])).body["number"] == NUMBERS[0]
    await quiet(counter)


async def test_identity_that_serves_a_number_again_is_not_told_of(counter: Counter, sold: str) -> None:
    again = (await back(counter, sold)).body["hold"]
    await counter.confirm(again)

    with pytest.raises(NothingToDelete):
        await told(counter.at(60))


async def test_identity_that_serves_another_number_since_is_not_told_of(counter: Counter, sold: str) -> None:
    await back(counter, sold)
    await change(counter, "UPDATE sim_identity SET number_item_no = 1")

    with pytest.raises(NothingToDelete):
        await told(counter.at(60))
