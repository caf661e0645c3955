"""Large files: sent in pieces, taken up again where they broke off, then loaded in the background."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model
from inventory.api.problems import errors
from inventory.domain.errors import (
    AlreadyLoaded,
    InvalidField,
    InvalidIdentifier,
    NotFound,
    UploadDamaged,
    UploadIncomplete,
    UploadOffset,
)
from inventory.domain.loading.packing import LARGEST
from inventory.request_scope import BIGGEST
from inventory.services.load_terms import FileKind, LoadTerms
from inventory.services.loading import start_load
from inventory.services.uploads import (
    LONGEST_NAME,
    Piece,
    UploadWish,
    append,
    begin_upload,
    delete_upload,
    read_upload,
    upload_as_json,
)

router = APIRouter(tags=["loads"])

UploadId = Annotated[str, Path(examples=["u-530700-7"], max_length=40)]
Text = Annotated[str, Field(max_length=64)]
_BYTES = "application/octet-stream"


class NewUpload(Model):
    """A file to send: its name, its size in bytes, and its SHA-256 in hex if the sender knows it."""

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
    size: Annotated[int, Field(ge=1, le=LARGEST)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None


class UploadView(Model):
    """An upload as it stands: `offset` bytes of its `size` are here; its `sha256` is known once all of it is."""

    id: str
    name: str
    size: int
    offset: int
    sha256: str | None


class Terms(Model):
    """How a file is to be loaded; `columns` says where those of a list are: `iccid=2,serial=卡片编号`.

    `keep_good` takes the good rows and lists the bad ones, `dry_run` checks everything and takes nothing. `announced`
    cards come later: each is available once it is scanned.
    """

    kind: FileKind
    card_kind: Text | None = None
    hlr: Text | None = Field(default=None, description="the HLR of finished cards whose rows name none")
    vendor: Text | None = None
    pool: Text | None = None
    columns: Annotated[str, Field(max_length=400)] = ""
    keep_good: bool = False
    dry_run: bool = False
    announced: bool = False


class Begun(Model):
    """A load that runs in the background: `GET /v1/loads/{id}` tells how far it is."""

    id: str
    state: str


@router.post(
    "/uploads",
    operation_id="begin_upload",
    status_code=201,
    summary="Begin to send a large file",
    response_model=UploadView,
    responses=errors(InvalidField),
)
async def post_upload(
    caller: Annotated[Caller, require(Permission.LOADS_WRITE, writes=True)],
    wish: NewUpload,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Begin an upload; its parts are encrypted as they come, and it lies a day if nobody loads it."""
    sha256 = None if wish.sha256 is None else bytes.fromhex(wish.sha256)
    answer = await begin_upload(
        session, caller, write, UploadWish(name=wish.name, size=wish.size, sha256=sha256), now=now
    )
    return reply(answer, response, 201)


@router.patch(
    "/uploads/{upload_id}",
    operation_id="append_to_upload",
    summary="Send the next piece of a file",
    responses=errors(InvalidField, InvalidIdentifier, NotFound, UploadDamaged, UploadOffset),
    openapi_extra={
        "requestBody": {"required": True, "content": {_BYTES: {"schema": {"type": "string", "format": "binary"}}}}
    },
)
async def patch_upload(
    caller: Annotated[Caller, require(Permission.LOADS_WRITE, writes=True)],
    upload_id: UploadId,
    offset: Annotated[int, Header(alias="Upload-Offset", ge=0, le=BIGGEST, description="where the piece begins")],
    request: Request,
    runtime: RuntimeDep,
    session: SessionDep,
    now: NowDep,
) -> UploadView:
    """Add the bytes of the body at the offset. The offset is its key: a piece that is here already changes nothing."""
    piece = Piece(offset=offset, content=await request.body())
    upload = await append(session, caller, upload_id, piece, vault=runtime.vault, now=now)
    return UploadView(**upload_as_json(upload))


@router.get(
    "/uploads/{upload_id}",
    operation_id="read_upload",
    summary="How much of a file is here",
    responses=errors(InvalidIdentifier, NotFound),
)
async def get_upload(
    upload_id: UploadId, caller: Annotated[Caller, require(Permission.LOADS_WRITE)], session: SessionDep
) -> UploadView:
    """Say where an upload stands, to go on from there after a lost connection."""
    return UploadView(**upload_as_json(await read_upload(session, caller, public_id=upload_id)))


@router.delete(
    "/uploads/{upload_id}",
    operation_id="delete_upload",
    status_code=204,
    summary="Forget a file",
    responses=errors(InvalidIdentifier),
)
async def remove_upload(
    upload_id: UploadId, caller: Annotated[Caller, require(Permission.LOADS_WRITE, writes=True)], session: SessionDep
) -> None:
    """Forget an upload that no load needs; one that is gone already is no fault."""
    await delete_upload(session, caller, public_id=upload_id)


@router.post(
    "/uploads/{upload_id}:load",
    operation_id="load_upload",
    status_code=202,
    summary="Load a file that was sent",
    response_model=Begun,
    responses=errors(AlreadyLoaded, InvalidField, InvalidIdentifier, NotFound, UploadIncomplete),
)
async def post_upload_load(
    caller: Annotated[Caller, require(Permission.LOADS_WRITE, writes=True)],
    upload_id: UploadId,
    terms: Terms,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Let a worker load it; the upload goes once it is in stock, and stays after a trial or a refusal."""
    answer = await start_load(session, caller, write, upload_id, LoadTerms(**terms.model_dump()), now=now)
    return reply(answer, response, 202)
