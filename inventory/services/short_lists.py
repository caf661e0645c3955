"""Lists to be taken along whole that are short beside those of items: boxes, stocktakes, orders, code tables.

Those that grow with the years (boxes, stocktakes, legal holds) are read through a cursor; the others in one go, by what
their page is read by, without the page's limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import aclosing
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.identifiers import format_public_id
from inventory.domain.kinds import KINDS
from inventory.domain.lifecycle import AucState
from inventory.services import auc_deletions, bulk_orders, legal_holds, recall_orders
from inventory.services.approving import ApprovalView, read_approvals
from inventory.services.auc_exports import PREFIX, read_exports
from inventory.services.catalogue import read_code_tables
from inventory.services.exporting import Batches, Listing, Row
from inventory.services.holidays import read_holidays
from inventory.services.number_kinds import read_number_kinds
from inventory.services.reasons import read_reasons
from inventory.services.recall_orders import OrderView, read_orders
from inventory.services.stocktakes import stocktake_name
from inventory.services.transport_keys import read_transport_keys
from inventory.store import legal_orders, organisation
from inventory.store.boxes import BoxRow, stream_boxes
from inventory.store.organisation import Node
from inventory.store.stock import allow_long_statements
from inventory.store.stocktakes import StocktakeRow, stream_stocktakes

_ANSWERS = (AucState.SENT.value, AucState.CONFIRMED.value, AucState.FAILED.value, AucState.DELETED.value)
_FIGURES = ("expected", "scanned", "missing", "extra")


def box_listing() -> Listing:
    """Give the boxes that lie in the caller's part, the newest first; those inside sealed ones are found in these."""
    columns = (
        "box", "resource", "place", "state", "seal", "count", "packed_by", "packed_at", "opened_by", "opened_at",
        "open_reason",
    )  # fmt: skip

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        async with session.begin():
            await allow_long_statements(session)
            for kind in (kind for kind in KINDS.values() if kind.physical):
                boxes = stream_boxes(session, kind, city_id=caller.city_id, holders=caller.scope)
                async with aclosing(boxes) as batches:
                    async for batch in batches:
                        places = await organisation.by_ids(session, {holder for _, holder in batch})
                        yield [_box(row, places[holder]) for row, holder in batch]

    return Listing("boxes", columns, rows)


def _box(row: BoxRow, place: Node) -> Row:
    return (
        row.code, row.resource, place.code, row.state, row.seal, row.item_count, row.packed_by, row.packed_at,
        row.opened_by, row.opened_at, row.open_reason,
    )  # fmt: skip


def stocktakes_listing() -> Listing:
    """Give the stocktakes of the caller's part, those under way first; figures only once they are closed."""
    columns = (
        "stocktake", "resource", "place", "with_below", "sort", "state", *_FIGURES, "counted_by", "staff", "at",
        "closed_by", "closed_at", "ended_by", "approver", "ended_at", "reason",
    )  # fmt: skip

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        async with session.begin():
            counts = stream_stocktakes(session, city_id=caller.city_id, places=caller.scope)
            async with aclosing(counts) as batches:
                async for batch in batches:
                    places = await organisation.by_ids(session, {row.place_id for row in batch})
                    yield [_stocktake(row, places[row.place_id]) for row in batch]

    return Listing("stocktakes", columns, rows)


def _stocktake(row: StocktakeRow, place: Node) -> Row:
    return (
        stocktake_name(row), row.resource, place.code, row.with_below, row.sort, row.state,
        *(row.figures.get(figure) for figure in _FIGURES), row.counted_by, row.opened_by, row.opened_at,
        row.closed_by, row.closed_at, row.ended_by, row.approver, row.ended_at, row.reason,
    )  # fmt: skip


def recall_order_listing() -> Listing:
    """Give the recall orders to and for the caller's part, a row for each holder of it that still owes something."""
    columns = (
        "recall_order", "resource", "place", "below", "sort", "number_class", "state", "asked", "came", "owed_by",
        "free", "promised", "on_the_way", "reason", "staff", "at", "closed_by", "closed_at", "close_reason",
    )  # fmt: skip

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        yield [row for view in await read_orders(session, caller, most=None) for row in _recall_order(view)]

    return Listing("recall-orders", columns, rows)


def _recall_order(view: OrderView) -> Iterator[Row]:
    order = view.order
    debts: list[Row] = [
        (found.holder.code, found.debt.free, found.debt.promised, found.debt.on_the_way) for found in view.debts
    ]
    for debt in debts or [(None, 0, 0, 0)]:
        yield (
            recall_orders.public_id(order), order.resource, view.place.code, view.below.code, order.sort,
            order.number_class, order.state, order.asked, order.came, *debt, order.reason, order.staff_no,
            order.created_at, order.closed_by, order.closed_at, order.close_reason,
        )  # fmt: skip


def legal_hold_listing() -> Listing:
    """Give the legal holds of the city, those in force first, then the newest."""
    columns = (
        "legal_hold", "resource", "state", "count", "authority", "reference", "reason", "given_on", "review_on",
        "staff", "at", "lifted_by", "lifted_with", "lifted_at", "lift_reason",
    )  # fmt: skip

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        async with session.begin(), aclosing(legal_orders.stream_orders(session, city_id=caller.city_id)) as batches:
            async for batch in batches:
                yield [_legal_hold(order) for order in batch]

    return Listing("legal-holds", columns, rows)


def _legal_hold(order: legal_orders.Order) -> Row:
    return (
        legal_holds.public_id(order), order.resource, order.state, order.item_count, order.authority, order.reference,
        order.reason, order.given_on.isoformat(), None if order.review_on is None else order.review_on.isoformat(),
        order.staff_no, order.created_at, order.lifted_by, order.lifted_with, order.lifted_at, order.lift_reason,
    )  # fmt: skip


def bulk_order_listing(*, now: datetime) -> Listing:
    """Give the bulk orders of the stations of the caller's part, the newest first, with how far they are."""
    columns = (
        "bulk_order", "station", "station_name", "sort", "hlr", "state", "wanted", "written", "damaged", "unknown",
        "untouched", "staff", "at", "ended_at",
    )  # fmt: skip

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        yield [_bulk_order(order) for order in await bulk_orders.read_orders(session, caller, now=now, most=None)]

    return Listing("bulk-orders", columns, rows)


def _bulk_order(order: Mapping[str, Any]) -> Row:
    opened_at, ended_at = order["opened_at"], order["ended_at"]
    return (
        order["id"], order["station"], order["station_name"], order["kind"], order["hlr"], order["state"],
        order["wanted"], order["written"], order["damaged"], order["unknown"], order["untouched"], order["staff"],
        datetime.fromisoformat(opened_at), None if ended_at is None else datetime.fromisoformat(ended_at),
    )  # fmt: skip


def card_kind_listing() -> Listing:
    """Give the card products by code, closed ones too."""
    columns = ("code", "name_zh", "name_en", "profile", "algorithm", "capacity_kb", "fee_fen", "max_numbers", "active")

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        yield [
            (
                kind.code, kind.name_zh, kind.name_en, kind.profile, kind.algorithm["name"], kind.capacity_kb,
                kind.fee_fen, kind.max_numbers, kind.active,
            )
            for kind in (await read_code_tables(session, caller)).card_kinds
        ]  # fmt: skip

    return Listing("card-kinds", columns, rows)


def hlr_listing() -> Listing:
    """Give the HLRs of the city by code, closed ones too."""

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        yield [(hlr.code, hlr.name, hlr.smsc, hlr.active) for hlr in (await read_code_tables(session, caller)).hlrs]

    return Listing("hlrs", ("code", "name", "smsc", "active"), rows)


def reason_listing() -> Listing:
    """Give the reasons of the city by code, closed ones too."""

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        yield [
            (row.code, row.name_zh, row.name_en, " ".join(row.purposes), row.active)
            for row in await read_reasons(session, caller)
        ]

    return Listing("reasons", ("code", "name_zh", "name_en", "purposes", "active"), rows)


def number_kind_listing() -> Listing:
    """Give the kinds of numbers as they are in the city."""

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        yield [(row.kind, row.name_zh, row.name_en, row.intake) for row in await read_number_kinds(session, caller)]

    return Listing("number-kinds", ("code", "name_zh", "name_en", "active"), rows)


def transport_key_listing() -> Listing:
    """Give what the letters of the transport keys said beside the keys, by index."""
    columns = ("index", "algorithm", "kcv", "purpose")

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        del caller  # keys belong to the installation
        yield [tuple(key[name] for name in columns) for key in await read_transport_keys(session)]

    return Listing("transport-keys", columns, rows)


def approval_listing(*, now: datetime) -> Listing:
    """Give what waits for the caller's word, the oldest first, then what it asked for itself, the newest first.

    Of what each act would do only the kind, the number of items and the reason.
    """
    columns = (
        "approval", "mine_asked", "act", "state", "place", "resource", "count", "reason", "asked_by", "asked_at",
        "expires_at", "answered_by", "answered_at", "answer_reason", "used_at",
    )  # fmt: skip

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        waiting, asked = await read_approvals(session, caller, most=None, now=now)
        yield [_approval(view) for view in (*waiting, *asked)]

    return Listing("approvals", columns, rows)


def _approval(view: ApprovalView) -> Row:
    row = view.row
    return (
        view.name, view.mine, row.act, view.state, view.place.code,
        *(row.summary.get(name) for name in ("resource", "count", "reason")), row.asked_by, row.asked_at,
        row.expires_at, row.answered_by, row.answered_at, row.answer_reason, row.used_at,
    )  # fmt: skip


def network_export_listing() -> Listing:
    """Give the files that told the network of cards, the newest first; of keys the index alone.

    Refuses as `read_exports`.
    """
    columns = (
        "export", "form", "transport_index", "hlr", "count", *_ANSWERS, "staff", "approver",
        "at",
    )  # fmt: skip

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        yield [
            (
                format_public_id(PREFIX, caller.city_id, row.export_id), row.form, row.transport_key_index,
                row.hlr_code, row.item_count, *(row.states.get(state, 0) for state in _ANSWERS), row.staff_no,
                row.approver, row.created_at,
            )
            for row in await read_exports(session, caller, most=None)
        ]  # fmt: skip

    return Listing("network-exports", columns, rows)


def network_deletion_listing(*, now: datetime) -> Listing:
    """Give the files that told the network to delete identities, the newest first. Refuses as `read_deletions`."""

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        found, _ = await auc_deletions.read_deletions(session, caller, now=now, most=None)
        yield [
            (
                format_public_id(auc_deletions.PREFIX, caller.city_id, row.deletion_id), row.form, row.hlr_code,
                row.item_count, row.left, row.staff_no, row.created_at,
            )
            for row in found
        ]  # fmt: skip

    return Listing("network-deletions", ("deletion", "form", "hlr", "count", "left", "staff", "at"), rows)


def holiday_listing(*, now: datetime) -> Listing:
    """Give the holidays of the city, today's and those to come."""

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        yield [(row.day.isoformat(), row.name, row.added_by) for row in await read_holidays(session, caller, now=now)]

    return Listing("holidays", ("day", "name", "staff"), rows)
