"""Files and single cards over HTTP."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from inventory.runtime import Runtime
from inventory.services.rule_sets import install_default
from inventory.store import catalogue, kits
from inventory.store.catalogue import CardKindRow, HlrRow
from tests.api.calls import read, write
from tests.builders import FOUNDED, Login, Operator
from tests.services.files import ADM1, iccid, imsi_pool, vendor_file

pytestmark = pytest.mark.database


@pytest.fixture
def warehouse(app: FastAPI, client: TestClient, operator: Operator) -> TestClient:
    """Give the client of a city that knows a card product, a transport key and an HLR."""
    runtime: Runtime = app.state.runtime

    async def prepare() -> None:
        async with runtime.database.session() as session:
            await install_default(session, now=FOUNDED)
        async with runtime.database.session() as session, session.begin():
            await catalogue.add_hlr(session, HlrRow("LJ1", operator.city_id, "丽江一", "+8613800888500"))
            await catalogue.add_card_kind(session, CardKindRow("4G-P", "白卡", "Blank", "p", 128, ["USIM"], {}, 1000))
            await kits.add_transport_key(session, index="11", algorithm="aes-128-ecb", wrapped=b"", kcv=bytes(3))
        await runtime.database.close()

    asyncio.run(prepare())
    return client


def upload(client: TestClient, login: Login, content: bytes, *, key: str = "", **fields: str) -> Any:
    headers = {**login.headers, "Idempotency-Key": key or uuid.uuid4().hex}
    data = {"kind": "sim_vendor", "card_kind": "4G-P", **fields}
    return client.post("/v1/loads", data=data, files={"file": ("out.txt", content)}, headers=headers)


def test_vendor_file_is_loaded_and_its_load_read_back(warehouse: TestClient, operator: Operator) -> None:
    answer = upload(warehouse, operator.city_admin, vendor_file(range(20)))

    assert (answer.status_code, answer.json()["rows"]) == (201, 20)
    load = read(warehouse, operator.city_admin, f"/v1/loads/{answer.json()['id']}").body
    assert (load["state"], load["accepted"], load["source"]) == ("COMMITTED", 20, "out.txt")
    sim = read(warehouse, operator.city_admin, f"/v1/sims/{iccid(3)}").body
    assert (sim["state"], sim["holder"], sim["identities"]) == ("AVAILABLE", "530700", [])
    by_serial = read(warehouse, operator.city_admin, f"/v1/sims/{3:020X}").body
    assert by_serial == sim


def test_repeated_upload_with_its_key_gets_the_first_answer(warehouse: TestClient, operator: Operator) -> None:
    first = upload(warehouse, operator.city_admin, vendor_file([1]), key="same")
    again = upload(warehouse, operator.city_admin, vendor_file([1]), key="same")
    other = upload(warehouse, operator.city_admin, vendor_file([2]), key="same")

    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert other.json()["code"] == "idempotency_mismatch"


def test_same_file_under_another_key_is_recognised(warehouse: TestClient, operator: Operator) -> None:
    first = upload(warehouse, operator.city_admin, vendor_file([1])).json()
    again = upload(warehouse, operator.city_admin, vendor_file([1]))

    assert (again.status_code, again.json()["code"], again.json()["params"]["batch"]) == (
        409,
        "already_loaded",
        first["id"],
    )


def test_refused_file_lists_its_faults(warehouse: TestClient, operator: Operator) -> None:
    content = vendor_file(range(3)).replace(iccid(1).encode(), b"77")

    answer = upload(warehouse, operator.city_admin, content)

    assert (answer.status_code, answer.json()["code"]) == (422, "load_rejected")
    faults = read(warehouse, operator.city_admin, f"/v1/loads/{answer.json()['params']['batch']}/faults").body
    assert faults["faults"] == [
        {"no": 1, "row": 13, "column": "iccid", "value": "… (2 characters)", "code": "malformed"}
    ]
    assert ADM1 not in answer.text


def test_imsi_pool_is_loaded(warehouse: TestClient, operator: Operator) -> None:
    answer = upload(warehouse, operator.city_admin, imsi_pool(range(10)), kind="imsi_pool")

    assert (answer.status_code, answer.json()["resource"], answer.json()["rows"]) == (201, "data", 10)


def test_single_card_is_entered(warehouse: TestClient, operator: Operator) -> None:
    """REQ-SIM-01: one SIM can be entered by API."""
    body = {
        "iccid": iccid(9),
        "kind": "4G-P",
        "secrets": {"transport_key": "11", "ki": "00" * 16, "opc": "11" * 16, "adm1": ADM1},
    }

    entered = write(warehouse, operator.city_admin, "/v1/sims", body)
    again = write(warehouse, operator.city_admin, "/v1/sims", body)

    assert entered.status == 201
    assert again.refusal == (409, "duplicate_identifier")
    life = read(warehouse, operator.city_admin, f"/v1/sims/{iccid(9)}/history").body
    assert [entry["what"] for entry in life["entries"]] == ["movement.intake"]


def test_clerk_may_not_load(warehouse: TestClient, operator: Operator) -> None:
    assert upload(warehouse, operator.clerk, vendor_file([1])).json()["code"] == "permission_denied"


def test_secret_that_is_no_hex_is_refused_without_being_shown(warehouse: TestClient, operator: Operator) -> None:
    secrets = {"transport_key": "11", "ki": "00" * 16, "opc": "11" * 16, "adm1": "0123456789ABCDEX"}

    answer = write(warehouse, operator.city_admin, "/v1/sims", {"iccid": iccid(9), "kind": "4G-P", "secrets": secrets})

    assert answer.status == 422
    assert "0123456789ABCDEX" not in str(answer.body)


def test_list_is_tried_loaded_in_its_good_rows_and_its_bad_rows_fetched(
    warehouse: TestClient, operator: Operator
) -> None:
    """REQ-SIM-02: each line is accepted or rejected with line number and reason."""
    content = f"卡号,备注\n{iccid(1)},a\nbad,b\n".encode()
    list_of = {"kind": "card_list", "columns": "iccid=1"}

    tried = upload(warehouse, operator.city_admin, content, **list_of, dry_run="true")
    refused = upload(warehouse, operator.city_admin, content, **list_of)
    loaded = upload(warehouse, operator.city_admin, content, **list_of, keep_good="true")
    rejects = warehouse.get(f"/v1/loads/{loaded.json()['id']}/rejects", headers=operator.city_admin.headers)

    fault = {"no": 1, "row": 3, "column": "iccid", "value": "bad", "code": "malformed"}
    assert (tried.status_code, tried.json()) == (
        200,
        {"dry_run": True, "good": 1, "bad": 1, "columns": ["iccid", ""], "faults": [fault]},
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "load_rejected")
    assert (loaded.status_code, loaded.json()["rows"], loaded.json()["rejected"]) == (201, 1, 1)
    assert rejects.headers["content-type"].startswith("text/csv")
    assert rejects.text == "卡号,备注,reason\r\nbad,,iccid:malformed\r\n"


def test_file_of_a_vendor_has_no_reject_file(warehouse: TestClient, operator: Operator) -> None:
    loaded = upload(warehouse, operator.city_admin, vendor_file([1])).json()
    assert read(warehouse, operator.city_admin, f"/v1/loads/{loaded['id']}/rejects").refusal == (404, "not_found")


def test_list_brings_the_numbers_of_a_listed_segment(warehouse: TestClient, operator: Operator) -> None:
    """REQ-NUM-02: intake by segment, list and file."""
    segment = {"prefixes": ["1388880"], "carrier": "mobile", "hlr": "LJ1", "listed": True}

    taken = write(warehouse, operator.city_admin, "/v1/segments", segment)
    loaded = upload(warehouse, operator.city_admin, b"13888800001\n", kind="number_list", pool="hall")

    assert (taken.status, taken.body["movement"], taken.body["numbers"]) == (201, None, 0)
    assert (loaded.status_code, loaded.json()["resource"]) == (201, "number")
    number = read(warehouse, operator.city_admin, "/v1/numbers/13888800001").body
    assert (number["state"], number["hlr"]) == ("UNUSED", "LJ1")
