"""What arrives is scanned in: each card of a delivery, or of an announced load, can be sold once it is scanned."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.boxes import PREFIX, as_ranges
from inventory.domain.errors import InvalidField, InvalidIdentifier, NotFound
from inventory.domain.kinds import ResourceKind
from inventory.services.once import Answer, WriteKey, once
from inventory.services.receiving import Signature, find_open, require_receiver, sign
from inventory.services.selecting import in_boxes, item_name
from inventory.store import custody
from inventory.store.selection import ByItems, ByName
from inventory.store.stock import allow_long_statements


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """What was scanned of a delivery: items, or labels of boxes (`BOX:…`); `person` signs."""

    movement: str
    items: tuple[str, ...] = field(repr=False)
    person: str | None = None


async def scan_in(session: AsyncSession, caller: Caller, write: WriteKey, what: Arrival, *, now: datetime) -> Answer:
    """Sign for what was scanned and is on its way by the document; name what came before, and what is not of it.

    Answers with `accepted`, how many are `left` on their way, what was scanned `again`, is `elsewhere` by now (in
    dispute, sent back, moved on) or was `unannounced`, and the `receipt`, if anything was signed for.

    Raises
    ------
    BoxNotSealed
        The box of a label is open.
    DeliveryAnswered, DeliveryDisputed, NotReceiver
        As `receiving.accept`.
    InvalidField
        Nothing was scanned.
    NotFound
        The caller's part of the city has no such document.
    """

    async def work() -> dict[str, Any]:
        if not what.items:
            raise InvalidField(field="items", value=[], reason="scan at least one item")
        await allow_long_statements(session)
        delivery = await find_open(session, caller, what.movement)
        require_receiver(caller, delivery, what.movement)
        kind, document = delivery.kind, delivery.document
        key = {
            "city_id": caller.city_id,
            "movement_id": document.movement_id,
            "receiver": delivery.receiver.id,
        }
        names = _names(kind, (item for item in what.items if not _is_label(item)))
        found = await custody.among(session, kind, ByName(tuple(names)), **key)
        come, gone = set(found.come), set(found.gone)
        known = {name for some in found.coming.values() for name in some} | come | gone
        again = [said for name, said in names.items() if name in come]
        elsewhere = [said for name, said in names.items() if name in gone]
        unannounced = [said for name, said in names.items() if name not in known]
        items = set(found.coming)
        for label in dict.fromkeys(filter(_is_label, what.items)):
            try:
                boxed = await in_boxes(session, kind, [label], city_id=caller.city_id)
            except (InvalidIdentifier, NotFound):
                unannounced.append(label)
                continue
            inside = await custody.among(session, kind, boxed, **key)
            items |= set(inside.coming)
            if not inside.coming:
                (again if inside.come else elsewhere if inside.gone else unannounced).append(label)
        receipt: dict[str, Any] = {}
        if items:
            signature = Signature(
                movement=what.movement, selection=ByItems(tuple(as_ranges(items))), person=what.person
            )
            receipt = await sign(session, caller, delivery, signature, now=now)
        left = document.item_count - document.accepted_count - document.refused_count - len(items)
        return {
            "id": what.movement,
            "accepted": len(items),
            "left": left,
            "again": again,
            "elsewhere": elsewhere,
            "unannounced": unannounced,
            "receipt": receipt.get("id"),
        }

    return await once(session, caller, write, work, now=now)


def _is_label(item: str) -> bool:
    return item.upper().startswith(PREFIX)


def _names(kind: ResourceKind, items: Iterable[str]) -> dict[str, str]:
    """Return what was scanned by its normal form; what has the form of no item stands for itself."""
    found: dict[str, str] = {}
    for item in items:
        try:
            found.setdefault(item_name(kind, item), item)
        except InvalidIdentifier:
            found.setdefault(item, item)
    return found
