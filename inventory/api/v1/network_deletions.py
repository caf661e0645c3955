"""What the network is told to delete: identities of cards that are gone for good."""

from __future__ import annotations

from typing import Annotated, Any, Self

from fastapi import APIRouter, Path, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model, Time
from inventory.api.problems import errors
from inventory.domain.auc import AucForm
from inventory.domain.errors import (
    InvalidField,
    InvalidIdentifier,
    NotFound,
    NothingToDelete,
    OutsideScope,
    TooManyLists,
)
from inventory.domain.identifiers import format_public_id
from inventory.downloads import FILES, FileDep, download, send
from inventory.services import auc_exports
from inventory.services.auc_deletions import PREFIX, DeletionWish, deletion_file, read_deletions, tell_deletions
from inventory.services.short_lists import network_deletion_listing
from inventory.store.auc_deletions import DeletionRow

router = APIRouter(tags=["network"])

Reader = Annotated[Caller, require(Permission.NETWORK_READ)]
Exporter = Annotated[Caller, require(Permission.NETWORK_EXPORT)]
ExporterNow = Annotated[Caller, require(Permission.NETWORK_EXPORT, writes=True)]
_FILE: dict[int | str, dict[str, Any]] = {200: {"content": {"application/octet-stream": {}}}}


class NewDeletion(Model):
    """What to tell the network to delete: identities that it knows, that nobody uses any more, in no earlier file."""

    form: AucForm
    hlr: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    most: Annotated[int, Field(ge=1, le=auc_exports.MOST)] = 100_000


class Told(Model):
    """A file of deletions that was made."""

    id: Annotated[str, Field(examples=["xd-530700-1"])]
    count: int


class Deletion(Told):
    """A file of deletions; `left` of its identities the network has not said that it deleted."""

    form: str
    hlr: str | None
    staff: str
    at: Time
    left: int

    @classmethod
    def of(cls, row: DeletionRow, city_id: int) -> Self:
        """Give a file as callers see it."""
        return cls(
            id=format_public_id(PREFIX, city_id, row.deletion_id),
            count=row.item_count,
            form=row.form,
            hlr=row.hlr_code,
            staff=row.staff_no,
            at=row.created_at,
            left=row.left,
        )


class Deletions(Model):
    """The city's files of deletions, the newest first; `waiting` identities are in none yet."""

    waiting: int
    deletions: list[Deletion]


@router.post(
    "/network-deletions",
    operation_id="tell_network_to_delete",
    status_code=201,
    summary="Tell the network to delete identities of cards that are gone",
    response_model=Told,
    responses=errors(InvalidField, NotFound, NothingToDelete, OutsideScope),
)
async def post_deletion(
    caller: ExporterNow, wish: NewDeletion, write: WriteDep, session: SessionDep, now: NowDep, response: Response
) -> dict[str, Any]:
    """Put them into a file, which is fetched afterwards, as often as needed. None is ever in two files."""
    asked = DeletionWish(form=wish.form.value, hlr=wish.hlr, most=wish.most)
    return reply(await tell_deletions(session, caller, write, asked, now=now), response, 201)


@router.get(
    "/network-deletions",
    operation_id="read_network_deletions",
    summary="What the network was told to delete",
    response_model=Deletions,
    responses=FILES | errors(OutsideScope),
)
async def get_deletions(
    caller: Reader, session: SessionDep, runtime: RuntimeDep, now: NowDep, file: FileDep
) -> Deletions | Response:
    """List the newest files and how much of each is left; as a file all of them."""
    if file is not None:
        return await download(runtime.database, caller, network_deletion_listing(now=now), file)
    rows, waiting = await read_deletions(session, caller, now=now)
    return Deletions(waiting=waiting, deletions=[Deletion.of(row, caller.city_id) for row in rows])


@router.get(
    "/network-deletions/{deletion_id}/file",
    operation_id="fetch_network_deletion",
    summary="A file of deletions",
    response_class=Response,
    responses=_FILE | errors(InvalidIdentifier, NotFound, OutsideScope, TooManyLists),
)
async def get_file(
    deletion_id: Annotated[str, Path(max_length=40, examples=["xd-530700-1"])],
    caller: Exporter,
    session: SessionDep,
    runtime: RuntimeDep,
    now: NowDep,
) -> Response:
    """Fetch what of the file the network has not deleted yet. Every fetch is told of by an event."""
    file = await deletion_file(session, caller, deletion_id, now=now)
    return await send(runtime.database, file.open, file.name, "application/octet-stream")
