"""The confirmation of a held kit: the sale, or the new card in the old one's place."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from inventory.api.deps import ConnectionDep, NowDep, RuntimeDep, WriteDep, reply
from inventory.api.models import Model, Time
from inventory.api.problems import errors
from inventory.api.v1.hold_parts import ENDED, Finisher, HoldId, HoldKey, Text, hold_keys
from inventory.domain.errors import (
    CardBeingWritten,
    CardNotVerified,
    CardServesNoMore,
    CardToBeDeleted,
    ExtraCheckMissing,
    HlrMismatch,
    InvalidField,
    NetworkNotReady,
    QuoteNotAccepted,
    RealNameReferenceMissing,
    ServiceOrderOpen,
    SimNotInUse,
)
from inventory.domain.lifecycle import HoldState
from inventory.services import sales

router = APIRouter(tags=["holds"])
NOT_SOLD = (
    *ENDED,
    CardBeingWritten,
    CardNotVerified,
    CardServesNoMore,
    CardToBeDeleted,
    SimNotInUse,
    ServiceOrderOpen,
    HlrMismatch,
    QuoteNotAccepted,
    ExtraCheckMissing,
    NetworkNotReady,
    RealNameReferenceMissing,
    InvalidField,
)
"""What a sale may be refused with."""


class RealNameReference(Model):
    """A real-name check, never the certificate (REQ-CMP-06)."""

    checked_at: Time
    channel: Text
    result: Text = Field(description="Result of the count check; only `passed` can be sold.")


class Confirmation(Model):
    """What a sale needs beside the kit."""

    quote_accepted: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)] | None = None
    """Rule-set version of the quote that the customer accepted."""
    real_name: RealNameReference | None = None
    extra_check: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    old_card_handed_in: bool = Field(False, description="Of a replacement: the old card lies on the counter.")

    def sale(self) -> sales.ConfirmWish:
        """Return what the service sells on."""
        real_name = None if self.real_name is None else sales.RealName(**dict(self.real_name))
        return sales.ConfirmWish(
            quote_accepted=self.quote_accepted,
            real_name=real_name,
            old_card_handed_in=self.old_card_handed_in,
            extra_check=self.extra_check,
        )


class Confirmed(Model):
    """The sale or replacement: number and card are in use."""

    hold: str
    state: HoldState
    number: str
    iccid: str | None
    confirmed_at: Time
    line: Literal["IN_USE", "COMPLETING"] = Field("IN_USE", description="COMPLETING: it waits for the network's word")


@router.post(
    "/holds/{hold}:confirm",
    operation_id="confirm_hold",
    summary="Sell the kit, or replace the card",
    response_model=Confirmed,
    responses=errors(*NOT_SOLD),
)
async def confirm_hold(
    caller: Finisher,
    hold: HoldId,
    wish: Confirmation,
    write: WriteDep,
    connection: ConnectionDep,
    now: NowDep,
    runtime: RuntimeDep,
    response: Response,
    key: HoldKey = None,
) -> Any:
    """Turn the held kit into a working line; the card of a replacement takes the old one's place in its line."""
    answer = await sales.confirm(
        connection, caller, write, hold, wish.sale(), keys=hold_keys(runtime), key=key, now=now
    )
    return reply(answer, response)
