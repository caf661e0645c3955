"""Approvals: a second person's word on exactly one act, asked for, given or refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model, Time
from inventory.api.problems import errors
from inventory.api.v1.deliveries import SettleTerms
from inventory.api.v1.ends import END_REFUSALS, EndTerms
from inventory.api.v1.fees import FeeTerms
from inventory.api.v1.items import StatusTerms
from inventory.api.v1.legal_holds import LiftTerms
from inventory.api.v1.movements import ItemName, OrgCode, PersonName, Resource
from inventory.api.v1.network import ExportTerms
from inventory.api.v1.transport_keys import KeyLetter
from inventory.domain.errors import (
    DuplicateIdentifier,
    IllegalTransition,
    InvalidIdentifier,
    NotFound,
    NothingToExport,
    NotOtherSide,
    OutsideScope,
    PermissionDenied,
    ReasonMissing,
    SamePerson,
    TransportKeyUnfit,
)
from inventory.downloads import FILES, FileDep, download
from inventory.services.approval import without_approval
from inventory.services.approving import (
    ApprovalView,
    Question,
    ask,
    grant,
    read_approval,
    read_approvals,
    refuse,
    withdraw,
)
from inventory.services.ending import Ending
from inventory.services.short_lists import approval_listing

router = APIRouter(tags=["approvals"])

ApprovalPath = Annotated[str, Path(examples=["a-530700-12"], max_length=40)]
Writer = Annotated[Caller, require(Permission.APPROVALS_WRITE, writes=True)]
_REFUSALS = (IllegalTransition, InvalidIdentifier, NotFound, NotOtherSide, OutsideScope, PermissionDenied, SamePerson)


class AskStatus(StatusTerms):
    """Ask to set the state of an item."""

    act: Literal["release_status"]
    resource: Resource
    item: ItemName

    def question(self) -> Question:
        """Give what the service takes."""
        return Question(self.act, self.model_dump(exclude={"act"}))


class AskFee(FeeTerms):
    """Ask to change the fee of a number."""

    act: Literal["change_fee"]
    number: ItemName

    def question(self) -> Question:
        """Give what the service takes."""
        return Question(self.act, without_approval(self.wish(self.number)))


class AskPost(Model):
    """Ask to post a stocktake that found cards missing."""

    act: Literal["post_stocktake"]
    stocktake: Annotated[str, Field(max_length=40, examples=["c-530700-5"])]

    def question(self) -> Question:
        """Give what the service takes."""
        return Question(self.act, {"stocktake": self.stocktake})


class AskTakeOver(Model):
    """Ask for the witness of a leaver's takeover."""

    act: Literal["take_over"]
    stocktake: Annotated[str, Field(max_length=40, examples=["c-530700-5"])]
    receiver: OrgCode
    person: PersonName | None = None

    def question(self) -> Question:
        """Give what the service takes."""
        return Question(self.act, self.model_dump(exclude={"act"}))


class AskEnd(EndTerms):
    """Ask for an end of stock, or a way back."""

    act: Literal[
        "scrap", "lose", "find", "write_off", "return_to_vendor", "send_to_city", "void", "disable", "enable"
    ]  # fmt: skip

    def question(self) -> Question:
        """Give what the service takes."""
        return Question(self.act, without_approval(self.wish(Ending(self.act))))


class AskTransportKey(KeyLetter):
    """Ask to take in a transport key; its parts are sent later, with the word that was given."""

    act: Literal["import_transport_key"]

    def question(self) -> Question:
        """Give what the service takes."""
        return Question(self.act, self.model_dump(mode="json", exclude={"act"}))


class AskExport(ExportTerms):
    """Ask to tell the network of proven identities."""

    act: Literal["export_to_network"]

    def question(self) -> Question:
        """Give what the service takes."""
        return Question(self.act, without_approval(self.wish(None)))


class AskLift(LiftTerms):
    """Ask to lift a legal hold."""

    act: Literal["lift_legal_hold"]
    legal_hold: Annotated[str, Field(max_length=40, examples=["l-530700-3"])]

    def question(self) -> Question:
        """Give what the service takes."""
        return Question(self.act, self.model_dump(exclude={"act"}))


class AskSettle(SettleTerms):
    """Ask for the other side's word on how a dispute ends."""

    act: Literal["settle_dispute"]
    dispute: Annotated[str, Field(max_length=40, examples=["m-530700-12"])]

    def question(self) -> Question:
        """Give what the service takes."""
        return Question(self.act, without_approval(self.wish(self.dispute)))


NewApproval = Annotated[
    AskSettle | AskStatus | AskFee | AskPost | AskTakeOver | AskTransportKey | AskExport | AskLift | AskEnd,
    Field(discriminator="act"),
]


class Reason(Model):
    """Why."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


class Word(Model):
    """A second person's word; a reason may be given."""

    reason: Annotated[str, Field(min_length=1, max_length=500)] | None = None


class Asked(Model):
    """What was asked for: `summary` is what the act would do, and with the wish what the approval is bound to."""

    approval: str
    act: str
    state: str
    permission: str
    summary: dict[str, Any]
    expires_at: Time


class Approval(Asked):
    """An approval as it stands; `mine` if the caller asked for it, `may_answer` if its word is waited for."""

    place: str
    asked_by: str
    asked_at: Time
    answered_by: str | None
    answered_at: Time | None
    answer_reason: str | None
    used_at: Time | None
    mine: bool
    may_answer: bool


class Approvals(Model):
    """What waits for the caller's word, the oldest first, and what it asked for itself, the newest first."""

    answer: list[Approval]
    asked: list[Approval]


class Answered(Model):
    """An approval that was answered or withdrawn."""

    approval: str
    state: str
    answered_by: str | None


@router.post(
    "/approvals",
    operation_id="ask_for_approval",
    status_code=201,
    summary="Ask for a second person's word",
    response_model=Asked,
    responses=errors(*END_REFUSALS, DuplicateIdentifier, NothingToExport, TransportKeyUnfit),
)
async def post_approval(
    caller: Writer,
    wish: NewApproval,
    write: WriteDep,
    session: SessionDep,
    runtime: RuntimeDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Ask for exactly what is in the body, as the act itself would be sent; what could not be done is refused now."""
    lasts = timedelta(hours=runtime.settings.approval_hours)
    return reply(await ask(session, caller, write, wish.question(), lasts=lasts, now=now), response, 201)


@router.get(
    "/approvals",
    operation_id="read_approvals",
    summary="What waits for an answer",
    response_model=Approvals,
    responses=FILES,
)
async def get_approvals(
    caller: Annotated[Caller, require(Permission.APPROVALS_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    now: NowDep,
    file: FileDep,
) -> Approvals | Response:
    """List what waits for the caller's word, and what it asked for itself."""
    if file is not None:
        return await download(runtime.database, caller, approval_listing(now=now), file)
    waiting, asked = await read_approvals(session, caller, now=now)
    return Approvals(answer=[_shown(view) for view in waiting], asked=[_shown(view) for view in asked])


@router.get(
    "/approvals/{approval_id}",
    operation_id="read_approval",
    summary="One approval",
    responses=errors(InvalidIdentifier, NotFound),
)
async def get_approval(
    approval_id: ApprovalPath,
    caller: Annotated[Caller, require(Permission.APPROVALS_READ)],
    session: SessionDep,
    now: NowDep,
) -> Approval:
    """Read how far an approval has come."""
    return _shown(await read_approval(session, caller, approval=approval_id, now=now))


@router.post(
    "/approvals/{approval_id}:grant",
    operation_id="grant_approval",
    summary="Give a second person's word",
    response_model=Answered,
    responses=errors(*_REFUSALS),
)
async def post_grant(
    approval_id: ApprovalPath,
    caller: Writer,
    wish: Word,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Let the one who asked do exactly what it asked for, once; never the one who asked."""
    done = await grant(session, caller, write, approval=approval_id, reason=wish.reason, now=now)
    return reply(done, response)


@router.post(
    "/approvals/{approval_id}:refuse",
    operation_id="refuse_approval",
    summary="Refuse, with a reason",
    response_model=Answered,
    responses=errors(*_REFUSALS, ReasonMissing),
)
async def post_refuse(
    approval_id: ApprovalPath,
    caller: Writer,
    wish: Reason,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Refuse; the one who asked reads the reason."""
    done = await refuse(session, caller, write, approval=approval_id, reason=wish.reason, now=now)
    return reply(done, response)


@router.post(
    "/approvals/{approval_id}:withdraw",
    operation_id="withdraw_approval",
    summary="Take back what was asked for",
    response_model=Answered,
    responses=errors(IllegalTransition, InvalidIdentifier, NotFound),
)
async def post_withdraw(
    approval_id: ApprovalPath, caller: Writer, write: WriteDep, session: SessionDep, now: NowDep, response: Response
) -> dict[str, Any]:
    """Take back what the caller itself asked for and has not used."""
    return reply(await withdraw(session, caller, write, approval=approval_id, now=now), response)


def _shown(view: ApprovalView) -> Approval:
    row = view.row
    return Approval(
        approval=view.name,
        act=row.act,
        state=view.state,
        permission=row.permission,
        summary=row.summary,
        expires_at=row.expires_at,
        place=view.place.code,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        answered_by=row.answered_by,
        answered_at=row.answered_at,
        answer_reason=row.answer_reason,
        used_at=row.used_at,
        mine=view.mine,
        may_answer=view.may_answer,
    )
