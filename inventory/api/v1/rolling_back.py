"""The roll back of a sale that waits for the network: a fresh hold, whose key travels in a header only."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from inventory.api.deps import ConnectionDep, NowDep, RuntimeDep, SessionDep, WriteDep, reply
from inventory.api.models import Model, Time
from inventory.api.problems import errors
from inventory.api.v1.hold_parts import HoldId, HoldKey, Reader, Releaser, hold_keys
from inventory.api.v1.quotes import QuoteView
from inventory.domain.errors import (
    Busy,
    HoldKeyWrong,
    InvalidIdentifier,
    LegalHold,
    LineNotWaiting,
    NotFound,
    OutsideScope,
    ReasonMissing,
)
from inventory.domain.lifecycle import HoldState
from inventory.services.holds import hold_number, public_id
from inventory.services.rolling_back import roll_back
from inventory.services.waiting import read_waiting_sales
from inventory.vault.hold_keys import HEADER

router = APIRouter(tags=["holds"])


class WaitingSale(Model):
    """A sale that waits for the network (`state` COMPLETING), or was rolled back and is kept by it (HELD).

    `auc` is what the network knows of the card that it is to confirm, or to delete.
    """

    hold: str
    state: Literal["COMPLETING", "HELD"]
    number: str
    card: str
    auc: Literal["none", "sent", "confirmed", "failed", "deleted"]
    since: Time = Field(description="the sale, or the roll back")
    place: str
    staff_no: str
    order_ref: str | None


class WaitingSales(Model):
    """The longest first; `count` is how many there are in all."""

    count: int
    sales: list[WaitingSale]


@router.get(
    "/waiting-sales",
    operation_id="read_waiting_sales",
    summary="The caller's sales that the network has not brought to an end",
)
async def get_waiting_sales(caller: Reader, session: SessionDep) -> WaitingSales:
    """List those of the caller's interface or part of the organisation, to wait on, roll back, or have deleted."""
    found, count = await read_waiting_sales(session, caller)
    sales = [
        WaitingSale.model_validate(
            {name: value for name, value in vars(sale).items() if name in WaitingSale.model_fields}
            | {"hold": public_id(caller.city_id, sale.hold_id)}
        )
        for sale in found
    ]
    return WaitingSales(count=count, sales=sales)


class RollBackWish(Model):
    """Why; a superior without the key must say it."""

    reason: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class RolledBack(Model):
    """The fresh hold of number and card; its key is in the header `Haoka-Hold-Key`."""

    hold: str
    state: Literal[HoldState.ACTIVE]
    original_hold: str = Field(description="The hold whose sale was taken back; it is ROLLED_BACK.")
    number: str
    iccid: str | None
    chip_serial: str | None
    order_ref: str | None
    expires_at: Time
    quote: QuoteView
    network_has_it: bool = Field(
        description="The network may have the card's identity: until it is deleted there, the fresh hold neither "
        "expires nor is released."
    )


@router.post(
    "/holds/{hold}:roll-back",
    operation_id="roll_back_hold",
    status_code=201,
    summary="Take a sale back that waits for the network",
    response_model=RolledBack,
    responses=errors(
        NotFound, InvalidIdentifier, HoldKeyWrong, ReasonMissing, OutsideScope, LineNotWaiting, LegalHold, Busy
    ),
)
async def roll_back_hold(
    caller: Releaser,
    hold: HoldId,
    write: WriteDep,
    connection: ConnectionDep,
    now: NowDep,
    runtime: RuntimeDep,
    response: Response,
    wish: RollBackWish | None = None,
    key: HoldKey = None,
) -> Any:
    """Hold number and card anew, by the key of the confirmed hold, or as a superior with a reason.

    The answer's header `Haoka-Hold-Key` is the fresh hold's: it is confirmed again, or released once the network has
    deleted what it was told of. A line that has come into use meanwhile stays in use.
    """
    keys = hold_keys(runtime)
    reason = None if wish is None else wish.reason
    answer = await roll_back(connection, caller, write, hold, keys=keys, key=key, reason=reason, now=now)
    response.headers[HEADER] = keys.key(caller.city_id, hold_number(caller, answer.body["hold"]))
    response.headers["Cache-Control"] = "no-store"
    return reply(answer, response, 201)
