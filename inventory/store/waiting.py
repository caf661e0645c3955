"""Sales that the network has not brought to an end: lines that wait for its word, and kits that it still keeps."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.store.hold_sql import KEPT_BY_NETWORK


@dataclass(frozen=True)
class WaitingSale:
    """A sale of the hold that waits for the network (`state` COMPLETING), or was rolled back and is kept (HELD).

    `card` is what the network is to confirm, or to delete, and `auc` what it knows of the worst identity on it; `since`
    is the sale, or the roll back. `place` is where it was sold or rolled back, by `staff_no`.
    """

    hold_id: int
    number: str
    state: str
    card: str
    auc: str
    since: datetime
    staff_no: str
    interface_no: str
    org_id: int
    place: str
    order_ref: str | None
    legal_hold: bool


_KEEPS = KEPT_BY_NETWORK.replace("= ANY (hold.rolled_back_cards)", "= before.item_no")
"""Whether the hold is kept for the card `before`."""

_WAITING = text(f"""
    WITH found AS (
        SELECT h.hold_id, n.item_no AS number_item, h.sim_item_no AS card_item, h.closed_at AS since
        FROM number n
        CROSS JOIN LATERAL (
            SELECT CAST(split_part(m.reason, '-', 3) AS bigint) AS hold_id
            FROM movement_line l JOIN movement m ON m.city_id = l.city_id AND m.movement_id = l.movement_id
            WHERE l.city_id = n.city_id AND l.resource = 'number' AND l.level = 0 AND l.block = n.item_no / 10
              AND l.lo = n.item_no AND l.hi = n.item_no AND m.kind = 'SALE'
            ORDER BY m.movement_id DESC LIMIT 1) AS sale
        JOIN hold h ON h.city_id = n.city_id AND h.hold_id = sale.hold_id
        WHERE n.city_id = :city AND n.state = 'COMPLETING'
        UNION ALL
        SELECT hold.hold_id, hold.number_item_no, before.item_no, hold.created_at
        FROM hold CROSS JOIN LATERAL unnest(hold.rolled_back_cards) AS before (item_no)
        WHERE hold.city_id = :city AND hold.rolled_back_cards IS NOT NULL AND hold.state IN ('ACTIVE', 'BOOKED')
          AND {_KEEPS}
    )
    SELECT h.hold_id, n.number, n.state, coalesce(s.iccid, s.serial) AS card,
           (SELECT i.auc FROM sim_identity i WHERE i.city_id = s.city_id AND i.item_no = s.item_no
            ORDER BY array_position(ARRAY['failed', 'none', 'sent', 'confirmed', 'deleted'], CAST(i.auc AS text))
            LIMIT 1) AS auc,
           f.since, h.staff_no, h.interface_no, h.org_id, o.code, h.order_ref, n.legal_hold OR s.legal_hold,
           count(*) OVER () AS count
    FROM found f
    JOIN hold h ON h.city_id = :city AND h.hold_id = f.hold_id
    JOIN organisation o ON o.id = h.org_id
    JOIN number n ON n.city_id = :city AND n.item_no = f.number_item
    JOIN sim s ON s.city_id = :city AND s.item_no = f.card_item
    WHERE h.org_id = ANY (:scope) OR h.interface_no = :interface
    ORDER BY f.since, f.hold_id LIMIT :limit
""")  # noqa: S608 - composed of constants


async def waiting_sales(
    session: AsyncSession, *, city_id: int, scope: Collection[int], interface_no: str, limit: int
) -> tuple[list[WaitingSale], int]:
    """Return what waits of the places of `scope` or the interface, the longest first, and how many there are."""
    given = {"city": city_id, "scope": sorted(scope), "interface": interface_no, "limit": limit}
    rows = [tuple(row) for row in await session.execute(_WAITING, given)]
    return [WaitingSale(*row[:-1]) for row in rows], rows[0][-1] if rows else 0
