"""Holds: what a kit could take, the hot statements, and what became of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from inventory.store import confirm_sql, free_sql, hold_sql
from inventory.store.hot import HotStatement


@dataclass(frozen=True)
class NumberOffer:
    """A number that someone wants, as it stands: where it is, who has it, and what its class and price come from.

    `ours` tells whether a caller at the given organisation may sell it. `fee_change` numbers the last change of its own
    fee by a person (0: none), `fee` is what that change left. `data_from` and `data_to` bound the free data units of
    its HLR; both are None when there are none.
    """

    item_no: int
    number: str
    kind: str
    state: str
    hold_until: datetime | None
    hold_id: int | None
    job_id: int | None
    ours: bool
    pool: str | None
    transit_id: int | None
    hlr_code: str | None
    cls: int
    outcome: int
    rule_set_id: int
    fee_change: int
    fee_cls: int
    fee: dict[str, Any] | None
    data_from: int | None
    data_to: int | None


@dataclass(frozen=True)
class SimOffer:
    """A card that someone wants, as it stands; `hlr_code` is set on a finished card."""

    item_no: int
    iccid: str | None
    serial: str | None
    state: str
    hold_until: datetime | None
    hold_id: int | None
    job_id: int | None
    ours: bool
    pool: str | None
    transit_id: int | None
    hlr_code: str | None
    kind_code: str
    adm_refused: bool


@dataclass(frozen=True)
class HoldRecord:
    """A hold with the names of its items; see `HoldRow` for the meaning of each field."""

    hold_id: int
    state: str
    interface_no: str
    staff_no: str
    org_id: int
    business: str
    order_ref: str | None
    customer_ref: str | None
    number: str | None
    number_state: str | None
    sim_item_no: int | None
    iccid: str | None
    serial: str | None
    sim_state: str | None
    sim_hlr: str | None
    number_hlr: str | None
    sim_wish: dict[str, Any] | None
    data_no: int | None
    quote: dict[str, Any]
    expires_at: datetime
    first_seconds: int
    extensions: int
    job_id: int | None
    created_at: datetime
    closed_at: datetime | None
    close_reason: str | None
    identity_hlr: str | None
    """HLR of a proven identity on the card that no number uses yet."""


_NUMBER_OFFER = HotStatement(f"""
    SELECT n.item_no, n.number, n.kind, n.state, n.hold_until, n.hold_id, h.job_id,
           {hold_sql.SELLABLE} AS ours, n.pool, n.transit_id, n.hlr_code,
           n.cls, n.outcome, n.rule_set_id,
           coalesce(f.change_no, 0) AS fee_change, coalesce(f.cls, n.cls) AS fee_cls, f.terms AS fee,
           (SELECT min(d.data_no) FROM subscription_data d
            WHERE d.city_id = n.city_id AND d.hlr_code = n.hlr_code AND d.state = 'FREE') AS data_from,
           (SELECT max(d.data_no) FROM subscription_data d
            WHERE d.city_id = n.city_id AND d.hlr_code = n.hlr_code AND d.state = 'FREE') AS data_to
    FROM number n
    LEFT JOIN number_fee f ON f.city_id = n.city_id AND f.item_no = n.item_no
    LEFT JOIN hold h ON h.city_id = n.city_id AND h.hold_id = n.hold_id
    WHERE n.city_id = CAST(:city AS int) AND n.number = CAST(:number AS text)
""")  # noqa: S608 - composed of constants

_SIM_OFFER = HotStatement(f"""
    SELECT s.item_no, s.iccid, s.serial, s.state, s.hold_until, s.hold_id, h.job_id,
           {hold_sql.SELLABLE} AS ours, s.pool, s.transit_id, s.hlr_code, s.kind_code,
           s.adm_refused
    FROM sim s LEFT JOIN hold h ON h.city_id = s.city_id AND h.hold_id = s.hold_id
    WHERE s.city_id = CAST(:city AS int) AND (s.iccid = CAST(:card AS text) OR s.serial = CAST(:card AS text))
""")  # noqa: S608 - composed of constants

_RECORD = text("""
    SELECT h.hold_id, h.state, h.interface_no, h.staff_no, h.org_id, h.business, h.order_ref, h.customer_ref,
           n.number, n.state AS number_state, h.sim_item_no, s.iccid, s.serial, s.state AS sim_state,
           s.hlr_code AS sim_hlr, n.hlr_code AS number_hlr,
           h.sim_wish, h.data_no, h.quote, h.expires_at, h.first_seconds, h.extensions,
           h.job_id, h.created_at, h.closed_at, h.close_reason,
           (SELECT min(i.hlr_code) FROM sim_identity i WHERE i.city_id = h.city_id AND i.item_no = h.sim_item_no
            AND i.state = 'VERIFIED' AND i.number_item_no IS NULL) AS identity_hlr
    FROM hold h
    LEFT JOIN number n ON n.city_id = h.city_id AND n.item_no = h.number_item_no
    LEFT JOIN sim s ON s.city_id = h.city_id AND s.item_no = h.sim_item_no
    WHERE h.city_id = CAST(:city AS int) AND h.hold_id = CAST(:hold AS bigint)
""")

_NEXT_END = text("""
    SELECT min(first.expires_at) FROM (SELECT DISTINCT city_id FROM organisation) AS city
    CROSS JOIN LATERAL (
        SELECT expires_at FROM hold h
        WHERE h.city_id = city.city_id AND h.state IN ('ACTIVE', 'BOOKED') AND h.job_id IS NULL
        ORDER BY expires_at LIMIT 1) AS first
""")

_WAIT_FOR_NUMBER = text("""
    SELECT FROM number WHERE city_id = CAST(:city AS int) AND item_no = CAST(:item AS bigint) FOR SHARE
""")
_WAIT_FOR_SIM = text("""
    SELECT FROM sim WHERE city_id = CAST(:city AS int) AND item_no = CAST(:item AS bigint) FOR SHARE
""")

_Connection = AsyncConnection | AsyncSession


async def number_offer(
    connection: _Connection, *, city_id: int, number: str, org_id: int, holders: Collection[int]
) -> NumberOffer | None:
    """Return the number as it stands, or None if the city has no such number."""
    given = {"city": city_id, "number": number, "org": org_id, "holders": list(holders)}
    row = await _NUMBER_OFFER.row(connection, given)
    return None if row is None else NumberOffer(*row)


async def sim_offer(
    connection: _Connection, *, city_id: int, card: str, org_id: int, holders: Collection[int]
) -> SimOffer | None:
    """Return the card with this ICCID or chip serial as it stands, or None if the city has no such card."""
    given = {"city": city_id, "card": card, "org": org_id, "holders": list(holders)}
    row = await _SIM_OFFER.row(connection, given)
    return None if row is None else SimOffer(*row)


async def find_hold(connection: _Connection, *, city_id: int, hold_id: int) -> HoldRecord | None:
    """Return the hold, or None."""
    row = (await connection.execute(_RECORD, {"city": city_id, "hold": hold_id})).one_or_none()
    return None if row is None else HoldRecord(*row)


async def wait_for_items(
    connection: AsyncConnection, *, city_id: int, number_item: int | None, sim_item: int | None
) -> None:
    """Wait until nobody is in the middle of changing the items; many may wait for one."""
    if number_item is not None:
        await connection.execute(_WAIT_FOR_NUMBER, {"city": city_id, "item": number_item})
    if sim_item is not None:
        await connection.execute(_WAIT_FOR_SIM, {"city": city_id, "item": sim_item})


_SYSTEM = {"staff": "system", "interface": "system", "reason": "expired"}
"""Who ends a hold whose time is over."""

_HOLD = HotStatement(hold_sql.HOLD)
_EXTEND = HotStatement(hold_sql.EXTEND)
_BOOK = HotStatement(hold_sql.BOOK)
_RELEASE = HotStatement(free_sql.RELEASE)
_CONFIRM = HotStatement(confirm_sql.CONFIRM)
_EXPIRE_ONE = text(free_sql.EXPIRE_ONE)
_EXPIRE_DUE = text(free_sql.EXPIRE_DUE)


def hold_statement() -> str:
    """Give the whole statement of a hold, for pgbench to run the same one; parameters are `:name`, all cast."""
    return hold_sql.HOLD


async def expire_one(connection: AsyncConnection, *, city_id: int, hold_id: int, now: datetime) -> bool:
    """End the hold if its time is over and no card of it is being written; True if this call ended it."""
    given = {"city": city_id, "hold": hold_id, "now": now, **_SYSTEM}
    return bool(await connection.scalar(_EXPIRE_ONE, given))


async def expire_due(connection: AsyncConnection, *, city_id: int, batch: int, now: datetime) -> int:
    """End up to `batch` holds of the city whose time is over and return how many; passes over those being changed."""
    given = {"city": city_id, "batch": batch, "now": now, **_SYSTEM}
    return int(await connection.scalar(_EXPIRE_DUE, given) or 0)


async def next_end(connection: AsyncConnection) -> datetime | None:
    """Return when the next hold ends that no write job keeps, or None if there is no such hold."""
    end: datetime | None = await connection.scalar(_NEXT_END)
    return end


async def _run(connection: AsyncConnection, statement: HotStatement, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Run a statement that ends by keeping its answer; return the answer, or None if its gate stayed shut."""
    row = await statement.row(connection, given)
    return None if row is None else dict(row[0])


async def hold(connection: AsyncConnection, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Hold a kit with the parameters of `hold_sql.HOLD`; return the answer, or None if some row was not to be had.

    Raises
    ------
    sqlalchemy.exc.IntegrityError
        The idempotency key has had a success; nothing was changed.
    """
    return await _run(connection, _HOLD, given)


async def extend(connection: AsyncConnection, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Extend a hold with the parameters of `hold_sql.EXTEND`; raises as `hold` does."""
    return await _run(connection, _EXTEND, given)


async def book(connection: AsyncConnection, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Book a hold with the parameters of `hold_sql.BOOK`; raises as `hold` does."""
    return await _run(connection, _BOOK, given)


async def release(connection: AsyncConnection, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Release a hold with the parameters of `free_sql.RELEASE`; raises as `hold` does."""
    return await _run(connection, _RELEASE, given)


async def confirm(connection: AsyncConnection, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Confirm a hold with the parameters of `confirm_sql.CONFIRM`; raises as `hold` does."""
    return await _run(connection, _CONFIRM, given)


_CARD_FEE = text("SELECT fee_fen FROM card_kind WHERE code = CAST(:code AS text)")

_card_fees: dict[str, int] = {}
"""Prices already read in this process: a card kind is closed and never changed (REQ-CFG-01)."""


async def card_fee(connection: _Connection, code: str) -> int | None:
    """Return the price in fen of a card of the kind, or None if there is no such kind."""
    if code not in _card_fees:
        fee: int | None = await connection.scalar(_CARD_FEE, {"code": code})
        if fee is None:
            return None
        _card_fees[code] = fee
    return _card_fees[code]
