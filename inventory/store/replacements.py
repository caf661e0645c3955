"""The card that serves a number in use, and the service order that may lie on both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession


@dataclass(frozen=True)
class LineCard:
    """A card that serves a number in use, as it stands; `numbers` counts the numbers that it serves.

    `other_legal_hold` says that an outside order lies on the other one of two.

    `order_business`, `order_reason` and `order_until` are those of the service order that is open on number or card;
    `hold_id`, `hold_until` and `job_id` are those of the lock on the card, which another of its numbers may have set.
    """

    item_no: int
    iccid: str | None
    serial: str | None
    state: str
    legal_hold: bool
    numbers: int
    other_legal_hold: bool
    order_business: str | None
    order_reason: str | None
    order_until: datetime | None
    hold_id: int | None
    hold_until: datetime | None
    job_id: int | None

    @property
    def kept(self) -> bool:
        """Whether its hold stays beyond its time: the new card is being written."""
        return self.job_id is not None


_CARD_OF_NUMBER = text("""
    SELECT s.item_no, s.iccid, s.serial, s.state, s.legal_hold,
           (SELECT count(DISTINCT other.number_item_no) FROM sim_identity other
            WHERE other.city_id = s.city_id AND other.item_no = s.item_no)
           + CAST(s.second_number_item_no IS NOT NULL AS int) AS numbers,
           EXISTS (SELECT FROM number o WHERE o.city_id = s.city_id AND o.legal_hold AND o.item_no <> n.item_no
                   AND (o.item_no = s.second_number_item_no OR o.item_no IN (
                        SELECT number_item_no FROM sim_identity i WHERE i.city_id = s.city_id AND i.item_no = s.item_no)
                   )) AS other_legal_hold,
           h.business, h.replace_reason, h.expires_at, s.hold_id, s.hold_until, h.job_id
    FROM number n
    JOIN (SELECT city_id, number_item_no, item_no FROM sim_identity
          UNION ALL
          SELECT city_id, second_number_item_no, item_no FROM sim) AS i
        ON i.city_id = n.city_id AND i.number_item_no = n.item_no
    JOIN sim s ON s.city_id = i.city_id AND s.item_no = i.item_no
    LEFT JOIN hold h ON h.city_id = i.city_id AND h.hold_id = coalesce(n.hold_id, s.hold_id)
    WHERE n.city_id = :city AND n.item_no = :number AND i.city_id = :city AND i.number_item_no = :number
    ORDER BY s.item_no LIMIT 1
""")
_NUMBER_OF_CARD = text("""
    SELECT n.number FROM sim s
    JOIN sim_identity i ON i.city_id = s.city_id AND i.item_no = s.item_no
    JOIN number n ON n.city_id = i.city_id AND n.item_no = i.number_item_no
    WHERE s.city_id = :city AND (s.iccid = :card OR s.serial = :card)
    ORDER BY i.slot LIMIT 1
""")


async def card_of_number(
    connection: AsyncConnection | AsyncSession, *, city_id: int, number_item: int
) -> LineCard | None:
    """Return the card that serves the number, or None."""
    row = (await connection.execute(_CARD_OF_NUMBER, {"city": city_id, "number": number_item})).one_or_none()
    return None if row is None else LineCard(*row)


async def number_of_card(connection: AsyncConnection | AsyncSession, *, city_id: int, card: str) -> str | None:
    """Return the number, or the first number, that the card with this ICCID or chip serial serves; or None."""
    number: str | None = await connection.scalar(_NUMBER_OF_CARD, {"city": city_id, "card": card})
    return number
