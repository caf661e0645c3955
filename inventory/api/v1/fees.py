"""The fee of one number: changed by a person, and its changes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import ApprovalId, Fen, Model, Time
from inventory.api.problems import errors
from inventory.domain.errors import (
    ApprovalDiffers,
    ApprovalNeeded,
    ApprovalNotGranted,
    FeeUnchanged,
    InvalidField,
    InvalidIdentifier,
    NotFound,
    NumberNotFree,
    PermissionDenied,
    ReasonMissing,
)
from inventory.downloads import FILES, FileDep, download
from inventory.services.exporting import fee_change_listing
from inventory.services.fees import FeeWish, change_fee, read_fee_changes

router = APIRouter(tags=["fees"])

NumberPath = Annotated[str, Path(examples=["13888048888"], max_length=40)]
Months = Annotated[int, Field(strict=True, ge=0, le=1200)]
StaffNo = Annotated[str, Field(min_length=1, max_length=32)]


class Fee(Model):
    """What a number costs: class, the rule that gave it, and its terms; `changed` when a person set it."""

    number_class: int
    rule: str | None
    rule_set_version: int
    cash_fee_fen: int
    prepay_fen: int
    return_months: int
    min_monthly_fen: int
    commitment_months: int
    sale_channel: str
    changed: bool


class FeeTerms(Model):
    """What to change: a class, whose terms then hold, and single terms put over them."""

    number_class: Annotated[int, Field(strict=True, ge=0, le=99)] | None = None
    prepay_fen: Fen | None = None
    return_months: Months | None = None
    min_monthly_fen: Fen | None = None
    commitment_months: Months | None = None
    reason: Annotated[str, Field(min_length=1, max_length=500)]

    def wish(self, number: str, approval: str | None = None) -> FeeWish:
        """Give what the service takes."""
        return FeeWish(
            number=number,
            number_class=self.number_class,
            prepay=self.prepay_fen,
            return_months=self.return_months,
            min_monthly=self.min_monthly_fen,
            commitment_months=self.commitment_months,
            reason=self.reason,
            approval=approval,
        )


class NewFee(FeeTerms):
    """A change of a fee; of classes 0 to 4 `approval` is the id of the second person's word (`POST /v1/approvals`)."""

    approval: ApprovalId | None = None


class ChangedFee(Model):
    """A change as it was made, with both values."""

    number: str
    change: int
    before: Fee
    after: Fee


class FeeChange(ChangedFee):
    """A change with who, when and why."""

    staff: str
    approver: str | None
    interface: str
    reason: str
    at: Time


class FeeChanges(Model):
    """Changes, newest first."""

    changes: list[FeeChange]


@router.post(
    "/numbers/{number}:change-fee",
    operation_id="change_fee",
    summary="Change the fee of one number",
    response_model=ChangedFee,
    responses=errors(
        ApprovalDiffers,
        ApprovalNeeded,
        ApprovalNotGranted,
        FeeUnchanged,
        InvalidField,
        InvalidIdentifier,
        NotFound,
        NumberNotFree,
        PermissionDenied,
        ReasonMissing,
    ),
)
async def post_fee(
    number: NumberPath,
    caller: Annotated[Caller, require(Permission.FEES_CHANGE, writes=True)],
    wish: NewFee,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Change the fee and keep both values, the operator, the approver and the reason."""
    answer = await change_fee(session, caller, write, wish.wish(number, wish.approval), now=now)
    return reply(answer, response)


@router.get(
    "/numbers/{number}/fee-changes",
    operation_id="list_fee_changes",
    summary="The changes of one number's fee",
    response_model=FeeChanges,
    responses=FILES | errors(InvalidIdentifier, NotFound),
)
async def get_fee_changes(
    number: NumberPath,
    caller: Annotated[Caller, require(Permission.NUMBERS_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    file: FileDep,
) -> FeeChanges | Response:
    """List the changes of the number's fee, newest first; as a file all of them."""
    if file is not None:
        return await download(runtime.database, caller, fee_change_listing(number=number), file)
    return await _changes(session, caller, number=number)


@router.get(
    "/fee-changes",
    operation_id="list_fee_changes_by_staff",
    summary="The changes of fees, by operator",
    response_model=FeeChanges,
    responses=FILES,
)
async def get_fee_changes_by_staff(
    caller: Annotated[Caller, require(Permission.NUMBERS_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    file: FileDep,
    staff: Annotated[str | None, Query(max_length=32)] = None,
) -> FeeChanges | Response:
    """List changes in the caller's part, of one operator or of all, newest first; as a file all of them."""
    if file is not None:
        return await download(runtime.database, caller, fee_change_listing(staff_no=staff), file)
    return await _changes(session, caller, staff_no=staff)


async def _changes(
    session: SessionDep, caller: Caller, *, number: str | None = None, staff_no: str | None = None
) -> FeeChanges:
    found = await read_fee_changes(session, caller, number=number, staff_no=staff_no)
    return FeeChanges(
        changes=[
            FeeChange(
                number=row.number,
                change=row.change_no,
                before=Fee.model_validate(row.before),
                after=Fee.model_validate(row.after),
                staff=row.staff_no,
                approver=row.approver,
                interface=row.interface_no,
                reason=row.reason,
                at=row.at,
            )
            for row in found
        ]
    )
