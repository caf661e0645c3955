"""Quotas of issues: set for the places below, and what is left, shown beside the form of an issue."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError, InvalidField
from inventory.domain.quotas import Period
from inventory.downloads import FileDep, download
from inventory.i18n import Language
from inventory.services.catalogue import read_code_tables
from inventory.services.exporting import quota_listing
from inventory.services.organisation import read_tree
from inventory.services.quotas import QuotaView, QuotaWish, read_quotas, set_quota
from inventory.services.rule_sets import read_classes
from inventory.store.organisation import PSEUDO
from inventory.web.deps import FormDep, NowDep, RuntimeDep, SessionDep, WriteDep, language_of, require
from inventory.web.move_pages import read_number
from inventory.web.names import node_name, sorts_of_stock
from inventory.web.problems import Tried, render_form
from inventory.web.rendering import render
from inventory.web.texts import translations
from inventory.web.wording import PageWording

router = APIRouter(prefix="/quotas")

Reader = Annotated[Caller, require(Permission.STOCK_READ)]
Keeper = Annotated[Caller, require(Permission.QUOTAS, writes=True)]
_PERIODS = {Period.DAY: "day", Period.MONTH: "month"}
_FIELDS = ("place", "what", "period", "most")


@router.get("")
async def show(
    request: Request, session: SessionDep, caller: Reader, runtime: RuntimeDep, now: NowDep, file: FileDep
) -> Response:
    """Show the quotas of the person's part with what is left of them."""
    if file is not None:
        listing = quota_listing(place=None, resource=None, now=now)
        return await download(runtime.database, caller, listing, file, PageWording(language_of(request)))
    return await _page(request, session, caller, None, now=now)


@router.get("/left")
async def left(
    request: Request,
    session: SessionDep,
    caller: Reader,
    now: NowDep,
    place: Annotated[str, Query(max_length=64)] = "",
    resource: Annotated[str, Query(max_length=32)] = "",
) -> Response:
    """Tell what the place may still be issued of the kind: beside the form, before anything is refused."""
    language = language_of(request)
    found = await read_quotas(session, caller, place=place, resource=resource, now=now) if place else []
    sorts = sorts_of_stock(
        await read_code_tables(session, caller), await read_classes(session, caller, now=now), language
    )
    values = {"quotas": [_line(view, sorts, language) for view in found]}
    return render(request, "moves/quotas_left.html", values, language=language, caller=caller)


@router.post("")
async def put(
    request: Request, session: SessionDep, caller: Keeper, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Set a quota; with an empty number take it away."""
    resource, _, sort = form.get("what", "").partition("/")
    try:
        if form.get("period") not in set(Period):
            raise InvalidField(field="period", value=form.get("period", ""), reason="a day or a month")
        wish = QuotaWish(
            place=form.get("place", ""),
            resource=resource,
            sort=sort,
            period=Period(form["period"]),
            most=_most(form.get("most", "")),
        )
        await set_quota(session, caller, write, wish, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried(form, refusal), now=now)
    return await _page(request, session, caller, Tried({}), now=now)


def _most(text: str) -> int | None:
    reason = "a whole number, or nothing to take the quota away"
    return read_number("most", text, digits=9, reason=reason) if text else None


async def _page(request: Request, session: SessionDep, caller: Caller, tried: Tried | None, *, now: NowDep) -> Response:
    language = language_of(request)
    gettext = translations(language).gettext
    refusal = None if tried is None else tried.refusal
    sent = {} if tried is None else tried.form
    sorts = sorts_of_stock(
        await read_code_tables(session, caller), await read_classes(session, caller, now=now), language
    )
    below = [node for node in await read_tree(session, caller) if node.level not in PSEUDO and node.id != caller.org_id]
    values = {
        "quotas": [_line(view, sorts, language) for view in await read_quotas(session, caller, now=now)],
        "may_set": bool(below) and caller.may(Permission.QUOTAS),
        "places": {node.code: node_name(node, language) for node in below},
        "sorts": sorts,
        "periods": {period.value: gettext(name) for period, name in _PERIODS.items()},
        "sent": {name: sent.get(name, "") for name in _FIELDS},
        "done": gettext("Done.") if tried is not None and refusal is None else "",
    }
    return render_form(request, "moves/quotas.html", values, refusal, caller=caller)


def _line(view: QuotaView, sorts: dict[str, str], language: Language) -> dict[str, Any]:
    quota = view.quota
    return {
        "place": node_name(view.place, language),
        "what": sorts.get(f"{quota.resource}/{quota.sort}", quota.sort),
        "period": translations(language).gettext(_PERIODS[Period(quota.period)]),
        "most": quota.most,
        "left": view.left,
    }
