"""SMS ports: to whom they are rented and until when; rent one, extend its term, take it back (REQ-NUM-15)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError, InvalidField
from inventory.domain.lifecycle import PortState
from inventory.domain.policies import Policy
from inventory.domain.ports import Standing
from inventory.downloads import FileDep, download
from inventory.services.exporting import port_listing
from inventory.services.once import Answer, WriteKey
from inventory.services.policies import read_policies
from inventory.services.ports import PortQuery, PortView, RentWish, end_rent, extend_term, read_ports, rent_port
from inventory.web.deps import FormDep, NowDep, RuntimeDep, SessionDep, WriteDep, language_of, require
from inventory.web.move_pages import read_number
from inventory.web.problems import Tried, render_form
from inventory.web.texts import translations
from inventory.web.wording import PageWording

router = APIRouter(prefix="/ports")

Reader = Annotated[Caller, require(Permission.PORTS_READ)]
Renter = Annotated[Caller, require(Permission.PORTS_RENT, writes=True)]
_FIELDS = ("act", "number", "tenant", "tenant_ref", "begins_on", "ends_on", "extension_digits", "until", "reason")
_STANDINGS = {Standing.ENDING: "ends soon", Standing.OVER: "over"}
_SHOWN = 500


@router.get("")
async def show(
    request: Request,
    session: SessionDep,
    caller: Reader,
    runtime: RuntimeDep,
    now: NowDep,
    file: FileDep,
    name: Annotated[str, Query(max_length=40)] = "",
    port: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Show ports, those first whose term ends first; `port` is the one that the forms are filled with."""
    query = PortQuery(name=name.strip() or None)
    if file is not None:
        listing = port_listing(query, now=now)
        return await download(runtime.database, caller, listing, file, PageWording(language_of(request), "number"))
    return await _page(request, session, caller, Tried({"number": port, "name": name}), now=now)


@router.post("")
async def act(
    request: Request, session: SessionDep, caller: Renter, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Rent a port, extend its term, or take it back."""
    try:
        done = await _act(session, caller, write, form, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried(form, refusal), now=now)
    return await _page(request, session, caller, Tried({}), done, now=now)


async def _act(session: SessionDep, caller: Caller, write: WriteKey, form: dict[str, str], *, now: NowDep) -> Answer:
    number = form.get("number", "")
    match form.get("act"):
        case "extend":
            return await extend_term(session, caller, write, number=number, ends_on=read_day(form, "until"), now=now)
        case "end":
            return await end_rent(session, caller, write, number=number, reason=form.get("reason", ""), now=now)
        case _:
            digits = form.get("extension_digits") or "0"
            wish = RentWish(
                number=number,
                tenant=form.get("tenant", ""),
                tenant_ref=form.get("tenant_ref", ""),
                begins_on=read_day(form, "begins_on"),
                ends_on=read_day(form, "ends_on"),
                extension_digits=read_number("extension_digits", digits, digits=2),
            )
            return await rent_port(session, caller, write, wish, now=now)


def read_day(form: dict[str, str], field: str) -> date:
    """Read a day of a form.

    Raises
    ------
    InvalidField
        It is none.
    """
    try:
        return date.fromisoformat(form.get(field, ""))
    except ValueError:
        reason = "a day such as 2027-06-30"
        raise InvalidField(field=field, value=form.get(field, ""), reason=reason) from None


async def _page(
    request: Request, session: SessionDep, caller: Caller, tried: Tried, done: Answer | None = None, *, now: NowDep
) -> Response:
    gettext = translations(language_of(request)).gettext
    name = tried.form.get("name", "").strip()
    found = await read_ports(session, caller, PortQuery(name=name or None), limit=_SHOWN, now=now)
    number = tried.form.get("number", "")
    chosen = next((view.port.state for view in found if view.port.number == number), "")
    values = {
        "ports": [_line(view, gettext) for view in found],
        "free": [view.port.number for view in found if view.port.state == PortState.FREE],
        "cooling": (await read_policies(session, caller))[Policy.PORT_COOLING_DAYS],
        "name": name,
        "may_rent": caller.may(Permission.PORTS_RENT),
        "rented": chosen == PortState.RENTED,
        "sent": {field: tried.form.get(field, "") for field in _FIELDS},
        "done": "" if done is None else f"{gettext('Done.')} {done.body['number']}",
    }
    return render_form(request, "ports/page.html", values, tried.refusal, caller=caller)


def _line(view: PortView, gettext: Any) -> dict[str, Any]:
    port = view.port
    return {
        "number": port.number,
        "state": port.state,
        "tenant": port.tenant or "",
        "tenant_ref": port.tenant_ref or "",
        "digits": "" if port.extension_digits is None else port.extension_digits,
        "begins_on": port.begins_on or "",
        "ends_on": port.ends_on or "",
        "standing": "" if view.standing is None else gettext(_STANDINGS[view.standing]),
        "over": view.standing is Standing.OVER,
        "cooled_on": port.cooled_on or "",
    }
