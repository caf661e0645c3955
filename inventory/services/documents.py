"""Movement documents: the head, and every item on them with its fee (REQ-SIM-06, REQ-NUM-06)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.calendar import begin_of
from inventory.domain.errors import InvalidField, NotFound
from inventory.domain.identifiers import format_public_id, parse_public_id
from inventory.domain.kinds import kind_named
from inventory.services.custody import place_within
from inventory.services.fees import fee_by_outcome
from inventory.services.numbering import assigns_iccid
from inventory.store import catalogue, documents, movements, organisation
from inventory.store.documents import DocumentFilter, DocumentRun
from inventory.store.ends import bare
from inventory.store.fees import StoredRuleSet, rule_set
from inventory.store.movements import Document, DocumentItem
from inventory.store.organisation import Node

DOCUMENT_KINDS = (
    movements.INTAKE, movements.ISSUE, movements.RECALL, movements.TRANSFER, movements.SALE, movements.HAND_IN,
    movements.ROLL_BACK, movements.RECEIPT,
    movements.RETURN, movements.DISPUTE, movements.WITHDRAWAL, movements.TAKEOVER, movements.SCRAP, movements.LOSS,
    movements.FIND, movements.WRITE_OFF, movements.VENDOR_RETURN, movements.VOID, movements.BLOCK, movements.UNBLOCK,
    movements.UNDO, movements.CITY_OUT, movements.CITY_IN,
)  # fmt: skip
"""What documents there are."""
MOST_RUNS = 20
"""A slip of one sheet names so many runs of items; a document of more has its list as a file."""


@dataclass(frozen=True)
class DocumentLine:
    """An item of a document; of an issued number its fee at that moment.

    Of a card that got its ICCID when it was written also the chip serial, by which older slips name it.
    """

    item_no: int
    name: str
    fee: dict[str, Any] | None
    serial: str | None = None


@dataclass(frozen=True)
class LinkedDocument:
    """What the other city's document tells this one's people: its id, the city, and how far it is answered."""

    name: str
    city: Node
    document: Document


@dataclass(frozen=True)
class DocumentPage:
    """A document with a page of its items and its receipts and returns; `next_after` asks for the page behind it."""

    document: Document
    giver: Node | None
    receiver: Node
    answers: list[Document]
    runs: list[DocumentRun]
    """The first `MOST_RUNS` runs of its items, for the slip; on the first page only."""
    lines: list[DocumentLine]
    next_after: int | None
    other: LinkedDocument | None = None


async def read_movement(
    session: AsyncSession, caller: Caller, *, public_id: str, after: int = -1, limit: int = 100
) -> DocumentPage:
    """Return a document of the caller's part, given or received, with a page of its items.

    Raises
    ------
    InvalidIdentifier
        The id is not a document's.
    NotFound
        There is none, or it is not the caller's to see.
    """
    async with session.begin():
        document = await find_document(session, caller, public_id)
        giver = None if document.from_holder is None else await organisation.by_id(session, document.from_holder)
        receiver = await organisation.by_id(session, document.to_holder)
        if receiver is None:
            raise NotFound(what="organisation", value=document.to_holder)
        kind = kind_named(document.resource)
        items = await movements.items_of(session, kind, document, city_id=caller.city_id, after=after, limit=limit)
        runs = []
        if after < 0:
            runs = await documents.runs_of(session, kind, document, city_id=caller.city_id, limit=MOST_RUNS)
        answers = await movements.answers_to(session, city_id=caller.city_id, movement_id=document.movement_id)
        rules = None if document.rule_set_id is None else await rule_set(session, document.rule_set_id)
        other = await _linked(session, document)
        numbered = await _numbered_here(session, items)
    lines = [
        DocumentLine(
            item.item_no,
            line_name(document, item),
            line_fee(item, rules),
            item.serial if item.card_kind in numbered else None,
        )
        for item in items
    ]
    return DocumentPage(
        document, giver, receiver, answers, runs, lines, items[-1].item_no if len(items) == limit else None, other
    )


async def _numbered_here(session: AsyncSession, items: Sequence[DocumentItem]) -> set[str]:
    """Return the card products whose blanks get their ICCID when they are written, if a card with an ICCID is there."""
    if not any(item.serial for item in items):
        return set()
    return {kind.code for kind in await catalogue.all_card_kinds(session) if assigns_iccid(kind.profile)}


async def _linked(session: AsyncSession, document: Document) -> LinkedDocument | None:
    """Return the document of the other city with which this one is linked."""
    if document.other_city is None or document.other_id is None:
        return None
    city = await organisation.city_node(session, document.other_city)
    found = await movements.find_movement(session, city_id=document.other_city, movement_id=document.other_id)
    if city is None or found is None:
        return None
    return LinkedDocument(format_public_id("m", document.other_city, document.other_id), city, found)


async def find_document(session: AsyncSession, caller: Caller, public_id: str) -> Document:
    """Return a document given or received in the caller's part; raises as `read_movement`."""
    wanted = parse_public_id(public_id, "m")
    document = None
    if wanted.city_id == caller.city_id:
        document = await movements.find_movement(session, city_id=caller.city_id, movement_id=wanted.serial)
    if document is None or not {document.from_holder, document.to_holder} & caller.scope:
        raise NotFound(what="movement", value=public_id)
    return document


@dataclass(frozen=True, kw_only=True)
class DocumentQuery:
    """Which documents are asked for; every part that is given must hold.

    `place` is the code of an organisation: what was given or received there and below. `first` and `last` are days of
    the halls' calendar, both included.
    """

    place: str | None = None
    kind: str | None = None
    resource: str | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True)
class DocumentList:
    """Documents, newest first, and the nodes on them by id; `next_before` asks for the page behind."""

    documents: list[Document]
    nodes: Mapping[int, Node]
    next_before: int | None


async def read_documents(
    session: AsyncSession, caller: Caller, query: DocumentQuery, *, before: int | None = None, limit: int = 100
) -> DocumentList:
    """Return a page of the documents given or received in the caller's part.

    Raises
    ------
    InvalidField
        There is no such kind of document.
    NotFound
        There is no such kind of stock.
    OrganisationUnknown, OutsideScope
        The place does not exist in the city, or is elsewhere.
    """
    async with session.begin():
        wanted = await compile_query(session, caller, query)
        found = await documents.list_documents(session, wanted, city_id=caller.city_id, before=before, limit=limit)
        ends = {end for document in found for end in (document.from_holder, document.to_holder) if end is not None}
        nodes = await organisation.by_ids(session, ends)
    return DocumentList(found, nodes, found[-1].movement_id if len(found) == limit else None)


async def compile_query(session: AsyncSession, caller: Caller, query: DocumentQuery) -> DocumentFilter:
    """Return the conditions that the query stands for, bounded to the caller's part; raises as `read_documents`."""
    if query.place is None:
        top = await organisation.by_id(session, caller.org_id)
        holders = caller.scope
    else:
        top = await place_within(session, caller, query.place)
        holders = caller.scope & {node.id for node in await organisation.subtree(session, top)}
    whole_city = top is not None and top.parent_id is None
    if query.kind is not None and query.kind not in DOCUMENT_KINDS:
        raise InvalidField(field="kind", value=query.kind, reason="one of " + ", ".join(DOCUMENT_KINDS))
    if query.last == date.max:
        raise InvalidField(field="last", value=query.last.isoformat(), reason="a day that has a next one")
    return DocumentFilter(
        holders=None if whole_city else holders,
        kind=query.kind,
        resource=None if query.resource is None else kind_named(query.resource).name,
        since=None if query.first is None else begin_of(query.first),
        until=None if query.last is None else begin_of(query.last) + timedelta(days=1),
    )


def line_name(document: Document, item: DocumentItem) -> str:
    """Give the name on the line: of what went to another city, its own, for it is found there and here by it."""
    return bare(item.name) if document.kind == movements.CITY_OUT else item.name


def line_fee(item: DocumentItem, rules: StoredRuleSet | None) -> dict[str, Any] | None:
    """Give the fee that stood on the line: what a person had set by then, else what the outcome byte says."""
    if rules is None or item.outcome is None:
        return None
    return item.changed_fee or fee_by_outcome(rules, item.outcome).as_dict()
