"""Refusals on the wire: the only mapping of domain errors, and of every other failure, to RFC 9457 problem+json."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from http import HTTPStatus
from typing import Any

import psycopg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from inventory.api.models import as_rfc3339
from inventory.domain.errors import Busy, DomainError
from inventory.i18n import Language, catalogue, choose
from inventory.refusal_status import STATUS, retry_after
from inventory.store.engine import is_retryable

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:haoka:problem:"
INVALID_REQUEST = "invalid_request"
INTERNAL_ERROR = "internal_error"
VALUE_OUT_OF_RANGE = "value_out_of_range"
_FRAMEWORK_CODES: Mapping[int, str] = {
    400: "unreadable_request",
    404: "route_unknown",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: VALUE_OUT_OF_RANGE,
}
EDGE_CODES = frozenset({INVALID_REQUEST, INTERNAL_ERROR, *_FRAMEWORK_CODES.values()})
"""Codes of what is wrong with the HTTP request itself, or with us; they have texts like the refusals."""

_log = structlog.get_logger(__name__)


class FieldProblem(BaseModel):
    """One field that is refused: where it is (`body.wish.number`), the reason's code and its text."""

    field: str
    code: str
    reason: str


class Problem(BaseModel):
    """RFC 9457 problem details; act on `code`, show `detail`."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    params: dict[str, Any]
    errors: list[FieldProblem] | None = None


def errors(*refusals: type[DomainError]) -> dict[int | str, dict[str, Any]]:
    """Return the `responses=` of a route: the refusals it can answer with, by status, each with its code."""
    found: dict[int | str, dict[str, Any]] = {}
    for refusal in refusals:
        status = STATUS[refusal.refusal]
        response = found.setdefault(status.value, {"description": status.phrase, "x-codes": []})
        response["x-codes"].append(refusal.code)
    return found


def problem(
    request: Request, *, status: int, code: str, params: Mapping[str, Any], faults: list[tuple[str, str]] | None = None
) -> JSONResponse:
    """Return the answer in the caller's language; `faults` are (field, reason code)."""
    texts = catalogue(language_of(request))
    request.app.state.metrics.refusals.labels(code).inc()
    shown = {name: _plain(value) for name, value in params.items()}
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + code,
        "title": texts.title(code),
        "status": status,
        "code": code,
        "detail": texts.detail(code, params),
        "params": shown,
    }
    if faults:
        body["errors"] = [{"field": where, "code": why, "reason": texts.reason(why)} for where, why in faults]
    headers = {"Content-Language": "zh-CN" if texts.language == "zh" else "en", **retry_after(status, params)}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, status, headers, media_type=MEDIA_TYPE)


def language_of(request: Request) -> Language:
    """Return the language that the request asks for, or the installation's."""
    return choose(request.headers.get("accept-language"), request.app.state.runtime.settings.language)


def refused(request: Request, refusal: DomainError) -> JSONResponse:
    """Answer a refusal."""
    return problem(request, status=STATUS[refusal.refusal].value, code=refusal.code, params=refusal.params)


def failed(request: Request) -> JSONResponse:
    """Answer a failure of ours, without saying what it was."""
    return problem(request, status=500, code=INTERNAL_ERROR, params={})


def install(app: FastAPI) -> None:
    """Make the app answer every refusal and failure as a problem."""

    @app.exception_handler(DomainError)
    async def _refused(request: Request, error: DomainError) -> JSONResponse:
        return refused(request, error)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        faults = [(".".join(map(str, fault["loc"])), str(fault["type"])) for fault in error.errors()]
        first = faults[0][0] if faults else ""
        return problem(request, status=422, code=INVALID_REQUEST, params={"field": first}, faults=faults)

    @app.exception_handler(HTTPException)
    async def _framework(request: Request, error: HTTPException) -> JSONResponse:
        code = _FRAMEWORK_CODES.get(error.status_code, "unreadable_request")
        answer = problem(request, status=error.status_code, code=code, params={})
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(PoolTimeout)
    async def _no_connection(request: Request, _: PoolTimeout) -> JSONResponse:
        return refused(request, Busy())

    @app.exception_handler(DBAPIError)
    async def _database(request: Request, error: DBAPIError) -> JSONResponse:
        if is_retryable(error) or error.connection_invalidated or isinstance(error.orig, psycopg.OperationalError):
            _log.warning("database_busy", error=type(error.orig).__name__)
            return refused(request, Busy())
        if isinstance(error.orig, psycopg.DataError):
            # Models bound what they can; what PostgreSQL alone can judge is still the request's fault
            _log.warning("value_out_of_range", error=type(error.orig).__name__)
            return problem(request, status=422, code=VALUE_OUT_OF_RANGE, params={})
        raise error


def _plain(value: Any) -> Any:
    """Return a parameter in JSON's types."""
    plain: Any
    match value:
        case Enum():
            plain = _plain(value.value)
        case bool() | int() | str() | None:
            plain = value
        case datetime():
            plain = as_rfc3339(value)
        case list() | tuple() | set() | frozenset():
            plain = [_plain(item) for item in value]
        case dict():
            plain = {str(key): _plain(item) for key, item in value.items()}
        case _:
            plain = str(value)
    return plain
