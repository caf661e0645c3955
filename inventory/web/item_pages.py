"""One item: what it is now, its whole life, and what may be done with it by hand."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import ApprovalNeeded, DomainError, NotFound
from inventory.domain.kinds import NUMBER, SIM
from inventory.domain.lifecycle import SimState
from inventory.domain.money import parse_yuan
from inventory.domain.reasons import Purpose
from inventory.services.fees import FeeWish, change_fee, read_fee_changes
from inventory.services.loss import LossWish, report_loss, withdraw_loss
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.organisation import read_above, read_other_cities, read_tree
from inventory.services.reporting import ItemView, read_card_identities, read_history, read_item
from inventory.services.status_release import ReleaseWish, release_status
from inventory.store.selection import ByName
from inventory.web.asking import ask_and_wait
from inventory.web.code_tables import offered_reasons
from inventory.web.deps import FormDep, NowDep, SessionDep, WriteDep, language_of, require
from inventory.web.item_views import change_line, facts_of, fee_fields, life_line, releases
from inventory.web.move_pages import read_number
from inventory.web.names import node_name
from inventory.web.problems import render_form
from inventory.web.rendering import render
from inventory.web.texts import translations

router = APIRouter(prefix="/items")

Reader = Annotated[Caller, require(Permission.NUMBERS_READ)]
Releaser = Annotated[Caller, require(Permission.STATUS_RELEASE, writes=True)]
Recaller = Annotated[Caller, require(Permission.RECALL, writes=True)]
FeeManager = Annotated[Caller, require(Permission.FEES_CHANGE, writes=True)]
Seller = Annotated[Caller, require(Permission.HOLDS_WRITE, writes=True)]
Kind = Literal["number", "sim"]
_ACTS = frozenset({"release-status", "recall", "fee", "loss", "found"})

_LOSS = {SimState.IN_USE.value: "loss", SimState.REPORTED_LOST.value: "found"}
"""What may be said of a customer's card, by its state."""


@dataclass(frozen=True)
class Tried:
    """What was sent and what came of it, to show the page again."""

    act: str
    form: dict[str, str]
    refusal: DomainError | None = None

    def shown(self) -> dict[str, str]:
        """Return what the form of the act is filled with again; nothing after a success."""
        return {"act": self.act, "reason": self.form.get("reason", "")}


@router.get("/{kind}/{name}")
async def show(request: Request, session: SessionDep, caller: Reader, kind: Kind, name: str) -> Response:
    """Show the item and its life."""
    return await _page(request, session, caller, kind, name)


@router.get("/{kind}/{name}/{act}", dependencies=[require(Permission.NUMBERS_READ)])
async def again(kind: Kind, name: str, act: str) -> Response:
    """Go to the item: an act is sent, not looked at, but its address may be asked for again (reload, language)."""
    if act not in _ACTS:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return RedirectResponse(f"/items/{kind}/{quote(name, safe='')}", HTTPStatus.SEE_OTHER)


@router.post("/{kind}/{name}/release-status")
async def release(
    request: Request, session: SessionDep, caller: Releaser, write: WriteDep, form: FormDep, now: NowDep,
    kind: Kind, name: str,
) -> Response:  # fmt: skip
    """Set the item's state by hand, with a reason (REQ-SIM-11, REQ-NUM-10)."""
    wish = ReleaseWish(
        resource=kind,
        item=name,
        to_state=form.get("to", ""),
        reason=form.get("reason", ""),
    )
    try:
        await release_status(session, caller, write, wish, now=now)
    except ApprovalNeeded as needed:
        return await ask_and_wait(request, session, caller, write, needed, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, kind, name, Tried("release-status", form, refusal))
    return await _page(request, session, caller, kind, name, Tried("release-status", {}))


@router.post("/{kind}/{name}/recall")
async def take_back(
    request: Request, session: SessionDep, caller: Recaller, write: WriteDep, form: FormDep, now: NowDep,
    kind: Kind, name: str,
) -> Response:  # fmt: skip
    """Recall the item to the direct parent of its holder (REQ-SIM-09, REQ-NUM-07)."""
    try:
        view = await read_item(session, caller, resource=kind, name=name)
        nodes = [*await read_above(session, caller), *await read_tree(session, caller)]
        parent = next((node for node in nodes if node.id == view.holder.parent_id), None)
        if parent is None:
            raise NotFound(what="organisation", value=view.holder.code)
        wish = MoveWish(
            verb=Verb.RECALL,
            resource=kind,
            giver=view.holder.code,
            receiver=parent.code,
            selection=ByName((name,)),
            person=form.get("returner") or None,
            reason=form.get("reason") or None,
        )
        await move(session, caller, write, wish, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, kind, name, Tried("recall", form, refusal))
    try:
        return await _page(request, session, caller, kind, name, Tried("recall", {}))
    except NotFound:  # it lies above the person now
        values = {"holder": node_name(parent, language_of(request)), "item": name}
        return render(request, "items/handed_back.html", values, language=language_of(request), caller=caller)


@router.post("/sim/{name}/loss")
async def lost(
    request: Request, session: SessionDep, caller: Seller, write: WriteDep, form: FormDep, now: NowDep, name: str
) -> Response:
    """Report a customer's card lost (S13)."""
    try:
        await report_loss(session, caller, write, LossWish(card=name, reason=form.get("reason") or None), now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, "sim", name, Tried("loss", form, refusal))
    return await _page(request, session, caller, "sim", name, Tried("loss", {}))


@router.post("/sim/{name}/found")
async def found_again(
    request: Request, session: SessionDep, caller: Seller, write: WriteDep, form: FormDep, now: NowDep, name: str
) -> Response:
    """Take the report back (S13)."""
    try:
        await withdraw_loss(session, caller, write, LossWish(card=name, reason=form.get("reason") or None), now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, "sim", name, Tried("found", form, refusal))
    return await _page(request, session, caller, "sim", name, Tried("found", {}))


@router.post("/number/{name}/fee")
async def set_fee(
    request: Request, session: SessionDep, caller: FeeManager, write: WriteDep, form: FormDep, now: NowDep, name: str
) -> Response:
    """Change what one number costs; both values are kept (REQ-FEE-02)."""
    try:
        wish = FeeWish(
            number=name,
            prepay=parse_yuan(form.get("prepay", ""), field="prepay"),
            min_monthly=parse_yuan(form.get("min_monthly", ""), field="min_monthly"),
            return_months=_months(form, "return_months"),
            commitment_months=_months(form, "commitment_months"),
            reason=form.get("reason", ""),
        )
        await change_fee(session, caller, write, wish, now=now)
    except ApprovalNeeded as needed:
        return await ask_and_wait(request, session, caller, write, needed, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, "number", name, Tried("fee", form, refusal))
    return await _page(request, session, caller, "number", name, Tried("fee", {}))


def _months(form: dict[str, str], field: str) -> int:
    return read_number(field, form.get(field, ""), digits=4, reason="a whole number of months")


async def _page(
    request: Request, session: SessionDep, caller: Caller, kind: Kind, name: str, tried: Tried | None = None
) -> Response:
    """Show the item as it is after whatever was tried with it."""
    language = language_of(request)
    view = await read_item(session, caller, resource=kind, name=name)
    life = await read_history(session, caller, resource=kind, name=name)
    nodes = [view.holder, *await read_above(session, caller), *await read_tree(session, caller)]
    if any(entry.what == "movement.city_out" for entry in life):
        nodes += await read_other_cities(session, caller)
    places = {node.code: node_name(node, language) for node in nodes}
    changes = await read_fee_changes(session, caller, number=name) if view.kind is NUMBER and _own(view, caller) else []
    item_no = view.item.item_no
    identities = [] if view.kind is NUMBER else await read_card_identities(session, caller, item_no=item_no)
    refusal = None if tried is None else tried.refusal
    values = {
        "item": facts_of(view, language, identities),
        "life": [life_line(entry, places, language) for entry in reversed(life)],
        "fee_fields": fee_fields(view, language, {} if tried is None else tried.form),
        "fee_changes": [change_line(change, language) for change in changes],
        "releases": releases(view) if _may_release(view, caller) else [],
        "loss": _LOSS.get(view.item.state, "") if kind == SIM.name and caller.may(Permission.HOLDS_WRITE) else "",
        "can": {
            "place_order": caller.may(Permission.LEGAL_PLACE),
            "change_fee": view.fee is not None and _idle(view, caller) and caller.may(Permission.FEES_CHANGE),
            "recall": _idle(view, caller)
            and caller.may(Permission.RECALL)
            and view.holder.parent_id is not None
            and view.item.state in {str(state) for state in view.kind.movable_up},
        },
        "reasons": await offered_reasons(session, caller, language, Purpose.FEE, Purpose.RELEASE, Purpose.RECALL),
        "sent": {"act": "", "reason": ""} if tried is None else tried.shown(),
        "done": translations(language).gettext("Done.") if tried is not None and refusal is None else "",
    }
    return render_form(request, "items/page.html", values, refusal, caller=caller)


def _own(view: ItemView, caller: Caller) -> bool:
    """Whether the item lies in the caller's part; a clerk also looks at its hall's, and at what it sold."""
    return view.holder.id in caller.scope


def _idle(view: ItemView, caller: Caller) -> bool:
    """Whether something may be done with the item by hand."""
    return _own(view, caller) and view.item.hold_id is None and view.item.transit_id is None


def _may_release(view: ItemView, caller: Caller) -> bool:
    """Whether the state may be set by hand: never under a legal hold."""
    return _idle(view, caller) and caller.may(Permission.STATUS_RELEASE) and not view.item.row["legal_hold"]
