"""What a city decides about custody, and that its documents follow."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.access.permissions import Role
from inventory.domain.errors import DomainError, InvalidField, LevelSkipped, NotFound, OutsideScope, ReasonMissing
from inventory.domain.policies import Policy
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.policies import PolicyWish, change_policy, read_policies
from inventory.store.selection import ByName
from tests.services.files import iccid, vendor_file
from tests.services.town import CITY, NOW, Town, found_town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]

TOP, DISTRICT, HALL, CLERK = str(CITY), f"{CITY}-D1", f"{CITY}-H1", f"{CITY}-C1"


async def decided(town: Town, name: str, value: str, reason: str = "年度要求") -> dict[str, Any]:
    wish = PolicyWish(name=name, value=value, reason=reason)
    async with town.database.session() as session:
        return (await change_policy(session, town.admin, fresh_key(), wish, now=NOW)).body


async def moved(town: Town, verb: Verb, giver: str, receiver: str, serial: int = 1) -> dict[str, Any]:
    wish = MoveWish(verb=verb, resource="sim", giver=giver, receiver=receiver, selection=ByName((iccid(serial),)))
    async with town.database.session() as session:
        return (await move(session, town.admin, fresh_key(), wish, now=NOW)).body


async def test_city_that_has_decided_nothing_is_as_the_documents_have_it(town: Town) -> None:
    async with town.database.session() as session:
        held = await read_policies(session, town.admin)
    assert held == {
        Policy.SIGNING: "optional",
        Policy.LEVEL_SKIPPING: "refused",
        Policy.COMPLETION: "at_once",
        Policy.PORT_NOTICE_DAYS: "30",
        Policy.PORT_COOLING_DAYS: "90",
    }


async def test_receiver_signs_for_issues_and_transfers_where_the_city_requires_it(town: Town) -> None:
    """REQ-SIM-06: the receiver is known before the items are its own."""
    await town.load(vendor_file(range(4)))
    await moved(town, Verb.ISSUE, TOP, DISTRICT, 1)
    await decided(town, "signing", "required")

    assert (await moved(town, Verb.ISSUE, TOP, DISTRICT, 2))["state"] == "IN_TRANSIT"
    assert (await moved(town, Verb.TRANSFER, DISTRICT, f"{CITY}-D2", 1))["state"] == "IN_TRANSIT"
    await decided(town, "signing", "optional")
    assert (await moved(town, Verb.ISSUE, TOP, DISTRICT, 3))["state"] == "ACCEPTED"


async def test_recall_is_taken_at_once_whatever_the_city_requires(town: Town) -> None:
    await town.load(vendor_file(range(2)))
    await moved(town, Verb.ISSUE, TOP, DISTRICT, 1)
    await decided(town, "signing", "required")

    assert (await moved(town, Verb.RECALL, DISTRICT, TOP, 1))["state"] == "ACCEPTED"


async def test_issue_passes_over_levels_only_where_the_city_allows_it(town: Town) -> None:
    """REQ-SIM-05: levels are not passed over unless a policy allows it."""
    await town.load(vendor_file(range(3)))
    with pytest.raises(LevelSkipped):
        await moved(town, Verb.ISSUE, TOP, HALL)

    await decided(town, "level_skipping", "allowed")

    assert (await moved(town, Verb.ISSUE, TOP, CLERK))["receiver"] == CLERK
    for receiver in (f"{CITY}-customer", f"{CITY}-ended", TOP):
        with pytest.raises(LevelSkipped):
            await moved(town, Verb.ISSUE, TOP, receiver, 2)
    with pytest.raises(LevelSkipped):
        await moved(town, Verb.RECALL, CLERK, TOP)


async def test_change_keeps_both_values_who_and_why_and_is_one_citys_own(town: Town) -> None:
    """REQ-NUM-11."""
    other = await found_town(town.database, town.vault, 530100)

    assert await decided(town, "signing", "required") == {
        "policy": "signing", "before": "optional", "after": "required"
    }  # fmt: skip

    (event,) = await town.rows("SELECT staff_no, reason, data FROM event WHERE name = 'policy.changed'")
    told = {"policy": "signing", "before": "optional", "after": "required"}
    assert tuple(event) == (town.admin.staff_no, "年度要求", told)
    async with town.database.session() as session:
        assert (await read_policies(session, other.admin))[Policy.SIGNING] == "optional"


async def test_what_cannot_be_decided_is_refused(town: Town) -> None:
    cases: tuple[tuple[tuple[str, ...], type[DomainError]], ...] = (
        (("weather", "fine"), NotFound),
        (("signing", "perhaps"), InvalidField),
        (("port_cooling_days", "0"), InvalidField),
        (("signing", "required", " "), ReasonMissing),
    )
    for said, refusal in cases:
        with pytest.raises(refusal):
            await decided(town, *said)
    keeper = town.at(DISTRICT, Role.DISTRICT_KEEPER)
    wish = PolicyWish(name="signing", value="required", reason="x")
    async with town.database.session() as session:
        with pytest.raises(OutsideScope):
            await change_policy(session, keeper, fresh_key(), wish, now=NOW)
