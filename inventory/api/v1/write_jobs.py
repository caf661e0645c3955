"""Write jobs: one blank card becomes one proven card of a kit."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Request, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model, Time
from inventory.api.problems import errors
from inventory.domain.errors import (
    AdmInDoubt,
    CardUnknown,
    HoldExpired,
    HoldKeyWrong,
    HoldNotActive,
    IllegalTransition,
    NoDataUnit,
    NotFound,
    SimNotFree,
    StationOffline,
    StationUnknown,
    WriteJobOpen,
)
from inventory.i18n import choose, texts
from inventory.services import card_writing
from inventory.services.card_writing import WriteJobWish
from inventory.vault.hold_keys import HEADER, HoldKeys

router = APIRouter(tags=["cards"])
Seller = Annotated[Caller, require(Permission.CARDS_WRITE, writes=True)]
Finisher = Annotated[Caller, require(Permission.CARDS_WRITE, writes=True, finishing=True)]
PublicId = Annotated[str, Field(min_length=1, max_length=64)]


class NewWriteJob(Model):
    """Write the card of this kit in this reader."""

    hold: PublicId = Field(examples=["h-530700-1234"])
    station: PublicId = Field(examples=["st-530700-3"])
    reader: Annotated[str, Field(min_length=1, max_length=200)] = Field(examples=["Haoka 0 00 00"])
    adm_again: bool = Field(default=False, description="a person decided so after adm_in_doubt; the counter is asked")


class WriteJobStep(Model):
    """One command as the station reported it: what for, its name, its status word. No data."""

    script: Literal["identify", "write", "verify"]
    name: str
    sw: str = Field(examples=["9000"])
    at: Time


class WriteJobView(Model):
    """A write job.

    `state` ends in exactly one of verified, nothing_written, damaged, unknown (until that card is read again) and
    cancelled. `steps_done` of `steps_total` belong to the present script. `failure` is the class of what went wrong,
    `next_step` what to do now, as a code and in words.
    """

    id: str
    hold: str
    station: str
    reader: str
    state: Literal[
        "created",
        "identifying",
        "writing",
        "verifying",
        "verified",
        "nothing_written",
        "damaged",
        "unknown",
        "cancelled",
    ]
    steps_done: int
    steps_total: int | None
    failure: str | None
    failure_text: str | None
    failed_step: str | None
    failed_sw: str | None
    detail: str | None
    waits_for_operator: bool = Field(description="the operator's card-data system is being asked about the card")
    next_step: str
    next_step_text: str
    created_at: Time
    finished_at: Time | None


class WriteJobDetail(WriteJobView):
    """A write job with its card and every step so far."""

    card: str | None = Field(description="ICCID of the card, or its chip serial while it has none.")
    steps: list[WriteJobStep]


def in_words(job: dict[str, Any], request: Request, runtime: RuntimeDep) -> dict[str, Any]:
    """Add the sentences for the job's codes in the caller's language."""
    said = texts("cards", choose(request.headers.get("accept-language"), runtime.settings.language))
    failure = job["failure"]
    return job | {
        "failure_text": None if failure is None else said["failure", failure],
        "next_step_text": said["next_step", job["next_step"]],
    }


@router.post(
    "/write-jobs",
    operation_id="start_write_job",
    status_code=201,
    summary="Write the card of a kit",
    response_model=WriteJobView,
    responses=errors(
        HoldKeyWrong,
        NotFound,
        HoldExpired,
        HoldNotActive,
        WriteJobOpen,
        AdmInDoubt,
        CardUnknown,
        SimNotFree,
        NoDataUnit,
        StationUnknown,
        StationOffline,
    ),
)
async def post_write_job(
    caller: Seller,
    wish: NewWriteJob,
    request: Request,
    runtime: RuntimeDep,
    session: SessionDep,
    write: WriteDep,
    now: NowDep,
    response: Response,
    hold_key: Annotated[str | None, Header(alias=HEADER)] = None,
) -> Any:
    """Open a job; the station begins at once."""
    answer = await card_writing.start_job(
        session,
        caller,
        write,
        WriteJobWish(**dict(wish), hold_key=hold_key),
        keys=HoldKeys(runtime.hold_secret),
        now=now,
    )
    return in_words(reply(answer, response, 201), request, runtime)


@router.get(
    "/write-jobs/{job_id}",
    operation_id="read_write_job",
    summary="A write job with its steps",
    responses=errors(NotFound),
)
async def get_write_job(
    caller: Annotated[Caller, require(Permission.STATIONS_READ)],
    job_id: str,
    request: Request,
    runtime: RuntimeDep,
    session: SessionDep,
) -> WriteJobDetail:
    """Give a job as it stands."""
    return WriteJobDetail(**in_words(await card_writing.read_job(session, caller, job_id), request, runtime))


@router.post(
    "/write-jobs/{job_id}:cancel",
    operation_id="cancel_write_job",
    summary="Cancel a write job before its card is changed",
    response_model=WriteJobView,
    responses=errors(NotFound, IllegalTransition),
)
async def cancel_write_job(
    caller: Finisher,
    job_id: str,
    request: Request,
    runtime: RuntimeDep,
    session: SessionDep,
    write: WriteDep,
    now: NowDep,
    response: Response,
) -> Any:
    """Cancel a job; a card that is being written is written to its end."""
    answer = await card_writing.cancel_job(session, caller, write, job_id, now=now)
    return in_words(reply(answer, response), request, runtime)
