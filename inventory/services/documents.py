"""Movement documents: the head, and every item on them with its fee (REQ-SIM-06, REQ-NUM-06)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import NotFound
from inventory.domain.identifiers import parse_public_id
from inventory.domain.kinds import kind_named
from inventory.services.fees import fee_by_outcome
from inventory.store import movements, organisation
from inventory.store.fees import StoredRuleSet, rule_set
from inventory.store.movements import Document, DocumentItem
from inventory.store.organisation import Node


@dataclass(frozen=True)
class DocumentLine:
    """An item of a document; of an issued number its fee at that moment."""

    item_no: int
    name: str
    fee: dict[str, Any] | None


@dataclass(frozen=True)
class DocumentPage:
    """A document with a page of its items and its receipts and returns; `next_after` asks for the page behind it."""

    document: Document
    giver: Node | None
    receiver: Node
    answers: list[Document]
    lines: list[DocumentLine]
    next_after: int | None


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
    wanted = parse_public_id(public_id, "m")
    async with session.begin():
        document = None
        if wanted.city_id == caller.city_id:
            document = await movements.find_movement(session, city_id=caller.city_id, movement_id=wanted.serial)
        if document is None or not {document.from_holder, document.to_holder} & caller.scope:
            raise NotFound(what="movement", value=public_id)
        giver = None if document.from_holder is None else await organisation.by_id(session, document.from_holder)
        receiver = await organisation.by_id(session, document.to_holder)
        if receiver is None:
            raise NotFound(what="organisation", value=document.to_holder)
        kind = kind_named(document.resource)
        items = await movements.items_of(session, kind, document, city_id=caller.city_id, after=after, limit=limit)
        answers = await movements.answers_to(session, city_id=caller.city_id, movement_id=wanted.serial)
        rules = None if document.rule_set_id is None else await rule_set(session, document.rule_set_id)
    lines = [DocumentLine(item.item_no, item.name, _fee(item, rules)) for item in items]
    return DocumentPage(document, giver, receiver, answers, lines, items[-1].item_no if len(items) == limit else None)


def _fee(item: DocumentItem, rules: StoredRuleSet | None) -> dict[str, Any] | None:
    """Give the fee that stood on the line: what a person had set by then, else what the outcome byte says."""
    if rules is None or item.outcome is None:
        return None
    return item.changed_fee or fee_by_outcome(rules, item.outcome).as_dict()
