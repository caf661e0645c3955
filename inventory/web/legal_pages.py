"""Legal holds: place an order on items, see what there is and what it lies on, lift it with a second person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.calendar import business_day
from inventory.domain.errors import ApprovalNeeded, DomainError
from inventory.domain.kinds import KINDS, NUMBER, kind_named
from inventory.downloads import FileDep, download
from inventory.i18n import Language
from inventory.services.legal_holds import LiftWish, PlaceWish, as_dict, lift, place, read_hold, read_holds
from inventory.services.once import Answer
from inventory.services.short_lists import legal_hold_listing
from inventory.store.legal_orders import Order
from inventory.web.asking import ask_and_wait
from inventory.web.deps import FormDep, NowDep, RuntimeDep, SessionDep, WriteDep, language_of, require
from inventory.web.document_list import read_day
from inventory.web.move_pages import read_items
from inventory.web.names import kind_name, node_name
from inventory.web.problems import render_form
from inventory.web.texts import translations
from inventory.web.wording import PageWording

router = APIRouter(prefix="/legal-holds")

Reader = Annotated[Caller, require(Permission.LEGAL_READ)]
Placer = Annotated[Caller, require(Permission.LEGAL_PLACE, writes=True)]
Lifter = Annotated[Caller, require(Permission.LEGAL_LIFT, writes=True)]
LegalHoldId = Annotated[str, Path(max_length=40)]
_FIELDS = ("resource", "items", "reference", "authority", "reason", "given_on", "review_on")


@dataclass(frozen=True)
class Tried:
    """What was sent and what came of it, to show the page again."""

    form: Mapping[str, str] = field(default_factory=dict)
    refusal: DomainError | None = None
    answer: Answer | None = None


@router.get("")
async def show(
    request: Request,
    session: SessionDep,
    caller: Reader,
    runtime: RuntimeDep,
    now: NowDep,
    file: FileDep,
    resource: Annotated[str, Query(max_length=20)] = "",
    items: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Show the legal holds of the city, and the form for a new one."""
    if file is not None:
        return await download(runtime.database, caller, legal_hold_listing(), file, PageWording(language_of(request)))
    return await _page(request, session, caller, Tried({"resource": resource, "items": items}), now=now)


@router.post("")
async def put(
    request: Request, session: SessionDep, caller: Placer, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Put items under an order."""
    try:
        wish = PlaceWish(
            resource=form.get("resource") or NUMBER.name,
            selection=read_items(form.get("items", "")),
            reference=form.get("reference", ""),
            authority=form.get("authority", ""),
            reason=form.get("reason", ""),
            given_on=read_day("given_on", form.get("given_on", "")),
            review_on=read_day("review_on", form["review_on"]) if form.get("review_on") else None,
        )
        done = await place(session, caller, write, wish, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried(form, refusal), now=now)
    return await _page(request, session, caller, Tried(answer=done), now=now)


@router.get("/{legal_hold}")
async def one(request: Request, session: SessionDep, caller: Reader, now: NowDep, legal_hold: LegalHoldId) -> Response:
    """Show a legal hold with the first items that it lies on."""
    return await _one(request, session, caller, legal_hold, Tried(), now=now)


@router.post("/{legal_hold}/lift")
async def lift_it(
    request: Request,
    session: SessionDep,
    caller: Lifter,
    write: WriteDep,
    form: FormDep,
    now: NowDep,
    legal_hold: LegalHoldId,
) -> Response:
    """Ask the second person for its word on lifting it."""
    wish = LiftWish(legal_hold=legal_hold, reason=form.get("reason", ""))
    try:
        await lift(session, caller, write, wish, now=now)
    except ApprovalNeeded as needed:
        return await ask_and_wait(request, session, caller, write, needed, now=now)
    except DomainError as refusal:
        return await _one(request, session, caller, legal_hold, Tried(form, refusal), now=now)
    return RedirectResponse(f"/legal-holds/{legal_hold}", HTTPStatus.SEE_OTHER)


@router.get("/{legal_hold}/lift", dependencies=[require(Permission.LEGAL_READ)])
async def again(legal_hold: LegalHoldId) -> Response:
    """Go to the legal hold: an act is sent, not looked at, but its address may be asked for again."""
    return RedirectResponse(f"/legal-holds/{legal_hold}", HTTPStatus.SEE_OTHER)


async def _page(request: Request, session: SessionDep, caller: Caller, tried: Tried, *, now: datetime) -> Response:
    language = language_of(request)
    gettext = translations(language).gettext
    done = ""
    if tried.answer is not None:
        words = gettext("Placed: %(order)s on %(count)d items; %(ended)d promises ended, %(waiting)d end soon.")
        body = tried.answer.body
        done = words % {
            "order": body["id"],
            "count": body["count"],
            "ended": body["kits_ended"],
            "waiting": body["kits_waiting"],
        }
    values = {
        "may_place": caller.may(Permission.LEGAL_PLACE),
        "kinds": [{"name": kind.name, "label": kind_name(kind, language)} for kind in KINDS.values()],
        "today": business_day(now).isoformat(),
        "form": {name: tried.form.get(name, "") for name in _FIELDS},
        "orders": [_shown(order, language, now=now) for order in await read_holds(session, caller)],
        "done": done,
    }
    return render_form(request, "legal/page.html", values, tried.refusal, caller=caller)


async def _one(
    request: Request, session: SessionDep, caller: Caller, legal_hold: str, tried: Tried, *, now: datetime
) -> Response:
    language = language_of(request)
    page = await read_hold(session, caller, legal_hold)
    values = {
        "order": _shown(page.order, language, now=now),
        "may_lift": caller.may(Permission.LEGAL_LIFT),
        "reason": tried.form.get("reason", ""),
        "items": [
            {"name": item.name, "state": item.state, "holder": node_name(holder, language)}
            for item, holder in page.items
        ],
    }
    return render_form(request, "legal/one.html", values, tried.refusal, caller=caller)


def _shown(order: Order, language: Language, *, now: datetime) -> dict[str, Any]:
    """Return a legal hold as the pages show it."""
    times = {"created_at": order.created_at, "lifted": order.lifted_at}
    return as_dict(order, now=now) | times | {"what": kind_name(kind_named(order.resource), language)}
