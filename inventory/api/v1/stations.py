"""Stations: hall PCs with readers, and vendors' transport keys for the cards they write."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Id, Model, Time
from inventory.api.problems import errors
from inventory.domain.dispensers import DispenserStop, Movement
from inventory.domain.errors import (
    CardMustStay,
    EnrolCodeInvalid,
    InvalidField,
    InvalidIdentifier,
    OutsideScope,
    ReaderTaken,
    StationOffline,
    StationUnknown,
)
from inventory.services import dispensers, seats, stations
from inventory.vault.enrolment import EnrolKeys
from inventory.vault.script_signers import ScriptSigners

router = APIRouter(tags=["stations"])
Keeper = Annotated[Caller, require(Permission.STATIONS_ENROL, writes=True)]
_ENROLMENT = "enrolment"


class CardSeen(Model):
    """What the service read from the card in a reader; only `readable` when it could not be read.

    `report` comes with a card that no stock record knows: all that harmless reads told, without keys, numbers masked,
    for someone who may know the make.
    """

    readable: bool
    iccid: str | None = None
    serial: str | None = None
    blank: bool | None = None
    usim: bool | None = None
    adm_tries: int | None = None
    pin1_enabled: bool | None = None
    report: dict[str, Any] | None = None


class StockSeen(Model):
    """What the stock says of that card, and by which names it knows it; only of a card in the caller's part."""

    state: str
    hold: str | None
    iccid: str | None
    chip_serial: str | None
    hlr: str | None = Field(description="The HLR of a finished card; null on a blank.")


class SeatSeen(Model):
    """Who has a reader at its seat; `mine` is for pages, which know their seat."""

    staff_no: str
    since: Time
    mine: bool


class DispenserView(Model):
    """How a card dispenser stands; place, stack and bin are null while it does not answer.

    `stop` is how its last movement ended: all but `handed_out` want a person.
    """

    card: Literal["nowhere", "contacts", "gate"] | None
    stacker: Literal["empty", "few", "enough"] | None
    bin_full: bool | None
    in_bin: int | None
    stop: DispenserStop | None


class ReaderView(Model):
    """A reader with the label people know it by; `looking` while its card is being identified."""

    name: str
    label: str | None
    seat: SeatSeen | None
    state: Literal["service_down", "no_card", "card", "mute", "busy", "lost"]
    looking: bool
    dispenser: DispenserView | None = Field(description="Null for a reader that does not move its cards.")
    kiosk: str | None = Field(description="The card product that it sells by itself, of a self-service machine.")
    card: CardSeen | None
    stock: StockSeen | None


class StationView(Model):
    """A station with its readers."""

    id: str
    name: str
    org_id: int
    online: bool
    last_seen_at: Time | None
    readers: list[ReaderView]


class Stations(Model):
    """The stations of the caller's part."""

    stations: list[StationView]


@router.get("/stations", operation_id="list_stations", summary="Stations, their readers and the cards in them")
async def get_stations(
    caller: Annotated[Caller, require(Permission.STATIONS_READ)], session: SessionDep, now: NowDep
) -> Stations:
    """List the stations of the caller's part."""
    return Stations(stations=[StationView(**one) for one in await stations.read_stations(session, caller, now=now)])


class SeatBinding(Model):
    """A seat (a name that its front end keeps, random and its own) takes a reader."""

    reader: Annotated[str, Field(min_length=1, max_length=200)]
    seat: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    label: Annotated[str, Field(min_length=1, max_length=seats.LONGEST_LABEL)] | None = None
    take_over: bool = False


class SeatBound(Model):
    """The reader of the seat, and the label that it bears everywhere."""

    station: str
    reader: str
    label: str


@router.post(
    "/stations/{station_id}:bind-reader",
    operation_id="bind_reader",
    summary="Bind a reader to a seat",
    response_model=SeatBound,
    responses=errors(StationUnknown, InvalidIdentifier, InvalidField, ReaderTaken),
)
async def post_binding(
    caller: Annotated[Caller, require(Permission.CARDS_WRITE, writes=True)],
    station_id: str,
    binding: SeatBinding,
    session: SessionDep,
    write: WriteDep,
    now: NowDep,
    response: Response,
) -> Any:
    """Bind a reader; one that is another seat's is taken over only if `take_over` says so."""
    wish = seats.SeatWish(station=station_id, **dict(binding))
    return reply(await seats.bind_reader(session, caller, write, wish, now=now), response)


class SeatLeft(Model):
    """A seat gives its reader back."""

    reader: Annotated[str, Field(min_length=1, max_length=200)]
    seat: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


@router.post(
    "/stations/{station_id}:leave-reader",
    operation_id="leave_reader",
    summary="Let a seat leave its reader",
    response_model=SeatBound,
    responses=errors(StationUnknown, InvalidIdentifier, InvalidField),
)
async def post_leaving(
    caller: Annotated[Caller, require(Permission.CARDS_WRITE, writes=True)],
    station_id: str,
    leaving: SeatLeft,
    session: SessionDep,
    write: WriteDep,
    now: NowDep,
    response: Response,
) -> Any:
    """Unbind the reader of this seat; nobody has it then, and its label stays on it."""
    wish = seats.SeatWish(station=station_id, **dict(leaving))
    return reply(await seats.leave_reader(session, caller, write, wish, now=now), response)


class CardMove(Model):
    """What a dispenser is to do with its card."""

    reader: Annotated[str, Field(min_length=1, max_length=200)]
    movement: Movement


class CardMoving(Model):
    """A movement that the station has been asked for; how it ends stands with the reader."""

    station: str
    reader: str
    movement: Movement


@router.post(
    "/stations/{station_id}:move-card",
    operation_id="move_card",
    summary="Let a card dispenser feed, hand out or bin a card",
    response_model=CardMoving,
    responses=errors(StationUnknown, StationOffline, InvalidIdentifier, InvalidField, CardMustStay),
)
async def post_move(
    caller: Annotated[Caller, require(Permission.CARDS_WRITE, writes=True)],
    station_id: str,
    wish: CardMove,
    session: SessionDep,
    write: WriteDep,
    now: NowDep,
    response: Response,
) -> Any:
    """Ask for a movement: a card is handed out once it is sold, and one that may hold an identity is no waste."""
    asked = dispensers.MoveWish(station=station_id, **dict(wish))
    return reply(await dispensers.move_card(session, caller, write, asked, now=now), response)


class NewCode(Model):
    """For which organisation a hall PC may enrol."""

    org_id: Id


class Code(Model):
    """A one-time code, told once."""

    org_id: int
    code: str = Field(examples=["ABCD-EFGH-IJKL-MNOP"])
    expires_at: Time


@router.post(
    "/stations:code",
    operation_id="create_enrolment_code",
    status_code=201,
    summary="A one-time code for a new station",
    response_model=Code,
    responses=errors(OutsideScope),
)
async def post_code(
    caller: Keeper,
    wish: NewCode,
    runtime: RuntimeDep,
    session: SessionDep,
    write: WriteDep,
    now: NowDep,
    response: Response,
) -> Any:
    """Give a code; type it at the hall PC within half an hour."""
    keys = EnrolKeys(runtime.vault.derive(_ENROLMENT))
    return reply(await stations.add_code(session, caller, write, wish.org_id, keys=keys, now=now), response, 201)


class Enrolment(Model):
    """What a hall PC shows: its one-time code, and the name people will see."""

    code: Annotated[str, Field(min_length=1, max_length=64)]
    name: Annotated[str, Field(min_length=1, max_length=64)] = Field(examples=["古城营业厅 1 号台"])


class Enrolled(Model):
    """The station's own credential, told once; it goes into `Authorization: Bearer` of the link.

    `signer` is the key (Ed25519, hex) that signs its scripts: it runs no others.
    """

    station_id: str
    name: str
    credential: str
    signer: str


@router.post(
    "/stations:enrol",
    operation_id="enrol_station",
    status_code=201,
    summary="Become a station with a one-time code",
    responses=errors(EnrolCodeInvalid),
    openapi_extra={"x-public": True},
)
async def enrol_station(
    wish: Enrolment, runtime: RuntimeDep, session: SessionDep, _write: WriteDep, now: NowDep
) -> Enrolled:
    """Trade a one-time code for a credential; the code is the caller's proof."""
    keys = EnrolKeys(runtime.vault.derive(_ENROLMENT))
    enrolled = await stations.enrol(session, wish.code, wish.name, keys=keys, now=now)
    signer = ScriptSigners(runtime.vault).current().public.hex()
    return Enrolled(station_id=enrolled.station_id, name=enrolled.name, credential=enrolled.credential, signer=signer)


class Revocation(Model):
    """Why a station ends."""

    reason: Annotated[str, Field(min_length=1, max_length=200)]


class Revoked(Model):
    """A station that has ended."""

    id: str
    revoked_at: Time


@router.post(
    "/stations/{station_id}:revoke",
    operation_id="revoke_station",
    summary="End a station",
    response_model=Revoked,
    responses=errors(StationUnknown),
)
async def revoke_station(
    caller: Keeper,
    station_id: str,
    wish: Revocation,
    session: SessionDep,
    write: WriteDep,
    now: NowDep,
    response: Response,
) -> Any:
    """End a station: its link closes and its credential opens nothing any more."""
    return reply(await stations.revoke(session, caller, write, station_id, wish.reason, now=now), response)
