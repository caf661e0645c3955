"""Every operation of the document, with what nobody would send: no answer may be a failure of ours."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from pydantic import SecretStr

from inventory.access.permissions import PERMISSIONS, Permission, Role
from inventory.api.problems import EDGE_CODES
from inventory.app import create_app
from inventory.settings import Settings
from tests.api.live import served
from tests.api.test_openapi import FROZEN
from tests.builders import Login, Operator
from tests.conftest import Databases
from tests.patience import PATIENCE

pytestmark = pytest.mark.database

schema = schemathesis.openapi.from_dict(json.loads(FROZEN.read_text(encoding="utf-8"))).exclude(
    operation_id="load_number_plan"  # an empty request loads half a million segments
)


@pytest.fixture(scope="module")
def address(
    databases: Databases, founded: tuple[str, Operator], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Give the address of the service on a database that all of these tests spoil together."""
    url = databases.create("fuzzed", template=founded[0])
    data_dir = tmp_path_factory.mktemp("fuzzed")
    with served(create_app(Settings(database_url=SecretStr(url), data_dir=data_dir, database_pool=4))) as address:
        yield address
    databases.drop("fuzzed")


def login_for(permission: str | None, operator: Operator) -> Login:
    """Give someone who has the permission, so that the fuzz gets past the door."""
    logins = {
        Role.INTERFACE_ADMIN: operator.admin,
        Role.CITY_ADMIN: operator.city_admin,
        Role.HALL_KEEPER: operator.hall_keeper,
    }
    return next(
        login for role, login in logins.items() if permission is None or Permission(permission) in PERMISSIONS[role]
    )


@schema.parametrize()
@settings(
    max_examples=10,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_input_makes_the_service_fail(case: schemathesis.Case[Any], address: str, operator: Operator) -> None:
    """Whatever comes in, the answer is one that the document lists."""
    operation: dict[str, Any] = case.operation.definition.raw
    login = login_for(operation.get("x-permission"), operator)
    headers = {**login.headers, "Idempotency-Key": uuid.uuid4().hex}
    answer = case.call(base_url=address, headers=headers, timeout=PATIENCE)
    if answer.status_code < 400:
        return
    assert answer.status_code < 500 or answer.status_code == 503, answer.text
    problem = answer.json()
    documented = operation["responses"].get(str(answer.status_code), {}).get("x-codes", [])
    assert problem["code"] in {*documented, *EDGE_CODES}, answer.text
