"""Ends of stock over HTTP."""

from __future__ import annotations

from typing import get_args

import pytest
from starlette.testclient import TestClient

from inventory.api.v1.approvals import AskEnd
from inventory.services.ending import Ending
from tests.api.calls import read, write
from tests.builders import Operator

pytestmark = pytest.mark.database

NUMBERS = {"first": "13888040000", "last": "13888040099"}
SEAL = {"resource": "number", "place": "530700", "selection": NUMBERS, "reason": "协查", "reference": "7"}


def test_range_is_disabled_by_one_and_enabled_by_nobody_alone(stocked: TestClient, operator: Operator) -> None:
    """What is sealed off is sealed off with its reference."""
    sealed = write(stocked, operator.city_admin, "/v1/movements:disable", SEAL)
    assert (sealed.status, sealed.body["kind"], sealed.body["states"]) == (201, "BLOCK", {"UNUSED": 100})
    assert sealed.body["reason"] == "协查 (7)"
    number = read(stocked, operator.city_admin, "/v1/numbers/13888040007").body
    assert number["state"] == "DISABLED"

    alone = write(stocked, operator.city_admin, "/v1/movements:enable", SEAL)
    assert alone.refusal == (403, "approval_needed")
    asked = write(stocked, operator.city_admin, "/v1/approvals", {"act": "enable", **SEAL})
    assert (asked.status, asked.body["summary"]["from_states"]) == (201, {"DISABLED": 100})
    assert write(stocked, operator.district_keeper, "/v1/movements:enable", SEAL).refusal == (403, "permission_denied")
    document = read(stocked, operator.city_admin, f"/v1/movements/{sealed.body['id']}").body["movement"]
    assert (document["giver"], document["receiver"], document["state"]) == ("530700", "530700", "ACCEPTED")


def test_way_that_is_not_for_a_kind_is_refused_by_name(stocked: TestClient, operator: Operator) -> None:
    answer = write(stocked, operator.city_admin, "/v1/movements:lose", SEAL)
    assert answer.refusal == (422, "invalid_field")
    elsewhere = write(stocked, operator.city_admin, "/v1/movements:send-to-city", {**SEAL, "to_city": "530800"})
    assert elsewhere.refusal == (422, "invalid_field")
    assert "号码属于本市号段" in elsewhere.body["detail"]


def test_nobody_owes_spoiled_cards_where_there_are_none(stocked: TestClient, operator: Operator) -> None:
    assert read(stocked, operator.city_admin, "/v1/stock:spoiled").body == {"accounts": []}


def test_every_way_can_be_asked_for() -> None:
    assert set(get_args(AskEnd.model_fields["act"].annotation)) == set(Ending)
