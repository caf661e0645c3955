"""What the network is told of identities on cards, and what it answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Path, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model, Time
from inventory.api.problems import errors
from inventory.domain.auc import AucAnswer, AucForm
from inventory.domain.errors import (
    ApprovalDiffers,
    ApprovalNeeded,
    ApprovalNotGranted,
    InvalidField,
    InvalidIdentifier,
    NotFound,
    NothingToExport,
    OutsideScope,
    TooManyLists,
    TransportKeyNotOpened,
    TransportKeyUnfit,
)
from inventory.domain.identifiers import format_public_id
from inventory.downloads import FILES, FileDep, download, send
from inventory.services import auc_answers, auc_exports
from inventory.services.auc_answers import NetworkAnswer, read_failing_calls, read_waiting, take_answers
from inventory.services.auc_exports import ExportWish, export, export_file, read_exports
from inventory.services.short_lists import network_export_listing
from inventory.store.auc import ExportRow

router = APIRouter(tags=["network"])

Reader = Annotated[Caller, require(Permission.NETWORK_READ)]
Exporter = Annotated[Caller, require(Permission.NETWORK_EXPORT)]
_FILE: dict[int | str, dict[str, Any]] = {200: {"content": {"application/octet-stream": {}}}}
ExporterNow = Annotated[Caller, require(Permission.NETWORK_EXPORT, writes=True)]


class ExportTerms(Model):
    """What to tell the network: proven identities that it does not know of, or has refused."""

    form: AucForm
    transport_key: Annotated[str, Field(min_length=1, max_length=32, examples=["HSS1"])]
    hlr: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    most: Annotated[int, Field(ge=1, le=auc_exports.MOST)] = 100_000

    def wish(self, approval: str | None) -> ExportWish:
        """Give what the service takes."""
        return ExportWish(
            form=self.form.value, transport_key=self.transport_key, hlr=self.hlr, most=self.most, approval=approval
        )


class NewExport(ExportTerms):
    """An export with the id of the second person's word (`POST /v1/approvals`, act `export_to_network`)."""

    approval: Annotated[str, Field(max_length=40, examples=["a-530700-12"])] | None = None


class Exported(Model):
    """An export that was made: so many identities are marked as sent."""

    id: Annotated[str, Field(examples=["x-530700-1"])]
    count: int


class Export(Exported):
    """An export and what the network answered so far; `states` counts its identities by what is known of them."""

    form: str
    transport_key: str
    hlr: str | None
    staff: str
    approver: str
    at: Time
    states: dict[str, int]

    @classmethod
    def of(cls, row: ExportRow, city_id: int) -> Self:
        """Give an export as callers see it."""
        return cls(
            id=format_public_id(auc_exports.PREFIX, city_id, row.export_id),
            count=row.item_count,
            form=row.form,
            transport_key=row.transport_key_index,
            hlr=row.hlr_code,
            staff=row.staff_no,
            approver=row.approver,
            at=row.created_at,
            states=dict(row.states),
        )


class Exports(Model):
    """The city's exports, the newest first."""

    exports: list[Export]


class Said(Model):
    """What the network said of one identity; a reason goes into the life of its card."""

    imsi: Annotated[str, Field(pattern="^[0-9]{6,15}$")]
    result: Literal["confirmed", "failed", "deleted"]
    reason: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class Answers(Model):
    """What the network said."""

    answers: Annotated[list[Said], Field(min_length=1, max_length=auc_answers.MOST)]


class RefusedAnswer(Model):
    """An answer that changed nothing.

    `unknown`, what the identity is, such as `is_none` (never sent), or `serves_number`: it is not deleted then.
    """

    row: int
    code: str


class Heard(Model):
    """How many identities the answers changed, and which answers were not taken, by their row from 1."""

    confirmed: int
    failed: int
    deleted: int = 0
    unchanged: int
    completed: int = Field(0, description="sales that waited for this and are complete now")
    refused: list[RefusedAnswer]


@router.post(
    "/network-exports",
    operation_id="export_to_network",
    status_code=201,
    summary="Tell the network of proven identities",
    response_model=Exported,
    responses=errors(
        ApprovalDiffers,
        ApprovalNeeded,
        ApprovalNotGranted,
        InvalidField,
        InvalidIdentifier,
        NotFound,
        NothingToExport,
        OutsideScope,
        TransportKeyNotOpened,
        TransportKeyUnfit,
    ),
)
async def post_export(
    caller: ExporterNow,
    wish: NewExport,
    write: WriteDep,
    session: SessionDep,
    runtime: RuntimeDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Mark them as sent; the file is fetched afterwards, as often as needed. Always an act of two persons."""
    done = await export(session, caller, write, wish.wish(wish.approval), vault=runtime.vault, now=now)
    return reply(done, response, 201)


@router.get(
    "/network-exports",
    operation_id="read_network_exports",
    summary="What the network was told",
    response_model=Exports,
    responses=FILES | errors(OutsideScope),
)
async def get_exports(caller: Reader, session: SessionDep, runtime: RuntimeDep, file: FileDep) -> Exports | Response:
    """List the newest exports with what the network answered; as a file all of them, without anything of the cards."""
    if file is not None:
        return await download(runtime.database, caller, network_export_listing(), file)
    return Exports(exports=[Export.of(row, caller.city_id) for row in await read_exports(session, caller)])


@router.get(
    "/network-exports/{export_id}/file",
    operation_id="fetch_network_export",
    summary="The file of an export",
    response_class=Response,
    responses=_FILE | errors(InvalidIdentifier, NotFound, OutsideScope, TooManyLists, TransportKeyNotOpened),
)
async def get_file(
    export_id: Annotated[str, Path(max_length=40, examples=["x-530700-1"])],
    caller: Exporter,
    session: SessionDep,
    runtime: RuntimeDep,
    now: NowDep,
) -> Response:
    """Fetch the file; K and OPc lie under the export's transport key. Every fetch is told of by an event."""
    file = await export_file(session, caller, export_id, vault=runtime.vault, now=now)
    return await send(runtime.database, file.open, file.name, "application/octet-stream")


class Waiting(Model):
    """A sale that waits for the network: `auc` says why; `none` is to be told, `failed` to be mended or told again."""

    number: str
    iccid: str | None
    auc: Literal["none", "sent", "failed", "deleted"]
    since: Time


class WaitingSales(Model):
    """Sales that wait, those to do something about first; `count` is how many there are in all."""

    count: int
    sales: list[Waiting]


@router.get(
    "/network-waiting",
    operation_id="read_sales_waiting_for_network",
    summary="Sales that wait for the network's word",
    responses=errors(OutsideScope),
)
async def get_waiting(caller: Reader, session: SessionDep) -> WaitingSales:
    """List them: only in a city whose policy `completion` says so, number and card stay COMPLETING until then."""
    lines, count = await read_waiting(session, caller)
    return WaitingSales(count=count, sales=[Waiting(**vars(line)) for line in lines])


class FailingCall(Model):
    """A card whose answer the operator's system has not taken, and when it is told again; `why` is the last failure."""

    number: str
    serial: str
    iccid: str | None
    transaction: str | None
    since: Time
    tries: int
    due_at: Time
    why: str | None


class OperatorCalls(Model):
    """Calls that fail, the oldest first; `waiting` and `failing` count all that are to be made and that have failed."""

    waiting: int
    failing: int
    calls: list[FailingCall]


@router.get(
    "/operator-calls",
    operation_id="read_failing_operator_calls",
    summary="Calls to the operator's card-data system that fail",
    responses=errors(OutsideScope),
)
async def get_operator_calls(caller: Reader, session: SessionDep) -> OperatorCalls:
    """List them: each is made again by itself; its card stays unknown until the system has spoken."""
    found, counts = await read_failing_calls(session, caller)
    calls = [FailingCall(**vars(call)) for call in found]
    return OperatorCalls(waiting=counts.waiting, failing=counts.failing, calls=calls)


@router.post(
    "/network-answers",
    operation_id="answer_for_network",
    summary="Take in what the network answered",
    response_model=Heard,
    responses=errors(InvalidField, OutsideScope),
)
async def post_answers(
    caller: Annotated[Caller, require(Permission.NETWORK_ANSWER, writes=True)],
    wish: Answers,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Mark identities as confirmed, failed or deleted; the same answer again changes nothing.

    The data of a deleted identity are retired: its IMSI may go to another card.
    """
    answers = [NetworkAnswer(said.imsi, AucAnswer(said.result), said.reason) for said in wish.answers]
    return reply(await take_answers(session, caller, write, answers, now=now), response)
