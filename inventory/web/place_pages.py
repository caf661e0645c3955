"""The places of a city: its districts, halls and clerks' drawers, listed and added."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError, InvalidField
from inventory.domain.organisation import Level, level_of
from inventory.i18n import Language
from inventory.services.organisation import NodeWish, add_node, read_tree
from inventory.store.organisation import PSEUDO, Node
from inventory.web.deps import FormDep, NowDep, RuntimeDep, SessionDep, WriteDep, language_of, require
from inventory.web.names import node_name
from inventory.web.problems import Tried, render_form
from inventory.web.texts import translations

router = APIRouter(prefix="/places")

Reader = Annotated[Caller, require(Permission.SETUP_READ)]
PlacesNow = Annotated[Caller, require(Permission.ORGANISATION_WRITE, writes=True)]
_PLACE = ("parent", "code", "name_zh", "name_en")
_LONGEST_NAME = 64
_LEVELS = {Level.CITY: "city company", Level.DISTRICT: "district", Level.POINT: "sales point", Level.CLERK: "clerk"}


@router.get("")
async def places(request: Request, session: SessionDep, caller: Reader) -> Response:
    """Show the places of the person's part, and the form that adds one."""
    return await _places(request, session, caller, Tried())


@router.post("")
async def post_place(
    request: Request,
    session: SessionDep,
    caller: PlacesNow,
    runtime: RuntimeDep,
    write: WriteDep,
    form: FormDep,
    now: NowDep,
) -> Response:
    """Add a district, hall or clerk's drawer."""
    try:
        tree = await read_tree(session, caller)
        parent = next((node for node in tree if node.code == form.get("parent")), None)
        if parent is None:
            raise InvalidField(field="parent", value=form.get("parent", ""), reason="a place of your own part")
        names = {name: _named(name, form.get(name, "")) for name in ("name_zh", "name_en")}
        wish = NodeWish(parent_id=parent.id, code=form.get("code", ""), **names)
        await add_node(session, caller, write, wish, now=now)
        runtime.callers.clear()
    except DomainError as refusal:
        return await _places(request, session, caller, Tried(form, refusal))
    return RedirectResponse("/places", HTTPStatus.SEE_OTHER)


def _named(field: str, text: str) -> str:
    if not 0 < len(text) <= _LONGEST_NAME:
        raise InvalidField(field=field, value=text, reason=f"1 to {_LONGEST_NAME} characters")
    return text


async def _places(request: Request, session: SessionDep, caller: Caller, tried: Tried) -> Response:
    language = language_of(request)
    nodes = [node for node in await read_tree(session, caller) if node.level not in PSEUDO]
    values = {
        "may_add": caller.may(Permission.ORGANISATION_WRITE),
        "places": [_place(node, language) for node in nodes],
        "parents": [_place(node, language) for node in nodes if node.active and node.level != Level.CLERK.name],
        "sent": {name: tried.form.get(name, "") for name in _PLACE},
    }
    return render_form(request, "setup/places.html", values, tried.refusal, caller=caller)


def _place(node: Node, language: Language) -> dict[str, Any]:
    """Return a place as the page shows it; `depth` is 0 for the city company."""
    level = level_of(node.path)
    return {
        "code": node.code,
        "name": node_name(node, language),
        "other_name": node.name_zh if language == "en" else node.name_en,
        "level": translations(language).gettext(_LEVELS[level]),
        "depth": level - Level.CITY,
        "active": node.active,
    }
