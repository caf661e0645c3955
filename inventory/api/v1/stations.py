"""Stations: hall PCs with readers, and vendors' transport keys for the cards they write."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from cardwriter.crypto.secret import Secret
from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Id, Model, Time
from inventory.api.problems import errors
from inventory.domain.errors import DuplicateIdentifier, EnrolCodeInvalid, InvalidField, OutsideScope, StationUnknown
from inventory.services import stations
from inventory.services.transport_keys import TransportKeyWish, import_transport_key
from inventory.vault.enrolment import EnrolKeys
from inventory.vault.transport import TransportAlgorithm

router = APIRouter(tags=["stations"])
Keeper = Annotated[Caller, require(Permission.STATIONS_ENROL, writes=True)]
_ENROLMENT = "enrolment"


class CardSeen(Model):
    """What the service read from the card in a reader; only `readable` when it could not be read."""

    readable: bool
    iccid: str | None = None
    serial: str | None = None
    blank: bool | None = None
    usim: bool | None = None
    adm_tries: int | None = None
    pin1_enabled: bool | None = None


class StockSeen(Model):
    """What the stock says of that card; only of a card in the caller's part."""

    state: str
    hold: str | None


class ReaderView(Model):
    """A reader; `looking` while its card is being identified."""

    name: str
    state: Literal["service_down", "no_card", "card", "mute", "busy", "lost"]
    looking: bool
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
    """The station's own credential, told once; it goes into `Authorization: Bearer` of the link."""

    station_id: str
    name: str
    credential: str


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
    return Enrolled(station_id=enrolled.station_id, name=enrolled.name, credential=enrolled.credential)


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


class NewTransportKey(Model):
    """A vendor's transport key as its letters say; the parts are hexadecimal, one per custodian."""

    index: Annotated[str, Field(min_length=1, max_length=32)] = Field(examples=["11"])
    algorithm: TransportAlgorithm
    parts: list[Annotated[str, Field(pattern="^(?:[0-9A-Fa-f]{2}){16,24}$")]] = Field(
        min_length=1, max_length=3, repr=False
    )
    kcv: Annotated[str, Field(pattern="^[0-9A-Fa-f]{6}$")]


class TransportKeyView(Model):
    """A transport key that is kept, wrapped."""

    index: str
    algorithm: TransportAlgorithm
    kcv: str


@router.post(
    "/transport-keys",
    operation_id="import_transport_key",
    status_code=201,
    summary="Take in a vendor's transport key",
    response_model=TransportKeyView,
    responses=errors(InvalidField, DuplicateIdentifier),
)
async def post_transport_key(
    caller: Annotated[Caller, require(Permission.LOADS_WRITE, writes=True)],
    wish: NewTransportKey,
    runtime: RuntimeDep,
    session: SessionDep,
    write: WriteDep,
    now: NowDep,
    response: Response,
) -> Any:
    """Keep a transport key, wrapped by the vault; its check value must fit."""
    asked = TransportKeyWish(
        index=wish.index,
        algorithm=wish.algorithm,
        parts=tuple(Secret.fromhex(part) for part in wish.parts),
        kcv=bytes.fromhex(wish.kcv),
    )
    answer = await import_transport_key(session, caller, write, asked, vault=runtime.vault, now=now)
    return reply(answer, response, 201)
