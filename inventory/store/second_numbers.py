"""A card in use that is to serve a second number (副号): what it serves already, and the order that may lie on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession


@dataclass(frozen=True)
class ServingCard:
    """A card as it stands: its HLR if all its identities serve numbers, how many these are and may be.

    `order_business`, `order_reason` and `order_until` are those of the order or kit that has the card.
    """

    name: str
    state: str
    legal_hold: bool
    hlr_code: str | None
    number: str | None
    numbers: int
    max_numbers: int
    hold_id: int | None
    order_business: str | None
    order_reason: str | None
    order_until: datetime | None


_CARD = text("""
    SELECT coalesce(s.iccid, s.serial), s.state, s.legal_hold, i.hlr_code, n.number,
           i.numbers + CAST(s.second_number_item_no IS NOT NULL AS int) AS numbers, k.max_numbers,
           s.hold_id, h.business, h.replace_reason, h.expires_at
    FROM sim s
    JOIN card_kind k ON k.code = s.kind_code
    CROSS JOIN LATERAL (
        SELECT CASE WHEN bool_and(number_item_no IS NOT NULL) AND min(hlr_code) = max(hlr_code)
               THEN min(hlr_code) END AS hlr_code,
               min(number_item_no) AS number_item_no, count(DISTINCT number_item_no) AS numbers
        FROM sim_identity WHERE city_id = s.city_id AND item_no = s.item_no) AS i
    LEFT JOIN number n ON n.city_id = s.city_id AND n.item_no = i.number_item_no
    LEFT JOIN hold h ON h.city_id = s.city_id AND h.hold_id = s.hold_id
    WHERE s.city_id = :city AND s.item_no = :sim
""")


async def serving_card(connection: AsyncConnection | AsyncSession, *, city_id: int, sim_item: int) -> ServingCard:
    """Return the card with this item number."""
    return ServingCard(*(await connection.execute(_CARD, {"city": city_id, "sim": sim_item})).one())
