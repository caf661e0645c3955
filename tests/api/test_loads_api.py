"""Files and single cards over HTTP."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

import pytest
from starlette.testclient import TestClient

from inventory.domain.loading.packing import is_workbook
from inventory.sheets import Form
from tests.api.calls import read, write
from tests.builders import Login, Operator
from tests.services.files import ADM1, iccid, imsi_pool, vendor_file, workbook

pytestmark = pytest.mark.database


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


def test_form_is_taken_whatever_the_case_of_its_content_type(warehouse: TestClient, operator: Operator) -> None:
    body = (
        b'--B\r\nContent-Disposition: form-data; name="kind"\r\n\r\nimsi_pool\r\n'
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="pool.txt"\r\n\r\n'
        + imsi_pool(range(3))
        + b"\r\n--B--\r\n"
    )
    head = {**operator.city_admin.headers, "Idempotency-Key": "k", "Content-Type": "Multipart/Form-Data; boundary=B"}

    first, again = (warehouse.post("/v1/loads", content=body, headers=head) for _ in range(2))

    assert (first.status_code, first.json()["rows"]) == (201, 3)
    assert again.headers["Idempotent-Replayed"] == "true"


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
        {"dry_run": True, "id": "b-530700-1", "good": 1, "bad": 1, "columns": ["iccid", ""], "faults": [fault]},
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "load_rejected")
    assert (loaded.status_code, loaded.json()["rows"], loaded.json()["rejected"]) == (201, 1, 1)
    assert rejects.headers["content-type"].startswith("text/csv")
    assert rejects.text == "卡号,备注,reason\r\nbad,,iccid:malformed\r\n"


def test_bad_rows_of_a_workbook_are_fetched_as_a_workbook(warehouse: TestClient, operator: Operator) -> None:
    rows = [["卡号"], [iccid(1)], ["bad"]]
    loaded = upload(warehouse, operator.city_admin, workbook(rows), kind="card_list", keep_good="true").json()
    rejects = warehouse.get(f"/v1/loads/{loaded['id']}/rejects", headers=operator.city_admin.headers)
    assert rejects.headers["content-type"] == Form.XLSX.media_type
    assert rejects.headers["content-disposition"] == f'attachment; filename="{loaded["id"]}-rejects.xlsx"'
    assert is_workbook(rejects.content)


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


def test_large_file_is_sent_in_pieces_and_loaded_in_the_background(warehouse: TestClient, operator: Operator) -> None:
    content = vendor_file(range(20))
    login = operator.city_admin
    begun = write(warehouse, login, "/v1/uploads", {"name": "out.txt", "size": len(content)}).body
    path = f"/v1/uploads/{begun['id']}"

    def send(offset: int, piece: bytes) -> Any:
        headers = {**login.headers, "Upload-Offset": str(offset), "Content-Type": "application/octet-stream"}
        return warehouse.patch(path, content=piece, headers=headers)

    assert write(warehouse, login, f"{path}:load", {"kind": "sim_vendor"}).refusal == (409, "upload_incomplete")
    assert send(0, content[:50]).json()["offset"] == 50
    assert send(70, content[70:]).json()["code"] == "upload_offset"
    assert read(warehouse, login, path).body["offset"] == 50
    whole = send(50, content[50:]).json()
    assert (whole["offset"], whole["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())

    load = write(warehouse, login, f"{path}:load", {"kind": "sim_vendor", "card_kind": "4G-P"})
    assert (load.status, load.body["state"]) == (202, "RUNNING")
    stands = read(warehouse, login, f"/v1/loads/{load.body['id']}").body
    assert (stands["state"], stands["progress"]["phase"]) == ("RUNNING", "waiting")
    assert [one["id"] for one in read(warehouse, login, "/v1/loads").body["loads"]] == [load.body["id"]]
    cancelled = write(warehouse, login, f"/v1/loads/{load.body['id']}:cancel")
    assert (cancelled.status, cancelled.body["state"]) == (200, "CANCELLED")
    assert write(warehouse, login, f"/v1/loads/{load.body['id']}:cancel").refusal == (409, "load_not_running")
    assert warehouse.delete(path, headers=login.headers).status_code == 204
    assert read(warehouse, login, path).refusal == (404, "not_found")


def test_load_is_undone_with_a_reason(warehouse: TestClient, operator: Operator) -> None:
    login = operator.city_admin
    loaded = upload(warehouse, login, vendor_file(range(5))).json()

    undone = write(warehouse, login, f"/v1/loads/{loaded['id']}:undo", {"reason": "wrong vendor"})

    assert (undone.status, undone.body["state"], undone.body["rows"]) == (200, "UNDONE", 5)
    document = read(warehouse, login, f"/v1/movements/{undone.body['movement']}").body["movement"]
    assert (document["kind"], document["count"], document["reason"]) == ("UNDO", 5, "wrong vendor")
    again = write(warehouse, login, f"/v1/loads/{loaded['id']}:undo", {"reason": "x"})
    assert again.refusal == (409, "load_not_undoable")
