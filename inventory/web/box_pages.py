"""Boxes on pages: packed by scanner or range, with a label to stick on, and opened with a reason."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.boxes import PREFIX
from inventory.domain.errors import DomainError
from inventory.domain.kinds import SIM, kind_named
from inventory.domain.reasons import Purpose
from inventory.downloads import FileDep, download
from inventory.request_scope import BIGGEST
from inventory.services.boxes import PackWish, open_box, pack, read_box, read_boxes
from inventory.services.organisation import read_tree
from inventory.services.short_lists import box_listing
from inventory.store.organisation import CUSTOMER
from inventory.store.selection import ByBox
from inventory.web.barcode import barcode
from inventory.web.code_tables import offered_reasons
from inventory.web.deps import FormDep, NowDep, RuntimeDep, SessionDep, WriteDep, language_of, require
from inventory.web.move_pages import read_items
from inventory.web.names import kind_name, node_name
from inventory.web.problems import Tried, render_form
from inventory.web.wording import PageWording

router = APIRouter(prefix="/boxes")

Reader = Annotated[Caller, require(Permission.STOCK_READ)]
Packer = Annotated[Caller, require(Permission.PACK, writes=True)]
BoxCode = Annotated[str, Path(max_length=40)]


@router.get("")
async def show(request: Request, session: SessionDep, caller: Reader, runtime: RuntimeDep, file: FileDep) -> Response:
    """Show the boxes that lie in the person's part and the form that packs one."""
    if file is not None:
        return await download(runtime.database, caller, box_listing(), file, PageWording(language_of(request)))
    return await _list(request, session, caller, Tried())


@router.post("")
async def seal(
    request: Request, session: SessionDep, caller: Packer, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Pack a box and go to its page and label."""
    try:
        done = await pack(session, caller, write, _wish(form), now=now)
    except DomainError as refusal:
        return await _list(request, session, caller, Tried(form, refusal))
    return RedirectResponse(f"/boxes/{done.body['box']}", HTTPStatus.SEE_OTHER)


@router.get("/{box}")
async def one(
    request: Request,
    session: SessionDep,
    caller: Reader,
    box: BoxCode,
    after: Annotated[int, Query(ge=-1, le=BIGGEST)] = -1,
) -> Response:
    """Show a box with its label, where it lies and what is in it."""
    return await _page(request, session, caller, box, Tried(), after=after)


@router.post("/{box}/open")
async def unseal(
    request: Request, session: SessionDep, caller: Packer, write: WriteDep, form: FormDep, now: NowDep, box: BoxCode
) -> Response:
    """Break the seal."""
    try:
        await open_box(session, caller, write, box, form.get("reason", ""), now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, box, Tried(form, refusal))
    return RedirectResponse(f"/boxes/{box}", HTTPStatus.SEE_OTHER)


@router.get("/{box}/open", dependencies=[require(Permission.STOCK_READ)])
async def again(box: BoxCode) -> Response:
    """Go to the box: an act is sent, not looked at, but its address may be asked for again (reload, language)."""
    return RedirectResponse(f"/boxes/{box}", HTTPStatus.SEE_OTHER)


def _wish(form: dict[str, str]) -> PackWish:
    """Read the form: labels of boxes are packed as boxes, all else as items.

    Raises
    ------
    InvalidField
        The items cannot be read.
    """
    wished = read_items(form.get("items", ""))
    boxes, selection = (wished.codes, None) if isinstance(wished, ByBox) else ((), wished)
    return PackWish(
        resource=form.get("resource", SIM.name),
        place=form.get("place", ""),
        code=form.get("box", ""),
        selection=selection,
        boxes=boxes,
        seal=form.get("seal") or None,
    )


async def _list(request: Request, session: SessionDep, caller: Caller, tried: Tried) -> Response:
    language = language_of(request)
    places = [node for node in await read_tree(session, caller) if node.level != CUSTOMER]
    values = {
        "may_pack": caller.may(Permission.PACK),
        "places": [{"code": node.code, "name": node_name(node, language)} for node in places],
        "form": {name: tried.form.get(name, "") for name in ("place", "box", "seal", "items")},
        "boxes": [
            {"row": row, "place": node_name(place, language), "kind": kind_name(kind_named(row.resource), language)}
            for row, place in await read_boxes(session, caller)
        ],
    }
    return render_form(request, "boxes/page.html", values, tried.refusal, caller=caller)


async def _page(
    request: Request, session: SessionDep, caller: Caller, box: str, tried: Tried, *, after: int = -1
) -> Response:
    language = language_of(request)
    view = await read_box(session, caller, box, after=after)
    values = {
        "row": view.row,
        "kind": kind_name(kind_named(view.row.resource), language),
        "code": barcode(f"{PREFIX}{view.row.code}"),
        "parent": view.parent and view.parent.code,
        "inside": [row.code for row in view.inside],
        "lying": [
            {
                "holder": node_name(node, language),
                "state": group.state,
                "on_the_way": group.on_the_way,
                "count": group.count,
            }
            for group, node in view.lying
        ],
        "items": view.items,
        "first": after < 0,
        "next_after": view.next_after,
        "reasons": await offered_reasons(session, caller, language, Purpose.OPEN),
        "may_open": view.row.state == "SEALED" and caller.may(Permission.PACK),
        "form": {"reason": tried.form.get("reason", "")},
    }
    return render_form(request, "boxes/one.html", values, tried.refusal, caller=caller)
