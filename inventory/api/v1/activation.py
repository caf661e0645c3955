"""Put a card into service with its number, apart from its writing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import Field

from inventory.api.deps import ConnectionDep, NowDep, RuntimeDep, WriteDep, reply
from inventory.api.models import Model
from inventory.api.problems import errors
from inventory.api.v1.confirmation import NOT_SOLD, Confirmation
from inventory.api.v1.hold_parts import Finisher, HoldKey
from inventory.domain.errors import NotHeldTogether, SimNotFree
from inventory.domain.identifiers import parse_any_number, parse_iccid
from inventory.services.activation import ActivateWish, activate
from inventory.vault.hold_keys import HoldKeys

router = APIRouter(tags=["sims"])


class Activation(Confirmation):
    """The number that the card is to serve, with what a sale needs beside the kit."""

    number: Annotated[str, Field(min_length=1, max_length=20, examples=["13888841352"])]


class Activated(Model):
    """The line that is in service."""

    iccid: str
    number: str
    state: Literal["IN_USE", "COMPLETING"] = Field(description="COMPLETING: it waits for the network's word")


@router.post(
    "/sims/{iccid}:activate",
    operation_id="activate_sim",
    summary="Put a card into service with its number",
    response_model=Activated,
    responses=errors(*NOT_SOLD, NotHeldTogether, SimNotFree),
)
async def post_activation(
    iccid: Annotated[str, Path(max_length=40, examples=["89860012345678901238"])],
    caller: Finisher,
    wish: Activation,
    write: WriteDep,
    connection: ConnectionDep,
    now: NowDep,
    runtime: RuntimeDep,
    response: Response,
    key: HoldKey = None,
) -> Any:
    """Sell the kit that has both, with its key; of a line that is in service already it says so again."""
    asked = ActivateWish(iccid=parse_iccid(iccid).iccid, number=parse_any_number(wish.number), sale=wish.sale())
    keys = HoldKeys(runtime.hold_secret)
    return reply(await activate(connection, caller, write, asked, keys=keys, key=key, now=now), response)
