"""Bulk orders: blanks that become finished cards, one insertion after the other (批量写卡)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model, Time
from inventory.api.problems import errors
from inventory.api.v1.write_jobs import WriteJobView, in_words
from inventory.domain.bulk import NotTaken
from inventory.domain.errors import (
    BulkOrderOpen,
    IllegalTransition,
    InvalidField,
    NoDataUnit,
    NoNumberedData,
    NotFound,
    StationUnknown,
)
from inventory.domain.lifecycle import BulkOrderState
from inventory.downloads import FILES, FileDep, download
from inventory.i18n import choose, texts
from inventory.services import bulk_orders
from inventory.services.bulk_orders import BulkWish
from inventory.services.short_lists import bulk_order_listing

router = APIRouter(tags=["cards"])
Orderer = Annotated[Caller, require(Permission.CARDS_BULK, writes=True)]
Reader = Annotated[Caller, require(Permission.STATIONS_READ)]
Code = Annotated[str, Field(min_length=1, max_length=64)]


class NewBulkOrder(Model):
    """Finish so many cards of a product with data of an HLR, at one station."""

    station: Code = Field(examples=["st-530700-3"])
    kind: Code = Field(examples=["blank-4g"])
    hlr: Code = Field(examples=["LJ1"])
    count: int = Field(examples=[500])


class BulkOrderView(Model):
    """A bulk order and how far it is.

    `damaged`, `unknown` and `untouched` (nothing was written) cards do not count towards `wanted`; an unknown one is
    settled when it is put in again. The pace is that of the last ten minutes.
    """

    id: str = Field(examples=["bo-530700-7"])
    station: str
    station_name: str
    online: bool
    kind: str
    hlr: str
    state: BulkOrderState
    wanted: int
    written: int
    damaged: int
    unknown: int
    untouched: int
    under_way: int
    left: int
    cards_per_hour: int
    minutes_left: int | None
    staff: str
    opened_at: Time
    ended_at: Time | None


class BulkReader(Model):
    """A reader of the station: the job that its present card got, or `not_taken`, why it got none."""

    name: str
    label: str | None
    state: Literal["service_down", "no_card", "card", "mute", "busy", "lost"]
    looking: bool
    card: str | None
    readable: bool | None
    not_taken: NotTaken | None
    not_taken_text: str | None
    job: WriteJobView | None


class BulkOrderDetail(BulkOrderView):
    """A bulk order with the readers of its station."""

    readers: list[BulkReader]


class BulkOrders(Model):
    """Bulk orders, the newest first."""

    orders: list[BulkOrderView]


@router.post(
    "/bulk-orders",
    operation_id="open_bulk_order",
    status_code=201,
    summary="Have blanks finished in bulk at a station",
    response_model=BulkOrderView,
    responses=errors(StationUnknown, InvalidField, NotFound, NoDataUnit, NoNumberedData, BulkOrderOpen),
)
async def post_bulk_order(
    caller: Orderer, wish: NewBulkOrder, session: SessionDep, write: WriteDep, now: NowDep, response: Response
) -> Any:
    """Open an order; from now on each fitting blank that is put into a reader of the station is written."""
    answer = await bulk_orders.open_order(session, caller, write, BulkWish(**dict(wish)), now=now)
    return reply(answer, response, 201)


@router.get(
    "/bulk-orders",
    operation_id="list_bulk_orders",
    summary="Bulk orders of the caller's part",
    response_model=BulkOrders,
    responses=FILES,
)
async def get_bulk_orders(
    caller: Reader, session: SessionDep, now: NowDep, runtime: RuntimeDep, file: FileDep
) -> BulkOrders | Response:
    """List the newest orders with how far they are; as a file all."""
    if file is not None:
        return await download(runtime.database, caller, bulk_order_listing(now=now), file)
    found = await bulk_orders.read_orders(session, caller, now=now)
    return BulkOrders(orders=[BulkOrderView(**one) for one in found])


@router.get(
    "/bulk-orders/{order_id}",
    operation_id="read_bulk_order",
    summary="A bulk order with what lies in each reader",
    responses=errors(NotFound),
)
async def get_bulk_order(
    caller: Reader, order_id: str, request: Request, runtime: RuntimeDep, session: SessionDep, now: NowDep
) -> BulkOrderDetail:
    """Give an order as it stands."""
    found = await bulk_orders.read_order(session, caller, order_id, now=now)
    said = texts("cards", choose(request.headers.get("accept-language"), runtime.settings.language))
    readers = [
        reader
        | {
            "not_taken_text": None if reader["not_taken"] is None else said["not_taken", reader["not_taken"]],
            "job": None if reader["job"] is None else in_words(reader["job"], request, runtime),
        }
        for reader in found["readers"]
    ]
    return BulkOrderDetail(**found | {"readers": readers})


@router.post(
    "/bulk-orders/{order_id}:pause",
    operation_id="pause_bulk_order",
    summary="Begin no further card",
    response_model=BulkOrderView,
    responses=errors(NotFound, IllegalTransition),
)
async def pause_bulk_order(
    caller: Orderer, order_id: str, session: SessionDep, write: WriteDep, now: NowDep, response: Response
) -> Any:
    """Pause an order; cards under way are written to their end."""
    return reply(await bulk_orders.pause_order(session, caller, write, order_id, now=now), response)


@router.post(
    "/bulk-orders/{order_id}:resume",
    operation_id="resume_bulk_order",
    summary="Go on with a paused order",
    response_model=BulkOrderView,
    responses=errors(NotFound, IllegalTransition),
)
async def resume_bulk_order(
    caller: Orderer, order_id: str, session: SessionDep, write: WriteDep, now: NowDep, response: Response
) -> Any:
    """Resume an order, with the cards that lie in the readers first."""
    return reply(await bulk_orders.resume_order(session, caller, write, order_id, now=now), response)


class AdmAgain(Model):
    """The reader with the card."""

    reader: Annotated[str, Field(min_length=1, max_length=200)]


@router.post(
    "/bulk-orders/{order_id}:try-adm-again",
    operation_id="try_adm_again_in_bulk",
    summary="Try a card's ADM key once more",
    response_model=BulkOrderView,
    responses=errors(IllegalTransition, InvalidField, NotFound),
)
async def try_adm_again(
    caller: Orderer,
    order_id: str,
    wish: AdmAgain,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> Any:
    """Take a person's word on a card that was left alone as `adm_in_doubt`: its counter is asked before."""
    return reply(await bulk_orders.try_adm_again(session, caller, write, order_id, wish.reader, now=now), response)


@router.post(
    "/bulk-orders/{order_id}:cancel",
    operation_id="cancel_bulk_order",
    summary="End a bulk order",
    response_model=BulkOrderView,
    responses=errors(NotFound, IllegalTransition),
)
async def cancel_bulk_order(
    caller: Orderer, order_id: str, session: SessionDep, write: WriteDep, now: NowDep, response: Response
) -> Any:
    """End an order; what was written stays, cards under way are written to their end."""
    return reply(await bulk_orders.cancel_order(session, caller, write, order_id, now=now), response)
