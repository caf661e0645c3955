from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from inventory.app import create_app
from inventory.settings import Settings
from tests.api.openapi_diff import breaking

FROZEN = Path(__file__).parent / "openapi-v1.json"
METHODS = {"get", "put", "post", "delete", "patch"}
WITHOUT_KEY = {
    "sign_in": "opens a fresh session each time",
    "sign_out": "harmless again",
    "change_password": "the old password no longer fits the second time",
    "append_to_upload": "its offset is its key",
    "delete_upload": "gone is gone",
    "cancel_load": "harmless again",
    "ask_quote": "reads; the wish is too large for a query",
}
"""Operations other than GET that take no idempotency key, and why."""


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    nowhere = SecretStr("postgresql://nobody@127.0.0.1:1/none")  # the document needs no database
    made = create_app(Settings(database_url=nowhere, data_dir=tmp_path_factory.mktemp("data"))).openapi()
    read: dict[str, Any] = json.loads(json.dumps(made))  # what a caller reads
    return read


def frozen() -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(FROZEN.read_text(encoding="utf-8"))
    return kept


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS & set(item):
            yield f"{method.upper()} {path}", item[method]


def test_document_is_the_frozen_one(document: dict[str, Any], request: pytest.FixtureRequest) -> None:
    """REQ-INT-02: the API changes only on purpose; rewrite with `pytest tests/api --update-test-data`."""
    if request.config.getoption("--update-test-data"):
        text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        FROZEN.write_text(text, encoding="utf-8")
    assert document == frozen(), "rewrite it with: .venv/bin/pytest tests/api/test_openapi.py --update-test-data"


def test_no_caller_of_the_frozen_document_breaks(document: dict[str, Any]) -> None:
    """REQ-INT-02: version 1 grows, it does not change."""
    assert breaking(frozen(), document) == []


def test_every_operation_names_its_permission_or_is_public(document: dict[str, Any]) -> None:
    unnamed = [name for name, found in operations(document) if not {"x-permission", "x-public"} & set(found)]
    assert unnamed == []


def test_every_guarded_operation_asks_for_interface_staff_and_secret_together(document: dict[str, Any]) -> None:
    """REQ-IF-03: all three, on every operation."""
    asked = [found["security"] for _, found in operations(document) if "x-permission" in found]
    assert asked == [[{"interface": [], "staff": [], "secret": []}]] * len(asked)


def test_every_operation_lists_the_codes_of_its_refusals(document: dict[str, Any]) -> None:
    silent = [
        (name, status)
        for name, found in operations(document)
        for status, answer in found["responses"].items()
        if status.startswith(("4", "5")) and "x-public" not in found and not answer.get("x-codes")
    ]
    assert silent == []


def test_every_write_takes_an_idempotency_key(document: dict[str, Any]) -> None:
    keyless = {
        found["operationId"]
        for name, found in operations(document)
        if not name.startswith("GET ")
        and "Idempotency-Key" not in {parameter["name"] for parameter in found.get("parameters", [])}
    }
    assert keyless == set(WITHOUT_KEY)


def test_every_operation_has_a_summary_and_an_id_of_its_own(document: dict[str, Any]) -> None:
    found = [operation for _, operation in operations(document)]
    assert all(operation.get("summary") for operation in found)
    assert len({operation["operationId"] for operation in found}) == len(found)


SMALL: dict[str, Any] = {
    "paths": {
        "/holds": {
            "post": {
                "x-permission": "holds.write",
                "parameters": [{"in": "query", "name": "dry", "schema": {"type": "boolean"}}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Wish"}}}},
                "responses": {
                    "201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Hold"}}}},
                    "409": {"x-codes": ["number_not_free"]},
                },
            }
        }
    },
    "components": {
        "schemas": {
            "Wish": {
                "type": "object",
                "required": ["number"],
                "properties": {
                    "number": {"type": "string"},
                    "business": {"enum": ["open", "change"], "type": "string"},
                    "tags": {"type": "array", "items": {"type": "string"}},
                },
            },
            "Hold": {
                "type": "object",
                "properties": {"id": {"type": "string"}, "until": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
            },
        }
    },
}


def test_same_document_breaks_nobody() -> None:
    assert breaking(SMALL, SMALL) == []


def test_growing_breaks_nobody() -> None:
    new = copy.deepcopy(SMALL)
    new["paths"]["/quotes"] = new["paths"]["/holds"]
    schemas = new["components"]["schemas"]
    schemas["Wish"]["properties"]["note"] = {"type": "string"}
    schemas["Wish"]["properties"]["business"]["enum"].append("replace")
    schemas["Hold"]["properties"]["key"] = {"type": "string"}
    assert breaking(SMALL, new) == []


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("paths//holds", None, " is gone"),
        ("P/x-permission", "admin", " asks for another permission"),
        ("P/parameters/0/required", True, " now needs dry"),
        ("P/parameters/0/schema/type", "string", " dry is string, was boolean"),
        ("P/requestBody", None, " takes no body any more"),
        ("P/responses/201", None, " 201 is not answered any more"),
        ("P/responses/409/x-codes", [], " 409 lost the code number_not_free"),
        ("S/Wish/required", ["number", "tags"], " body.tags is now required"),
        ("S/Wish/properties/tags", None, " body.tags is no longer taken"),
        (
            "S/Wish/properties/tags/items/type",
            "integer",
            " body.tags[] is integer, was string",
        ),
        (
            "S/Wish/properties/business/enum",
            ["open"],
            " body.business no longer takes 'change'",
        ),
        ("S/Hold/properties/id", None, " 201.id is no longer given"),
        (
            "S/Hold/properties/until",
            {"type": "integer"},
            " 201.until is integer, was string",
        ),
    ],
)
def test_each_way_to_break_a_caller_is_found(path: str, value: object, complaint: str) -> None:
    new = copy.deepcopy(SMALL)
    path = path.replace("P/", "paths//holds/post/").replace("S/", "components/schemas/")
    *way, last = path.replace("//", "/\0").split("/")
    place: Any = new
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step.replace("\0", "/")]
    last = last.replace("\0", "/")
    if value is None:
        del place[last]
    else:
        place[last] = value
    assert breaking(SMALL, new) == [f"POST /holds{complaint}"]
