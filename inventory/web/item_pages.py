"""One item: what it is now, its whole life, and what may be done with it by hand."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError, InvalidField, NotFound
from inventory.domain.kinds import KINDS, NUMBER
from inventory.domain.money import parse_yuan
from inventory.i18n import Language
from inventory.services.fees import FeeWish, change_fee, read_fee_changes
from inventory.services.organisation import read_tree
from inventory.services.recalling import RecallWish, recall
from inventory.services.reporting import ItemView, LifeEntry, read_history, read_item
from inventory.services.status_release import RELEASES, ReleaseWish, release_status
from inventory.store.selection import ByName
from inventory.web.deps import FormDep, NowDep, SessionDep, WriteDep, language_of, require
from inventory.web.names import class_name, event_name, in_months, kind_name, node_name, yuan
from inventory.web.problems import explain
from inventory.web.rendering import render
from inventory.web.texts import translations

router = APIRouter(prefix="/items")

Reader = Annotated[Caller, require(Permission.NUMBERS_READ)]
Releaser = Annotated[Caller, require(Permission.STATUS_RELEASE, writes=True)]
Recaller = Annotated[Caller, require(Permission.RECALL, writes=True)]
FeeManager = Annotated[Caller, require(Permission.FEES_CHANGE, writes=True)]
Kind = Literal["number", "sim"]
_ICCID_STARTS = ("89", "98")
_ICCID_LEAST = 19


@router.get("", dependencies=[require(Permission.NUMBERS_READ)])
async def find(q: Annotated[str, Query(max_length=64)]) -> Response:
    """Go to the item that was typed or scanned."""
    name = "".join(q.split())
    kind = "sim" if len(name) >= _ICCID_LEAST and name.startswith(_ICCID_STARTS) else "number"
    return RedirectResponse(f"/items/{kind}/{name}" if name.isalnum() else "/stock", HTTPStatus.SEE_OTHER)


@router.get("/{kind}/{name}")
async def show(request: Request, session: SessionDep, caller: Reader, kind: Kind, name: str) -> Response:
    """Show the item and its life."""
    return await _page(request, session, caller, kind, name)


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
        approver=form.get("approver") or None,
    )
    try:
        await release_status(session, caller, write, wish, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, kind, name, refusal=refusal)
    return await _page(request, session, caller, kind, name, done="status")


@router.post("/{kind}/{name}/recall")
async def take_back(
    request: Request, session: SessionDep, caller: Recaller, write: WriteDep, form: FormDep, now: NowDep,
    kind: Kind, name: str,
) -> Response:  # fmt: skip
    """Recall the item to the direct parent of its holder (REQ-SIM-09, REQ-NUM-07)."""
    try:
        view = await read_item(session, caller, resource=kind, name=name)
        tree = {node.id: node for node in await read_tree(session, caller)}
        parent = tree.get(view.holder.parent_id or 0)
        if parent is None:
            raise NotFound(what="organisation", value=view.holder.code)
        wish = RecallWish(
            resource=kind,
            giver=view.holder.code,
            receiver=parent.code,
            selection=ByName((name,)),
            returner_name=form.get("returner") or None,
            reason=form.get("reason") or None,
        )
        await recall(session, caller, write, wish, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, kind, name, refusal=refusal)
    return await _page(request, session, caller, kind, name, done="recall")


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
            approver=form.get("approver") or None,
        )
        await change_fee(session, caller, write, wish, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, "number", name, refusal=refusal)
    return await _page(request, session, caller, "number", name, done="fee")


def _months(form: dict[str, str], field: str) -> int:
    text = form.get(field, "")
    if not text.isascii() or not text.isdigit() or len(text) > len("1200"):
        raise InvalidField(field=field, value=text, reason="a whole number of months")
    return int(text)


async def _page(
    request: Request,
    session: SessionDep,
    caller: Caller,
    kind: Kind,
    name: str,
    *,
    refusal: DomainError | None = None,
    done: Literal["status", "recall", "fee"] | None = None,
) -> Response:
    """Show the item as it is after whatever was tried with it."""
    language = language_of(request)
    view = await read_item(session, caller, resource=kind, name=name)
    life = await read_history(session, caller, resource=kind, name=name)
    tree = {node.code: node_name(node, language) for node in await read_tree(session, caller)}
    changes = await read_fee_changes(session, caller, number=name) if view.kind is NUMBER else []
    idle = view.item.hold_id is None and view.item.transit_id is None
    values = {
        "item": _shown(view, language),
        "life": [_life(entry, tree, language) for entry in reversed(life)],
        "fee_fields": _fee_fields(view, language),
        "fee_changes": [
            {
                "at": change.at,
                "before": _terms_line(change.before, language),
                "after": _terms_line(change.after, language),
                "who": change.staff_no if change.approver is None else f"{change.staff_no} / {change.approver}",
                "reason": change.reason,
            }
            for change in changes
        ],
        "releases": _releases(view) if idle and caller.may(Permission.STATUS_RELEASE) else [],
        "can": {
            "change_fee": view.fee is not None and idle and caller.may(Permission.FEES_CHANGE),
            "recall": idle
            and caller.may(Permission.RECALL)
            and view.holder.parent_id in caller.scope
            and view.item.state in {str(state) for state in view.kind.movable_up},
        },
        "form_open": "fee" if refusal is not None and request.url.path.endswith("/fee") else "",
        "problem": None if refusal is None else explain(request, refusal),
        "done": translations(language).gettext("Done.") if done else "",
    }
    status = HTTPStatus.OK if refusal is None else HTTPStatus.CONFLICT
    return render(request, "items/page.html", values, language=language, caller=caller, status=status)


def _releases(view: ItemView) -> list[str]:
    table = RELEASES[view.kind.name]
    return [target.value for source, target in table if source.value == view.item.state]


def _shown(view: ItemView, language: Language) -> dict[str, Any]:
    gettext = translations(language).gettext
    facts = [(gettext("Holder"), f"{node_name(view.holder, language)} ({view.holder.code})")]
    facts += [(gettext("Sale pool"), view.item.pool or gettext("not on sale"))]
    if view.segment is not None:
        facts += [(gettext("Segment"), view.segment.prefix), ("HLR", view.segment.hlr_code)]
    for column, label in (("serial", gettext("Chip serial")), ("kind_code", gettext("Card product"))):
        if view.item.row.get(column):
            facts.append((label, str(view.item.row[column])))
    if view.item.hold_until is not None:
        facts.append((gettext("Held until"), f"{view.item.hold_until:%Y-%m-%d %H:%M} UTC"))
    return {
        "kind": view.kind.name,
        "kind_label": kind_name(KINDS[view.kind.name], language),
        "key": view.item.name,
        "state": view.item.state,
        "facts": [{"label": label, "value": value} for label, value in facts],
        "fee": _fee_facts(view, language),
    }


def _fee_facts(view: ItemView, language: Language) -> list[dict[str, str]]:
    if view.fee is None:
        return []
    gettext = translations(language).gettext
    terms = view.fee.terms
    facts = [
        (gettext("Class"), class_name(view.fee.number_class, language)),
        (gettext("Rule"), view.fee.rule or (gettext("set by hand") if view.fee.changed else gettext("none"))),
        (gettext("Rule set"), f"v{view.fee.rule_set_version}"),
        (gettext("Selection fee"), yuan(terms.cash_fee)),
        (gettext("Prepayment"), yuan(terms.prepay)),
        (gettext("Returned over"), in_months(terms.return_months, language)),
        (gettext("Minimum a month"), yuan(terms.min_monthly)),
        (gettext("Commitment"), in_months(terms.commitment_months, language)),
    ]
    return [{"label": label, "value": value} for label, value in facts]


def _fee_fields(view: ItemView, language: Language) -> list[dict[str, str]]:
    if view.fee is None:
        return []
    gettext, terms = translations(language).gettext, view.fee.terms
    return [
        {"name": "prepay", "label": gettext("Prepayment"), "value": yuan(terms.prepay)[1:]},
        {"name": "return_months", "label": gettext("Returned over (months)"), "value": str(terms.return_months)},
        {"name": "min_monthly", "label": gettext("Minimum a month"), "value": yuan(terms.min_monthly)[1:]},
        {"name": "commitment_months", "label": gettext("Commitment (months)"), "value": str(terms.commitment_months)},
    ]


def _terms_line(fee: dict[str, Any], language: Language) -> str:
    months = in_months(fee["commitment_months"], language)
    return f"{yuan(fee['prepay_fen'])} · {yuan(fee['min_monthly_fen'])} · {months}"


def _life(entry: LifeEntry, places: dict[str, str], language: Language) -> dict[str, Any]:
    path = " → ".join(places.get(code, code) for code in (entry.giver, entry.receiver) if code)
    parts = (path, entry.person, entry.document, entry.order_ref, entry.reason)
    return {
        "headline": event_name(entry.what, language),
        "to_state": entry.to_state,
        "detail": " · ".join(part for part in parts if part),
        "at": entry.at,
        "who": f"{entry.staff_no} @ {entry.interface_no}",
    }
