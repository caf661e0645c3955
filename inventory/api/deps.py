"""What a route may ask for: the caller, the time, a session or connection, the write key, the runtime."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Any

import structlog
from fastapi import Depends, Header, Request, Response, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import UploadFile

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.routing import template
from inventory.domain.errors import IdempotencyKeyMissing, InvalidField
from inventory.request_scope import ConnectionDep, NowDep, RuntimeDep, SessionDep, runtime_of
from inventory.services.access import Need, Presented, admit
from inventory.services.once import Answer, WriteKey

__all__ = [
    "REPLAYED",
    "ConnectionDep",
    "NowDep",
    "RuntimeDep",
    "SessionDep",
    "WriteDep",
    "origin_of",
    "reply",
    "require",
    "runtime_of",
]

REPLAYED = "Idempotent-Replayed"
_LONGEST_KEY = 200
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
"""What a route with fields of a form has read before its key is looked at: its stream is there no more."""

_INTERFACE = APIKeyHeader(
    name="Haoka-Interface", scheme_name="interface", description="Interface number (接口编号)", auto_error=False
)
_STAFF = APIKeyHeader(name="Haoka-Staff", scheme_name="staff", description="Staff id (工号)", auto_error=False)
_BEARER = HTTPBearer(scheme_name="secret", description="API key `hk_…` or session token `hs_…`", auto_error=False)


class Require:
    """The dependency that lets a caller in, or refuses it; it tells the OpenAPI document what it asks for."""

    def __init__(self, permission: Permission, *, writes: bool, finishing: bool) -> None:
        self.permission = permission
        self.writes = writes
        self.finishing = finishing

    async def __call__(
        self,
        request: Request,
        runtime: RuntimeDep,
        now: NowDep,
        interface_no: Annotated[str | None, Security(_INTERFACE)],
        staff_no: Annotated[str | None, Security(_STAFF)],
        bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    ) -> Caller:
        """Return the admitted caller."""
        presented = Presented(
            interface_no=interface_no,
            staff_no=staff_no,
            secret=bearer.credentials if bearer else None,
            origin=origin_of(request),
        )
        finishing = timedelta(minutes=runtime.settings.finish_minutes) if self.finishing else None
        need = Need(permission=self.permission, writes=self.writes, finishing=finishing)
        async with runtime.database.session() as session:
            caller = await admit(session, runtime.callers, presented, need, now=now)
        structlog.contextvars.bind_contextvars(interface=caller.interface_no, staff=caller.staff_no)
        return caller


def require(permission: Permission, *, writes: bool = False, finishing: bool = False) -> Any:
    """Ask for a caller with the permission: `caller: Annotated[Caller, require(Permission.X, writes=True)]`.

    `writes` asks for its working hours too; `finishing` lets it end begun work for a while after them (REQ-IF-11).
    """
    return Depends(Require(permission, writes=writes, finishing=finishing))


def origin_of(request: Request) -> dict[str, Any]:
    """Return what is kept of where a request came from: address of the peer, method and route."""
    client = request.client.host if request.client else None
    return {"client": client, "method": request.method, "route": template(request.scope)}


async def _write_key(
    request: Request,
    runtime: RuntimeDep,
    key: Annotated[
        str | None,
        Header(alias="Idempotency-Key", description="Fresh random key of this write; send the same one when retrying."),
    ] = None,
) -> WriteKey:
    """Return the write key: of method, route, path and query parameters and body.

    Raises
    ------
    IdempotencyKeyMissing
        There is none.
    InvalidField
        It is too long or not printable ASCII.
    """
    if not key:
        raise IdempotencyKeyMissing
    if len(key) > _LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise InvalidField(
            field="Idempotency-Key", value=key[:_LONGEST_KEY], reason=f"at most {_LONGEST_KEY} printable characters"
        )
    operation = f"{request.method} {template(request.scope)}"
    about = {"path": request.path_params, "query": sorted(request.query_params.multi_items())}
    return WriteKey.of(key, operation, {**about, "body": await _body(request)}, secret=runtime.body_secret)


async def _body(request: Request) -> Any:
    """Return what two equal requests have equal: the JSON document, the fields of a form, or a digest of anything else.

    A form is digested part by part, for its boundary differs from one sending to the next.
    """
    media_type = request.headers.get("content-type", "").lower()  # RFC 9110 section 8.3.1: in either case
    if media_type.startswith(_FORMS):
        return [[name, await _part(value)] for name, value in (await request.form()).multi_items()]
    raw = await request.body()
    if not raw:
        return None
    if "json" in media_type:
        with suppress(ValueError, RecursionError):  # what is no JSON is the route's to refuse
            return json.loads(raw)
    return hashlib.sha256(raw).hexdigest()


async def _part(value: UploadFile | str) -> str:
    """Return a text field as it is, and of a file the digest of its content."""
    if isinstance(value, str):
        return value
    content = await value.read()
    await value.seek(0)
    return hashlib.sha256(content).hexdigest()


WriteDep = Annotated[WriteKey, Depends(_write_key)]


def reply(answer: Answer, response: Response, status: int = 200) -> dict[str, Any]:
    """Return the body of a write's answer and set its status, and the header that says it was given before."""
    response.status_code = status
    if answer.replayed:
        response.headers[REPLAYED] = "true"
    return answer.body
