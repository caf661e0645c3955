from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.api.calls import read, write
from tests.builders import Operator

pytestmark = pytest.mark.database


def wish(parent_id: int, code: str = "LJ-NEW") -> dict[str, object]:
    return {"parent_id": parent_id, "code": code, "name_zh": "新", "name_en": "New"}


def test_each_level_stands_below_the_one_before(client: TestClient, operator: Operator) -> None:
    """REQ-SIM-07: city, district, point, clerk."""
    parent, levels = operator.city, []
    for step in range(3):
        answer = write(client, operator.city_admin, "/v1/organisations", wish(parent, f"LJ-N{step}"))
        parent = answer.body["id"]
        levels.append(answer.body["level"])
    assert levels == ["DISTRICT", "POINT", "CLERK"]


def test_nothing_stands_below_a_clerk_or_a_customer(client: TestClient, operator: Operator) -> None:
    for parent in (operator.clerk_node, operator.customer):
        refused = write(client, operator.city_admin, "/v1/organisations", wish(parent))
        assert refused.refusal == (422, "level_skipped")


def test_code_is_given_once(client: TestClient, operator: Operator) -> None:
    assert write(client, operator.city_admin, "/v1/organisations", wish(operator.city)).status == 201
    refused = write(client, operator.city_admin, "/v1/organisations", wish(operator.district))
    assert refused.refusal == (409, "duplicate_identifier")


@pytest.mark.parametrize("code", ["", "two words", "号", "x" * 33])
def test_code_is_plain_and_short(client: TestClient, operator: Operator, code: str) -> None:
    assert write(client, operator.city_admin, "/v1/organisations", wish(operator.city, code)).status == 422


def test_unknown_parent_is_refused(client: TestClient, operator: Operator) -> None:
    refused = write(client, operator.city_admin, "/v1/organisations", wish(10**9))
    assert refused.refusal == (404, "organisation_unknown")


def test_each_sees_its_own_part_of_the_tree(client: TestClient, operator: Operator) -> None:
    def seen(path_of: str) -> set[int]:
        login = getattr(operator, path_of)
        return {node["id"] for node in read(client, login, "/v1/organisations").body["nodes"]}

    hall = {operator.point, operator.clerk_node}
    assert seen("clerk") == {operator.clerk_node}
    assert seen("hall_keeper") == hall
    assert seen("district_keeper") == {operator.district, operator.other_point, *hall}
    whole = {operator.city, operator.customer, operator.ended, operator.district, operator.other_point, *hall}
    assert seen("auditor") == whole


def test_clerk_cannot_change_the_tree(client: TestClient, operator: Operator) -> None:
    refused = write(client, operator.clerk, "/v1/organisations", wish(operator.clerk_node))
    assert refused.refusal == (403, "permission_denied")
