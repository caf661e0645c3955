"""Holds: a kit held, kept, booked, given back or sold. The hold's key travels in a header only."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.api.deps import ConnectionDep, NowDep, RuntimeDep, SessionDep, WriteDep, reply
from inventory.api.models import Id, Model, Time
from inventory.api.problems import errors
from inventory.api.v1.hold_parts import ENDED, HoldId, HoldKey, Reader, Releaser, Seller, Text, hold_keys
from inventory.api.v1.quotes import QuoteView
from inventory.domain.errors import (
    Busy,
    CardBeingWritten,
    CardKindDiffers,
    CardLacksCapability,
    CardServesNoMore,
    CardUnknown,
    HlrMismatch,
    HoldExtendedTooOften,
    InvalidField,
    InvalidIdentifier,
    LegalHold,
    MissingField,
    NetworkHasIdentity,
    NoDataUnit,
    NoNumberedData,
    NotFound,
    NotSoldInHalls,
    NumberNotFree,
    NumberNotInUse,
    NumberNotOnSale,
    OutsideScope,
    ReasonMissing,
    SaleChannelRefused,
    ServiceOrderOpen,
    SimNotFree,
    SimNotInUse,
)
from inventory.domain.fees import Business
from inventory.domain.holds import Flow
from inventory.domain.identifiers import parse_any_number, parse_chip_serial, parse_iccid
from inventory.domain.kinds import SIM
from inventory.domain.lifecycle import HoldState, NumberState, SimState
from inventory.domain.replacement import ReplaceReason
from inventory.services import holds, kit_cards, promises
from inventory.services.kits import CardWish, KitWish, SimWish
from inventory.services.once import Answer
from inventory.services.selecting import item_name
from inventory.vault.hold_keys import HEADER

router = APIRouter(tags=["holds"])


class WishedCard(Model):
    """A card to be chosen when the customer stands there."""

    kind_code: Text
    org_id: Id


class NewHold(Model):
    """A kit: a number, one card (named or wished for), or both.

    With `business` `second_number` (副号) a free number and a card in use, which is to serve it too.

    With `business` `replace_sim` a service order on a number in use, which its card is to serve: the number, or the
    card that serves it now (`old_card`), and why it is replaced.
    """

    business: Business = Business.ACTIVATION
    number: Text | None = Field(default=None, examples=["13888801234"])
    iccid: Text | None = None
    chip_serial: Text | None = None
    sim_wish: WishedCard | None = None
    order_ref: Text | None = None
    flow: Literal[Flow.NORMAL, Flow.LONG, Flow.GROUP_MEMBER, Flow.FIXED_BATCH] = Flow.NORMAL
    minutes: Annotated[int, Field(strict=True, ge=1, le=60 * 24 * 31)] | None = None
    capabilities: list[Annotated[str, Field(max_length=40)]] = Field(
        [], max_length=8, description="what the card must be able to do", examples=[["5G"]]
    )
    old_card: Text | None = Field(default=None, description="ICCID or chip serial of the card to be replaced")
    replace_reason: ReplaceReason | None = None

    def kit(self) -> KitWish:
        """Return the wish with its identifiers in normal form.

        Raises
        ------
        InvalidIdentifier
            An identifier is not well formed.
        """
        return KitWish(
            number=None if self.number is None else parse_any_number(self.number),
            business=self.business,
            iccid=None if self.iccid is None else parse_iccid(self.iccid).iccid,
            chip_serial=None if self.chip_serial is None else parse_chip_serial(self.chip_serial),
            sim_wish=None if self.sim_wish is None else SimWish(self.sim_wish.kind_code, self.sim_wish.org_id),
            flow=self.flow,
            order_ref=self.order_ref,
            minutes=self.minutes,
            capabilities=tuple(self.capabilities),
            old_card=None if self.old_card is None else item_name(SIM, self.old_card),
            replace_reason=self.replace_reason,
        )


class Held(Model):
    """A hold as made; its key is in the header `Haoka-Hold-Key`."""

    hold: str
    state: Literal[HoldState.ACTIVE]
    business: Business
    number: str | None
    iccid: str | None
    chip_serial: str | None
    sim_wish: WishedCard | None
    order_ref: str | None
    expires_at: Time
    quote: QuoteView | None
    old_iccid: str | None = Field(None, description="The card that is to be replaced, of a replacement.")
    replace_reason: ReplaceReason | None = None


class HoldView(Model):
    """A hold as it stands."""

    hold: str
    state: HoldState
    business: Business
    number: str | None
    number_state: NumberState | None
    iccid: str | None
    chip_serial: str | None
    sim_state: SimState | None
    sim_finished: bool = Field(description="The card came finished: it is confirmed without being written.")
    sim_wish: WishedCard | None
    order_ref: str | None
    customer_ref: str | None
    quote: QuoteView | None
    expires_at: Time
    extensions: int
    writing: bool = Field(description="A card of the kit is being written or its outcome is unknown.")
    interface_no: str
    staff_no: str
    created_at: Time
    closed_at: Time | None
    close_reason: str | None
    original_hold: str | None = Field(None, description="The hold whose sale was rolled back for this one.")
    network_has_it: bool = Field(
        False,
        description="The network may still have the identity that its number was sold with: until it is deleted there, "
        "the hold neither expires nor is released.",
    )
    old_iccid: str | None = Field(description="The card that is to be replaced, of a replacement.")
    old_sim_state: SimState | None
    replace_reason: ReplaceReason | None


def _reply_with_key(answer: Answer, caller: Caller, runtime: RuntimeDep, response: Response) -> dict[str, Any]:
    hold_id = holds.hold_number(caller, answer.body["hold"])
    response.headers[HEADER] = hold_keys(runtime).key(caller.city_id, hold_id)
    response.headers["Cache-Control"] = "no-store"
    return reply(answer, response, 201)


@router.post(
    "/holds",
    operation_id="hold",
    status_code=201,
    summary="Hold a kit, or open a service order: all of it or nothing",
    response_model=Held,
    responses=errors(
        NotFound,
        CardUnknown,
        CardLacksCapability,
        OutsideScope,
        NotSoldInHalls,
        NumberNotFree,
        NumberNotInUse,
        ServiceOrderOpen,
        NumberNotOnSale,
        SaleChannelRefused,
        SimNotFree,
        SimNotInUse,
        CardServesNoMore,
        LegalHold,
        NoDataUnit,
        NoNumberedData,
        HlrMismatch,
        InvalidField,
        InvalidIdentifier,
        MissingField,
        Busy,
    ),
)
async def post_hold(
    caller: Seller,
    wish: NewHold,
    write: WriteDep,
    connection: ConnectionDep,
    now: NowDep,
    runtime: RuntimeDep,
    response: Response,
) -> Any:
    """Hold a kit; the answer's header `Haoka-Hold-Key` is needed for everything that follows."""
    answer = await holds.hold(connection, caller, write, wish.kit(), now=now)
    return _reply_with_key(answer, caller, runtime, response)


class OwnHolds(Model):
    """The holds that the caller has open, the first to end first."""

    holds: list[HoldView]


@router.get("/holds", operation_id="read_own_holds", summary="The caller's own open holds", response_model=OwnHolds)
async def get_own_holds(caller: Reader, session: SessionDep, now: NowDep) -> Any:
    """List what this staff id has open at this interface: a caller that lost its answers finds its holds again."""
    return {"holds": await promises.read_own_holds(session, caller, now=now)}


@router.get(
    "/holds/{hold}",
    operation_id="read_hold",
    summary="Read a hold",
    response_model=HoldView,
    responses=errors(NotFound, InvalidIdentifier),
)
async def get_hold(caller: Reader, hold: HoldId, session: SessionDep, now: NowDep) -> Any:
    """Read a hold of the caller's interface or part of the organisation."""
    return await promises.read_hold(session, caller, hold, now=now)


class Extended(Model):
    """A hold with its new end."""

    hold: str
    state: HoldState
    expires_at: Time
    extensions: int


@router.post(
    "/holds/{hold}:extend",
    operation_id="extend_hold",
    summary="Keep a hold longer",
    response_model=Extended,
    responses=errors(*ENDED, HoldExtendedTooOften),
)
async def extend_hold(
    caller: Seller,
    hold: HoldId,
    write: WriteDep,
    connection: ConnectionDep,
    now: NowDep,
    runtime: RuntimeDep,
    response: Response,
    key: HoldKey = None,
) -> Any:
    """Keep an active hold for another of its first durations, within the limits."""
    answer = await promises.extend(connection, caller, write, hold, keys=hold_keys(runtime), key=key, now=now)
    return reply(answer, response)


class BookingWish(Model):
    """Whom the booking is for."""

    customer_ref: Text | None = None
    order_ref: Text | None = None
    flow: Literal[Flow.BOOKING_UNPAID, Flow.BOOKING_APPROVAL, Flow.BOOKING_DELIVERY] = Flow.BOOKING_UNPAID


class Booked(Model):
    """A booking with its end."""

    hold: str
    state: HoldState
    expires_at: Time


@router.post(
    "/holds/{hold}:book",
    operation_id="book_hold",
    summary="Turn a hold into a booking for a customer or order",
    response_model=Booked,
    responses=errors(*ENDED, MissingField, InvalidField),
)
async def book_hold(
    caller: Seller,
    hold: HoldId,
    wish: BookingWish,
    write: WriteDep,
    connection: ConnectionDep,
    now: NowDep,
    runtime: RuntimeDep,
    response: Response,
    key: HoldKey = None,
) -> Any:
    """Book the kit for days instead of minutes."""
    answer = await promises.book(
        connection, caller, write, hold, keys=hold_keys(runtime), key=key, **dict(wish), now=now
    )
    return reply(answer, response)


class ReleaseWish(Model):
    """Why; a superior without the key must say it."""

    reason: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class Released(Model):
    """The hold that ended."""

    hold: str
    state: HoldState
    released_at: Time


@router.post(
    "/holds/{hold}:release",
    operation_id="release_hold",
    summary="Give the whole kit back",
    response_model=Released,
    responses=errors(*ENDED, ReasonMissing, OutsideScope, CardBeingWritten, NetworkHasIdentity),
)
async def release_hold(
    caller: Releaser,
    hold: HoldId,
    write: WriteDep,
    connection: ConnectionDep,
    now: NowDep,
    runtime: RuntimeDep,
    response: Response,
    wish: ReleaseWish | None = None,
    key: HoldKey = None,
) -> Any:
    """Release by the hold's key, or as a superior with a reason."""
    answer = await promises.release(
        connection,
        caller,
        write,
        hold,
        keys=hold_keys(runtime),
        key=key,
        reason=None if wish is None else wish.reason,
        now=now,
    )
    return reply(answer, response)


class CardInHand(Model):
    """The card that the kit is to have: by the number printed on it or by its chip serial."""

    iccid: Text | None = None
    chip_serial: Text | None = None

    def wish(self) -> CardWish:
        """Return the card with its identifier in normal form.

        Raises
        ------
        InvalidIdentifier, MissingField, InvalidField
            It is not well formed, not named, or named twice.
        """
        return CardWish(
            iccid=None if self.iccid is None else parse_iccid(self.iccid).iccid,
            chip_serial=None if self.chip_serial is None else parse_chip_serial(self.chip_serial),
        )


class CardTaken(Model):
    """The kit with the card that it has now; number and quote are as before."""

    hold: str
    state: HoldState
    iccid: str | None
    chip_serial: str | None
    expires_at: Time


@router.post(
    "/holds/{hold}:take-card",
    operation_id="take_card",
    summary="Give a kit its card, or another one in place of a spoiled one",
    response_model=CardTaken,
    responses=errors(
        *ENDED,
        CardUnknown,
        OutsideScope,
        SimNotFree,
        HlrMismatch,
        NoDataUnit,
        NoNumberedData,
        CardKindDiffers,
        CardBeingWritten,
        MissingField,
        InvalidField,
    ),
)
async def take_card(
    caller: Seller,
    hold: HoldId,
    card: CardInHand,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    runtime: RuntimeDep,
    response: Response,
    key: HoldKey = None,
) -> Any:
    """Put this card into the kit; key, number and quote stay."""
    answer = await kit_cards.take_card(
        session, caller, write, hold, card.wish(), keys=hold_keys(runtime), key=key, now=now
    )
    return reply(answer, response)
