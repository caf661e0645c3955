"""Sign-in, sign-out and the choice of language."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from inventory.domain.errors import DomainError
from inventory.i18n import Language
from inventory.services.access import SignInRules, SignInWish, sign_in, sign_out
from inventory.web.deps import (
    LANGUAGE_COOKIE,
    SESSION_COOKIE,
    FormDep,
    NowDep,
    RuntimeDep,
    SessionDep,
    keep_session,
    language_of,
)
from inventory.web.problems import explain
from inventory.web.rendering import render

router = APIRouter()

_YEAR = 365 * 24 * 3600


def local_path(target: str) -> str:
    """Return the target if it is a path of this console, else the start page: never a door to another site."""
    return target if target.startswith("/") and not target.startswith(("//", "/\\")) else "/"


@router.get("/sign-in")
async def show(request: Request, target: Annotated[str, Query(alias="next")] = "/") -> Response:
    """Show the sign-in."""
    values = {"problem": None, "next": local_path(target), "form": {"interface_no": "", "staff_no": ""}}
    return render(request, "sign_in.html", values, language=language_of(request))


@router.post("/sign-in")
async def enter(request: Request, form: FormDep, session: SessionDep, runtime: RuntimeDep, now: NowDep) -> Response:
    """Open a session and go where the person wanted to go."""
    settings = runtime.settings
    wish = SignInWish(
        interface_no=form.get("interface_no", ""),
        staff_no=form.get("staff_no", ""),
        password=form.get("password", ""),
        origin={"client": request.client.host if request.client else None, "path": "/sign-in"},
    )
    rules = SignInRules(
        lasts=timedelta(hours=settings.session_hours),
        failures=settings.sign_in_failures,
        wait=timedelta(minutes=settings.sign_in_wait_minutes),
    )
    target = local_path(form.get("next", "/"))
    try:
        opened = await sign_in(session, wish, rules, now=now)
    except DomainError as refusal:
        values = {
            "problem": explain(request, refusal),
            "next": target,
            "form": {"interface_no": wish.interface_no, "staff_no": wish.staff_no},
        }
        return render(request, "sign_in.html", values, language=language_of(request), status=HTTPStatus.UNAUTHORIZED)
    answer = RedirectResponse(target, HTTPStatus.SEE_OTHER)
    keep_session(answer, request, runtime, opened.token)
    return answer


@router.post("/sign-out")
async def leave(request: Request, session: SessionDep, runtime: RuntimeDep, now: NowDep) -> Response:
    """End the session."""
    token = request.cookies.get(SESSION_COOKIE)
    if token:
        await sign_out(session, runtime.callers, token, now=now)
    answer = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
    answer.delete_cookie(SESSION_COOKIE)
    return answer


@router.get("/language/{language}")
async def choose(request: Request, language: Annotated[Language, Path()]) -> Response:
    """Keep the language for this browser and go back to the page it came from."""
    answer = RedirectResponse(_page_before(request), HTTPStatus.SEE_OTHER)
    answer.set_cookie(LANGUAGE_COOKIE, language, max_age=_YEAR, samesite="lax")
    return answer


def _page_before(request: Request) -> str:
    """Return the page that the link was on, by its `Referer`; another site's is not one."""
    page = urlsplit(request.headers.get("referer", ""))
    if page.netloc != request.headers.get("host"):
        return "/"
    return local_path(f"{page.path}?{page.query}" if page.query else page.path)
