"""Sales that wait for the network, for halls and the city: how long each waits, what to do, and the roll back."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError, MissingField
from inventory.domain.lifecycle import AucState, NumberState
from inventory.i18n import Language
from inventory.services import promises
from inventory.services.holds import hold_number, public_id
from inventory.services.organisation import read_above, read_tree
from inventory.services.rolling_back import roll_back
from inventory.services.waiting import may_roll_back, read_waiting_sales
from inventory.store.waiting import WaitingSale
from inventory.vault.hold_keys import HoldKeys
from inventory.web.deps import (
    ConnectionDep,
    FormDep,
    NowDep,
    RuntimeDep,
    SessionDep,
    WriteDep,
    language_of,
    require,
)
from inventory.web.desk_pages import HoldId
from inventory.web.names import node_name
from inventory.web.problems import render_form
from inventory.web.texts import translations

router = APIRouter(prefix="/waiting")

Reader = Annotated[Caller, require(Permission.HOLDS_READ)]
Taker = Annotated[Caller, require(Permission.HOLDS_READ, writes=True, finishing=True)]
_LONGEST_REASON = 200
_ADVICE = {
    AucState.NONE: "The network was not told of the card yet: the city company tells it.",
    AucState.SENT: "The network has not answered yet.",
    AucState.FAILED: "The network refused the card: have it mended there, or roll the sale back and take another card.",
    AucState.CONFIRMED: "Another identity on the card is not confirmed yet.",
}
"""What to do about a sale that waits, by what the network knows of its card."""
_KEPT = "Have the identity deleted in the network and its answer kept; until then the kit cannot be given back."
_ORDERED = "An outside order lies on number or card: the sale stays as it is."


@router.get("")
async def show(
    request: Request, session: SessionDep, caller: Reader, now: NowDep, back: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    """Show what waits, the longest first; `back` is the fresh hold of a roll back that was just done."""
    return await _page(request, session, caller, now, back=back)


@router.post("/{hold_id}/roll-back")
async def take_back(
    request: Request, session: SessionDep, runtime: RuntimeDep, connection: ConnectionDep, caller: Taker,
    write: WriteDep, form: FormDep, now: NowDep, hold_id: HoldId,
) -> Response:  # fmt: skip
    """Roll the sale back, once it is said that the card is seen to; who sells goes on with the fresh hold at the desk.

    A person takes its own sale back by the hold's key, which never leaves the service, a superior with the reason.
    """
    keys = HoldKeys(runtime.hold_secret)
    try:
        shown = await promises.read_hold(session, caller, hold_id, now=now)
        if "sees_to_card" not in form:
            raise MissingField(field="sees_to_card")
        own = (shown["staff_no"], shown["interface_no"]) == (caller.staff_no, caller.interface_no)
        own = own and caller.may(Permission.HOLDS_WRITE)
        key = keys.key(caller.city_id, hold_number(caller, hold_id)) if own else None
        reason = form.get("reason", "")[:_LONGEST_REASON] or None
        done = await roll_back(connection, caller, write, hold_id, keys=keys, key=key, reason=reason, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, now, refusal=refusal, tried=hold_id, form=form)
    again = quote(done.body["hold"])
    to = f"/desk?hold={again}" if caller.may(Permission.HOLDS_WRITE) else f"/waiting?back={again}"
    return RedirectResponse(to, HTTPStatus.SEE_OTHER)


@router.get("/{hold_id}/roll-back", dependencies=[require(Permission.HOLDS_READ)])
async def again(hold_id: HoldId) -> Response:
    """Go to the page: a form is sent, not looked at, but its address may be asked for again (reload, language)."""
    del hold_id
    return RedirectResponse("/waiting", HTTPStatus.SEE_OTHER)


async def _page(
    request: Request,
    session: SessionDep,
    caller: Caller,
    now: datetime,
    *,
    refusal: DomainError | None = None,
    tried: str = "",
    form: dict[str, str] | None = None,
    back: str = "",
) -> Response:
    language = language_of(request)
    gettext = translations(language).gettext
    sales, count = await read_waiting_sales(session, caller)
    places = [*await read_above(session, caller), *await read_tree(session, caller)]
    names = {node.code: node_name(node, language) for node in places}
    rows = [_row(sale, caller, language, names, now) for sale in sales]
    values: dict[str, Any] = {
        "waiting": [row for row in rows if row["waits"]],
        "kept": [row for row in rows if not row["waits"]],
        "more": count - len(rows),
        "tried": tried,
        "reason": (form or {}).get("reason", ""),
        "sells": caller.may(Permission.HOLDS_WRITE),
        "done": gettext("Rolled back. %(hold)s has number and card now.") % {"hold": back} if back else "",
    }
    return render_form(request, "desk/waiting.html", values, refusal, caller=caller)


def _row(
    sale: WaitingSale, caller: Caller, language: Language, places: dict[str, str], now: datetime
) -> dict[str, Any]:
    gettext = translations(language).gettext
    waits = sale.state == NumberState.COMPLETING
    advice = _ADVICE.get(AucState(sale.auc), "") if waits else _KEPT
    if sale.legal_hold:
        advice = _ORDERED
    return {
        "hold": public_id(caller.city_id, sale.hold_id),
        "number": sale.number,
        "card": sale.card,
        "auc": sale.auc,
        "since": sale.since,
        "lasts": _lasts(now - sale.since, language),
        "who": sale.staff_no,
        "place": places.get(sale.place, sale.place),
        "order_ref": sale.order_ref or "",
        "advice": gettext(advice) if advice else "",
        "waits": waits,
        "own": (sale.staff_no, sale.interface_no) == (caller.staff_no, caller.interface_no),
        "may_roll_back": may_roll_back(caller, sale),
    }


def _lasts(span: timedelta, language: Language) -> str:
    """Return how long something waits, in the largest unit that is full."""
    gettext = translations(language).gettext
    if span >= timedelta(days=2):
        return gettext("%(count)d days") % {"count": span.days}
    if span >= timedelta(hours=2):
        return gettext("%(count)d hours") % {"count": span // timedelta(hours=1)}
    return gettext("%(count)d minutes") % {"count": max(0, span // timedelta(minutes=1))}
