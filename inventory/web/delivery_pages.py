"""Deliveries: what is on its way, signed for or sent back by list, scanner or as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError
from inventory.domain.identifiers import format_public_id
from inventory.domain.kinds import kind_named
from inventory.i18n import Language
from inventory.services.once import Answer
from inventory.services.receiving import Delivery, Signature, accept, read_deliveries, refuse
from inventory.web.deps import FormDep, NowDep, SessionDep, WriteDep, language_of, require
from inventory.web.move_pages import read_items
from inventory.web.names import document_done, event_name, kind_name, node_name
from inventory.web.problems import explain, status_of
from inventory.web.rendering import render

router = APIRouter(prefix="/deliveries")

Watcher = Annotated[Caller, require(Permission.MOVEMENTS_READ)]
Receiver = Annotated[Caller, require(Permission.RECEIVE, writes=True)]
Verb = Literal["accept", "refuse"]
MovementId = Annotated[str, Path(max_length=40)]


@dataclass(frozen=True)
class Tried:
    """What was sent for one delivery and what came of it, to show the page again."""

    movement: str
    form: dict[str, str]
    refusal: DomainError | None = None
    answer: Answer | None = None


@router.get("")
async def show(request: Request, session: SessionDep, caller: Watcher) -> Response:
    """Show what is on its way from and to the person's part of the organisation."""
    return await _page(request, session, caller, None)


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
    """Sign for the items or send them back; without a list, all that are still on their way."""
    act = accept if verb == "accept" else refuse
    try:
        signature = Signature(
            movement=movement,
            selection=read_items(form["items"]) if form.get("items") else None,
            person=form.get("person") or None,
            reason=form.get("reason") or None,
        )
        done = await act(session, caller, write, signature, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried(movement, form, refusal=refusal))
    return await _page(request, session, caller, Tried(movement, {}, answer=done))


@router.get("/{movement}/{verb}", dependencies=[require(Permission.MOVEMENTS_READ)])
async def again(movement: MovementId, verb: Verb) -> Response:
    """Go to the list: an act is sent, not looked at, but its address may be asked for again (reload, language)."""
    del movement, verb
    return RedirectResponse("/deliveries", HTTPStatus.SEE_OTHER)


async def _page(request: Request, session: SessionDep, caller: Caller, tried: Tried | None) -> Response:
    language = language_of(request)
    refusal = None if tried is None else tried.refusal
    values = {
        "deliveries": [
            _shown(delivery, caller, tried, language=language) for delivery in await read_deliveries(session, caller)
        ],
        **document_done(None if tried is None else tried.answer, language),
        "problem": None if refusal is None else explain(request, refusal),
    }
    status = HTTPStatus.OK if refusal is None else status_of(refusal)
    return render(request, "deliveries/page.html", values, language=language, caller=caller, status=status)


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
        "form": {field: sent.get(field, "") for field in ("items", "person", "reason")},
    }
