"""Loads that are undone: what came in by mistake leaves as if it had not come, and the book goes on to add up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from inventory.domain.errors import LoadNotUndoable, NotFound, ReasonMissing
from inventory.domain.identifiers import parse_public_id
from inventory.domain.kinds import NUMBER
from inventory.services.auditing import audit
from inventory.services.fees import FeeWish, change_fee, perform_change
from inventory.services.load_standing import read_load
from inventory.services.load_undo import undo_load
from inventory.services.loading import FileKind
from inventory.services.sealing import seal_all
from inventory.store import load_undo
from tests.services.files import imsi_pool, numbered_pool, vendor_file
from tests.services.town import CITY, NOW, Town, fresh_key
from tests.waiting import PausedAfter, until_locked

pytestmark = [pytest.mark.database, pytest.mark.anyio]
SEGMENT = "1388880"


async def undone(town: Town, load: object, reason: str = "wrong vendor") -> dict[str, object]:
    async with town.database.session() as session:
        answer = await undo_load(session, town.admin, fresh_key(), public_id=str(load), reason=reason, now=NOW)
    return answer.body


async def removed(town: Town, load: object) -> None:
    """Undo as the service does, without looking at what the database refuses."""
    async with town.database.session() as session, session.begin():
        key = {"city_id": CITY, "batch_id": parse_public_id(str(load), "b").serial}
        intake = await load_undo.intake_of(session, **key)
        assert intake is not None
        movement_id, holder_id = intake
        assert not await load_undo.has_later_life(session, NUMBER, city_id=CITY, movement_id=movement_id)
        await load_undo.remove_items(session, NUMBER, movement_id=movement_id, holder_id=holder_id, **key)


async def test_undone_cards_are_gone_with_their_names_and_secrets_and_the_audit_is_clean(town: Town) -> None:
    await town.load(vendor_file(range(3)))
    loaded = await town.load(vendor_file(range(10, 15)))

    answer = await undone(town, loaded["id"])

    assert (answer["state"], answer["rows"]) == ("UNDONE", 5)
    assert await town.value("SELECT count(*) FROM sim") == 3
    assert await town.value("SELECT count(*) FROM card_secret") == 3
    assert await town.value("SELECT count(*) FROM identifier") == 6
    assert await town.value("SELECT reason FROM event WHERE name = 'load.undone'") == "wrong vendor"
    async with town.database.session() as session:
        assert (await read_load(session, town.admin, public_id=loaded["id"])).state == "UNDONE"
        await seal_all(session, now=NOW)
        done = await audit(session, now=NOW)
    assert (done.ok, done.findings) == (True, [])
    assert done.figures[str(CITY)]["loaded"] == {"sim": 3}


async def test_same_file_can_be_loaded_again_under_new_item_numbers(town: Town) -> None:
    first = await town.load(vendor_file(range(5)))
    await undone(town, first["id"])

    again = await town.load(vendor_file(range(5)))

    assert again["rows"] == 5
    assert await town.value("SELECT min(item_no) FROM sim") > 4
    async with town.database.session() as session:
        assert (await audit(session, now=NOW)).findings == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE sim SET version = 1 WHERE item_no = 2",
        "UPDATE sim SET holder_id = holder_id + 1 WHERE item_no = 2",
        "UPDATE sim SET transit_id = 7 WHERE item_no = 2",
        "UPDATE sim SET hold_id = 7 WHERE item_no = 2",
        "UPDATE sim SET recall_id = 7 WHERE item_no = 2",
        "UPDATE sim SET legal_hold = true WHERE item_no = 2",
        (
            "INSERT INTO movement_line (city_id, movement_id, line_no, resource, level, block, lo, hi)"
            " SELECT city_id, movement_id + 1, 1, resource, 0, 0, 2, 2 FROM movement_line"
        ),
        (
            "INSERT INTO box (city_id, code, resource, state, item_count, packed_by, packed_at)"
            " VALUES (530700, 'B1', 'sim', 'SEALED', 1, 'x', now());"
            " INSERT INTO box_line SELECT city_id, 'sim', 2, 2, box_no FROM box"
        ),
    ],
    ids=["state", "holder", "on its way", "held", "recalled", "legally held", "on a later document", "in a box"],
)
async def test_load_of_which_something_moved_or_changed_stays_whole(town: Town, change: str) -> None:
    loaded = await town.load(vendor_file(range(5)))
    if "movement_line" in change:
        await town.load(vendor_file([9]))
        await town.execute("DELETE FROM movement_line WHERE movement_id = 2")
    for statement in change.split(";"):
        await town.execute(statement)

    with pytest.raises(LoadNotUndoable):
        await undone(town, loaded["id"])

    assert await town.value("SELECT count(*) FROM sim WHERE item_no < 5") == 5
    assert await town.value("SELECT count(*) FROM card_secret WHERE item_no < 5") == 5


async def test_numbers_of_a_list_are_undone_and_those_of_a_whole_segment_are_not(town: Town) -> None:
    await town.take(SEGMENT, listed=True)
    loaded = await town.load(f"{SEGMENT}0001\n{SEGMENT}0007\n".encode(), FileKind.NUMBER_LIST)
    whole = await town.take("1388881")

    assert (await undone(town, loaded["id"]))["rows"] == 2
    with pytest.raises(LoadNotUndoable):
        await undone(town, whole["load"])

    assert await town.value("SELECT count(*) FROM number") == 10_000
    async with town.database.session() as session:
        assert (await audit(session, now=NOW)).findings == []


async def test_pool_of_data_is_undone_while_it_is_free(town: Town) -> None:
    first = await town.load(imsi_pool(range(5)), FileKind.IMSI_POOL)
    second = await town.load(imsi_pool(range(5, 9)), FileKind.IMSI_POOL)
    await town.execute("UPDATE subscription_data SET state = 'RETIRED' WHERE data_no = 6")

    assert (await undone(town, first["id"]))["movement"] is None
    with pytest.raises(LoadNotUndoable):
        await undone(town, second["id"])

    assert await town.value("SELECT count(*) FROM subscription_data") == 4
    assert await town.value("SELECT count(*) FROM identifier") == 4


async def test_pool_with_iccids_leaves_their_names_free(town: Town) -> None:
    loaded = await town.load(numbered_pool(range(3)), FileKind.IMSI_POOL)

    assert (await undone(town, loaded["id"]))["rows"] == 3

    assert await town.value("SELECT count(*) FROM identifier") == 0
    await town.load(vendor_file(range(3)))


async def test_load_is_undone_once_and_with_a_reason(town: Town) -> None:
    loaded = await town.load(vendor_file(range(2)))

    with pytest.raises(ReasonMissing):
        await undone(town, loaded["id"], " ")
    await undone(town, loaded["id"])
    with pytest.raises(LoadNotUndoable):
        await undone(town, loaded["id"])


@pytest.mark.parametrize(
    ("undo", "met"), [(undone, LoadNotUndoable), (removed, IntegrityError)], ids=["guarded", "canary without the guard"]
)
async def test_load_is_not_undone_while_a_fee_of_it_is_being_changed(
    town: Town, undo: Callable[[Town, object], Coroutine[Any, Any, object]], met: type[Exception]
) -> None:
    """The change is written and not committed when the undoing looks: nothing is seen, and the number is waited for."""
    await town.take(SEGMENT, listed=True)
    loaded = await town.load(f"{SEGMENT}0001\n{SEGMENT}7351\n".encode(), FileKind.NUMBER_LIST)
    wish = FeeWish(number=f"{SEGMENT}7351", number_class=6, reason="agreed_price")
    async with town.database.session() as session, session.begin():
        await perform_change(session, town.admin, wish, now=NOW)
        undoing = asyncio.create_task(undo(town, loaded["id"]))
        await until_locked(town.database, unless=undoing)
    with pytest.raises(met):
        await undoing
    assert await town.value("SELECT count(*) FROM number") == 2
    assert await town.value("SELECT state FROM load_batch WHERE batch_id = 2") == "COMMITTED"
    assert await town.value("SELECT cls FROM number WHERE number = :number", number=f"{SEGMENT}7351") == 6


async def test_fee_is_not_changed_of_a_number_whose_load_is_being_undone(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.take(SEGMENT, listed=True)
    loaded = await town.load(f"{SEGMENT}7351\n".encode(), FileKind.NUMBER_LIST)
    wish = FeeWish(number=f"{SEGMENT}7351", number_class=6, reason="agreed_price")

    async def changed() -> type[Exception] | None:
        async with town.database.session() as session:
            try:
                await change_fee(session, town.admin, fresh_key(), wish, now=NOW)
            except NotFound as refusal:
                return type(refusal)
        return None

    pause = PausedAfter(monkeypatch, load_undo, "remove_items")
    assert await pause.meanwhile(undone(town, loaded["id"]), changed(), town.database) is NotFound
    assert await town.value("SELECT count(*) FROM fee_change") == 0
