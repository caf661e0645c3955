"""A second person's word over HTTP."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.api.calls import Reply, read, write
from tests.builders import Operator

pytestmark = pytest.mark.database

NUMBER = "13888048888"
FEE = {"number_class": 3, "reason": "定级有误"}


@pytest.fixture
def district(stocked: TestClient, operator: Operator) -> TestClient:
    """Give the client of a city whose district has a class 2 number."""
    down = {"resource": "number", "giver": "530700", "receiver": "LI-D1", "selection": {"items": [NUMBER]}}
    assert write(stocked, operator.city_admin, "/v1/movements:issue", down).status == 201
    return stocked


def asked(client: TestClient, operator: Operator, **wish: object) -> Reply:
    body = {"act": "change_fee", "number": NUMBER, **FEE, **wish}
    return write(client, operator.city_admin, "/v1/approvals", body)


def change(client: TestClient, operator: Operator, approval: str | None = None) -> Reply:
    return write(client, operator.city_admin, f"/v1/numbers/{NUMBER}:change-fee", {**FEE, "approval": approval})


def test_fee_is_changed_with_the_word_of_a_second_person(district: TestClient, operator: Operator) -> None:
    """REQ-FEE-02: the approver is another one than the requester."""
    assert change(district, operator).refusal == (403, "approval_needed")
    question = asked(district, operator)
    assert (question.status, question.body["state"], question.body["summary"]["items"]) == (201, "ASKED", [NUMBER])
    approval = question.body["approval"]

    waiting = read(district, operator.district_keeper, "/v1/approvals").body
    assert [(row["approval"], row["may_answer"], row["place"]) for row in waiting["answer"]] == [
        (approval, True, "LI-D1")
    ]
    assert change(district, operator, approval).refusal == (409, "approval_not_granted")
    granted = write(district, operator.district_keeper, f"/v1/approvals/{approval}:grant", {})
    assert (granted.status, granted.body["state"]) == (200, "GRANTED")
    assert change(district, operator, approval).status == 200

    (row,) = read(district, operator.city_admin, f"/v1/numbers/{NUMBER}/fee-changes").body["changes"]
    assert (row["staff"], row["approver"]) == (operator.city_admin.staff_no, operator.district_keeper.staff_no)
    own = read(district, operator.city_admin, f"/v1/approvals/{approval}").body
    assert (own["state"], own["mine"], own["used_at"] is None) == ("USED", True, False)


def test_refusals_of_the_second_person_and_of_everybody_else(district: TestClient, operator: Operator) -> None:
    approval = asked(district, operator).body["approval"]

    own = write(district, operator.city_admin, f"/v1/approvals/{approval}:grant", {})
    elsewhere = write(district, operator.hall_keeper, f"/v1/approvals/{approval}:grant", {})
    looked = write(district, operator.auditor, f"/v1/approvals/{approval}:grant", {})
    assert [reply.refusal for reply in (own, elsewhere, looked)] == [
        (403, "same_person"),
        (403, "outside_scope"),
        (403, "permission_denied"),
    ]
    refused = write(district, operator.district_keeper, f"/v1/approvals/{approval}:refuse", {"reason": "价格不对"})
    assert refused.body["state"] == "REFUSED"
    assert read(district, operator.city_admin, f"/v1/approvals/{approval}").body["answer_reason"] == "价格不对"


def test_question_is_taken_back(district: TestClient, operator: Operator) -> None:
    approval = asked(district, operator).body["approval"]

    assert write(district, operator.city_admin, f"/v1/approvals/{approval}:withdraw").body["state"] == "WITHDRAWN"
    late = write(district, operator.district_keeper, f"/v1/approvals/{approval}:grant", {})
    assert late.refusal == (409, "illegal_transition")


def test_question_of_no_act_or_of_an_act_for_one_is_refused(district: TestClient, operator: Operator) -> None:
    assert write(district, operator.city_admin, "/v1/approvals", {"act": "teleport"}).refusal == (
        422,
        "invalid_request",
    )
    alone = {"act": "release_status", "resource": "number", "item": "13888047351", "to_state": "DISABLED"}
    answer = write(district, operator.city_admin, "/v1/approvals", {**alone, "reason": "封存"})
    assert answer.refusal == (422, "invalid_field")


def test_transport_key_is_asked_for_by_its_letter_and_waits_for_the_second_person(
    district: TestClient, operator: Operator
) -> None:
    letter = {"index": "21", "algorithm": "aes-128-ecb", "kcv": "66e94b"}
    key = {**letter, "parts": ["00" * 16]}
    question = write(district, operator.city_admin, "/v1/approvals", {"act": "import_transport_key", **letter})
    approval = question.body["approval"]

    alone = write(district, operator.city_admin, "/v1/transport-keys", key)
    early = write(district, operator.city_admin, "/v1/transport-keys", {**key, "approval": approval})

    assert (question.status, question.body["summary"]) == (201, {**letter, "purpose": "vendor", "count": 1})
    assert alone.refusal == (403, "approval_needed")
    assert early.refusal == (409, "approval_not_granted")
