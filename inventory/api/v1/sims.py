"""One card: what it is now, without its secrets."""

from __future__ import annotations

from datetime import date
from string import hexdigits
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import AfterValidator, Field, SecretStr

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model, Time
from inventory.api.problems import errors
from inventory.api.v1.items import add_item_routes
from inventory.api.v1.loads import Code, Loaded
from inventory.domain.errors import DuplicateIdentifier, InvalidField, InvalidIdentifier, NotFound
from inventory.domain.kinds import SIM
from inventory.domain.loading import CardSecrets
from inventory.services.loading import CardWish, enter_card
from inventory.services.reporting import read_card_identities, read_item

router = APIRouter(tags=["sims"])


def _hex(secret: SecretStr) -> SecretStr:
    """Let pass a secret in hexadecimal; the message never shows it."""
    if not set(secret.get_secret_value()) <= set(hexdigits):
        raise ValueError("hexadecimal digits are needed")
    return secret


def _whole(secret: SecretStr) -> SecretStr:
    """Let pass a key of one block or two; the message never shows it."""
    if len(secret.get_secret_value()) not in {32, 64}:
        raise ValueError("32 or 64 hexadecimal digits are needed")
    return secret


CardKey = Annotated[SecretStr, Field(min_length=32, max_length=64), AfterValidator(_hex), AfterValidator(_whole)]
CardCode = Annotated[SecretStr, Field(min_length=16, max_length=16), AfterValidator(_hex)]


class Identity(Model):
    """One identity on a card; of the IMSI the first six and the last two digits (REQ-SEC-03)."""

    slot: int
    application: str
    imsi: str
    hlr: str
    state: str
    auc: str


class SimView(Model):
    """A card as it is now."""

    iccid: str | None
    serial: str | None
    kind: str
    state: str
    version: int
    holder: str
    in_transit: bool
    legal_hold: bool = Field(description="an outside order lies on it: it is neither sold nor given up")
    pool: str | None
    hlr: str | None
    generation: int
    face_value: int | None = Field(default=None, description="fen, of a prepaid card")
    expires_on: date | None = Field(default=None, description="the last day on which a prepaid card may be sold")
    area: str | None = Field(default=None, description="GB/T 2260 digits of where a prepaid card may be sold")
    held_until: Time | None
    identities: list[Identity]
    updated_at: Time


class NewSecrets(Model):
    """A card's secrets as delivered, in hex: Ki, OPc or TOPc under the transport key, ADM1 as sent to the card."""

    transport_key: Code
    ki: CardKey
    opc: CardKey
    adm1: CardCode

    def opened(self) -> CardSecrets:
        """Give the secrets as bytes."""
        ki, opc, adm1 = (bytes.fromhex(part.get_secret_value()) for part in (self.ki, self.opc, self.adm1))
        return CardSecrets(ki=ki, opc=opc, adm1=adm1)


class NewSim(Model):
    """One card entered by hand: ICCID, chip serial or both."""

    iccid: Code | None = Field(default=None, examples=["89860012345678901238"])
    serial: Code | None = None
    kind: Code = Field(examples=["4G-P"])
    vendor: Code | None = None
    pool: Code | None = Field(default=None, examples=["hall"])
    secrets: NewSecrets | None = None


@router.post(
    "/sims",
    operation_id="enter_sim",
    status_code=201,
    summary="Enter one card",
    response_model=Loaded,
    responses=errors(DuplicateIdentifier, InvalidField, InvalidIdentifier, NotFound),
)
async def post_sim(
    caller: Annotated[Caller, require(Permission.LOADS_WRITE, writes=True)],
    wish: NewSim,
    write: WriteDep,
    runtime: RuntimeDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Put one card into the city's stock, with its document."""
    card = CardWish(
        iccid=wish.iccid,
        serial=wish.serial,
        card_kind=wish.kind,
        vendor=wish.vendor,
        pool=wish.pool,
        transport_key=wish.secrets.transport_key if wish.secrets else "",
        secrets=wish.secrets.opened() if wish.secrets else CardSecrets(),
    )
    return reply(await enter_card(session, caller, write, card, vault=runtime.vault, now=now), response, 201)


@router.get("/sims/{iccid}", operation_id="read_sim", summary="One card", responses=errors(InvalidIdentifier, NotFound))
async def get_sim(
    iccid: Annotated[str, Path(examples=["89860012345678901238"], max_length=40, description="ICCID or chip serial")],
    caller: Annotated[Caller, require(Permission.SIMS_READ)],
    session: SessionDep,
) -> SimView:
    """Read one card of the caller's part: state, holder, identities; never a key or code."""
    view = await read_item(session, caller, resource=SIM.name, name=iccid)
    identities = await read_card_identities(session, caller, item_no=view.item.item_no)
    item = view.item
    return SimView(
        iccid=item.row["iccid"],
        serial=item.row["serial"],
        kind=item.row["kind_code"],
        state=item.state,
        version=item.version,
        holder=view.holder.code,
        in_transit=item.transit_id is not None,
        legal_hold=item.row["legal_hold"],
        pool=item.pool,
        hlr=item.row["hlr_code"],
        generation=item.row["generation"],
        face_value=item.row["face_value"],
        expires_on=item.row["expires_on"],
        area=item.row["area"],
        held_until=item.hold_until,
        identities=[
            Identity(
                slot=row.slot,
                application=row.application,
                imsi=row.imsi,
                hlr=row.hlr_code,
                state=row.state,
                auc=row.auc,
            )
            for row in identities
        ],
        updated_at=item.updated_at,
    )


add_item_routes(router, SIM, parameter="iccid", read=Permission.SIMS_READ)
