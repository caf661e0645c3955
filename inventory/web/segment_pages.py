"""The segments of the city with their groups, and how many of their numbers are in which state (REQ-NUM-12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.kinds import NUMBER
from inventory.downloads import FileDep, download
from inventory.services.catalogue import read_code_tables
from inventory.services.exporting import segment_listing
from inventory.services.segments import FIRST, SegmentView, read_groups, read_segments
from inventory.store.segments import SegmentFilter
from inventory.web.code_tables import names_of_number_kinds
from inventory.web.deps import RuntimeDep, SessionDep, language_of, require
from inventory.web.rendering import render
from inventory.web.wording import PageWording

router = APIRouter(prefix="/segments")

Reader = Annotated[Caller, require(Permission.NUMBERS_READ)]
_FIELDS = ("prefix", "group", "hlr", "kind", "carrier")
_LONGEST = 64


@router.get("")
async def show(
    request: Request,
    session: SessionDep,
    caller: Reader,
    runtime: RuntimeDep,
    file: FileDep,
    after: Annotated[str, Query(max_length=20)] = FIRST,
) -> Response:
    """List the segments that meet the conditions of the address, page by page; as a file all of them."""
    language = language_of(request)
    asked = {name: request.query_params.get(name, "").strip()[:_LONGEST] for name in _FIELDS}
    wanted = SegmentFilter(**{name: value or None for name, value in asked.items()})
    if file is not None:
        wording = PageWording(language, NUMBER.name)
        return await download(runtime.database, caller, segment_listing(wanted), file, wording)
    page = await read_segments(session, caller, wanted, after=after)
    given = {name: value for name, value in asked.items() if value}
    kinds = await names_of_number_kinds(session, caller, language)
    values = {
        "asked": asked,
        "choices": {
            "groups": {name: name for name in await read_groups(session, caller)},
            "hlrs": {row.code: row.name for row in (await read_code_tables(session, caller)).hlrs},
            "kinds": kinds,
        },
        "rows": [_line(view, kinds) for view in page.segments],
        "first": after == FIRST,
        "address": urlencode(given),
        "next": None if page.next_after is None else urlencode(given | {"after": page.next_after}),
    }
    return render(request, "stock/segments.html", values, language=language, caller=caller)


def _line(view: SegmentView, kinds: Mapping[str, str]) -> dict[str, Any]:
    """Return a segment as the page shows it."""
    segment = view.segment
    return {
        "prefix": segment.prefix,
        "size": segment.size,
        "kind": kinds[segment.kind],
        "carrier": segment.carrier,
        "hlr": segment.hlr_code,
        "group": segment.group,
        "states": view.states,
        "numbers": sum(view.states.values()),
    }
