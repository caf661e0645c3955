"""Stocktakes on pages: opened, scanned blind on any number of screens, closed, posted."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import ApprovalNeeded, DomainError
from inventory.domain.identifiers import format_public_id
from inventory.domain.kinds import SIM, kind_named
from inventory.domain.lifecycle import StocktakeState
from inventory.domain.organisation import Level
from inventory.domain.reasons import Purpose
from inventory.downloads import FileDep, download
from inventory.i18n import Language
from inventory.request_scope import BIGGEST
from inventory.services.exporting import stocktake_listing
from inventory.services.leaving import LeaveWish, TakeOverWish, begin_leaving, can_be_taken_over, take_over
from inventory.services.organisation import read_tree
from inventory.services.short_lists import stocktakes_listing
from inventory.services.stocktake_posting import PostWish, post_stocktake
from inventory.services.stocktakes import (
    FindingView,
    Scan,
    StocktakeView,
    StocktakeWish,
    cancel_stocktake,
    close_stocktake,
    open_stocktake,
    read_stocktake,
    read_stocktakes,
    scan_items,
    stocktake_name,
)
from inventory.store.organisation import PSEUDO
from inventory.web.asking import ask_and_wait
from inventory.web.code_tables import offered_reasons
from inventory.web.deps import FormDep, NowDep, RuntimeDep, SessionDep, WriteDep, language_of, require
from inventory.web.names import finding_name, kind_name, node_name
from inventory.web.problems import Tried, explain, render_form
from inventory.web.rendering import render
from inventory.web.wording import PageWording

router = APIRouter(prefix="/count")

Reader = Annotated[Caller, require(Permission.STOCK_READ)]
Counter = Annotated[Caller, require(Permission.COUNT, writes=True)]
Poster = Annotated[Caller, require(Permission.POST_COUNT, writes=True)]
Successor = Annotated[Caller, require(Permission.TAKE_OVER, writes=True)]
StocktakeId = Annotated[str, Path(max_length=40)]


@router.get("")
async def show(request: Request, session: SessionDep, caller: Reader, runtime: RuntimeDep, file: FileDep) -> Response:
    """Show the stocktakes of the person's part and the form that opens one."""
    if file is not None:
        return await download(runtime.database, caller, stocktakes_listing(), file, PageWording(language_of(request)))
    return await _list(request, session, caller, Tried())


@router.post("")
async def begin(
    request: Request, session: SessionDep, caller: Counter, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Open a count and go to its page."""
    try:
        wish = StocktakeWish(
            resource=form.get("resource", SIM.name),
            place=form.get("place", ""),
            with_below="with_below" in form,
            of=form.get("of") or None,
        )
        done = await open_stocktake(session, caller, write, wish, now=now)
    except DomainError as refusal:
        return await _list(request, session, caller, Tried(form, refusal))
    return RedirectResponse(f"/count/{done.body['id']}", HTTPStatus.SEE_OTHER)


@router.get("/leave", dependencies=[require(Permission.STOCK_READ)])
async def leave_again() -> Response:
    """Go to the list: an act is sent, not looked at, but its address may be asked for again (reload, language)."""
    return RedirectResponse("/count", HTTPStatus.SEE_OTHER)


@router.post("/leave")
async def leave(
    request: Request, session: SessionDep, caller: Successor, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Close a leaver's staff id and go to the count of its drawer."""
    try:
        wish = LeaveWish(leaver=form.get("leaver", ""), reason=form.get("reason", ""))
        done = (await begin_leaving(session, caller, write, wish, now=now)).body
    except DomainError as refusal:
        return await _list(request, session, caller, Tried(form, refusal))
    return RedirectResponse(f"/count/{done['stocktake'] or ''}".rstrip("/"), HTTPStatus.SEE_OTHER)


@router.get("/{stocktake}")
async def one(
    request: Request,
    session: SessionDep,
    caller: Reader,
    runtime: RuntimeDep,
    file: FileDep,
    stocktake: StocktakeId,
    after: Annotated[int, Query(ge=0, le=BIGGEST)] = 0,
) -> Response:
    """Show a count: while it is open the field to scan into, then what differs; as a file all of that."""
    if file is not None:
        wording = PageWording(language_of(request))
        return await download(runtime.database, caller, stocktake_listing(stocktake), file, wording)
    return await _page(request, session, caller, stocktake, Tried(), after=after)


@router.get("/{stocktake}/board")
async def board(request: Request, session: SessionDep, caller: Reader, stocktake: StocktakeId) -> Response:
    """Show how far the scanning is, all screens together; a count that was closed elsewhere sends to its report."""
    view = await read_stocktake(session, caller, stocktake, limit=1)
    if view.row.state != StocktakeState.OPEN:
        return Response(headers={"HX-Redirect": f"/count/{stocktake}"})
    return _board(request, view, Tried())


@router.post("/{stocktake}/scan")
async def scan(
    request: Request,
    session: SessionDep,
    caller: Counter,
    write: WriteDep,
    form: FormDep,
    now: NowDep,
    stocktake: StocktakeId,
) -> Response:
    """Keep what was scanned and show the tally."""
    tried, new = Tried(form), 0
    items = tuple(form.get("items", "").replace(",", "\n").split())
    try:
        if items:
            what = Scan(items=items, damaged="damaged" in form)
            new = (await scan_items(session, caller, write, stocktake, what, now=now)).body["new"]
    except DomainError as refusal:
        tried = Tried(form, refusal)
    if "hx-request" not in request.headers:
        if tried.refusal is not None:
            raise tried.refusal
        return RedirectResponse(f"/count/{stocktake}", HTTPStatus.SEE_OTHER)
    view = await read_stocktake(session, caller, stocktake, limit=1)
    return _board(request, view, tried, new=new, item=items[-1] if items else "")


@router.post("/{stocktake}/post")
async def post(
    request: Request, session: SessionDep, caller: Poster, write: WriteDep, now: NowDep, stocktake: StocktakeId
) -> Response:
    """Set the book right; where cards are missing, wait for the second person."""
    try:
        await post_stocktake(session, caller, write, PostWish(stocktake=stocktake), now=now)
    except ApprovalNeeded as needed:
        return await ask_and_wait(request, session, caller, write, needed, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, stocktake, Tried({}, refusal))
    return RedirectResponse(f"/count/{stocktake}", HTTPStatus.SEE_OTHER)


@router.post("/{stocktake}/take-over")
async def succeed(
    request: Request,
    session: SessionDep,
    caller: Successor,
    write: WriteDep,
    form: FormDep,
    now: NowDep,
    stocktake: StocktakeId,
) -> Response:
    """Take over what a leaver had; the witness is waited for."""
    wish = TakeOverWish(stocktake=stocktake, receiver=form.get("receiver", ""), person=form.get("person") or None)
    try:
        await take_over(session, caller, write, wish, now=now)
    except ApprovalNeeded as needed:
        return await ask_and_wait(request, session, caller, write, needed, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, stocktake, Tried(form, refusal))
    return RedirectResponse(f"/count/{stocktake}", HTTPStatus.SEE_OTHER)


@router.post("/{stocktake}/{verb}")
async def end(
    request: Request,
    session: SessionDep,
    caller: Counter,
    write: WriteDep,
    form: FormDep,
    now: NowDep,
    stocktake: StocktakeId,
    verb: Literal["close", "cancel"],
) -> Response:
    """Close the count with a signature, or cancel it with a reason."""
    act, said = (close_stocktake, "person") if verb == "close" else (cancel_stocktake, "reason")
    try:
        await act(session, caller, write, stocktake, form.get(said, ""), now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, stocktake, Tried(form, refusal))
    return RedirectResponse(f"/count/{stocktake}", HTTPStatus.SEE_OTHER)


@router.get("/{stocktake}/{verb}", dependencies=[require(Permission.STOCK_READ)])
async def again(stocktake: StocktakeId, verb: str) -> Response:
    """Go to the count: an act is sent, not looked at, but its address may be asked for again (reload, language)."""
    del verb
    return RedirectResponse(f"/count/{stocktake}", HTTPStatus.SEE_OTHER)


async def _list(request: Request, session: SessionDep, caller: Caller, tried: Tried) -> Response:
    language = language_of(request)
    places = [node for node in await read_tree(session, caller) if node.level not in PSEUDO]
    values = {
        "places": [{"code": node.code, "name": node_name(node, language)} for node in places],
        "leavers": [
            {"code": node.code, "name": node_name(node, language)}
            for node in places
            if node.level == Level.CLERK.name and node.active and caller.may(Permission.TAKE_OVER)
        ],
        "may_count": caller.may(Permission.COUNT),
        "form": {name: tried.form.get(name, "") for name in ("place", "of", "with_below", "leaver", "reason")},
        "stocktakes": [
            {
                "name": stocktake_name(row),
                "place": node_name(place, language),
                "with_below": row.with_below,
                "sort": row.sort,
                "state": row.state,
                "opened_at": row.opened_at,
                "opened_by": row.opened_by,
                "counted_by": row.counted_by,
                "figures": row.figures,
            }
            for row, place in await read_stocktakes(session, caller)
        ],
    }
    return render_form(request, "count/page.html", values, tried.refusal, caller=caller)


def _board(request: Request, view: StocktakeView, tried: Tried, *, new: int = 0, item: str = "") -> Response:
    """Return the part of the page that tells how far the scanning is; a refusal is told there too."""
    problem = None if tried.refusal is None else explain(request, tried.refusal)
    values = _progress(view) | {"problem": problem, "new": new, "item": item}
    return render(request, "count/board.html", values, language=language_of(request))


def _progress(view: StocktakeView) -> dict[str, Any]:
    return {"scanned": view.scanned, "last": view.last, "name": view.name}


async def _page(
    request: Request, session: SessionDep, caller: Caller, stocktake: str, tried: Tried, *, after: int = 0
) -> Response:
    language = language_of(request)
    view = await read_stocktake(session, caller, stocktake, after=after)
    row = view.row
    values = _progress(view) | {
        "row": row,
        "place": node_name(view.place, language),
        "kind": kind_name(kind_named(row.resource), language),
        "figures": row.figures,
        "agrees": not (row.figures.get("missing") or row.figures.get("extra")),
        "findings": [_finding(found, caller.city_id, language) for found in view.findings],
        "first": not after,
        "next_after": view.next_after,
        "receivers": [
            {"code": node.code, "name": node_name(node, language)}
            for node in await can_be_taken_over(session, row, view.place)
            if node.id in caller.scope and caller.may(Permission.TAKE_OVER)
        ],
        "may_count": caller.may(Permission.COUNT),
        "reasons": await offered_reasons(session, caller, language, Purpose.CANCEL),
        "may_post": caller.may(Permission.POST_COUNT),
        "form": {name: tried.form.get(name, "") for name in ("person", "reason", "receiver")},
        "new": 0,
        "item": "",
    }
    template = "count/scan.html" if row.state == StocktakeState.OPEN else "count/report.html"
    return render_form(request, template, values, tried.refusal, caller=caller)


def _finding(found: FindingView, city_id: int, language: Language) -> dict[str, Any]:
    """Return a difference as the page shows it."""
    row = found.row
    return {
        "name": row.name,
        "known": row.item_no is not None,
        "what": finding_name(row.code, language),
        "state": row.state,
        "holder": "" if found.holder is None else node_name(found.holder, language),
        "last": row.last_movement and format_public_id("m", city_id, row.last_movement),
        "settled": row.settled,
        "settled_by": row.settled_by and format_public_id("m", city_id, row.settled_by),
    }
