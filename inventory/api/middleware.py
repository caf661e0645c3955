"""Around every request: its id, one log line, its metrics, bounds on what may come in, and the last catch."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from http import HTTPStatus

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inventory.api import problems
from inventory.api.routing import template
from inventory.observability import Metrics

REQUEST_ID = "Haoka-Request-Id"
_ID = re.compile(rb"[A-Za-z0-9_.-]{1,64}")
_NUL = rb"\u0000"
_CHARSET = re.compile(rb"charset\s*=\s*\"?([^\s;\"]+)")
_log = structlog.get_logger("inventory.request")


class Observed:
    """Gives each request an id (its own, or the caller's), counts and times it by route template, logs one line.

    What nobody caught ends here: the log gets the traceback, the caller a problem without detail.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == REQUEST_ID.lower().encode()), b"")
        request_id = given.decode("ascii") if _ID.fullmatch(given) else secrets.token_hex(8)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=request_id)
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (REQUEST_ID.lower().encode(), request_id.encode())]
            await send(message)

        began = time.perf_counter()
        self._metrics.in_progress.inc()
        try:
            await self._app(scope, receive, answer)
        except Exception:
            _log.exception("request_failed", path=template(scope))
            if status:
                raise  # half an answer has left; the connection must break
            await problems.failed(Request(scope))(scope, receive, answer)
        finally:
            self._count(scope, status, time.perf_counter() - began)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = template(scope)
        self._metrics.in_progress.dec()
        self._metrics.requests.labels(scope["method"], route, status).inc()
        self._metrics.seconds.labels(scope["method"], route).observe(seconds)
        # a line for each success would cost a hold a tenth of its time; the metrics count them all
        tell = _log.debug if status < HTTPStatus.BAD_REQUEST else _log.info
        tell("request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1))


class Bounded:
    """Refuses what no part of us can read or store: NUL in path, query or JSON, bodies compressed or too large."""

    def __init__(self, app: ASGIApp, max_body: int) -> None:
        self._app = app
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            await self._refuse(problems.VALUE_OUT_OF_RANGE, 422, scope, receive, send)
            return
        if not _readable(headers):
            await self._refuse("unsupported_media_type", 415, scope, receive, send)
            return
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self._max_body:
            await self._refuse("body_too_large", 413, scope, receive, send)
            return
        await self._app(
            scope, _Body(receive, self._max_body, json=b"json" in headers.get(b"content-type", b"").lower()), send
        )

    async def _refuse(self, code: str, status: int, scope: Scope, receive: Receive, send: Send) -> None:
        answer: Response = problems.problem(Request(scope), status=status, code=code, params={})
        await answer(scope, receive, send)


def _readable(headers: Mapping[bytes, bytes]) -> bool:
    """Tell whether the body comes as we read it: nothing here inflates, and JSON is UTF-8 (RFC 8259 section 8.1).

    Read in spite of what its head says, a piece of a file would be kept compressed, and some Chinese names in GBK are
    other names in UTF-8.
    """
    if headers.get(b"content-encoding", b"identity").strip().lower() not in {b"", b"identity"}:
        return False
    media_type, _, parameters = headers.get(b"content-type", b"").lower().partition(b";")
    charset = _CHARSET.search(parameters) if b"json" in media_type else None
    return charset is None or charset[1] in {b"utf-8", b"utf8", b"us-ascii"}


class _Body:
    """A request's body as it arrives, counted, and looked through for NUL where it is JSON."""

    def __init__(self, receive: Receive, left: int, *, json: bool) -> None:
        self._receive = receive
        self._left = left
        self._json = json
        self._tail = b""

    async def __call__(self) -> Message:
        """Return the next part.

        Raises
        ------
        HTTPException
            The body is too large, or has a NUL that PostgreSQL's text cannot hold.
        """
        message = await self._receive()
        part: bytes = message.get("body", b"")
        self._left -= len(part)
        if self._left < 0:
            raise HTTPException(413)
        if self._json:
            if _NUL in self._tail + part:
                raise HTTPException(422)
            self._tail = part[1 - len(_NUL) :]
        return message
