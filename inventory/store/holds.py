"""Holds: what a kit could take, the hot statements, and what became of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from inventory.store import confirm_sql, free_sql, hold_sql, replace_sql, roll_back_sql, second_sql
from inventory.store.hot import HotStatement
from inventory.store.organisation import PSEUDO


@dataclass(frozen=True)
class NumberOffer:
    """A number that someone wants, as it stands: where it is, who has it, and what its class and price come from.

    `ours` tells whether a caller at the given organisation may sell it. `fee_change` numbers the last change of its own
    fee by a person (0: none), `fee` is what that change left. `data_from` and `data_to` bound the free data units of
    its HLR, of the sort that was asked for; both are None when there are none. `kept`: its hold stays beyond its time.
    """

    item_no: int
    number: str
    kind: str
    state: str
    hold_until: datetime | None
    hold_id: int | None
    kept: bool
    ours: bool
    pool: str | None
    transit_id: int | None
    recall_id: int | None
    legal_hold: bool
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
    """A card that someone wants, as it stands; `hlr_code` is set on a finished card, `kept` as of a number."""

    item_no: int
    iccid: str | None
    serial: str | None
    state: str
    hold_until: datetime | None
    hold_id: int | None
    kept: bool
    ours: bool
    pool: str | None
    transit_id: int | None
    recall_id: int | None
    legal_hold: bool
    hlr_code: str | None
    kind_code: str
    adm_refused: bool
    expires_on: date | None


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
    sim_expires_on: date | None
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
    legal_hold: bool
    """Whether an outside order lies on an item of it; a live hold like this has a card that is being written."""
    old_iccid: str | None
    """The card that a replacement's own card is to replace; None on any other hold."""
    old_sim_state: str | None
    replace_reason: str | None
    waits_for_network: bool
    """Whether the city waits for the network's word, and the network has not confirmed every identity on the card."""
    to_be_deleted: bool
    """Whether the network was told to delete an identity on the card."""
    original_hold_id: int | None
    """The hold whose sale was rolled back for this one."""
    kept_card: str | None
    """A card that the number was sold with before, and whose identity the network may still have; None: no such one."""


_KEPT_BY_NETWORK = hold_sql.KEPT_BY_NETWORK.replace("hold.", "h.")
_KEPT = f"(h.job_id IS NOT NULL OR {_KEPT_BY_NETWORK}) IS TRUE"
"""Whether the hold `h` stays beyond its time: a card of it is being written, or the network has something of it."""

_NUMBER_OFFER_TEXT = f"""
    SELECT n.item_no, n.number, n.kind, n.state, n.hold_until, n.hold_id, {_KEPT} AS kept,
           {hold_sql.SELLABLE} AS ours, n.pool, n.transit_id, n.recall_id, n.legal_hold, n.hlr_code,
           n.cls, n.outcome, n.rule_set_id,
           coalesce(f.change_no, 0) AS fee_change, coalesce(f.cls, n.cls) AS fee_cls, f.terms AS fee,
           (SELECT min(d.data_no) FROM subscription_data d
            WHERE d.city_id = n.city_id AND d.hlr_code = n.hlr_code AND d.state = 'FREE'
              AND d.{hold_sql.PLAIN}) AS data_from,
           (SELECT max(d.data_no) FROM subscription_data d
            WHERE d.city_id = n.city_id AND d.hlr_code = n.hlr_code AND d.state = 'FREE'
              AND d.{hold_sql.PLAIN}) AS data_to
    FROM number n
    LEFT JOIN number_fee f ON f.city_id = n.city_id AND f.item_no = n.item_no
    LEFT JOIN hold h ON h.city_id = n.city_id AND h.hold_id = n.hold_id
    WHERE n.city_id = CAST(:city AS int) AND n.number = CAST(:number AS text)
"""  # noqa: S608 - composed of constants
_NUMBER_OFFER = HotStatement(_NUMBER_OFFER_TEXT)
_NUMBER_OFFER_NUMBERED = HotStatement(_NUMBER_OFFER_TEXT.replace(hold_sql.PLAIN, hold_sql.NUMBERED))

_SIM_OFFER = HotStatement(f"""
    SELECT s.item_no, s.iccid, s.serial, s.state, s.hold_until, s.hold_id, {_KEPT} AS kept,
           {hold_sql.SELLABLE} AS ours, s.pool, s.transit_id, s.recall_id, s.legal_hold, s.hlr_code, s.kind_code,
           s.adm_refused, s.expires_on
    FROM sim s LEFT JOIN hold h ON h.city_id = s.city_id AND h.hold_id = s.hold_id
    WHERE s.city_id = CAST(:city AS int) AND (s.iccid = CAST(:card AS text) OR s.serial = CAST(:card AS text))
""")  # noqa: S608 - composed of constants

_RECORD = text(f"""
    SELECT h.hold_id, h.state, h.interface_no, h.staff_no, h.org_id, h.business, h.order_ref, h.customer_ref,
           n.number, n.state AS number_state, h.sim_item_no, s.iccid, s.serial, s.state AS sim_state,
           s.hlr_code AS sim_hlr, s.expires_on AS sim_expires_on, n.hlr_code AS number_hlr,
           h.sim_wish, h.data_no, h.quote, h.expires_at, h.first_seconds, h.extensions,
           h.job_id, h.created_at, h.closed_at, h.close_reason,
           (SELECT min(i.hlr_code) FROM sim_identity i WHERE i.city_id = h.city_id AND i.item_no = h.sim_item_no
            HAVING bool_and(i.state = 'VERIFIED' AND i.number_item_no IS NULL AND i.auc <> 'deleted'
                            AND i.deletion_id IS NULL)
               AND min(i.hlr_code) = max(i.hlr_code)) AS identity_hlr,
           coalesce(n.legal_hold, false) OR coalesce(s.legal_hold, false) OR coalesce(o.legal_hold, false)
               OR EXISTS (
                   SELECT FROM number x WHERE x.city_id = o.city_id AND x.item_no = o.second_number_item_no
                   AND CAST(x.legal_hold AS int) = 1)
               OR EXISTS (
                   SELECT FROM sim_identity i JOIN number x ON x.city_id = i.city_id AND x.item_no = i.number_item_no
                   WHERE i.city_id = o.city_id AND i.item_no = o.item_no AND CAST(x.legal_hold AS int) = 1)
               AS legal_hold,
           o.iccid AS old_iccid, o.state AS old_sim_state, h.replace_reason,
           {confirm_sql.WAITS_FOR_NETWORK} AND EXISTS (
               SELECT FROM sim_identity i WHERE i.city_id = h.city_id AND i.item_no = h.sim_item_no
               AND i.number_item_no IS NULL AND i.auc <> 'confirmed') AS waits_for_network,
           EXISTS (SELECT FROM sim_identity i WHERE i.city_id = h.city_id AND i.item_no = h.sim_item_no
                   AND i.deletion_id IS NOT NULL) AS to_be_deleted,
           h.original_hold_id,
           (SELECT min(coalesce(k.iccid, k.serial)) FROM sim k
            WHERE {_KEPT_BY_NETWORK} AND k.city_id = h.city_id AND k.item_no = ANY (h.rolled_back_cards)
              AND EXISTS (SELECT FROM sim_identity i WHERE i.city_id = k.city_id AND i.item_no = k.item_no
                          AND i.number_item_no IS NULL AND i.auc NOT IN ('none', 'deleted'))) AS kept_card
    FROM hold h
    LEFT JOIN sim o ON o.city_id = h.city_id AND o.item_no = h.old_sim_item_no
    LEFT JOIN number n ON n.city_id = h.city_id AND n.item_no = h.number_item_no
    LEFT JOIN sim s ON s.city_id = h.city_id AND s.item_no = h.sim_item_no
    WHERE h.city_id = CAST(:city AS int) AND h.hold_id = CAST(:hold AS bigint)
""")  # noqa: S608 - composed of constants

_NEXT_END = text(f"""
    SELECT min(first.expires_at) FROM (SELECT DISTINCT city_id FROM organisation) AS city
    CROSS JOIN LATERAL (
        SELECT expires_at FROM hold h
        WHERE h.city_id = city.city_id AND h.state IN ('ACTIVE', 'BOOKED') AND h.job_id IS NULL
          AND NOT {_KEPT_BY_NETWORK}
        ORDER BY expires_at LIMIT 1) AS first
""")  # noqa: S608 - composed of constants

_WAIT_FOR_NUMBER = text("""
    SELECT FROM number WHERE city_id = CAST(:city AS int) AND item_no = CAST(:item AS bigint) FOR SHARE
""")
_WAIT_FOR_SIM = text("""
    SELECT FROM sim WHERE city_id = CAST(:city AS int) AND item_no = CAST(:item AS bigint) FOR SHARE
""")

_Connection = AsyncConnection | AsyncSession


async def number_offer(
    connection: _Connection,
    *,
    city_id: int,
    number: str,
    org_id: int,
    holders: Collection[int],
    numbered: bool = False,
) -> NumberOffer | None:
    """Return the number as it stands, or None if the city has no such number.

    `numbered` asks for data units with an ICCID, else for those without.
    """
    given = {"city": city_id, "number": number, "org": org_id, "holders": list(holders)}
    row = await (_NUMBER_OFFER_NUMBERED if numbered else _NUMBER_OFFER).row(connection, given)
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
    connection: AsyncConnection, *, city_id: int, number_item: int | None, sim_items: Collection[int]
) -> None:
    """Wait until nobody is in the middle of changing the items; many may wait for one."""
    if number_item is not None:
        await connection.execute(_WAIT_FOR_NUMBER, {"city": city_id, "item": number_item})
    for sim_item in sim_items:
        await connection.execute(_WAIT_FOR_SIM, {"city": city_id, "item": sim_item})


_SYSTEM = {"staff": "system", "interface": "system", "reason": "expired"}
"""Who ends a hold whose time is over."""

_HOLD = HotStatement(hold_sql.HOLD)
_HOLD_NUMBERED = HotStatement(hold_sql.HOLD_NUMBERED)
_EXTEND = HotStatement(hold_sql.EXTEND)
_BOOK = HotStatement(hold_sql.BOOK)
_RELEASE = HotStatement(free_sql.RELEASE)
_CONFIRM = HotStatement(confirm_sql.CONFIRM)
_OPEN_REPLACEMENT = HotStatement(replace_sql.OPEN)
_OPEN_REPLACEMENT_NUMBERED = HotStatement(replace_sql.OPEN_NUMBERED)
_REPLACE = HotStatement(replace_sql.REPLACE)
_OPEN_SECOND = HotStatement(second_sql.OPEN)
_ADD_SECOND = HotStatement(second_sql.ADD)
_ROLL_BACK = HotStatement(roll_back_sql.ROLL_BACK)
_EXPIRE_ONE = text(free_sql.EXPIRE_ONE)
_EXPIRE_DUE = text(free_sql.EXPIRE_DUE)
_END_LET_GO = text(free_sql.END_LET_GO)
_KEEP_ON = text(roll_back_sql.KEEP_ON)
_RELEASE_ONE = text(free_sql.RELEASE_ONE)


def hold_statement() -> str:
    """Give the whole statement of a hold, for pgbench to run the same one; parameters are `:name`, all cast."""
    return hold_sql.HOLD


async def expire_one(connection: AsyncConnection, *, city_id: int, hold_id: int, now: datetime) -> bool:
    """End the hold if its time is over and nothing keeps it; True if this call ended it."""
    given = {"city": city_id, "hold": hold_id, "now": now, **_SYSTEM}
    return bool(await connection.scalar(_EXPIRE_ONE, given))


async def release_one(
    session: AsyncSession, *, city_id: int, hold_id: int, staff_no: str, interface_no: str, reason: str, now: datetime
) -> None:
    """Release the hold in the session's transaction, if it is open and without a write job."""
    who = {"staff": staff_no, "interface": interface_no, "reason": reason}
    await session.execute(_RELEASE_ONE, {"city": city_id, "hold": hold_id, "now": now, **who})


async def expire_due(connection: AsyncConnection, *, city_id: int, batch: int, now: datetime) -> int:
    """End up to `batch` holds of the city whose time is over and return how many; passes over those being changed."""
    given = {"city": city_id, "batch": batch, "now": now, **_SYSTEM}
    return int(await connection.scalar(_EXPIRE_DUE, given) or 0)


async def end_let_go(connection: AsyncConnection, *, city_id: int, now: datetime) -> None:
    """End the city's holds with an item under a legal hold that only the network has kept until now."""
    who = {**_SYSTEM, "reason": free_sql.LEGAL_HOLD}
    await connection.execute(_END_LET_GO, {"city": city_id, "now": now, **who})


async def keep_on(connection: AsyncConnection, *, city_id: int, now: datetime, until: datetime) -> None:
    """Move the end of the city's holds that are over, and that the network keeps, to this moment."""
    await connection.execute(_KEEP_ON, {"city": city_id, "now": now, "until": until})


async def next_end(connection: AsyncConnection) -> datetime | None:
    """Return when the next hold ends that neither a write job nor the network keeps, or None if there is none."""
    end: datetime | None = await connection.scalar(_NEXT_END)
    return end


async def _run(connection: AsyncConnection, statement: HotStatement, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Run a statement that ends by keeping its answer; return the answer, or None if its gate stayed shut."""
    row = await statement.row(connection, given)
    return None if row is None else dict(row[0])


async def hold(
    connection: AsyncConnection, given: Mapping[str, Any], *, numbered: bool = False
) -> dict[str, Any] | None:
    """Hold a kit with the parameters of `hold_sql.HOLD`; return the answer, or None if some row was not to be had.

    `numbered` says that its card gets an ICCID with the data unit.

    Raises
    ------
    sqlalchemy.exc.IntegrityError
        The idempotency key has had a success; nothing was changed.
    """
    return await _run(connection, _HOLD_NUMBERED if numbered else _HOLD, given)


async def open_replacement(
    connection: AsyncConnection, given: Mapping[str, Any], *, numbered: bool = False
) -> dict[str, Any] | None:
    """Open a replacement with the parameters of `replace_sql.OPEN`; `numbered` and what it raises as `hold`."""
    return await _run(connection, _OPEN_REPLACEMENT_NUMBERED if numbered else _OPEN_REPLACEMENT, given)


async def open_second_number(
    connection: AsyncConnection, given: Mapping[str, Any], *, numbered: bool = False
) -> dict[str, Any] | None:
    """Hold a number for a card in use with the parameters of `second_sql.OPEN`; raises as `hold`, takes no data."""
    del numbered
    return await _run(connection, _OPEN_SECOND, given)


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


async def replace(connection: AsyncConnection, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Confirm a replacement with the parameters of `replace_sql.REPLACE`; raises as `hold` does."""
    return await _run(connection, _REPLACE, given)


async def add_second_number(connection: AsyncConnection, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Confirm a second number with the parameters of `second_sql.ADD`; raises as `hold` does."""
    return await _run(connection, _ADD_SECOND, given)


async def roll_back(connection: AsyncConnection, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Roll a sale back with the parameters of `roll_back_sql.ROLL_BACK`; raises as `hold` does."""
    return await _run(connection, _ROLL_BACK, given)


@dataclass(frozen=True)
class KindTerms:
    """What a card of a kind costs its customer, in fen, the profile that writes it, and what it can do (REQ-SIM-14).

    `max_numbers` is how many numbers it may serve (REQ-SIM-17).
    """

    fee_fen: int
    profile: str
    capabilities: list[str]
    max_numbers: int


_KIND = text("SELECT fee_fen, profile, capabilities, max_numbers FROM card_kind WHERE code = CAST(:code AS text)")

_kinds: dict[str, KindTerms] = {}
"""Kinds already read in this process: a card kind is closed and never changed (REQ-CFG-01)."""


async def card_kind(connection: _Connection, code: str) -> KindTerms | None:
    """Return what is the same on all cards of the kind, or None if there is no such kind."""
    if code not in _kinds:
        row = (await connection.execute(_KIND, {"code": code})).one_or_none()
        if row is None:
            return None
        _kinds[code] = KindTerms(*row)
    return _kinds[code]


_PLACE = text("""
    SELECT EXISTS (SELECT FROM organisation
                   WHERE id = CAST(:org AS bigint) AND city_id = CAST(:city AS int) AND active
                     AND level <> ALL (CAST(:pseudo AS text[])))
""")


async def is_place(connection: _Connection, *, city_id: int, org_id: int) -> bool:
    """Tell whether the city has such an open place, where a card may be taken."""
    given = {"org": org_id, "city": city_id, "pseudo": sorted(PSEUDO)}
    return bool((await connection.execute(_PLACE, given)).scalar_one())
