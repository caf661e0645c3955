"""Cards between cities over HTTP, and a dispute that both sides sign: what was done is answered as it was done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from inventory.runtime import Runtime
from inventory.services.approving import grant
from inventory.services.organisation import CityWish
from tests.api.calls import read, write
from tests.api.test_loads_api import upload
from tests.builders import FOUNDED, Operator, build_operator
from tests.services.files import iccid, vendor_file
from tests.web.stock import administrator, fresh

pytestmark = pytest.mark.database


async def founded(runtime: Runtime) -> Operator:
    """Found a second city."""
    async with runtime.database.session() as session:
        return await build_operator(session, CityWish(city_id=530800, name_zh="普洱", name_en="Puer"))


async def vouched(runtime: Runtime, operator: Operator, approval: str) -> None:
    """Give the province's word."""
    second = replace(administrator(operator), staff_no="LI0009", role=Role.PROVINCE)
    async with runtime.database.session() as session:
        await grant(session, second, fresh(), approval=approval, now=FOUNDED)


def test_cards_go_to_another_city_and_some_come_home(app: FastAPI, warehouse: TestClient, operator: Operator) -> None:
    """REQ-STK-04: either city is answered with its document, and with the one that is linked with it."""
    assert warehouse.portal is not None
    runtime: Runtime = app.state.runtime
    other = warehouse.portal.call(founded, runtime)
    assert upload(warehouse, operator.city_admin, vendor_file(range(6))).status_code == 201
    wish: dict[str, Any] = {
        "resource": "sim", "place": "530700", "selection": {"items": [iccid(1), iccid(2)]}, "reason": "支援",
        "to_city": "530800",
    }  # fmt: skip
    asked = write(warehouse, operator.city_admin, "/v1/approvals", {"act": "send_to_city", **wish})
    approval = asked.body["approval"]
    warehouse.portal.call(vouched, runtime, operator, approval)

    sent = write(
        warehouse, operator.city_admin, "/v1/movements:send-to-city", {**wish, "approval": approval}
    )  # fmt: skip
    assert (sent.status, sent.body["kind"], sent.body["to_city"]) == (201, "CITY_OUT", "530800")
    there = sent.body["other"]
    came = read(warehouse, other.city_admin, "/v1/movements:open").body["deliveries"]
    assert [(one["id"], one["kind"], one["other"]) for one in came] == [(there, "CITY_IN", sent.body["id"])]
    some = {"selection": {"items": [iccid(1)]}}
    assert write(warehouse, other.city_admin, f"/v1/movements/{there}:accept", some).status == 201
    back = write(warehouse, other.city_admin, f"/v1/movements/{there}:refuse", {"reason": "多了"})
    assert (back.status, back.body["kind"], back.body["parent"]) == (201, "CITY_OUT", there)
    assert (back.body["parent_state"], back.body["to_city"]) == ("SETTLED", "530700")
    home = write(warehouse, operator.city_admin, f"/v1/movements/{back.body['other']}:accept", {})
    assert (home.status, home.body["count"]) == (201, 1)
    states = [read(warehouse, operator.city_admin, f"/v1/sims/{iccid(no)}").body["state"] for no in (1, 2)]
    assert states == ["SENT_AWAY", "AVAILABLE"]


def test_dispute_that_both_sides_signed_is_answered_with_its_end(warehouse: TestClient, operator: Operator) -> None:
    assert upload(warehouse, operator.city_admin, vendor_file(range(6))).status_code == 201
    wish = {
        "resource": "sim", "giver": "530700", "receiver": "LI-D1", "selection": {"items": [iccid(1)]},
        "on_the_way": True,
    }  # fmt: skip
    way = write(warehouse, operator.city_admin, "/v1/movements:issue", wish).body["id"]
    case = write(warehouse, operator.district_keeper, f"/v1/movements/{way}:dispute", {"reason": "少了"}).body["id"]
    end = {"outcome": "lost", "reason": "已查"}
    asked = write(
        warehouse, operator.district_keeper, "/v1/approvals", {"act": "settle_dispute", "dispute": case, **end}
    )
    approval = asked.body["approval"]
    assert write(warehouse, operator.city_admin, f"/v1/approvals/{approval}:grant", {}).status == 200

    settled = write(warehouse, operator.district_keeper, f"/v1/movements/{case}:settle", {**end, "approval": approval})
    assert (settled.status, settled.body["kind"], settled.body["parent_state"]) == (201, "LOSS", "REFUSED")
    assert settled.body["approver"] == operator.city_admin.staff_no
