"""What keeps the hold of a sale that was rolled back: the network is told to delete it, once nobody can use it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from inventory.domain.auc import AucAnswer
from inventory.domain.errors import CardToBeDeleted, NothingToDelete
from inventory.services import expiry
from inventory.services.auc_deletions import DeletionWish, deletion_file, tell_deletions
from inventory.store import auc_deletions, confirm_sql, holds
from inventory.store.hot import HotStatement
from tests.promises.conftest import NUMBERS, Counter, fresh
from tests.promises.test_completion import ADMIN, CARD, knows, quiet, said, written
from tests.promises.test_ending import change
from tests.promises.test_rolling_back import back, sold, stock
from tests.waiting import until_locked

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


async def swept(counter: Counter) -> None:
    async with counter.database.autocommit() as connection:
        await expiry.sweep(connection, now=counter.now)


async def test_card_that_is_to_be_deleted_is_not_sold_again(counter: Counter, sold: str) -> None:
    """N9: the hold goes on for the network's sake, and its card would be deleted under the customer's hand."""
    again = (await back(counter, sold)).body["hold"]
    late = counter.at(60)
    await swept(late)
    await told(late)

    with pytest.raises(CardToBeDeleted, match=CARD):
        await late.confirm(again)
    assert (await stock(counter))[:2] == ("HELD", "WRITTEN")


async def sold_while_told(counter: Counter, again: str) -> Exception | None:
    """Sell the hold again while the network is being told to delete its card; give what the sale is refused with."""
    await swept(counter)
    given: dict[str, Any] = {"city_id": ADMIN.city_id, "form": "csv", "hlr_code": None, "staff_no": "A", "most": 9}
    async with counter.database.session() as telling:
        _ = await telling.begin()
        assert (await auc_deletions.add_deletion(telling, **given, now=counter.now))[1] == 1
        selling = asyncio.create_task(counter.confirm(again))
        await until_locked(counter.database)
        await telling.commit()
    done = (await asyncio.gather(selling, return_exceptions=True))[0]
    return done if isinstance(done, Exception) else None


async def test_sale_that_meets_the_telling_is_refused(counter: Counter, sold: str) -> None:
    again = (await back(counter, sold)).body["hold"]

    assert isinstance(await sold_while_told(counter.at(60), again), CardToBeDeleted)


async def test_without_the_look_at_the_telling_the_card_would_be_sold(
    counter: Counter, sold: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The canary: the network would delete what a customer has in hand."""
    again = (await back(counter, sold)).body["hold"]
    blind = HotStatement(confirm_sql.CONFIRM.replace("AND deletion_id IS NULL", ""))
    monkeypatch.setattr(holds, "_CONFIRM", blind)

    assert await sold_while_told(counter.at(60), again) is None


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
