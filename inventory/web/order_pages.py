"""Recall orders: order everything of a sort back, see who owes what, end an order."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError
from inventory.domain.kinds import KINDS, kind_named
from inventory.domain.reasons import Purpose
from inventory.downloads import FileDep, download
from inventory.i18n import Language
from inventory.services.once import Answer
from inventory.services.organisation import read_tree
from inventory.services.recall_orders import (
    OrderView,
    OrderWish,
    as_dict,
    end_order,
    order_recall,
    read_order,
    read_orders,
)
from inventory.services.short_lists import recall_order_listing
from inventory.store.organisation import PSEUDO
from inventory.web.code_tables import offered_classes, offered_reasons
from inventory.web.deps import FormDep, NowDep, RuntimeDep, SessionDep, WriteDep, language_of, require
from inventory.web.move_pages import read_number
from inventory.web.names import class_name, kind_name, node_name
from inventory.web.problems import render_form
from inventory.web.rendering import render
from inventory.web.texts import translations
from inventory.web.wording import PageWording

router = APIRouter(prefix="/orders")

Watcher = Annotated[Caller, require(Permission.MOVEMENTS_READ)]
Orderer = Annotated[Caller, require(Permission.ORDER_RECALL, writes=True)]
OrderId = Annotated[str, Path(max_length=40)]


@dataclass(frozen=True)
class Tried:
    """What was sent and what came of it, to show the page again; `order` is the id of the order that was to end."""

    form: dict[str, str]
    order: str = ""
    refusal: DomainError | None = None
    answer: Answer | None = None


@router.get("")
async def show(
    request: Request, session: SessionDep, caller: Watcher, runtime: RuntimeDep, file: FileDep, now: NowDep
) -> Response:
    """Show the orders to the person's part and for it."""
    if file is not None:
        return await download(runtime.database, caller, recall_order_listing(), file, PageWording(language_of(request)))
    return await _page(request, session, caller, None, now=now)


@router.post("")
async def give(
    request: Request, session: SessionDep, caller: Orderer, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Order everything of a sort back."""
    try:
        wish = OrderWish(
            resource=form.get("resource", ""),
            place=form.get("place", ""),
            below=form.get("below", ""),
            reason=form.get("reason", ""),
            of=form.get("of") or None,
            number_class=_class_of(form.get("number_class", "")),
        )
        done = await order_recall(session, caller, write, wish, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried(form, refusal=refusal), now=now)
    return await _page(request, session, caller, Tried({}, answer=done), now=now)


@router.get("/{order}")
async def one(request: Request, session: SessionDep, caller: Watcher, order: OrderId) -> Response:
    """Show an order with the items that the person's part owes."""
    language = language_of(request)
    page = await read_order(session, caller, order)
    values = {
        "order": _shown(page.view, caller, language),
        "items": [
            {
                "name": item.name,
                "holder": node_name(holder, language),
                "state": item.state,
                "on_the_way": item.on_the_way,
            }
            for item, holder in page.items
        ],
    }
    return render(request, "orders/one.html", values, language=language, caller=caller)


@router.post("/{order}/end")
async def end(
    request: Request,
    session: SessionDep,
    caller: Orderer,
    write: WriteDep,
    form: FormDep,
    now: NowDep,
    order: OrderId,
) -> Response:
    """End an order; what has not come back sells again."""
    try:
        done = await end_order(session, caller, write, order, form.get("reason", ""), now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried({}, order, refusal=refusal), now=now)
    return await _page(request, session, caller, Tried({}, order, answer=done), now=now)


@router.get("/{order}/end", dependencies=[require(Permission.MOVEMENTS_READ)])
async def again(order: OrderId) -> Response:
    """Go to the list: an act is sent, not looked at, but its address may be asked for again (reload, language)."""
    del order
    return RedirectResponse("/orders", HTTPStatus.SEE_OTHER)


def _class_of(text: str) -> int | None:
    """Read a class of numbers; nothing is every class.

    Raises
    ------
    InvalidField
        It is none.
    """
    return read_number("number_class", text, digits=2) if text else None


async def _page(request: Request, session: SessionDep, caller: Caller, tried: Tried | None, *, now: NowDep) -> Response:
    language = language_of(request)
    gettext = translations(language).gettext
    refusal = None if tried is None else tried.refusal
    sent = {} if tried is None else tried.form
    places = [node for node in await read_tree(session, caller) if node.level not in PSEUDO]
    done = ""
    if tried is not None and tried.answer is not None:
        words = gettext("Ended: %(order)s; %(owed)d items sell again.")
        if not tried.order:
            words = gettext("Ordered: %(order)s; %(came)d of %(asked)d items have come, %(owed)d are owed.")
        body = tried.answer.body
        done = words % {
            "order": body["id"],
            "came": body["came"],
            "asked": body["asked"],
            "owed": body["owed"] if not tried.order else body["asked"] - body["came"],
        }
    values = {
        "may_order": caller.may(Permission.ORDER_RECALL),
        "kinds": [{"name": kind.name, "label": kind_name(kind, language)} for kind in KINDS.values()],
        "classes": [
            {"value": number, "name": name}
            for number, name in (await offered_classes(session, caller, language, now=now)).items()
        ],
        "places": [{"code": node.code, "name": node_name(node, language)} for node in places],
        "form": {name: sent.get(name, "") for name in ("resource", "place", "below", "of", "number_class", "reason")},
        "orders": [_shown(view, caller, language) for view in await read_orders(session, caller)],
        "reasons": await offered_reasons(session, caller, language, Purpose.RECALL),
        "done": done,
    }
    return render_form(request, "orders/page.html", values, refusal, caller=caller)


def _shown(view: OrderView, caller: Caller, language: Language) -> dict[str, Any]:
    """Return an order as the pages show it."""
    order = view.order
    sort = [kind_name(kind_named(order.resource), language), order.sort or ""]
    sort += [] if order.number_class is None else [class_name(order.number_class, language)]
    return as_dict(view) | {
        "what": " · ".join(part for part in sort if part),
        "place": node_name(view.place, language),
        "below": node_name(view.below, language),
        "created_at": order.created_at,
        "closed": order.closed_at,
        "mine": order.place_id in caller.scope and caller.may(Permission.ORDER_RECALL),
        "debts": [
            {
                "holder": node_name(found.holder, language),
                "free": found.debt.free,
                "promised": found.debt.promised,
                "on_the_way": found.debt.on_the_way,
                "owed": found.debt.owed,
            }
            for found in view.debts
        ],
    }
