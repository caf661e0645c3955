"""Large files from the page: its script sends them in pieces before it sends the form."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Header, Path, Request
from fastapi.responses import JSONResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError, UploadOffset
from inventory.request_scope import BIGGEST
from inventory.services.uploads import Piece, UploadWish, append, begin_upload, read_upload, upload_as_json
from inventory.web.deps import NowDep, RuntimeDep, SessionDep, WriteDep, require
from inventory.web.problems import explain, status_of

router = APIRouter(prefix="/loads/uploads")

Sender = Annotated[Caller, require(Permission.LOADS_WRITE, writes=True)]
UploadId = Annotated[str, Path(max_length=40)]


@router.post("")
async def begin(
    request: Request,
    session: SessionDep,
    caller: Sender,
    write: WriteDep,
    now: NowDep,
    name: Annotated[str, Form(max_length=400)],
    size: Annotated[int, Form(ge=0, le=BIGGEST)],
) -> Response:
    """Begin an upload."""
    try:
        answer = await begin_upload(session, caller, write, UploadWish(name=name, size=size), now=now)
    except DomainError as refusal:
        return _refused(request, refusal)
    return JSONResponse(answer.body, 201)


@router.patch("/{upload}")
async def more(
    request: Request,
    session: SessionDep,
    caller: Sender,
    runtime: RuntimeDep,
    upload: UploadId,
    offset: Annotated[int, Header(alias="Upload-Offset", ge=0, le=BIGGEST)],
    now: NowDep,
) -> Response:
    """Add a piece; sent to the wrong place, say where the upload goes on."""
    piece = Piece(offset=offset, content=await request.body())
    try:
        stands = await append(session, caller, upload, piece, vault=runtime.vault, now=now)
    except UploadOffset as refusal:
        return _refused(request, refusal, offset=refusal.params["offset"], id=upload)
    except DomainError as refusal:
        return _refused(request, refusal)
    return JSONResponse(upload_as_json(stands))


@router.get("/{upload}")
async def stands(
    request: Request,
    session: SessionDep,
    caller: Annotated[Caller, require(Permission.LOADS_WRITE)],
    upload: UploadId,
) -> Response:
    """Say where the upload stands, to go on from there."""
    try:
        return JSONResponse(upload_as_json(await read_upload(session, caller, public_id=upload)))
    except DomainError as refusal:
        return _refused(request, refusal)


def _refused(request: Request, refusal: DomainError, **more: Any) -> Response:
    """Answer the script with the refusal in words."""
    return JSONResponse({"detail": explain(request, refusal).detail, **more}, status_of(refusal))
