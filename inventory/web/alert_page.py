"""What runs low: thresholds with what is there, how long it lasts, and who beside could give some."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError
from inventory.downloads import FileDep, download
from inventory.i18n import Language
from inventory.services.alerts import Alert, ThresholdWish, read_alerts, set_threshold
from inventory.services.catalogue import read_code_tables
from inventory.services.exporting import alert_listing
from inventory.services.organisation import read_tree
from inventory.services.rule_sets import read_classes
from inventory.store.alerts import DATA, NUMBERED
from inventory.store.organisation import PSEUDO
from inventory.web.deps import FormDep, NowDep, RuntimeDep, SessionDep, WriteDep, language_of, require
from inventory.web.move_pages import read_number
from inventory.web.names import node_name, sorts_of_stock
from inventory.web.problems import Tried, render_form
from inventory.web.texts import translations
from inventory.web.wording import PageWording

router = APIRouter(prefix="/alerts")

Reader = Annotated[Caller, require(Permission.STOCK_READ)]
Keeper = Annotated[Caller, require(Permission.THRESHOLDS, writes=True)]
_FIELDS = ("place", "what", "hlr", "minimum")


@router.get("")
async def show(
    request: Request, session: SessionDep, caller: Reader, runtime: RuntimeDep, now: NowDep, file: FileDep
) -> Response:
    """Show the thresholds of the person's part, low ones first."""
    if file is not None:
        listing = alert_listing(place=None, low=False, now=now)
        return await download(runtime.database, caller, listing, file, PageWording(language_of(request)))
    return await _page(request, session, caller, None, now=now)


@router.post("")
async def put(
    request: Request, session: SessionDep, caller: Keeper, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Set a threshold; with an empty minimum take it away."""
    resource, _, sort = form.get("what", "").partition("/")
    try:
        wish = ThresholdWish(
            place=form.get("place", ""),
            resource=resource,
            sort=sort,
            hlr=form.get("hlr", ""),
            minimum=_minimum(form.get("minimum", "")),
        )
        await set_threshold(session, caller, write, wish, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried(form, refusal), now=now)
    return await _page(request, session, caller, Tried({}), now=now)


def _minimum(text: str) -> int | None:
    reason = "a whole number, or nothing to take the threshold away"
    return read_number("minimum", text, digits=9, reason=reason) if text else None


async def _page(request: Request, session: SessionDep, caller: Caller, tried: Tried | None, *, now: NowDep) -> Response:
    language = language_of(request)
    refusal = None if tried is None else tried.refusal
    sent = {} if tried is None else tried.form
    tables = await read_code_tables(session, caller)
    tree = [node for node in await read_tree(session, caller) if node.level not in PSEUDO]
    gettext = translations(language).gettext
    data = {f"{DATA}/": gettext("Card data per HLR"), f"{DATA}/{NUMBERED}": gettext("Card data with an ICCID")}
    sorts = sorts_of_stock(tables, await read_classes(session, caller, now=now), language) | data
    values = {
        "alerts": [_line(one, sorts, language) for one in await read_alerts(session, caller, now=now)],
        "may_set": caller.may(Permission.THRESHOLDS),
        "may_move": caller.may(Permission.TRANSFER),
        "places": {node.code: node_name(node, language) for node in tree},
        "sorts": sorts,
        "hlrs": {row.code: row.name for row in tables.hlrs},
        "sent": {name: sent.get(name, "") for name in _FIELDS},
        "done": gettext("Done.") if tried is not None and refusal is None else "",
    }
    return render_form(request, "stock/alerts.html", values, refusal, caller=caller)


def _line(alert: Alert, sorts: dict[str, str], language: Language) -> dict[str, Any]:
    about, shelf = alert.threshold, alert.shelf
    return {
        "place": {"code": alert.place.code, "name": node_name(alert.place, language)},
        "what": sorts.get(f"{about.resource}/{about.sort}", about.sort),
        "hlr": about.hlr,
        "minimum": about.minimum,
        "free": shelf.free,
        "sold": shelf.sold,
        "days": shelf.days,
        "low": shelf.low,
        "since": about.low_since,
        "giver": None if alert.giver is None else node_name(alert.giver, language),
        "give": None if alert.suggestion is None else alert.suggestion.count,
    }
