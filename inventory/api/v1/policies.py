"""What a city decides for itself."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model
from inventory.api.problems import errors
from inventory.domain.errors import InvalidField, NotFound, OutsideScope, ReasonMissing
from inventory.services.hold_times import LONGEST_MINUTES, HoldTime, HoldTimeWish, read_hold_times, set_hold_time
from inventory.services.policies import PolicyWish, change_policy, read_policies

router = APIRouter(tags=["organisation"])


class Policies(Model):
    """What holds in the city."""

    signing: Literal["optional", "required"]
    level_skipping: Literal["refused", "allowed"]
    completion: Literal["at_once", "by_network"]
    port_notice_days: int
    port_cooling_days: int


class Decision(Model):
    """What the city decides, and why."""

    value: Annotated[str, Field(min_length=1, max_length=32, examples=["required"])]
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class Decided(Model):
    """A change as it was made."""

    policy: str
    before: str
    after: str


class HoldTimeFacts(Model):
    """Which holds a rule is about; what is left out is any."""

    kind: Annotated[str | None, Field(examples=["number"])] = None
    channel: Annotated[str | None, Field(examples=["own_hall"])] = None
    flow: Annotated[str | None, Field(examples=["long"])] = None
    number_class: Annotated[int | None, Field(ge=0, le=99)] = None


class HoldTimeHeld(HoldTimeFacts):
    """How long holds with these facts last at first, null without an end; `own` if the city has set it."""

    minutes: int | None
    own: bool


class HoldTimes(Model):
    """What holds in the city: of the rules that fit a hold the one that names most facts decides."""

    hold_times: list[HoldTimeHeld]


class HoldTimeDecision(HoldTimeFacts):
    """How long such holds last from now on; null for as long as the product has it."""

    minutes: Annotated[int | None, Field(ge=1, le=LONGEST_MINUTES, examples=[45])]
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class HoldTimeDecided(HoldTimeFacts):
    """A change as it was made, in minutes; null where no rule names exactly these facts, or without an end."""

    before: int | None
    after: int | None


@router.get("/policies", operation_id="read_policies", summary="What the city has decided")
async def get_policies(
    caller: Annotated[Caller, require(Permission.ORGANISATION_READ)], session: SessionDep
) -> Policies:
    """Read what holds: `signing` of issues and transfers, `level_skipping` of issues, `completion` of sales, SMS ports.

    A term counts as ending `port_notice_days` before its last day; taken back, a port cools for `port_cooling_days`.
    """
    return Policies.model_validate(dict(await read_policies(session, caller)))


@router.post(
    "/policies/{policy}:set",
    operation_id="set_policy",
    summary="Change what the city has decided",
    response_model=Decided,
    responses=errors(InvalidField, NotFound, OutsideScope, ReasonMissing),
)
async def post_policy(
    policy: Annotated[str, Path(max_length=40, examples=["signing"])],
    caller: Annotated[Caller, require(Permission.ORGANISATION_WRITE, writes=True)],
    wish: Decision,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Change one policy, with a reason; the event keeps both values."""
    wanted = PolicyWish(name=policy, value=wish.value, reason=wish.reason)
    return reply(await change_policy(session, caller, write, wanted, now=now), response)


@router.get("/hold-times", operation_id="read_hold_times", summary="For how long the city holds what")
async def get_hold_times(
    caller: Annotated[Caller, require(Permission.ORGANISATION_READ)], session: SessionDep
) -> HoldTimes:
    """Read the rules by kind, channel, flow and number class, those that name fewest first."""
    return HoldTimes(hold_times=[_held(held) for held in await read_hold_times(session, caller)])


@router.post(
    "/hold-times:set",
    operation_id="set_hold_time",
    summary="Change for how long the city holds what",
    response_model=HoldTimeDecided,
    responses=errors(InvalidField, OutsideScope, ReasonMissing),
)
async def post_hold_time(
    caller: Annotated[Caller, require(Permission.ORGANISATION_WRITE, writes=True)],
    wish: HoldTimeDecision,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Set a rule, or with `minutes` null take the city's own back; holds that are open keep their end."""
    answer = await set_hold_time(session, caller, write, HoldTimeWish(**wish.model_dump()), now=now)
    return reply(answer, response)


def _held(held: HoldTime) -> HoldTimeHeld:
    return HoldTimeHeld(**held.rule.facts, minutes=held.minutes, own=held.own)
