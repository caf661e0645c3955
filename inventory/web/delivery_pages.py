"""Deliveries: what is on its way, signed for or sent back by list, scanner or as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import ApprovalNeeded, DomainError, InvalidField
from inventory.domain.identifiers import format_public_id
from inventory.domain.kinds import SIM, kind_named
from inventory.domain.reasons import Purpose
from inventory.downloads import FileDep, download
from inventory.i18n import Language
from inventory.services.disputing import Outcome, SettleWish, dispute, settle
from inventory.services.exporting import delivery_listing
from inventory.services.once import Answer, WriteKey
from inventory.services.receiving import Delivery, Signature, accept, read_deliveries, refuse, withdraw
from inventory.services.scanning_in import Arrival, scan_in
from inventory.store.movements import CITY_IN, INTAKE
from inventory.web.asking import ask_and_wait
from inventory.web.code_tables import offered_reasons
from inventory.web.deps import FormDep, NowDep, RuntimeDep, SessionDep, WriteDep, language_of, require
from inventory.web.move_pages import read_items
from inventory.web.names import document_done, event_name, kind_name, node_name
from inventory.web.problems import explain, render_form
from inventory.web.rendering import render
from inventory.web.wording import PageWording

router = APIRouter(prefix="/deliveries")

Watcher = Annotated[Caller, require(Permission.MOVEMENTS_READ)]
Receiving = Annotated[Caller, require(Permission.RECEIVE)]
Receiver = Annotated[Caller, require(Permission.RECEIVE, writes=True)]
Verb = Literal["accept", "refuse", "dispute", "withdraw", "settle"]
MovementId = Annotated[str, Path(max_length=40)]
_ACTS = {"accept": accept, "refuse": refuse, "dispute": dispute, "withdraw": withdraw}
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}


@dataclass(frozen=True)
class Tried:
    """What was sent for one delivery and what came of it, to show the page again."""

    movement: str
    form: dict[str, str]
    refusal: DomainError | None = None
    answer: Answer | None = None


@router.get("")
async def show(
    request: Request,
    session: SessionDep,
    caller: Watcher,
    runtime: RuntimeDep,
    file: FileDep,
    document: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Show what is on its way from and to the person's part; with the code of a slip that delivery alone."""
    if file is not None:
        return await download(runtime.database, caller, delivery_listing(), file, PageWording(language_of(request)))
    return await _page(request, session, caller, None, only=document.strip().lower())


@router.get("/{movement}/scan")
async def scanning(request: Request, session: SessionDep, caller: Receiving, movement: MovementId) -> Response:
    """Show the field to scan into; of what has all arrived the document."""
    view = await _open_one(session, caller, movement)
    if view is None:
        return RedirectResponse(f"/documents/{movement}", HTTPStatus.SEE_OTHER)
    return _scan_page(request, caller, view)


@router.post("/{movement}/scan")
async def scan(
    request: Request,
    session: SessionDep,
    caller: Receiver,
    write: WriteDep,
    form: FormDep,
    now: NowDep,
    movement: MovementId,
) -> Response:
    """Sign for what was scanned and tell of it."""
    items = tuple(form.get("items", "").replace(",", "\n").split())
    done, problem = None, None
    try:
        arrival = Arrival(movement=movement, items=items, person=form.get("person") or None)
        done = (await scan_in(session, caller, write, arrival, now=now)).body
    except DomainError as refusal:
        if "hx-request" not in request.headers:
            raise
        problem = explain(request, refusal)
    if "hx-request" not in request.headers:
        return RedirectResponse(f"/deliveries/{movement}/scan", HTTPStatus.SEE_OTHER)
    left = None if done is None else done["left"]
    values = {"done": done, "problem": problem, "item": items[-1] if items else "", "left": left}
    return render(request, "deliveries/board.html", values, language=language_of(request))


async def _open_one(session: SessionDep, caller: Caller, movement: str) -> Delivery | None:
    """Return the delivery if it is still on its way and the person's to sign for."""
    for delivery in await read_deliveries(session, caller):
        named = format_public_id("m", caller.city_id, delivery.document.movement_id) == movement
        if named and delivery.mine and not delivery.disputed:
            return delivery
    return None


def _scan_page(request: Request, caller: Caller, delivery: Delivery) -> Response:
    language = language_of(request)
    shown = _shown(delivery, caller, None, language=language)
    values = {
        "delivery": shown,
        "left": shown["open"],
        "load": delivery.document.batch_id and format_public_id("b", caller.city_id, delivery.document.batch_id),
        "resource": delivery.document.resource,
        "done": None,
        "problem": None,
        "item": "",
    }
    return render(request, "deliveries/scan.html", values, language=language, caller=caller)


@router.post("/{movement}/{verb}")
async def answer(
    movement: MovementId,
    verb: Verb,
    request: Request,
    session: SessionDep,
    caller: Receiver,
    write: WriteDep,
    form: FormDep,
    now: NowDep,
) -> Response:
    """Answer for the items, or take them back; without a list, all that are still on their way."""
    try:
        done = await _done(session, caller, write, movement, verb, form, now=now)
    except ApprovalNeeded as needed:
        return await ask_and_wait(request, session, caller, write, needed, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried(movement, form, refusal=refusal))
    return await _page(request, session, caller, Tried(movement, {}, answer=done))


async def _done(
    session: SessionDep,
    caller: Caller,
    write: WriteKey,
    movement: str,
    verb: Verb,
    form: dict[str, str],
    *,
    now: datetime,
) -> Answer:
    """Read the form and do what it says."""
    selection = read_items(form["items"]) if form.get("items") else None
    if verb == "settle":
        outcome = _OUTCOMES.get(form.get("outcome", ""))
        if outcome is None:
            raise InvalidField(field="outcome", value=form.get("outcome", ""), reason=", ".join(_OUTCOMES))
        wish = SettleWish(dispute=movement, outcome=outcome, selection=selection, reason=form.get("reason", ""))
        return await settle(session, caller, write, wish, now=now)
    signature = Signature(
        movement=movement,
        selection=selection,
        person=form.get("person") or None,
        reason=form.get("reason") or None,
    )
    return await _ACTS[verb](session, caller, write, signature, now=now)


@router.get("/{movement}/{verb}", dependencies=[require(Permission.MOVEMENTS_READ)])
async def again(movement: MovementId, verb: Verb) -> Response:
    """Go to the list: an act is sent, not looked at, but its address may be asked for again (reload, language)."""
    del movement, verb
    return RedirectResponse("/deliveries", HTTPStatus.SEE_OTHER)


async def _page(
    request: Request, session: SessionDep, caller: Caller, tried: Tried | None, *, only: str = ""
) -> Response:
    language = language_of(request)
    refusal = None if tried is None else tried.refusal
    found = [_shown(delivery, caller, tried, language=language) for delivery in await read_deliveries(session, caller)]
    if only and not any(one["id"] == only for one in found):
        return RedirectResponse(f"/items?{urlencode({'q': only})}", HTTPStatus.SEE_OTHER)
    values = {
        "deliveries": [one for one in found if only in {"", one["id"]}],
        "reasons": await offered_reasons(session, caller, language, Purpose.REFUSE),
        "only": only,
        **document_done(None if tried is None else tried.answer, language),
    }
    return render_form(request, "deliveries/page.html", values, refusal, caller=caller)


def _shown(delivery: Delivery, caller: Caller, tried: Tried | None, *, language: Language) -> dict[str, Any]:
    """Return one delivery as the page shows it, its form filled again with what was sent if that was refused."""
    document = delivery.document
    name = format_public_id("m", caller.city_id, document.movement_id)
    sent = tried.form if tried is not None and tried.movement == name else {}
    return {
        "id": name,
        "what": event_name(f"movement.{document.kind.lower()}", language),
        "kind": kind_name(kind_named(document.resource), language),
        "giver": node_name(delivery.giver, language),
        "receiver": node_name(delivery.receiver, language),
        "open": document.item_count - document.accepted_count - document.refused_count,
        "count": document.item_count,
        "at": document.created_at,
        "staff": document.staff_no,
        "reason": document.reason,
        "mine": delivery.mine and caller.may(Permission.RECEIVE),
        "given": delivery.given and caller.may(Permission.RECEIVE),
        "disputed": delivery.disputed,
        "announced": document.kind == INTAKE,
        "from_city": document.kind == CITY_IN,
        "outcomes": [
            outcome.value for outcome in Outcome if delivery.document.resource == SIM.name or outcome != "lost"
        ],
        "form": {field: sent.get(field, "") for field in ("items", "person", "reason")},
    }
