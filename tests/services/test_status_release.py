"""Status release: what a person may set, and what nobody may."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from inventory.access.permissions import Role
from inventory.domain.errors import (
    ApprovalNeeded,
    DomainError,
    IllegalTransition,
    ItemNotMovable,
    NotHolder,
    PermissionDenied,
    ReasonMissing,
    StaleVersion,
)
from inventory.domain.kinds import KINDS
from inventory.domain.lifecycle import NumberState, SimState
from inventory.services.loading import FileKind
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.status_release import RELEASE_STATUS, RELEASES, ReleaseWish, event_meant, release_status
from inventory.store.selection import ByName
from tests.services.files import iccid, imsi, vendor_file
from tests.services.town import CITY, HLR, NOW, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]

NUMBER = "13888047351"


async def put(town: Town, resource: str, item: str, to_state: str, **wish: Any) -> dict[str, Any]:
    wanted = ReleaseWish(**{"resource": resource, "item": item, "to_state": to_state, "reason": "盘点", **wish})
    async with town.database.session() as session:
        return (await release_status(session, town.admin, fresh_key(), wanted, now=NOW)).body


async def asked(town: Town, resource: str, item: str, to_state: str) -> str:
    """Give a second person's word on the release."""
    return await town.approved(RELEASE_STATUS, resource=resource, item=item, to_state=to_state, reason="盘点")


async def test_number_goes_round_its_states_and_each_step_is_an_event(town: Town) -> None:
    """REQ-NUM-11: each transition keeps from, to, operator, interface, time, reason and order."""
    await town.take("1388804")

    await put(town, "number", NUMBER, "RECYCLED", order_ref="W1")
    await put(town, "number", NUMBER, "DISABLED")
    await put(town, "number", NUMBER, "RECYCLED", approval=await asked(town, "number", NUMBER, "RECYCLED"))
    await put(town, "number", NUMBER, "UNUSED")

    rows = await town.rows(
        "SELECT from_state, to_state, version, staff_no, interface_no, reason, order_ref FROM event"
        " WHERE kind = 'number' ORDER BY event_no"
    )
    who = (town.admin.staff_no, "IF1", "盘点")
    assert [tuple(row) for row in rows] == [
        ("UNUSED", "RECYCLED", 1, *who, "W1"),
        ("RECYCLED", "DISABLED", 2, *who, None),
        ("DISABLED", "RECYCLED", 3, *who, None),
        ("RECYCLED", "UNUSED", 4, *who, None),
    ]


async def test_enabling_a_number_needs_a_second_person(town: Town) -> None:
    await town.take("1388804")
    await put(town, "number", NUMBER, "DISABLED")

    with pytest.raises(ApprovalNeeded):
        await put(town, "number", NUMBER, "RECYCLED")


async def test_only_numbers_at_the_city_are_withdrawn(town: Town) -> None:
    await town.take("1388804")
    wish = MoveWish(
        verb=Verb.ISSUE, resource="number", giver=str(CITY), receiver=f"{CITY}-D1", selection=ByName((NUMBER,))
    )
    async with town.database.session() as session:
        await move(session, town.admin, fresh_key(), wish, now=NOW)

    with pytest.raises(NotHolder):
        await put(town, "number", NUMBER, "RECYCLED")


async def test_card_is_set_damaged_and_back_only_by_two(town: Town) -> None:
    """REQ-SIM-11: a user can set AVAILABLE or DAMAGED with a reason, from fixed states only."""
    await town.load(vendor_file([1]))

    assert (await put(town, "sim", iccid(1), "DAMAGED"))["to_state"] == "DAMAGED"
    with pytest.raises(ApprovalNeeded):
        await put(town, "sim", iccid(1), "AVAILABLE")
    approval = await asked(town, "sim", iccid(1), "AVAILABLE")
    released = await put(town, "sim", iccid(1), "AVAILABLE", approval=approval)
    assert (released["version"], released["approver"]) == (2, f"{CITY}second")


async def test_only_the_citys_administrator_sets_a_card_free_again(town: Town) -> None:
    await town.load(vendor_file([1]))
    await put(town, "sim", iccid(1), "DAMAGED")
    keeper = replace(town.admin, role=Role.HALL_KEEPER)

    with pytest.raises(PermissionDenied):
        await put(replace(town, admin=keeper), "sim", iccid(1), "AVAILABLE")


@pytest.mark.parametrize("on_it", ["identity", "data"])
async def test_card_that_may_hold_an_imsi_is_not_set_free_again(town: Town, on_it: str) -> None:
    """REQ-HW-08: an IMSI once sent to a card never goes round with it."""
    await town.load(vendor_file([1]))
    await put(town, "sim", iccid(1), "DAMAGED")
    if on_it == "identity":
        await town.execute(
            "INSERT INTO sim_identity (city_id, item_no, slot, application, imsi, hlr_code, state, auc)"
            " SELECT city_id, item_no, 1, 'USIM', '460009999999999', 'LJ1', 'LEASED', 'NONE' FROM sim"
        )
    else:
        await town.execute(
            "INSERT INTO subscription_data (city_id, data_no, hlr_code, imsi, state, version, sim_item_no, batch_id,"
            " updated_at) SELECT city_id, 1, 'LJ1', '460009999999999', 'QUARANTINED', 1, item_no, 1, now() FROM sim"
        )

    with pytest.raises(ItemNotMovable, match="IMSI"):
        await put(town, "sim", iccid(1), "AVAILABLE")


async def test_finished_card_that_nobody_was_given_is_set_free_again(town: Town) -> None:
    """REQ-SIM-11: its IMSI came with it, and no number was ever on it."""
    await town.load(f"ICCID,IMSI,HLR\n{iccid(1)},{imsi(1)},{HLR}\n".encode(), FileKind.CARD_LIST)
    await put(town, "sim", iccid(1), "DAMAGED")

    approval = await asked(town, "sim", iccid(1), "AVAILABLE")
    assert (await put(town, "sim", iccid(1), "AVAILABLE", approval=approval))["to_state"] == "AVAILABLE"


async def test_damaged_card_stays_on_the_holders_count_and_is_not_issued(town: Town) -> None:
    """REQ-SIM-12: a damaged card is never offered again and stays on the holder's count."""
    await town.load(vendor_file([1]))
    await put(town, "sim", iccid(1), "DAMAGED")
    wish = MoveWish(
        verb=Verb.ISSUE, resource="sim", giver=str(CITY), receiver=f"{CITY}-D1", selection=ByName((iccid(1),))
    )

    async with town.database.session() as session:
        with pytest.raises(DomainError):
            await move(session, town.admin, fresh_key(), wish, now=NOW)

    assert await town.value("SELECT holder_id FROM sim") == town.nodes[str(CITY)].id


@pytest.mark.parametrize("also", ["hold_id = 1", "transit_id = 1"])
async def test_item_on_hold_or_on_its_way_is_left_alone(town: Town, also: str) -> None:
    await town.load(vendor_file([1]))
    await town.execute(f"UPDATE sim SET {also}")

    with pytest.raises(ItemNotMovable):
        await put(town, "sim", iccid(1), "DAMAGED")


async def test_stale_version_and_missing_reason_are_refused(town: Town) -> None:
    await town.load(vendor_file([1]))

    with pytest.raises(StaleVersion):
        await put(town, "sim", iccid(1), "DAMAGED", version=3)
    with pytest.raises(ReasonMissing):
        await put(town, "sim", iccid(1), "DAMAGED", reason=" ")


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
async def test_every_other_pair_of_states_is_refused_by_name(kind: Any) -> None:
    """REQ-NUM-10: only the transitions of the table are possible; every other pair is refused."""
    states = NumberState if kind.name == "number" else SimState
    for source in states:
        for target in states:
            if (source, target) in RELEASES[kind.name]:
                assert kind.lifecycle.advance(source, event_meant(kind, source, target)) is target
            else:
                with pytest.raises(IllegalTransition):
                    event_meant(kind, source, target)
