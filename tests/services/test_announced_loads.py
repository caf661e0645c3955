"""Cards that a load announces are known, and nobody's to move or sell until each has been scanned."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.permissions import Role
from inventory.domain.errors import DeliveryAnnounced, DeliveryAnswered, InvalidField, MovementRefused, NotReceiver
from inventory.domain.kinds import SIM
from inventory.services import load_undo as undoing
from inventory.services.approval import without_approval
from inventory.services.auditing import audit
from inventory.services.disputing import SETTLE, Outcome, SettleWish, dispute, settle
from inventory.services.items import ItemQuery, read_items
from inventory.services.load_undo import undo_load
from inventory.services.loading import FileKind
from inventory.services.receiving import Signature, read_deliveries, refuse, withdraw
from inventory.services.scanning_in import Arrival, scan_in
from inventory.store import load_undo, movements
from inventory.store.selection import ByName
from tests.services.files import iccid, imsi_pool, vendor_file
from tests.services.test_boxes import packed
from tests.services.test_load_boxes import card_list
from tests.services.test_receiving import keeper, send
from tests.services.test_stock_kinds import DISTRICT, TOP, give, held_by
from tests.services.town import NOW, Town, fresh_key
from tests.waiting import PausedAfter

pytestmark = [pytest.mark.database, pytest.mark.anyio]


@pytest.fixture
async def announced(town: Town) -> str:
    """Announce ten cards; give the document."""
    return str((await town.load(vendor_file(range(10)), announced=True))["movement"])


async def scanned(town: Town, movement: str, *items: str, by: Any = None) -> Any:
    arrival = Arrival(movement=movement, items=items, person="和")
    async with town.database.session() as session:
        return (await scan_in(session, by or town.admin, fresh_key(), arrival, now=NOW)).body


async def findings(town: Town) -> list[Any]:
    async with town.database.session() as session:
        return list((await audit(session, now=NOW)).findings)


async def test_announced_cards_cannot_move_before_they_are_scanned(town: Town, announced: str) -> None:
    with pytest.raises(MovementRefused) as refusal:
        await give(town, SIM, ByName((iccid(1),)), giver=TOP, receiver=DISTRICT)
    assert refusal.value.params["items"][0]["code"] == "in_transit"

    done = await scanned(town, announced, iccid(1), f"{2:020X}")

    assert (done["accepted"], done["left"], done["again"], done["unannounced"]) == (2, 8, [], [])
    assert (await give(town, SIM, ByName((iccid(1), iccid(2))), giver=TOP, receiver=DISTRICT))["count"] == 2
    assert await findings(town) == []


async def test_what_never_came_is_listed_by_its_load(town: Town, announced: str) -> None:
    await scanned(town, announced, *(iccid(serial) for serial in range(8)))

    query = ItemQuery(resource="sim", batch="b-530700-1", on_the_way=True)
    async with town.database.session() as session:
        page = await read_items(session, town.admin, query, limit=10)
    assert [item.name for item in page.items] == [iccid(8), iccid(9)]


async def test_what_came_twice_or_was_not_announced_is_named_and_the_rest_is_taken(town: Town, announced: str) -> None:
    await town.load(vendor_file([50]))
    await scanned(town, announced, iccid(1))

    done = await scanned(town, announced, iccid(1), iccid(2), iccid(50), iccid(60), "smudge")

    assert (done["accepted"], done["left"], done["again"]) == (1, 8, [iccid(1)])
    assert done["unannounced"] == [iccid(50), iccid(60), "smudge"]
    assert (await scanned(town, announced, iccid(2)))["receipt"] is None


async def test_what_is_in_dispute_or_went_on_is_told_apart_from_what_lies_here(town: Town, announced: str) -> None:
    await scanned(town, announced, iccid(1), iccid(2))
    await give(town, SIM, ByName((iccid(2),)), giver=TOP, receiver=DISTRICT)
    signature = Signature(movement=announced, selection=ByName((iccid(3),)), reason="未到")
    async with town.database.session() as session:
        await dispute(session, town.admin, fresh_key(), signature, now=NOW)

    done = await scanned(town, announced, iccid(1), iccid(2), iccid(3), iccid(4))

    assert (done["accepted"], done["again"], done["elsewhere"]) == (1, [iccid(1)], [iccid(2), iccid(3)])
    assert (done["left"], done["unannounced"]) == (6, [])


async def test_the_label_of_a_box_scans_in_all_that_is_in_it(town: Town) -> None:
    content = card_list((1, "B1"), (2, "B1"), (3, ""))
    loaded = await town.load(content, FileKind.CARD_LIST, announced=True)
    await town.load(vendor_file([70]))
    await packed(town, "B7", 70, 70)

    done = await scanned(town, loaded["movement"], "BOX:B1", "BOX:B7", iccid(2))

    assert (done["accepted"], done["left"], done["unannounced"]) == (2, 1, ["BOX:B7"])
    assert (await scanned(town, loaded["movement"], "box:b1"))["again"] == ["box:b1"]


async def test_a_box_that_nobody_knows_keeps_nothing_else_from_being_scanned_in(town: Town, announced: str) -> None:
    done = await scanned(town, announced, "BOX:B9", "BOX:#", iccid(1))

    assert (done["accepted"], done["unannounced"]) == (1, ["BOX:B9", "BOX:#"])


async def test_a_delivery_inside_the_city_is_scanned_in_by_its_receiver(town: Town) -> None:
    await town.load(vendor_file(range(10)))
    document = await send(town, SIM, 0, 4)
    with pytest.raises(NotReceiver):
        await scanned(town, document, iccid(1))

    done = await scanned(town, document, *(iccid(serial) for serial in range(5)), by=keeper(town))

    assert (done["accepted"], done["left"], await held_by(town, SIM, DISTRICT)) == (5, 0, 5)
    with pytest.raises(DeliveryAnswered):
        await scanned(town, document, iccid(1), by=keeper(town))


async def test_nobody_here_gave_what_is_announced(town: Town, announced: str) -> None:
    signature = Signature(movement=announced, reason="未到")
    for act in (refuse, withdraw):
        async with town.database.session() as session:
            with pytest.raises(DeliveryAnnounced):
                await act(session, town.admin, fresh_key(), signature, now=NOW)
    async with town.database.session() as session:
        district = town.at(DISTRICT, Role.DISTRICT_KEEPER)
        assert [len(await read_deliveries(session, who)) for who in (town.admin, district)] == [1, 0]


async def test_what_never_came_is_disputed_and_lost_by_two(town: Town, announced: str) -> None:
    await scanned(town, announced, *(iccid(serial) for serial in range(8)))
    async with town.database.session() as session:
        signature = Signature(movement=announced, reason="未到")
        case = (await dispute(session, town.admin, fresh_key(), signature, now=NOW)).body
        back = SettleWish(dispute=case["id"], outcome=Outcome.BACK, reason="未到")
        with pytest.raises(InvalidField):
            await settle(session, town.admin, fresh_key(), back, now=NOW)
    wish = SettleWish(dispute=case["id"], outcome=Outcome.LOST, reason="未到")
    approval = await town.approved(SETTLE, **without_approval(wish))
    async with town.database.session() as session:
        lost = SettleWish(dispute=case["id"], outcome=Outcome.LOST, reason="未到", approval=approval)
        done = (await settle(session, town.admin, fresh_key(), lost, now=NOW)).body

    assert (case["count"], done["count"]) == (2, 2)
    assert await town.value("SELECT count(*) FROM sim WHERE state = 'LOST' AND transit_id IS NULL") == 2
    assert await findings(town) == []


async def test_an_announcement_is_undone_while_nothing_has_come(town: Town) -> None:
    loaded = await town.load(vendor_file(range(3)), announced=True)
    async with town.database.session() as session:
        await undo_load(session, town.admin, fresh_key(), public_id=loaded["id"], reason="误", now=NOW)
    assert await town.value("SELECT count(*) FROM sim") == 0
    assert await findings(town) == []
    async with town.database.session() as session:
        assert await read_deliveries(session, town.admin) == []


async def scanned_amid_an_undoing(town: Town, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Scan a card when the undoing of its announcement has seen that nothing has come; give what came of the scan."""
    loaded = await town.load(vendor_file(range(3)), announced=True)
    seen = PausedAfter(monkeypatch, load_undo, "has_later_life")

    async def undone() -> None:
        async with town.database.session() as session:
            await undo_load(session, town.admin, fresh_key(), public_id=loaded["id"], reason="误", now=NOW)

    async def scan() -> Any:
        try:
            return await scanned(town, loaded["movement"], iccid(1))
        except DeliveryAnswered as refusal:
            return refusal

    return await seen.meanwhile(undone(), scan(), town.database)


async def test_card_that_is_scanned_while_its_announcement_is_undone_comes_too_late(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(await scanned_amid_an_undoing(town, monkeypatch), DeliveryAnswered)
    assert await town.value("SELECT count(*) FROM sim") == 0
    assert await findings(town) == []


async def test_card_that_is_scanned_amid_an_undoing_that_does_not_lock_is_signed_for_and_gone(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The canary: the receipt of a card that is taken away with its load."""

    async def unlocked(session: AsyncSession, *, city_id: int, movement_id: int, lock: bool = False) -> Any:
        del lock
        return await movements.find_movement(session, city_id=city_id, movement_id=movement_id)

    monkeypatch.setattr(undoing, "movements", SimpleNamespace(**{**vars(movements), "find_movement": unlocked}))
    assert (await scanned_amid_an_undoing(town, monkeypatch))["accepted"] == 1
    assert await town.value("SELECT accepted_count FROM movement WHERE kind = 'INTAKE'") == 0
    assert await town.value("SELECT count(*) FROM sim") == 0


async def test_only_cards_are_announced(town: Town) -> None:
    with pytest.raises(InvalidField):
        await town.load(imsi_pool([1]), FileKind.IMSI_POOL, announced=True)
