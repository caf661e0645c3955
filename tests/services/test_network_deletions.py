"""The network is told to delete what it knows of cards that are gone, each identity once."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from sqlalchemy import text

from inventory.access.permissions import Role
from inventory.domain.errors import InvalidField, NotFound, NothingToDelete, OutsideScope
from inventory.domain.lifecycle import AucState, SimState
from inventory.observability import Metrics
from inventory.services.auc_deletions import DeletionWish, deletion_file, read_deletions, tell_deletions
from inventory.stock_metrics import StockMetrics
from inventory.store import auc_deletions
from inventory.store.auc_deletions import GONE, KNOWN
from tests.services.files import iccid, imsi
from tests.services.test_told_network import answered, stocked
from tests.services.town import CITY, HLR, NOW, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]


async def gone(town: Town, *serials: int, state: str = "SCRAPPED", auc: str = "confirmed") -> None:
    """Let cards that the network knows be gone."""
    await town.execute(
        "UPDATE sim_identity SET auc = :auc WHERE imsi = ANY(:imsis)", auc=auc, imsis=[imsi(no) for no in serials]
    )
    await town.execute(
        "UPDATE sim SET state = :state WHERE iccid = ANY(:cards)", state=state, cards=[iccid(no) for no in serials]
    )


async def told(town: Town, **wish: Any) -> dict[str, Any]:
    async with town.database.session() as session:
        done = await tell_deletions(session, town.admin, fresh_key(), DeletionWish(**{"form": "csv", **wish}), now=NOW)
    return done.body


async def fetched(town: Town, deletion: str) -> str:
    async with town.database.session() as session:
        file = await deletion_file(session, town.admin, deletion, now=NOW)
    async with town.database.session() as session, aclosing(file.open(session)) as pieces:
        return b"".join([piece async for piece in pieces]).decode()


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("csv", f"imsi,iccid,hlr\r\n{imsi(1)},{iccid(1)},{HLR}\r\n{imsi(2)},{iccid(2)},{HLR}\r\n"),
        ("osmo-hlr", f"enable\nsubscriber imsi {imsi(1)} delete\nsubscriber imsi {imsi(2)} delete\n"),
        ("open5gs", f'{{"imsi":"{imsi(1)}"}}\n{{"imsi":"{imsi(2)}"}}\n'),
    ],
)
async def test_file_says_each_identity_in_the_form_that_its_network_reads(town: Town, form: str, expected: str) -> None:
    """REQ-AUC-01: what is on a card that is gone is deleted in the network."""
    await stocked(town, 1, 2, 3)
    await gone(town, 1, 2)

    done = await told(town, form=form)

    assert done == {"id": f"xd-{CITY}-1", "count": 2}
    assert await fetched(town, done["id"]) == expected
    events = await town.rows("SELECT name, data FROM event WHERE kind = 'auc_deletion' ORDER BY event_no")
    assert [tuple(row) for row in events] == [
        ("auc.deletion_told", {"form": form, "hlr": None, "most": 100_000, "count": 2}),
        ("auc.deletion_fetched", {"left": 2}),
    ]


async def test_only_what_the_network_knows_of_cards_that_are_gone_for_good_is_told(town: Town) -> None:
    serials = range(1, len(SimState) * len(AucState) + 1)
    await stocked(town, *serials)
    cases = [(state, auc) for state in SimState for auc in AucState]
    for serial, (state, auc) in zip(serials, cases, strict=True):
        await gone(town, serial, state=state, auc=auc)

    done = await told(town)

    expected = [imsi(no) for no, (state, auc) in zip(serials, cases, strict=True) if state in GONE and auc in KNOWN]
    assert [line.split(",")[0] for line in (await fetched(town, done["id"])).splitlines()[1:]] == expected
    assert SimState.SENT_AWAY not in GONE  # the card lives in another city
    with pytest.raises(NothingToDelete):
        await told(town)


async def test_what_the_network_has_deleted_leaves_the_file_for_its_imsi_may_be_another_cards(town: Town) -> None:
    """REQ-AUC-01: an IMSI is free again once the network has deleted it, and no later fetch names it."""
    await stocked(town, 1, 2)
    await gone(town, 1, 2)
    done = await told(town)

    assert (await answered(town, (1, "deleted")))["deleted"] == 1

    assert imsi(1) not in await fetched(town, done["id"])
    assert imsi(2) in await fetched(town, done["id"])
    async with town.database.session() as session:
        (row,), waiting = await read_deletions(session, town.admin, now=NOW)
    assert (row.item_count, row.left, waiting) == (2, 1, 0)


REUSED = {
    "by the same card come again": "UPDATE sim_identity SET imsi = '~1~' || imsi WHERE imsi = :imsi",
    "in another city": "UPDATE identifier SET city_id = 530800 WHERE kind = 'imsi' AND value = :imsi",
}
"""An IMSI that may serve somebody again, while the row of the card that is gone was left behind as if it were known."""


@pytest.mark.parametrize("how", REUSED)
async def test_imsi_that_serves_again_is_in_no_file_and_in_no_later_fetch_of_one(town: Town, how: str) -> None:
    """REQ-AUC-01: whoever has the IMSI now is not cut off by what was said of a card that is gone."""
    await stocked(town, 1, 2)
    await gone(town, 1)
    before = await told(town)
    assert imsi(1) in await fetched(town, before["id"])
    await gone(town, 2)
    for serial in (1, 2):
        await town.execute(REUSED[how], imsi=imsi(serial))

    assert await fetched(town, before["id"]) == "imsi,iccid,hlr\r\n"
    with pytest.raises(NothingToDelete):
        await told(town)


async def told_while_the_imsi_becomes_free(town: Town) -> int:
    """Make a file while the network's word and a give-back free the IMSI; return how many identities it has."""
    async with town.database.session() as freeing, town.database.session() as telling:
        _ = await freeing.begin()
        await freeing.execute(text("UPDATE sim_identity SET auc = 'deleted', imsi = '~1~' || imsi"))
        _ = await telling.begin()
        given: dict[str, Any] = {"city_id": CITY, "form": "csv", "hlr_code": None, "staff_no": "A", "now": NOW}
        file = asyncio.create_task(auc_deletions.add_deletion(telling, most=9, **given))
        await asyncio.wait({file}, timeout=0.5)
        await freeing.commit()
        _, count = await file
        await telling.commit()
    return count


async def test_imsi_that_becomes_free_at_that_moment_is_not_told_of(town: Town) -> None:
    """REQ-AUC-01."""
    await stocked(town, 1)
    await gone(town, 1)

    assert await told_while_the_imsi_becomes_free(town) == 0


async def test_without_the_lock_an_imsi_that_became_free_would_be_told_of(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The canary: the file takes what was to be deleted a moment ago."""
    unlocked = auc_deletions._TELL.text.replace("FOR NO KEY UPDATE OF i SKIP LOCKED", "")
    monkeypatch.setattr(auc_deletions, "_TELL", text(unlocked))
    await stocked(town, 1)
    await gone(town, 1)

    assert await told_while_the_imsi_becomes_free(town) == 1


async def test_card_that_was_given_back_is_named_as_the_network_knows_it(town: Town) -> None:
    """REQ-STK-05: what is returned or void has a marked name in stock; nobody else reads the mark."""
    await stocked(town, 1)
    await gone(town, 1, state="RETURNED_TO_VENDOR")
    await town.execute("UPDATE sim SET iccid = '~1~' || iccid")

    assert (await fetched(town, (await told(town))["id"])).splitlines()[1] == f"{imsi(1)},{iccid(1)},{HLR}"


async def test_card_that_serves_again_after_all_is_left_out_of_a_later_fetch(town: Town) -> None:
    await stocked(town, 1)
    await gone(town, 1)
    done = await told(town)
    await gone(town, 1, state="AVAILABLE")

    assert await fetched(town, done["id"]) == "imsi,iccid,hlr\r\n"


async def test_files_hold_so_many_of_one_hlr_and_what_is_left_waits(town: Town) -> None:
    await stocked(town, 1, 2, 3)
    await gone(town, 1, 2, 3)

    assert (await told(town, most=2, hlr=HLR))["count"] == 2
    async with town.database.session() as session:
        _, waiting = await read_deletions(session, town.admin, now=NOW)
    assert waiting == 1
    assert imsi(3) in await fetched(town, (await told(town))["id"])


async def both_at_once(town: Town) -> list[int]:
    """Let two persons make a file at the same moment; return how many identities each has."""
    async with town.database.session() as first, town.database.session() as second:
        _ = await first.begin()
        given: dict[str, Any] = {"city_id": CITY, "form": "csv", "hlr_code": None, "staff_no": "A", "now": NOW}
        _, mine = await auc_deletions.add_deletion(first, most=2, **given)
        _ = await second.begin()
        other = asyncio.create_task(auc_deletions.add_deletion(second, most=9, **given))
        await asyncio.wait({other}, timeout=0.5)
        await first.commit()
        _, theirs = await other
        await second.commit()
    return [mine, theirs]


async def test_two_files_made_at_once_never_hold_the_same_identity(town: Town) -> None:
    await stocked(town, 1, 2, 3)
    await gone(town, 1, 2, 3)

    assert await both_at_once(town) == [2, 1]


async def test_without_the_lock_two_files_would_hold_the_same(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The canary: the second file takes what the first one has just taken."""
    unlocked = auc_deletions._TELL.text.replace("FOR NO KEY UPDATE OF i SKIP LOCKED", "")
    monkeypatch.setattr(auc_deletions, "_TELL", text(unlocked))
    await stocked(town, 1, 2, 3)
    await gone(town, 1, 2, 3)

    assert await both_at_once(town) == [2, 3]


async def test_what_cannot_be_told_is_refused(town: Town) -> None:
    await stocked(town, 1)
    with pytest.raises(NothingToDelete):
        await told(town)
    await gone(town, 1)
    for wish in ({"form": "xml"}, {"most": 0}, {"most": 1_000_001}):
        with pytest.raises(InvalidField):
            await told(town, **wish)
    with pytest.raises(NotFound):
        await told(town, hlr="NONE")
    for missing in (f"xd-{CITY}-9", "xd-530800-1"):
        with pytest.raises(NotFound):
            await fetched(town, missing)
    async with town.database.session() as session:
        with pytest.raises(OutsideScope):
            await read_deletions(session, town.at(f"{CITY}-H1", Role.ACCEPTANCE), now=NOW)


async def test_lost_answer_is_given_again_and_tells_nothing_twice(town: Town) -> None:
    await stocked(town, 1, 2)
    await gone(town, 1)
    write, wish = fresh_key(), DeletionWish(form="csv")
    async with town.database.session() as session:
        first = await tell_deletions(session, town.admin, write, wish, now=NOW)
    await gone(town, 2)
    async with town.database.session() as session:
        again = await tell_deletions(session, town.admin, write, wish, now=NOW)

    assert (again.body, again.replayed) == (first.body, True)
    assert await town.value("SELECT count(*) FROM auc_deletion") == 1


async def test_metrics_tell_how_many_identities_wait_for_a_file(town: Town) -> None:
    """REQ-AUC-01: nobody need look at the page to see that the network keeps what is gone; once a minute is enough."""
    metrics = Metrics()
    often, seldom = (StockMetrics(metrics, town.database, now=NOW, slowly=pause) for pause in (0, 3600))

    async def shown(stock: StockMetrics) -> float | None:
        await stock.refresh()
        return metrics.registry.get_sample_value("haoka_network_deletions_waiting")

    await stocked(town, 1, 2, 3)
    assert await shown(seldom) == 0
    await gone(town, 1, 2)
    assert await shown(seldom) == 0
    assert await shown(often) == 2
    await told(town)
    assert await shown(often) == 0
