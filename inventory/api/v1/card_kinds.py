"""Card products: what they are called, how they are written, how their cards authenticate, what they cost."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Fen, Model
from inventory.api.problems import errors
from inventory.domain.errors import DuplicateIdentifier, InvalidField, NotFound
from inventory.downloads import FILES, FileDep, download
from inventory.services.catalogue import add_card_kind, close_card_kind, read_code_tables
from inventory.services.short_lists import card_kind_listing
from inventory.store.catalogue import CardKindRow

router = APIRouter(tags=["sims"])

Name = Annotated[str, Field(min_length=1, max_length=100)]
Plmn = Annotated[str, Field(pattern="^[0-9]{5,6}$", examples=["46000"])]


class Milenage(Model):
    """MILENAGE (TS 35.206); what is left out is the standard's."""

    name: Literal["milenage"]
    r: list[Annotated[int, Field(strict=True, ge=0, le=127)]] = Field(
        default=[64, 0, 32, 64, 96], min_length=5, max_length=5, description="rotations r1 to r5 in bits"
    )
    c: list[Annotated[str, Field(pattern="^[0-9A-Fa-f]{1,32}$")]] = Field(
        default=["0", "1", "2", "4", "8"], min_length=5, max_length=5, description="additions c1 to c5, 128 bits in hex"
    )
    res_bits: Literal[32, 64] = 64


class Tuak(Model):
    """TUAK (TS 35.231); OPc is TOPc, 32 bytes."""

    name: Literal["tuak"]
    mac_bits: Literal[64, 128, 256] = 64
    res_bits: Literal[32, 64, 128, 256] = 64
    ck_bits: Literal[128, 256] = 128
    ik_bits: Literal[128, 256] = 128
    iterations: Annotated[int, Field(strict=True, ge=1, le=255)] = 1


Algorithm = Annotated[Milenage | Tuak, Field(discriminator="name")]


class ProviderName(Model):
    """What a phone shows as the name of the network (EF.SPN)."""

    name: Annotated[str, Field(min_length=1, max_length=16)]
    show_plmn: bool = True
    hide_abroad: bool = False


class HomeNetwork(Model):
    """A home network with its technologies, the best first (EF.HPLMNwAcT)."""

    plmn: Plmn
    act: list[Literal["NG_RAN", "E_UTRAN", "UTRAN", "GSM"]] = Field(min_length=1, max_length=4)


class Network(Model):
    """What is the same on every card of the product; left out, it follows from the IMSI.

    Files of a product's own are not taken here: one of them lets keys travel in clear, which is not one person's word.
    """

    spn: ProviderName
    mnc_length: Literal[2, 3] = 2
    hplmns: list[HomeNetwork] = Field(default=[], max_length=16)
    ehplmns: list[Plmn] = Field(default=[], max_length=32)
    search_minutes: Annotated[int, Field(strict=True, ge=0, le=480)] = 30
    own_number: bool = True


class NewCardKind(Model):
    """A card product as bought; `network` is left out of products that no hall writes."""

    code: Annotated[str, Field(min_length=1, max_length=40, examples=["5G-TUAK"])]
    name_zh: Name
    name_en: Name
    profile: Annotated[str, Field(max_length=40, description="who writes such cards", examples=["preset_key"])]
    capacity_kb: Annotated[int, Field(strict=True, ge=1, le=1 << 20)]
    capabilities: list[Annotated[str, Field(min_length=1, max_length=40)]] = Field(default=[], max_length=32)
    network: Network | None = None
    algorithm: Algorithm = Milenage(name="milenage")
    fee_fen: Fen
    max_numbers: Literal[1, 2] = Field(default=1, description="how many numbers one card may serve")


class CardKind(Model):
    """A card product; a closed one is not loaded any more, its cards in stock stay."""

    code: str
    name_zh: str
    name_en: str
    profile: str
    capacity_kb: int
    capabilities: list[str]
    algorithm: dict[str, Any]
    fee_fen: int
    max_numbers: int = Field(description="How many numbers one card may serve: 2 allows a second one on a card in use.")
    active: bool


class CardKinds(Model):
    """Card products by code."""

    card_kinds: list[CardKind]


class CardKindAdded(Model):
    """A product as it was added."""

    code: str
    profile: str
    fee_fen: int
    max_numbers: int


class CardKindClosed(Model):
    """A product that is closed now."""

    code: str
    active: bool


@router.get(
    "/card-kinds",
    operation_id="read_card_kinds",
    summary="Card products, closed ones too",
    response_model=CardKinds,
    responses=FILES,
)
async def get_card_kinds(
    caller: Annotated[Caller, require(Permission.SIMS_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    file: FileDep,
) -> CardKinds | Response:
    """List the card products."""
    if file is not None:
        return await download(runtime.database, caller, card_kind_listing(), file)
    found = (await read_code_tables(session, caller)).card_kinds
    names = CardKind.model_fields
    return CardKinds(card_kinds=[CardKind(**{name: getattr(row, name) for name in names}) for row in found])


@router.post(
    "/card-kinds",
    operation_id="add_card_kind",
    status_code=201,
    summary="Add a card product",
    response_model=CardKindAdded,
    responses=errors(InvalidField, DuplicateIdentifier),
)
async def post_card_kind(
    caller: Annotated[Caller, require(Permission.LOADS_WRITE, writes=True)],
    wish: NewCardKind,
    session: SessionDep,
    write: WriteDep,
    now: NowDep,
    response: Response,
) -> Any:
    """Add a product; it is closed one day, never changed: cards in stock are written and proven as it says."""
    given = wish.model_dump(exclude_unset=True)
    row = CardKindRow(**{"capabilities": [], **given, "network": given.get("network") or {}})
    return reply(await add_card_kind(session, caller, write, row, now=now), response, 201)


@router.post(
    "/card-kinds/{code}:close",
    operation_id="close_card_kind",
    summary="Close a card product",
    response_model=CardKindClosed,
    responses=errors(NotFound),
)
async def post_close(
    caller: Annotated[Caller, require(Permission.LOADS_WRITE, writes=True)],
    code: Annotated[str, Path(max_length=40)],
    session: SessionDep,
    write: WriteDep,
    now: NowDep,
    response: Response,
) -> Any:
    """Take a product off what may be loaded; its cards in stock stay as they are."""
    return reply(await close_card_kind(session, caller, write, code=code, now=now), response)
