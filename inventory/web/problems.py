"""Refusals on pages: the same texts as on the wire, in the language of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from inventory.access.caller import Caller
from inventory.domain.errors import Busy, DomainError, MovementRefused, Refusal
from inventory.i18n import Language, catalogue
from inventory.refusal_status import STATUS, retry_after
from inventory.store.engine import is_retryable
from inventory.web.deps import language_of
from inventory.web.rendering import render
from inventory.web.texts import translations

_log = structlog.get_logger(__name__)

_AGAINST = {
    "not_in_stock": "not in stock",
    "not_holder": "held elsewhere",
    "in_transit": "on its way",
    "not_on_the_way": "not on its way by this document",
    "on_hold": "held for a sale",
    "owed": "to be handed back: a recall order",
    "legal_hold": "under a legal hold",
    "expired": "its last day is over",
    "item_not_movable": "stays in this state",
    "not_handed_in": "on the list and not handed in",
    "not_on_the_list": "handed in and not on the list",
    "imsi_on_it": "may have an IMSI on it",
    "of_its_city": "has or may have an IMSI of this city",
    "other_area": "may not be sold in the other city",
}
"""Why an item of a document may not move (`MovementRefused`)."""


@dataclass(frozen=True)
class Shown:
    """A refusal as a page shows it."""

    code: str
    title: str
    detail: str
    items: tuple[dict[str, str | None], ...] = ()
    """What stands against a document, item by item: its name, why, and its state."""


@dataclass(frozen=True)
class Tried:
    """What was sent and what stood against it, to show the page again."""

    form: Mapping[str, str] = field(default_factory=dict)
    refusal: DomainError | None = None


def shown(request: Request, code: str, params: Mapping[str, Any]) -> Shown:
    """Return the refusal's texts in the language of the page."""
    language = language_of(request)
    texts = catalogue(language)
    against = params["items"] if code == MovementRefused.code else ()
    items = tuple(
        {"item": item["item"], "why": reason_against(item["code"], language), "state": item["state"]}
        for item in against
    )
    return Shown(code, texts.title(code), texts.detail(code, params), items)


def reason_against(code: str, language: Language) -> str:
    """Return in words why an item may not move, or should not lie where it was found."""
    return translations(language).gettext(_AGAINST[code])


def explain(request: Request, refusal: DomainError) -> Shown:
    """Return a domain refusal's texts in the language of the page."""
    return shown(request, refusal.code, refusal.params)


def status_of(refusal: DomainError) -> HTTPStatus:
    """Return the HTTP status of a refusal."""
    return STATUS[refusal.refusal]


def render_form(
    request: Request, template: str, values: Mapping[str, Any], refusal: DomainError | None, *, caller: Caller
) -> Response:
    """Return the page of a form after something was sent; a refusal is its `problem` and gives its status."""
    problem = None if refusal is None else explain(request, refusal)
    status = HTTPStatus.OK if refusal is None else status_of(refusal)
    document = {**values, "problem": problem}
    return render(request, template, document, language=language_of(request), caller=caller, status=status)


def _at_machine(request: Request) -> bool:
    return f"{request.url.path}/".startswith("/kiosk/")


def _page(request: Request, problem: Shown, status: int) -> Response:
    if _at_machine(request):  # nobody stands there who would load its page again
        closed = {"headline": problem.title, "advice": problem.detail}
        screen: dict[str, Any] = {
            "sale": None,
            "closed": closed,
            "numbers": [],
            "more": False,
            "q": "",
            "problem": None,
        }
        part = "kiosk/panel.html" if "hx-request" in request.headers else "kiosk/page.html"
        return render(request, part, screen, language=language_of(request), status=status)
    caller = getattr(request.state, "caller", None)
    if "hx-request" in request.headers:
        answer = render(request, "problem.html", {"problem": problem}, language=language_of(request), status=status)
        if request.method != "GET":  # what stands in the part stays there: a kit that is open, words that were typed
            answer.headers.update({"HX-Retarget": "#refused", "HX-Reswap": "innerHTML"})
        return answer
    values = {"problem": problem}
    return render(request, "message.html", values, language=language_of(request), caller=caller, status=status)


def to_sign_in(request: Request) -> Response:
    """Send a person without a session to the sign-in, and afterwards back to where it was."""
    if "hx-request" in request.headers:
        page = urlsplit(request.headers.get("hx-current-url", ""))
        return Response(status_code=HTTPStatus.OK, headers={"HX-Redirect": _sign_in(page.path, page.query)})
    if request.method != "GET":
        return RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
    return RedirectResponse(_sign_in(request.url.path, request.url.query), HTTPStatus.SEE_OTHER)


def _sign_in(path: str, query: str) -> str:
    here = f"{path}?{query}" if query else path
    return f"/sign-in?{urlencode({'next': here})}" if path not in {"", "/"} else "/sign-in"


def install(app: FastAPI) -> None:
    """Make the pages show every refusal and failure."""

    @app.exception_handler(DomainError)
    async def _refused(request: Request, refusal: DomainError) -> Response:
        if refusal.refusal is Refusal.UNAUTHENTICATED:
            return to_sign_in(request)
        answer = _page(request, explain(request, refusal), status_of(refusal))
        answer.headers.update(retry_after(answer.status_code, refusal.params))
        return answer

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        first = ".".join(map(str, error.errors()[0]["loc"][1:]))
        return _page(request, shown(request, "invalid_request", {"field": first}), HTTPStatus.UNPROCESSABLE_ENTITY)

    @app.exception_handler(HTTPException)
    async def _framework(request: Request, error: HTTPException) -> Response:
        code = "method_not_allowed" if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED else "route_unknown"
        return _page(request, shown(request, code, {}), error.status_code)

    @app.exception_handler(DataError)
    async def _unstorable(request: Request, _: DataError) -> Response:
        return _page(request, shown(request, "invalid_request", {"field": "-"}), HTTPStatus.UNPROCESSABLE_ENTITY)

    @app.exception_handler(PoolTimeout)
    @app.exception_handler(DBAPIError)
    async def _busy(request: Request, error: PoolTimeout | DBAPIError) -> Response:
        _log.warning("page_database_error", error=type(getattr(error, "orig", error)).__name__)
        if isinstance(error, DBAPIError) and not (is_retryable(error) or error.connection_invalidated):
            return _page(request, shown(request, "internal_error", {}), HTTPStatus.INTERNAL_SERVER_ERROR)
        return _page(request, explain(request, Busy()), HTTPStatus.SERVICE_UNAVAILABLE)

    @app.exception_handler(Exception)
    async def _failed(request: Request, _: Exception) -> Response:
        return _page(request, shown(request, "internal_error", {}), HTTPStatus.INTERNAL_SERVER_ERROR)
