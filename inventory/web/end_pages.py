"""Scrap, losses and what goes to another city: by list, scanner or range, signed by two; and who owes spoiled cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import ApprovalNeeded, DomainError
from inventory.domain.kinds import KINDS, SIM
from inventory.domain.organisation import Level
from inventory.i18n import Language
from inventory.services.ending import WAYS, Ending, EndWish, end
from inventory.services.once import Answer
from inventory.services.organisation import read_other_cities, read_tree
from inventory.services.spoiled import Spoiled, read_scrap_list, read_spoiled
from inventory.store.organisation import PSEUDO, Node
from inventory.web.approval_views import act_name
from inventory.web.asking import ask_and_wait
from inventory.web.code_tables import offered_reasons
from inventory.web.deps import FormDep, NowDep, SessionDep, WriteDep, language_of, require
from inventory.web.move_pages import read_items
from inventory.web.names import document_done, kind_name, node_name
from inventory.web.problems import render_form

router = APIRouter(prefix="/ends")

Reader = Annotated[Caller, require(Permission.STOCK_READ)]
KeeperNow = Annotated[Caller, require(Permission.BLOCK, writes=True)]
_FIELDS = ("resource", "place", "to_city", "items", "handed_in", "person", "reason", "reference")


@dataclass(frozen=True)
class Tried:
    """What was sent for a way and what came of it, to show the page again."""

    way: Ending
    form: Mapping[str, str] = field(default_factory=dict)
    refusal: DomainError | None = None
    answer: Answer | None = None


@router.get("")
async def show(
    request: Request,
    session: SessionDep,
    caller: Reader,
    way: Ending | None = None,
    place: Annotated[str, Query(max_length=64)] = "",
    resource: Annotated[str, Query(max_length=20)] = "",
    items: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Show who owes spoiled cards, and the form of a way; of scrap at a place with everything there to be scrapped."""
    chosen = way or (Ending.SCRAP if caller.may(Permission.END) else Ending.LOSE)
    form = {"place": place, "resource": resource, "items": items}
    if place and chosen is Ending.SCRAP:
        form["items"] = "\n".join(await read_scrap_list(session, caller, place=place))
    return await _page(request, session, caller, Tried(chosen, form))


@router.post("/{way}")
async def post(
    request: Request,
    session: SessionDep,
    caller: KeeperNow,
    write: WriteDep,
    form: FormDep,
    now: NowDep,
    way: Ending,
) -> Response:
    """Go the way with the items, or ask the second person for its word."""
    try:
        done = await end(session, caller, write, _wish(way, form), now=now)
    except ApprovalNeeded as needed:
        return await ask_and_wait(request, session, caller, write, needed, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried(way, form, refusal=refusal))
    return await _page(request, session, caller, Tried(way, answer=done))


@router.get("/{way}", dependencies=[require(Permission.STOCK_READ)])
async def again(way: Ending) -> Response:
    """Go to the form: an act is sent, not looked at, but its address may be asked for again (reload, language)."""
    return RedirectResponse(f"/ends?way={way}", HTTPStatus.SEE_OTHER)


def _wish(way: Ending, form: Mapping[str, str]) -> EndWish:
    """Read the form.

    Raises
    ------
    InvalidField
        The items cannot be read.
    """
    handed_in = tuple(form.get("handed_in", "").replace(",", "\n").split())
    return EndWish(
        way=way,
        resource=form.get("resource") or SIM.name,
        place=form.get("place", ""),
        selection=read_items(form.get("items", "")),
        reason=form.get("reason", ""),
        reference=form.get("reference") or None,
        person=form.get("person") or None,
        handed_in=handed_in if WAYS[way].handed_in else None,
        to_city=form.get("to_city") or None,
    )


async def _page(request: Request, session: SessionDep, caller: Caller, tried: Tried) -> Response:
    language = language_of(request)
    way = WAYS[tried.way]
    places = [node for node in await read_tree(session, caller) if node.level not in PSEUDO]
    if way.crosses:
        places = [node for node in places if node.level == Level.CITY.name]
    values = {
        "way": tried.way.value,
        "title": act_name(tried.way, language),
        "ways": [
            {"way": name.value, "label": act_name(name, language)}
            for name, each in WAYS.items()
            if caller.may(each.permission)
        ],
        "cities": [_option(node, language) for node in await read_other_cities(session, caller)] if way.crosses else [],
        "asks": {
            "city": way.crosses,
            "handed_in": way.handed_in,
            "reference": way.claimed,
            "second": not way.alone,
        },
        "purpose": way.purpose.value,
        "reasons": await offered_reasons(session, caller, language, way.purpose),
        "kinds": [{"name": name, "label": kind_name(KINDS[name], language)} for name in way.events],
        "places": [_option(node, language) for node in places],
        "form": {name: tried.form.get(name, "") for name in _FIELDS},
        "accounts": [_account(row, language) for row in await read_spoiled(session, caller)],
        **document_done(tried.answer, language),
    }
    return render_form(request, "ends/page.html", values, tried.refusal, caller=caller)


def _option(node: Node, language: Language) -> dict[str, str]:
    """Return a place to choose."""
    return {"code": node.code, "name": node_name(node, language)}


def _account(row: Spoiled, language: Language) -> dict[str, Any]:
    """Return what one holder owes as the page shows it."""
    return {
        "code": row.holder.code,
        "holder": node_name(row.holder, language),
        "sort": row.sort,
        "state": row.state,
        "count": row.count,
    }
