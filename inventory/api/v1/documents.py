"""Movement documents of a place and a time, newest first."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import RuntimeDep, SessionDep, require
from inventory.api.models import Model
from inventory.api.problems import errors
from inventory.api.v1.movements import MovementAnswered, head_of
from inventory.domain.errors import InvalidField, NotFound, OrganisationUnknown, OutsideScope
from inventory.downloads import FILES, FileDep, download
from inventory.request_scope import BIGGEST
from inventory.services.documents import DocumentQuery, read_documents
from inventory.services.exporting import document_listing

router = APIRouter(tags=["movements"])


class Documents(Model):
    """Heads of documents, newest first; `next_before` asks for the page behind."""

    documents: list[MovementAnswered]
    next_before: int | None


@router.get(
    "/movements",
    operation_id="list_movements",
    summary="Documents of a place and a time",
    response_model=Documents,
    responses=FILES | errors(InvalidField, NotFound, OrganisationUnknown, OutsideScope),
)
async def get_documents(
    caller: Annotated[Caller, require(Permission.MOVEMENTS_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    file: FileDep,
    place: Annotated[str | None, Query(max_length=32, description="given or received there or below")] = None,
    kind: Annotated[str | None, Query(max_length=32, examples=["ISSUE"])] = None,
    resource: Annotated[str | None, Query(max_length=32, examples=["sim"])] = None,
    first: Annotated[date | None, Query(description="first day, as in the halls")] = None,
    last: Annotated[date | None, Query(description="last day, included")] = None,
    before: Annotated[int | None, Query(ge=1, le=BIGGEST, description="`next_before` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Documents | Response:
    """List documents given or received in the caller's part, page by page; as a file all of them."""
    query = DocumentQuery(place=place, kind=kind, resource=resource, first=first, last=last)
    if file is not None:
        return await download(runtime.database, caller, document_listing(query), file)
    page = await read_documents(session, caller, query, before=before, limit=limit)
    return Documents(
        documents=[
            head_of(
                document,
                None if document.from_holder is None else page.nodes[document.from_holder],
                page.nodes[document.to_holder],
                city_id=caller.city_id,
            )
            for document in page.documents
        ],
        next_before=page.next_before,
    )
