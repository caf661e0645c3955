"""The OpenAPI document: FastAPI's, with each operation's permission and every refusal it can answer with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts
from typing_extensions import override

from inventory.api.deps import Require
from inventory.api.problems import INVALID_REQUEST, MEDIA_TYPE, VALUE_OUT_OF_RANGE, Problem
from inventory.domain.errors import (
    BadCredentials,
    Busy,
    DomainError,
    IdempotencyKeyMissing,
    IdempotencyMismatch,
    InvalidField,
    InvalidIdentifier,
    OutsideWorkingHours,
    PermissionDenied,
    UnknownInterface,
)
from inventory.refusal_status import STATUS

_DESCRIPTION = """\
Every request states its origin: `Haoka-Interface` (接口编号), `Haoka-Staff` (工号) and `Authorization: Bearer` with an
API key or session token. Every write needs an `Idempotency-Key`; a repeated success is answered again with
`Idempotent-Replayed: true`. Refusals are `application/problem+json` (RFC 9457): act on `code`; the text is in Chinese
or English by `Accept-Language`. Money is whole fen, times are RFC 3339 UTC, identifiers are text."""
"""What a stranger must know before the first call."""

_ADMITTED = (UnknownInterface, BadCredentials, PermissionDenied, OutsideWorkingHours, Busy)
_WRITTEN = (IdempotencyKeyMissing, IdempotencyMismatch, InvalidField)


class DocumentedApp(FastAPI):
    """An app that serves this document instead of FastAPI's own."""

    @override
    def openapi(self) -> dict[str, Any]:
        """Return the document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = _build(self)
        return self.openapi_schema


def _build(app: FastAPI) -> dict[str, Any]:
    """Return the document of the app's routes."""
    made = get_openapi(
        title=app.title, version=app.version, summary=app.summary, description=_DESCRIPTION, routes=app.routes
    )
    schemas = made["components"]["schemas"]
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schema.pop("$defs", {}))
    schemas["Problem"] = schema
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                _complete(made["paths"][context.path_format][method.lower()], route)
    return made


def requirement_of(route: APIRoute) -> Require | None:
    """Return what the route asks of its caller; None for a route open to everybody."""
    return next((call for call in _calls(route.dependant) if isinstance(call, Require)), None)


def _calls(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for inner in dependant.dependencies:
        yield from _calls(inner)


def _complete(operation: dict[str, Any], route: APIRoute) -> None:
    """Add the permission and the refusals that every operation of its sort can answer with."""
    refusals: list[type[DomainError]] = []
    requirement = requirement_of(route)
    if requirement is not None:
        operation["x-permission"] = requirement.permission.value
        refusals += _ADMITTED
        operation["security"] = [{"interface": [], "staff": [], "secret": []}]  # all three together (REQ-IF-03)
    if any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", [])):
        refusals += _WRITTEN
    responses = operation["responses"]
    own = {code for response in responses.values() for code in response.get("x-codes", [])}
    for refusal in refusals:
        if refusal.code not in own:
            _answer(responses, STATUS[refusal.refusal].value, STATUS[refusal.refusal].phrase, refusal.code)
    if "parameters" in operation or "requestBody" in operation:
        if "x-codes" not in responses.get("422", {}):
            responses.pop("422", None)  # FastAPI's own form of it
        for code in (INVALID_REQUEST, VALUE_OUT_OF_RANGE, InvalidIdentifier.code):
            _answer(responses, 422, "Unprocessable Entity", code)
    for response in responses.values():
        if "x-codes" in response:
            _shape(response)


def _answer(responses: dict[str, Any], status: int, phrase: str, code: str) -> None:
    response = responses.setdefault(str(status), {"description": phrase})
    response.setdefault("x-codes", []).append(code)


def _shape(response: dict[str, Any]) -> None:
    """Say that the answer is a problem with one of the codes."""
    codes = response["x-codes"] = sorted(set(response["x-codes"]))
    response["description"] = f"{response['description']}: {', '.join(codes)}"
    response["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
