"""Lists to be taken along whole, as a sheet: within the caller's part, batch by batch, never with a secret.

A listing opens nothing until its rows are asked for; a refusal comes with the first batch.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.identifiers import format_public_id
from inventory.domain.kinds import NUMBER, kind_named
from inventory.services import documents, faulty_cards, items
from inventory.services.alerts import Alert, read_alerts
from inventory.services.documents import DocumentQuery, find_document, line_fee
from inventory.services.faulty_cards import FaultQuery, read_account
from inventory.services.flow import read_flow
from inventory.services.items import ItemQuery
from inventory.services.load_standing import list_loads, read_load
from inventory.services.ports import PortQuery, PortView, stream_ports
from inventory.services.quotas import read_quotas
from inventory.services.receiving import read_deliveries
from inventory.services.reporting import read_stock
from inventory.services.segments import FIRST, read_segments
from inventory.services.selecting import item_name
from inventory.services.stocktakes import FindingView, read_stocktake
from inventory.store import documents as document_store
from inventory.store import items as item_store
from inventory.store import loads, movements, number_fees, organisation, spoiled, stock
from inventory.store.ends import bare
from inventory.store.fees import rule_set
from inventory.store.items import ListedItem
from inventory.store.loads import Batch
from inventory.store.movements import Document
from inventory.store.organisation import Node
from inventory.store.segments import SegmentFilter
from inventory.store.spoiled import SpoiledCard
from inventory.store.stock import allow_long_statements
from inventory.store.streams import BATCH

Row = Sequence[str | int | bool | datetime | None]
Batches = AsyncGenerator[Iterable[Row], None]


@dataclass(frozen=True)
class Listing:
    """A list: what its file is called, the names of its columns, and how its rows are read."""

    name: str
    columns: tuple[str, ...]
    open: Callable[[AsyncSession, Caller], Batches]


_FEE = ("number_class", "cash_fee_fen", "prepay_fen", "return_months", "min_monthly_fen", "commitment_months")


def item_listing(query: ItemQuery) -> Listing:
    """Give the items that the query asks for; refuses as `read_items`."""
    columns = (
        "item", "serial", "state", "holder", "holder_name", "sort", "number_class", "hlr", "pool", "batch",
        "on_the_way", "legal_hold", "held_until", "updated_at",
    )  # fmt: skip

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        kind = kind_named(query.resource)
        async with session.begin():
            await allow_long_statements(session)
            wanted = await items.compile_query(session, caller, kind, query)
            nodes = await organisation.by_ids(session, wanted.holders)
            async with aclosing(item_store.stream_items(session, kind, wanted, city_id=caller.city_id)) as batches:
                async for batch in batches:
                    yield [_item(item, nodes[item.holder_id], caller.city_id) for item in batch]

    return Listing(f"{query.resource}s", columns, rows)


def _item(item: ListedItem, holder: Node, city_id: int) -> Row:
    return (
        item.name, item.serial, item.state, holder.code, holder.name_zh, item.sort, item.cls, item.hlr, item.pool,
        items.load_of(item, city_id=city_id), item.transit_id is not None, item.legal_hold,
        item.hold_until, item.updated_at,
    )  # fmt: skip


def segment_listing(wanted: SegmentFilter) -> Listing:
    """Give the segments of the city, a row for each state that numbers of it are in."""

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        after: str | None = FIRST
        while after is not None:
            page = await read_segments(session, caller, wanted, after=after)
            yield [
                (segment.prefix, segment.group, segment.carrier, segment.hlr_code, segment.kind, *each)
                for segment, states in ((view.segment, view.states) for view in page.segments)
                for each in (states.items() or ((None, 0),))
            ]
            after = page.next_after

    return Listing("segments", ("segment", "group", "carrier", "hlr", "sort", "state", "count"), rows)


_DOCUMENT = (
    "document", "kind", "resource", "state", "giver", "receiver", "count", "accepted", "refused", "receiver_name",
    "returner_name", "reason", "parent", "staff", "interface", "at", "reason_code",
)  # fmt: skip


def document_listing(query: DocumentQuery) -> Listing:
    """Give the heads of the documents that the query asks for; refuses as `read_documents`."""

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        async with session.begin():
            await allow_long_statements(session)
            wanted = await documents.compile_query(session, caller, query)
            codes: dict[int, str] = {}
            async with aclosing(document_store.stream_documents(session, wanted, city_id=caller.city_id)) as batches:
                async for batch in batches:
                    ends = {end for head in batch for end in (head.from_holder, head.to_holder) if end is not None}
                    found = await organisation.by_ids(session, ends - codes.keys())
                    codes |= {node.id: node.code for node in found.values()}
                    yield [_head(document, codes, caller.city_id) for document in batch]

    return Listing("documents", _DOCUMENT, rows)


def delivery_listing() -> Listing:
    """Give the documents with items on their way from or to the caller's part."""

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        found = await read_deliveries(session, caller)
        codes = {node.id: node.code for one in found for node in (one.giver, one.receiver)}
        yield [(*_head(one.document, codes, caller.city_id), one.mine) for one in found]

    return Listing("deliveries", (*_DOCUMENT, "mine"), rows)


def _head(document: Document, codes: dict[int, str], city_id: int) -> Row:
    return (
        format_public_id("m", city_id, document.movement_id), document.kind, document.resource, document.state,
        None if document.from_holder is None else codes[document.from_holder], codes[document.to_holder],
        document.item_count, document.accepted_count, document.refused_count, document.receiver, document.returner,
        document.reason, None if document.parent_id is None else format_public_id("m", city_id, document.parent_id),
        document.staff_no, document.interface_no, document.created_at, document.reason_code,
    )  # fmt: skip


def line_listing(public_id: str) -> Listing:
    """Give the items of a document, numbers with the fee that stood on the line; refuses as `read_movement`.

    Cards are called as is printed on them: a list goes with what is returned to the vendor.
    """

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        async with session.begin():
            await allow_long_statements(session)
            document = await find_document(session, caller, public_id)
            rules = None if document.rule_set_id is None else await rule_set(session, document.rule_set_id)
            kind = kind_named(document.resource)
            async with aclosing(movements.stream_items_of(session, kind, document, city_id=caller.city_id)) as batches:
                async for batch in batches:
                    yield [(bare(line.name), *_fee(line_fee(line, rules))) for line in batch]

    return Listing(public_id, ("item", *_FEE), rows)


def load_listing() -> Listing:
    """Give the loads of the city, the newest first, whatever became of them."""
    columns = (
        "batch", "resource", "source", "state", "vendor", "rows", "taken", "bad_rows", "staff", "interface", "at"
    )  # fmt: skip

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        before: int | None = None
        while found := await list_loads(session, caller, before=before, limit=BATCH):
            yield [_load(batch) for batch in found]
            before = found[-1].batch_id

    return Listing("loads", columns, rows)


def _load(batch: Batch) -> Row:
    return (
        format_public_id("b", batch.city_id, batch.batch_id), batch.resource, batch.source, batch.state, batch.vendor,
        batch.rows, batch.accepted, batch.rejected, batch.staff_no, batch.interface_no, batch.created_at,
    )  # fmt: skip


def quota_listing(*, place: str | None, resource: str | None, now: datetime) -> Listing:
    """Give quotas with what is left of them; refuses as `read_quotas`."""

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        yield [
            (view.place.code, view.quota.resource, view.quota.sort, view.quota.period, view.quota.most, view.left)
            for view in await read_quotas(session, caller, place=place, resource=resource, now=now)
        ]

    return Listing("quotas", ("place", "resource", "sort", "period", "most", "left"), rows)


def fault_listing(public_id: str) -> Listing:
    """Give what is wrong with a load's file, row by row; refuses as `read_load`."""

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        load = await read_load(session, caller, public_id=public_id)
        faults = loads.stream_faults(session, city_id=load.city_id, batch_id=load.batch_id)
        async with session.begin(), aclosing(faults) as batches:
            async for batch in batches:
                yield [(fault.row, fault.column, fault.value, fault.code) for fault in batch]

    return Listing(f"{public_id}-faults", ("row", "column", "value", "code"), rows)


def spoiled_listing(query: FaultQuery) -> Listing:
    """Give the account of spoiled cards by station, load and fault; refuses as `read_account`."""

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        yield [
            (row.station, row.vendor, items.load_name(row.batch_id, city_id=caller.city_id), row.fault, row.count)
            for row in await read_account(session, caller, query)
        ]

    return Listing("spoiled-cards", ("station", "vendor", "batch", "fault", "count"), rows)


def claim_listing(query: FaultQuery) -> Listing:
    """Give the spoiled cards one by one, as a vendor needs them to answer for them; refuses as `read_account`.

    Nothing of what was or should have been written is on it. Cards are called as is printed on them.
    """
    columns = (
        "item", "serial", "sort", "vendor", "batch", "source", "fault", "step", "status_word", "station", "reader", "at"
    )  # fmt: skip

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        async with session.begin():
            await allow_long_statements(session)
            wanted = await faulty_cards.compile_query(session, caller, query)
            async with aclosing(spoiled.stream_spoiled(session, wanted, city_id=caller.city_id)) as batches:
                async for batch in batches:
                    yield [_spoiled(card, caller.city_id) for card in batch]

    return Listing("claim", columns, rows)


def _spoiled(card: SpoiledCard, city_id: int) -> Row:
    printed = (None if name is None else bare(name) for name in (card.iccid, card.serial))
    return (
        *printed, card.kind_code, card.vendor, items.load_name(card.batch_id, city_id=city_id),
        card.source, card.fault, card.step, card.sw, card.station, card.reader, card.at,
    )  # fmt: skip


def fee_change_listing(*, number: str | None = None, staff_no: str | None = None) -> Listing:
    """Give changes of fees with both values, newest first: of a number, of an operator or all (REQ-FEE-03)."""
    columns = (
        "number", "change", *(f"before_{name}" for name in _FEE), *(f"after_{name}" for name in _FEE), "staff",
        "approver", "interface", "reason", "at",
    )  # fmt: skip

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        async with session.begin():
            await allow_long_statements(session)
            item_no = None
            if number is not None:
                name = item_name(NUMBER, number)
                item = await stock.find_item(session, NUMBER, city_id=caller.city_id, name=name)
                item_no = -1 if item is None else item.item_no
            async with aclosing(
                number_fees.stream_fee_changes(
                    session, city_id=caller.city_id, holders=caller.scope, item_no=item_no, staff_no=staff_no
                )
            ) as batches:
                async for batch in batches:
                    yield [
                        (
                            row.number, row.change_no, *_fee(row.before), *_fee(row.after), row.staff_no, row.approver,
                            row.interface_no, row.reason, row.at,
                        )
                        for row in batch
                    ]  # fmt: skip

    return Listing("fee-changes", columns, rows)


def stock_listing(*, place: str | None = None, resource: str | None = None) -> Listing:
    """Give the counts at a place and at each of its direct children; refuses as `read_stock`."""
    columns = (
        "place", "name_zh", "name_en", "level", "resource", "sort", "state", "count", "own", "on_the_way"
    )  # fmt: skip

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        yield [
            (
                row.node.code, row.node.name_zh, row.node.name_en, row.node.level, row.resource, row.sort, row.state,
                row.count, row.own, row.on_the_way,
            )
            for row in await read_stock(session, caller, node=place, resource=resource)
        ]  # fmt: skip

    return Listing("stock", columns, rows)


def stocktake_listing(public_id: str) -> Listing:
    """Give the differences that a closed stocktake found; refuses as `read_stocktake`."""

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        after: int | None = 0
        while after is not None:
            view = await read_stocktake(session, caller, public_id, after=after, limit=BATCH)
            yield [_finding(found, caller.city_id) for found in view.findings]
            after = view.next_after

    return Listing(public_id, ("item", "code", "state", "holder", "last_movement", "settled"), rows)


def _finding(found: FindingView, city_id: int) -> Row:
    row, last = found.row, found.row.last_movement
    return (
        row.name, row.code, row.state, None if found.holder is None else found.holder.code,
        None if last is None else format_public_id("m", city_id, last), row.settled,
    )  # fmt: skip


def flow_listing(*, resource: str, place: str | None, days: int, now: datetime) -> Listing:
    """Give the movement of a place, a row for every day; refuses as `read_flow`."""

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        found = await read_flow(session, caller, resource=resource, place=place, days=days, now=now)
        yield [(day.day.isoformat(), day.came, day.went, day.sold, day.damaged) for day in found.days]

    return Listing(f"flow-{resource}", ("day", "came", "went", "sold", "damaged"), rows)


def alert_listing(*, place: str | None, low: bool, now: datetime) -> Listing:
    """Give thresholds with what is there now; refuses as `read_alerts`."""
    columns = (
        "place", "resource", "sort", "hlr", "minimum", "free", "sold", "days", "low", "low_since", "giver", "give"
    )  # fmt: skip

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        yield [_alert(one) for one in await read_alerts(session, caller, place=place, low=low, now=now)]

    return Listing("alerts", columns, rows)


def _alert(alert: Alert) -> Row:
    about, shelf, found = alert.threshold, alert.shelf, alert.suggestion
    return (
        alert.place.code, about.resource, about.sort, about.hlr, about.minimum, shelf.free, shelf.sold, shelf.days,
        shelf.low, about.low_since, None if found is None else found.place, None if found is None else found.count,
    )  # fmt: skip


def port_listing(query: PortQuery, *, now: datetime) -> Listing:
    """Give SMS ports with their rents; refuses as `read_ports`."""
    columns = (
        "number", "state", "tenant", "tenant_ref", "extension_digits", "begins_on", "ends_on", "standing", "cooled_on"
    )  # fmt: skip

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        async with aclosing(stream_ports(session, caller, query, now=now)) as batches:
            async for batch in batches:
                yield [_port(view) for view in batch]

    return Listing("ports", columns, rows)


def _port(view: PortView) -> Row:
    port = view.port
    days = (port.begins_on, port.ends_on, port.cooled_on)
    begins_on, ends_on, cooled_on = (None if day is None else day.isoformat() for day in days)
    tenant = (port.tenant, port.tenant_ref, port.extension_digits)
    return (port.number, port.state, *tenant, begins_on, ends_on, view.standing, cooled_on)


def _fee(fee: dict[str, Any] | None) -> Row:
    return [None] * len(_FEE) if fee is None else [fee[name] for name in _FEE]
