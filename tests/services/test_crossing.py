"""Cards go from one city to another by two linked documents, and both books go on to add up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from inventory.access.caller import Caller
from inventory.access.permissions import Role
from inventory.domain.errors import (
    ApprovalNeeded,
    DeliveryFromCity,
    InvalidField,
    MissingField,
    MovementRefused,
    NotFound,
    NotGiver,
    OrganisationUnknown,
    PermissionDenied,
)
from inventory.domain.kinds import SIM
from inventory.services.approval import without_approval
from inventory.services.approving import Question, ask, grant, read_approvals
from inventory.services.auditing import audit
from inventory.services.card_data import Workbench, open_card
from inventory.services.disputing import dispute
from inventory.services.documents import read_movement
from inventory.services.ending import Ending, EndWish, end
from inventory.services.items import ItemQuery, read_items
from inventory.services.loading import FileKind
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.receiving import Signature, accept, read_deliveries, refuse, withdraw
from inventory.services.reporting import read_history, read_item
from inventory.services.sealing import seal_all
from inventory.store import kits
from inventory.store.selection import ByName, ByRange
from tests.services.files import ADM1, iccid, imsi, vendor_file
from tests.services.test_ending import quarantine
from tests.services.test_legal_holds import placed
from tests.services.town import CITY, HLR, NOW, Town, found_town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]

TOP, OTHER = str(CITY), 530800
THERE = str(OTHER)


@pytest.fixture
async def town(town: Town) -> Town:
    """Give the city twenty cards; its people see what has left its stock."""
    await town.load(vendor_file(range(20)))
    return await seeing_all(town)


@pytest.fixture
async def other(town: Town) -> Town:
    """Give the city next to it, with cards of its own: item numbers of the two cities are not the same."""
    other = await found_town(town.database, town.vault, OTHER)
    await other.load(vendor_file(range(100, 105)))
    return await seeing_all(other)


async def seeing_all(town: Town) -> Town:
    gone = int(await town.value("SELECT id FROM organisation WHERE code = :code", code=f"{town.admin.city_id}-ended"))
    return replace(town, admin=replace(town.admin, scope=town.admin.scope | {gone}))


def wished(*serials: int, **changes: Any) -> EndWish:
    """Give a wish to send cards to the other city."""
    selection = ByName(tuple(iccid(serial) for serial in serials))
    words: dict[str, Any] = {"way": Ending.SEND_TO_CITY, "resource": "sim", "place": TOP, "selection": selection}
    return EndWish(**{**words, "reason": "支援", "to_city": THERE, **changes})


async def sent(town: Town, *serials: int, **changes: Any) -> dict[str, Any]:
    """Send cards to the other city, with the second person's word."""
    wish = wished(*serials, **changes)
    approval = await town.approved(wish.way, **without_approval(wish))
    async with town.database.session() as session:
        return (await end(session, town.admin, fresh_key(), replace(wish, approval=approval), now=NOW)).body


async def answered(act: Any, by: Caller, document: str, *serials: int, town: Town) -> dict[str, Any]:
    """Answer a delivery for these cards, or for all."""
    selection = ByName(tuple(iccid(serial) for serial in serials)) if serials else None
    signature = Signature(movement=document, selection=selection, person="和丽", reason="数量不符")
    async with town.database.session() as session:
        return dict((await act(session, by, fresh_key(), signature, now=NOW)).body)


async def books(town: Town) -> dict[tuple[int, str, bool], int]:
    """Give how many cards each city has in which state, and whether they are on their way; the audit is silent."""
    async with town.database.session() as session:
        await seal_all(session, now=NOW)
        assert (await audit(session, now=NOW)).findings == []
    question = "SELECT city_id, state, transit_id IS NOT NULL, count(*) FROM sim GROUP BY 1, 2, 3"
    return {(row[0], row[1], row[2]): row[3] for row in await town.rows(question)}


async def test_only_the_province_lets_cards_go_to_another_city(town: Town, other: Town) -> None:
    """REQ-STK-04: no administrator of the city that sends can give the word, nor the province's person send."""
    del other
    wish = wished(3)
    question = Question(wish.way, without_approval(wish))
    async with town.database.session() as session:
        asked = await ask(session, town.admin, fresh_key(), question, lasts=timedelta(hours=1), now=NOW)
        approval = str(asked.body["approval"])
        with pytest.raises(PermissionDenied):
            await grant(session, town.second, fresh_key(), approval=approval, now=NOW)
        with pytest.raises(PermissionDenied):
            await ask(session, town.province, fresh_key(), question, lasts=timedelta(hours=1), now=NOW)
        waiting, _ = await read_approvals(session, town.province, now=NOW)
        answer = await grant(session, town.province, fresh_key(), approval=approval, now=NOW)
    assert [view.name for view in waiting] == [approval]
    assert (answer.body["state"], answer.body["answered_by"]) == ("GRANTED", town.province.staff_no)


async def test_cards_leave_one_book_and_come_on_their_way_into_the_other(town: Town, other: Town) -> None:
    """REQ-STK-04: transfer between cities is two linked documents, with the province's approval."""
    out = await sent(town, 3, 4, 5)

    assert (out["kind"], out["count"], out["giver"], out["to_city"]) == ("CITY_OUT", 3, TOP, THERE)
    assert out["approver"] == f"{CITY}province"
    assert await books(town) == {
        (CITY, "AVAILABLE", False): 17, (CITY, "SENT_AWAY", False): 3,
        (OTHER, "AVAILABLE", False): 5, (OTHER, "AVAILABLE", True): 3,
    }  # fmt: skip
    async with town.database.session() as session:
        here = await read_movement(session, town.admin, public_id=out["id"])
        there = await read_movement(session, other.admin, public_id=out["other"])
    assert (there.document.kind, there.document.other_city, there.document.other_id) == (
        "CITY_IN", CITY, here.document.movement_id,
    )  # fmt: skip
    assert (here.document.other_city, here.document.other_id) == (OTHER, there.document.movement_id)
    assert here.other is not None
    assert (here.other.name, here.other.city.code, here.other.document.state) == (out["other"], THERE, "IN_TRANSIT")
    names = [iccid(serial) for serial in (3, 4, 5)]
    assert [line.name for line in there.lines] == [line.name for line in here.lines] == names


async def test_nothing_on_its_way_to_the_other_city_moves_on(town: Town, other: Town) -> None:
    """REQ-STK-04: until it is signed for it is nobody's to sell or to issue."""
    await sent(town, 3)
    wish = MoveWish(
        verb=Verb.ISSUE, resource="sim", giver=THERE, receiver=f"{THERE}-D1", selection=ByName((iccid(3),))
    )  # fmt: skip
    async with other.database.session() as session:
        with pytest.raises(MovementRefused) as refused:
            await move(session, other.admin, fresh_key(), wish, now=NOW)
    assert refused.value.params["items"][0]["code"] == "in_transit"


async def test_part_is_signed_for_and_the_rest_comes_home(town: Town, other: Town) -> None:
    """REQ-STK-04: what is sent back goes the same way, and is signed for at home."""
    out = await sent(town, 3, 4, 5)

    await answered(accept, other.admin, out["other"], 3, town=other)
    back = await answered(refuse, other.admin, out["other"], town=other)
    async with town.database.session() as session:
        (delivery,) = await read_deliveries(session, town.admin)
    assert (delivery.giver.code, delivery.mine, delivery.given) == (THERE, True, False)
    await answered(accept, town.admin, back["other"], town=town)

    assert (back["kind"], back["count"], back["parent"], back["parent_state"]) == (
        "CITY_OUT", 2, out["other"], "SETTLED",
    )  # fmt: skip
    assert await books(town) == {
        (CITY, "AVAILABLE", False): 19, (CITY, "SENT_AWAY", False): 3,
        (OTHER, "AVAILABLE", False): 6, (OTHER, "SENT_AWAY", False): 2,
    }  # fmt: skip
    async with town.database.session() as session:
        assert (await read_item(session, other.admin, resource="sim", name=iccid(3))).holder.code == THERE
        assert (await read_item(session, town.admin, resource="sim", name=iccid(4))).holder.code == TOP


async def test_life_of_a_card_is_told_whole_where_it_is(town: Town, other: Town) -> None:
    """REQ-SIM-08: its path is listed from intake to now, in whichever city it was."""
    out = await sent(town, 3)
    back = await answered(refuse, other.admin, out["other"], town=other)
    await answered(accept, town.admin, back["other"], town=town)
    again = await sent(town, 3)
    await answered(accept, other.admin, again["other"], town=other)

    async with town.database.session() as session:
        life = await read_history(session, other.admin, resource="sim", name=iccid(3))

    told = [(entry.what.partition(".")[2], (entry.document or "").split("-")[1]) for entry in life if entry.document]
    assert told == [
        ("intake", TOP), ("city_out", TOP), ("city_in", THERE), ("city_out", THERE), ("city_in", TOP),
        ("receipt", TOP), ("city_out", TOP), ("city_in", THERE), ("receipt", THERE),
    ]  # fmt: skip
    assert [entry.to_state for entry in life if entry.to_state] == ["SENT_AWAY"] * 3


async def test_card_that_left_is_found_by_its_name_as_it_left(town: Town, other: Town) -> None:
    """REQ-SIM-08: who scans it in the city that sent it sees when it went, and where."""
    await sent(town, 3)

    async with town.database.session() as session:
        seen = await read_item(session, town.admin, resource="sim", name=iccid(3))
        life = await read_history(session, town.admin, resource="sim", name=iccid(3))
        with pytest.raises(NotFound):
            await read_item(session, other.at(f"{THERE}-D1", Role.DISTRICT_KEEPER), resource="sim", name=iccid(3))
    assert (seen.item.state, seen.holder.code) == ("SENT_AWAY", f"{TOP}-ended")
    assert [(entry.what, entry.receiver) for entry in life if entry.document] == [
        ("movement.intake", TOP), ("movement.city_out", THERE),
    ]  # fmt: skip


async def test_life_is_told_whole_though_the_card_was_named_there(town: Town, other: Town) -> None:
    """REQ-SIM-08: a blank known by its serial gets its ICCID where it is written; both cities find it by both."""
    serial = f"{60:020X}"
    await town.load(f"空卡序列号\n{serial}\n".encode(), FileKind.CARD_LIST)
    out = await sent(town, selection=ByName((serial,)))
    await answered(accept, other.admin, out["other"], town=other)
    async with town.database.session() as session, session.begin():
        card = await kits.find_card(session, city_id=OTHER, serial=serial)
        assert card is not None
        await kits.register_iccid(session, card, iccid(60))

    for name in (serial, iccid(60)):
        async with town.database.session() as session:
            seen = await read_item(session, town.admin, resource="sim", name=name)
            life = await read_history(session, other.admin, resource="sim", name=name)
        assert seen.item.state == "SENT_AWAY"
        assert [entry.what for entry in life if entry.document][:2] == ["movement.intake", "movement.city_out"]


async def test_card_that_left_is_found_by_the_name_on_its_older_documents(town: Town, other: Town) -> None:
    """REQ-SIM-08: what the lines of its intake link to is the card as it was here, also when it is here once more."""
    out = await sent(town, 3)
    back = await answered(refuse, other.admin, out["other"], town=other)
    await answered(accept, town.admin, back["other"], town=town)
    async with town.database.session() as session:
        here = await read_movement(session, town.admin, public_id=out["id"])
        intake = next(
            entry.document
            for entry in await read_history(session, town.admin, resource="sim", name=iccid(3))
            if entry.what == "movement.intake"
        )
        page = await read_movement(session, town.admin, public_id=str(intake))
        name = next(line.name for line in page.lines if line.name.endswith(iccid(3)))
        seen = await read_item(session, town.admin, resource="sim", name=name)
    assert name == f"~m{here.document.movement_id}~{iccid(3)}"
    assert (seen.item.state, seen.holder.code) == ("SENT_AWAY", f"{TOP}-ended")


async def test_secrets_go_with_their_card_and_open_there(town: Town, other: Town) -> None:
    """REQ-HW-10: the envelopes stay bound as they are; nobody opens them on the way."""
    out = await sent(town, 3)
    back = await answered(refuse, other.admin, out["other"], town=other)
    await answered(accept, town.admin, back["other"], town=town)
    await sent(town, 3)

    await town.execute("UPDATE card_kind SET profile = 'preset_key'")
    async with town.database.session() as session, session.begin():
        card = await kits.find_card(session, city_id=OTHER, iccid=iccid(3), serial=None)
        assert card is not None
        opened = await open_card(session, Workbench(town.vault, bytes), card)
    assert opened.adm1.reveal() == bytes.fromhex(ADM1)
    assert await town.value("SELECT count(*) FROM card_secret") == 25


async def test_card_may_be_delivered_again_to_neither_city(town: Town, other: Town) -> None:
    """REQ-SIM-04: its name is registered once, in the city that has it now."""
    await sent(town, 3)
    names = await town.rows("SELECT kind, city_id FROM identifier WHERE value = :name", name=iccid(3))
    assert [tuple(row) for row in names] == [("iccid", OTHER)]
    for place in (town, other):
        with pytest.raises(Exception, match="rows are refused"):
            await place.load(vendor_file([3, 200]))


async def test_card_that_belongs_to_its_city_stays(town: Town, other: Town) -> None:
    """REQ-SIM-16, REQ-SIM-17: an IMSI is of an HLR of its city, a prepaid card may be for an area, and for a time."""
    del other
    await town.load(f"ICCID,IMSI,HLR\n{iccid(40)},{imsi(1)},{HLR}\n".encode(), FileKind.CARD_LIST)
    await town.execute("UPDATE sim SET area = '5307' WHERE iccid = :name", name=iccid(1))
    await town.execute("UPDATE sim SET area = '53' WHERE iccid = :name", name=iccid(2))
    await quarantine(town, 6)
    set_day = "UPDATE sim SET expires_on = :day WHERE iccid = :name"
    await town.execute(set_day, day=date(2026, 11, 22), name=iccid(2))
    await town.execute(set_day, day=date(2026, 11, 21), name=iccid(7))

    with pytest.raises(MovementRefused) as refused:
        await sent(town, 1, 2, 6, 7, 40)
    assert {item["item"]: item["code"] for item in refused.value.params["items"]} == {
        iccid(1): "other_area", iccid(6): "of_its_city", iccid(7): "expired", iccid(40): "of_its_city",
    }  # fmt: skip
    assert (await sent(town, 2))["count"] == 1


async def test_what_cannot_be_sent_is_told_before_anybody_is_asked(town: Town, other: Town) -> None:
    del other
    await town.take("1388804")
    numbers = ByRange("13888040000", "13888040009")
    cases: tuple[tuple[EndWish, type[Exception]], ...] = (
        (wished(3, to_city=None), MissingField),
        (wished(3, to_city=TOP), InvalidField),
        (wished(3, to_city="531000"), OrganisationUnknown),
        (wished(3, to_city=f"{THERE}-D1"), OrganisationUnknown),
        (wished(3, place=f"{TOP}-D1"), InvalidField),
        (wished(3, resource="number", selection=numbers), InvalidField),
        (wished(3, 500), MovementRefused),
        (wished(3), ApprovalNeeded),
    )
    for wish, refusal in cases:
        async with town.database.session() as session:
            with pytest.raises(refusal):
                await end(session, town.admin, fresh_key(), wish, now=NOW)


async def test_only_the_other_city_answers_and_nobody_disputes(town: Town, other: Town) -> None:
    out = await sent(town, 3)
    clerk = other.at(f"{THERE}-D1", Role.DISTRICT_KEEPER, staff_no="keeper")
    for act, by, refusal in (
        (accept, town.admin, NotFound),
        (accept, clerk, NotFound),
        (withdraw, other.admin, NotGiver),
        (dispute, other.admin, DeliveryFromCity),
    ):
        with pytest.raises(refusal):
            await answered(act, by, out["other"], town=town)


async def test_cards_on_their_way_home_may_be_refused_again(town: Town, other: Town) -> None:
    out = await sent(town, 3)
    back = await answered(refuse, other.admin, out["other"], town=other)
    once_more = await answered(refuse, town.admin, back["other"], town=town)
    await answered(accept, other.admin, once_more["other"], town=other)
    assert (await books(town))[OTHER, "AVAILABLE", False] == 6


async def test_cards_of_another_city_are_not_listed_by_a_load_of_that_one(town: Town, other: Town) -> None:
    await sent(town, 1, 2)

    async with town.database.session() as session:
        page = await read_items(session, other.admin, ItemQuery(resource="sim", batch=f"b-{CITY}-1"), limit=10)
    assert page.items == []


async def test_card_under_a_legal_hold_changes_city_neither_way(town: Town, other: Town) -> None:
    """REQ-LGL-01: it is not sent, and what has arrived is not sent back; it can be signed for."""
    out = await sent(town, 3)
    await placed(town, SIM, ByName((iccid(4),)))
    await placed(other, SIM, ByName((iccid(3),)))

    for act in (sent(town, 4), answered(refuse, other.admin, out["other"], town=other)):
        with pytest.raises(MovementRefused) as refused:
            await act
        assert refused.value.params["items"][0]["code"] == "legal_hold"
    await answered(accept, other.admin, out["other"], town=other)
    assert (await books(town))[OTHER, "AVAILABLE", False] == 6
