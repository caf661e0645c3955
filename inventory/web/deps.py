"""What a page may ask for: who is signed in, the time, a session or connection, the key of its form."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData, UploadFile

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.i18n import Language, choose
from inventory.request_scope import ConnectionDep, NowDep, RuntimeDep, SessionDep
from inventory.runtime import Runtime
from inventory.services.access import Need, Presented, admit
from inventory.services.alerts import count_alerts
from inventory.services.once import WriteKey
from inventory.services.organisation import read_tree
from inventory.services.ports import count_ending

__all__ = [
    "LANGUAGE_COOKIE",
    "SESSION_COOKIE",
    "ConnectionDep",
    "FormDep",
    "NowDep",
    "RuntimeDep",
    "SessionDep",
    "WriteDep",
    "keep_session",
    "language_of",
    "require",
]

SESSION_COOKIE = "haoka_session"
LANGUAGE_COOKIE = "haoka_language"
_KEY = re.compile(r"[0-9A-Za-z-]{16,64}", re.ASCII)
_LINES = "\n\r\t"
_CHOICES: dict[str, Language] = {"zh": "zh", "en": "en"}


def keep_session(
    answer: Response, request: Request, runtime: Runtime, token: str, *, lasts: timedelta | None = None
) -> None:
    """Give the browser its session, never over a plain line where the console is reached by HTTPS."""
    settings = runtime.settings
    answer.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int((lasts or timedelta(hours=settings.session_hours)).total_seconds()),
        httponly=True,
        samesite="lax",
        secure="https" in {request.url.scheme, urlsplit(settings.public_url or "").scheme},
    )


class Require:
    """Lets a signed-in person with the permission in; anybody else is shown the sign-in or the refusal."""

    def __init__(self, permission: Permission, *, writes: bool, finishing: bool) -> None:
        self.permission = permission
        self.writes = writes
        self.finishing = finishing

    async def __call__(self, request: Request, runtime: RuntimeDep, now: NowDep) -> Caller:
        """Return the admitted person."""
        presented = Presented(
            secret=request.cookies.get(SESSION_COOKIE),
            from_page=True,
            origin={"client": request.client.host if request.client else None, "path": request.url.path},
        )
        finishing = timedelta(minutes=runtime.settings.finish_minutes) if self.finishing else None
        need = Need(permission=self.permission, writes=self.writes, finishing=finishing)
        async with runtime.database.session() as session:
            caller = await admit(session, runtime.callers, presented, need, now=now)
            if "hx-request" not in request.headers:
                request.state.place = next(iter(await read_tree(session, caller)), None)
                if caller.may(Permission.STOCK_READ):
                    request.state.badges = {"/alerts": await count_alerts(session, caller)}
                if caller.may(Permission.PORTS_READ):
                    request.state.badges["/ports"] = await count_ending(session, caller)
        request.state.caller = caller
        return caller


def require(permission: Permission, *, writes: bool = False, finishing: bool = False) -> Any:
    """Ask for a signed-in person: `caller: Annotated[Caller, require(Permission.X)]`.

    `writes` asks for its working hours too; `finishing` lets it end begun work for a while after them (REQ-IF-11).
    """
    return Depends(Require(permission, writes=writes, finishing=finishing))


async def _form(request: Request) -> dict[str, str]:
    form: FormData = await request.form()
    return {name: _clean(value) for name, value in form.items() if not isinstance(value, UploadFile)}


def _clean(value: str) -> str:
    """Return what a person can have typed: no control character but the end of a line."""
    return "".join(sign for sign in value if sign.isprintable() or sign in _LINES).strip()


FormDep = Annotated[dict[str, str], Depends(_form)]
"""The fields of the form as sent, trimmed, without control characters."""


async def _write(request: Request, form: FormDep) -> WriteKey:
    """Return the key of the form; without script the page has none, and a fresh one stands for this one sending."""
    given = form.get("idempotency_key", "")
    key = given if _KEY.fullmatch(given) else secrets.token_hex(16)
    body = {name: value for name, value in form.items() if name != "idempotency_key"}
    operation = f"page {request.method} {request.scope['route'].path}"
    return WriteKey.of(key, operation, {"path": request.path_params, "body": body})


WriteDep = Annotated[WriteKey, Depends(_write)]


def language_of(request: Request) -> Language:
    """Return the language of the page: as chosen on a page, else as the browser prefers, else the installation's."""
    chosen = _CHOICES.get(request.cookies.get(LANGUAGE_COOKIE, ""))
    return chosen or choose(request.headers.get("accept-language"), request.app.state.runtime.settings.language)
