from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from fastapi import APIRouter, FastAPI
from sqlalchemy import text
from starlette.testclient import TestClient

from inventory.api.deps import SessionDep
from inventory.domain.errors import HoldExpired, NumberNotFree
from tests.api.calls import write
from tests.builders import Operator

pytestmark = pytest.mark.database

SECRET = "hk_never-shown-to-anybody"


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """Give a client of the service with some routes that fail."""
    router = APIRouter()

    @router.get("/v1/fails/refusal")
    async def refusal() -> None:
        raise HoldExpired(hold="h-530700-1", expired_at=datetime(2026, 11, 2, 2, 30, tzinfo=UTC))

    @router.get("/v1/fails/unknown")
    async def unknown() -> None:
        raise RuntimeError(SECRET)

    @router.get("/v1/fails/sql")
    async def sql(session: SessionDep, statement: str) -> None:
        await session.execute(text(statement))

    app.include_router(router)
    with TestClient(app) as client:
        yield client


def test_refusal_is_a_problem_with_its_code_and_parameters(client: TestClient) -> None:
    answer = client.get("/v1/fails/refusal")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:haoka:problem:hold_expired",
        "title": "预占已到期",
        "status": 410,
        "code": "hold_expired",
        "detail": "预占 h-530700-1 已于 2026-11-02 10:30 到期。请重新预占。",
        "params": {"hold": "h-530700-1", "expired_at": "2026-11-02T02:30:00Z"},
    }


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("en", "en"),
        ("en-GB,zh;q=0.5", "en"),
        ("fr, zh-CN;q=0.9, en;q=0.8", "zh-CN"),
        ("fr", "zh-CN"),
        (";q=x", "zh-CN"),
    ],
)
def test_language_is_the_one_the_caller_likes_best(client: TestClient, accepted: str, language: str) -> None:
    answer = client.get("/v1/fails/refusal", headers={"Accept-Language": accepted})
    assert answer.headers["Content-Language"] == language


def test_unknown_failure_says_nothing_and_is_logged_by_request_id(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.get("/v1/fails/unknown", headers={"Haoka-Request-Id": "trace-1"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert (answer.headers["Haoka-Request-Id"], SECRET in answer.text) == ("trace-1", False)
    assert any("trace-1" in record.getMessage() and SECRET not in record.getMessage() for record in caplog.records)


def test_request_id_that_is_not_plain_is_replaced(client: TestClient) -> None:
    assert client.get("/v1/health/live", headers={"Haoka-Request-Id": "a b"}).headers["Haoka-Request-Id"] != "a b"


@pytest.mark.parametrize(
    "statement",
    [
        "DO $$ BEGIN RAISE lock_not_available; END $$",
        "DO $$ BEGIN RAISE deadlock_detected; END $$",
        "DO $$ BEGIN RAISE serialization_failure; END $$",
        "DO $$ BEGIN RAISE query_canceled; END $$",
    ],
)
def test_database_that_says_try_again_is_busy(client: TestClient, statement: str) -> None:
    answer = client.get("/v1/fails/sql", params={"statement": statement})
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "busy", "1")


def test_value_that_the_database_cannot_hold_is_the_request_s_fault(client: TestClient) -> None:
    answer = client.get("/v1/fails/sql", params={"statement": "SELECT 99999999999999999999::bigint"})
    assert (answer.status_code, answer.json()["code"]) == (422, "value_out_of_range")


def test_our_own_wrong_statement_is_our_failure(client: TestClient) -> None:
    assert client.get("/v1/fails/sql", params={"statement": "SELECT nonsense"}).status_code == 500


def post(client: TestClient, operator: Operator, content: bytes, **headers: str) -> tuple[int, str]:
    sent = {**operator.admin.headers, "Idempotency-Key": "k", "Content-Type": "application/json"}
    changed = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = client.post("/v1/organisations", content=content, headers={**sent, **changed})
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"",
        b'{"parent_id": "1"}',
        b'{"parent_id": 1e400}',
        b'{"parent_id": 9223372036854775808, "code": "A", "name_zh": "x", "name_en": "x"}',
        b'{"parent_id": 1, "code": "A", "name_zh": "\\ud800", "name_en": "x"}',
        b'{"parent_id": 1, "code": "A", "name_zh": "x", "name_en": "x", "more": 1}',
        b"[" * 100_000,
    ],
    ids=lambda content: content[:40].decode("latin-1"),
)
def test_bad_body_is_refused_not_a_failure(client: TestClient, operator: Operator, content: bytes) -> None:
    status, _ = post(client, operator, content)
    assert 400 <= status < 500


def test_nul_is_refused_in_body_path_and_query(client: TestClient, operator: Operator) -> None:
    body = {"parent_id": operator.city, "code": "A", "name_zh": "a\0", "name_en": "b"}
    refused = (422, "value_out_of_range")
    assert post(client, operator, json.dumps(body).encode()) == refused
    assert client.get("/v1/health/live?x=%00").json()["code"] == refused[1]
    assert client.get("/v1/%00").json()["code"] == refused[1]


def test_wrong_content_type_is_refused(client: TestClient, operator: Operator) -> None:
    assert post(client, operator, b"{}", Content_Type="text/plain")[0] == 422


@pytest.mark.parametrize(
    "head",
    [
        {"Content_Encoding": "gzip"},
        {"Content_Encoding": "GZIP", "Content_Type": "application/octet-stream"},
        {"Content_Type": "application/json; charset=gbk"},
        {"Content_Type": 'Application/JSON; charset="GB18030"'},
    ],
)
def test_body_that_would_be_misread_is_refused(client: TestClient, operator: Operator, head: dict[str, str]) -> None:
    """In GBK 一 is what UTF-8 reads as another letter; a piece of a file would be kept compressed."""
    body = {"parent_id": operator.district, "code": "N1", "name_zh": "一", "name_en": "One"}
    content = json.dumps(body, ensure_ascii=False).encode("gbk")
    assert post(client, operator, content, **head) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "head", [{"Content_Type": "application/json; charset=UTF-8"}, {"Content_Encoding": "identity"}]
)
def test_body_that_says_how_it_is_read_is_taken(client: TestClient, operator: Operator, head: dict[str, str]) -> None:
    body = {"parent_id": operator.district, "code": "N1", "name_zh": "一", "name_en": "One"}
    sent = {**operator.admin.headers, "Idempotency-Key": "k", "Content-Type": "application/json"}
    changed = {name.replace("_", "-"): value for name, value in head.items()}
    answer = client.post(
        "/v1/organisations", content=json.dumps(body, ensure_ascii=False).encode(), headers={**sent, **changed}
    )
    assert (answer.status_code, answer.json()["name_zh"]) == (201, "一")


def test_large_body_is_refused_before_it_is_read(client: TestClient, operator: Operator) -> None:
    assert post(client, operator, b"{}", Content_Length=str(1 << 30)) == (413, "body_too_large")


def test_fields_are_named_and_their_values_are_not_shown(client: TestClient) -> None:
    answer = client.post("/v1/sessions", json={"staff_no": "x", "password": [SECRET]})
    faults = {fault["field"]: fault["code"] for fault in answer.json()["errors"]}
    assert faults == {"body.interface_no": "missing", "body.password": "string_type"}
    assert SECRET not in answer.text


def test_unknown_route_and_wrong_method_are_problems_too(client: TestClient) -> None:
    assert client.get("/v1/nothing").json()["code"] == "route_unknown"
    answer = client.patch("/v1/organisations")
    assert (answer.json()["code"], "GET" in answer.headers["Allow"]) == ("method_not_allowed", True)


def test_write_without_a_key_is_refused(client: TestClient, operator: Operator) -> None:
    answer = client.post("/v1/organisations", json={}, headers=operator.admin.headers)
    assert answer.json()["code"] in {"idempotency_key_missing", "invalid_request"}


def test_same_key_gives_the_first_answer_again_and_refuses_another_body(client: TestClient, operator: Operator) -> None:
    wish = {"parent_id": operator.district, "code": "N1", "name_zh": "一", "name_en": "One"}
    first, again = (write(client, operator.admin, "/v1/organisations", wish, key="same") for _ in range(2))
    assert (first.status, first.body) == (again.status, again.body)
    other = write(client, operator.admin, "/v1/organisations", {**wish, "code": "N2"}, key="same")
    assert other.refusal == (409, "idempotency_mismatch")


def test_metrics_count_by_template_never_by_path(client: TestClient, operator: Operator) -> None:
    write(client, operator.admin, "/v1/interfaces/HALL-530700-999:disable")
    shown = client.get("/metrics").text
    assert 'route="/v1/interfaces/{no}:disable",status="404"' in shown
    assert "HALL-530700-999" not in shown


def test_refusal_class_of_a_conflict_is_409(app: FastAPI) -> None:
    @app.get("/v1/fails/conflict")
    async def conflict() -> None:
        raise NumberNotFree(number="13900000000", state="HELD", held_until=None)

    with TestClient(app) as client:
        answer = client.get("/v1/fails/conflict")
    assert (answer.status_code, answer.json()["params"]["held_until"]) == (409, None)


@pytest.mark.parametrize("body", ["{", "\xff", "[" * 100_000, "1" * 5000])
def test_a_body_that_is_no_json_is_refused_and_nothing_more(client: TestClient, body: str) -> None:
    headers = {"Content-Type": "text/json", "Idempotency-Key": "k"}
    answer = client.post("/v1/stations:enrol", content=body.encode("latin-1"), headers=headers)
    assert 400 <= answer.status_code < 500, answer.text
