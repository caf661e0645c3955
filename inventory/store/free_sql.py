"""Freeing what holds have taken: released by a person, or ended by time. One body, several ways to choose the holds."""

from __future__ import annotations

from inventory.store.hold_sql import EVENT_COLUMNS, KEEP_ANSWER, KEPT_BY_NETWORK, LEGALLY_HELD

_OF_HOLD = "hold_id, state, interface_no, order_ref, number_item_no, sim_item_no, data_no, old_sim_item_no"

_ENDS = f"job_id IS NULL AND NOT {KEPT_BY_NETWORK}"
"""Whether anything may end the hold now: no card of it is being written, and the network has nothing of it."""

_ONE = f"""
    SELECT {_OF_HOLD} FROM hold
    WHERE city_id = CAST(:city AS int) AND hold_id = CAST(:hold AS bigint)
      AND (state IN ('ACTIVE', 'BOOKED')) IS TRUE AND {_ENDS}
    FOR NO KEY UPDATE
"""  # noqa: S608 - composed of constants

_DUE = f"""
    SELECT {_OF_HOLD} FROM hold
    WHERE city_id = CAST(:city AS int) AND expires_at <= CAST(:now AS timestamptz)
      AND state IN ('ACTIVE', 'BOOKED') AND {_ENDS}
    ORDER BY expires_at LIMIT CAST(:batch AS int)
    FOR NO KEY UPDATE SKIP LOCKED
"""  # noqa: S608 - composed of constants

_DUE_ONE = f"""
    SELECT {_OF_HOLD} FROM hold
    WHERE city_id = CAST(:city AS int) AND hold_id = CAST(:hold AS bigint) AND expires_at <= CAST(:now AS timestamptz)
      AND (state IN ('ACTIVE', 'BOOKED')) IS TRUE AND {_ENDS}
    FOR NO KEY UPDATE
"""  # noqa: S608 - composed of constants

_OF_STAFF = f"""
    SELECT {_OF_HOLD} FROM hold
    WHERE city_id = CAST(:city AS int) AND staff_no = ANY (CAST(:staff_ids AS text[]))
      AND state = 'ACTIVE' AND {_ENDS}
    ORDER BY hold_id
    FOR NO KEY UPDATE
"""  # noqa: S608 - composed of constants


LEGAL_HOLD = "legal_hold"
"""The reason of what is ended because an outside order lies on an item of it."""

_LET_GO = f"""
    SELECT {_OF_HOLD} FROM hold
    WHERE city_id = CAST(:city AS int) AND rolled_back_cards IS NOT NULL AND state IN ('ACTIVE', 'BOOKED')
      AND {_ENDS} AND {LEGALLY_HELD}
    ORDER BY hold_id
    FOR NO KEY UPDATE SKIP LOCKED
"""  # noqa: S608 - composed of constants

_LEGALLY_HELD = f"""
    SELECT {_OF_HOLD} FROM hold
    WHERE city_id = CAST(:city AS int) AND hold_id = ANY (CAST(:holds AS bigint[]))
      AND (state IN ('ACTIVE', 'BOOKED')) IS TRUE AND {_ENDS}
      AND {LEGALLY_HELD}
    ORDER BY hold_id
    FOR NO KEY UPDATE
"""  # noqa: S608 - composed of constants


def _free(chosen: str, *, ended: str, event: str, freed: str) -> str:
    """Give the statement that ends the chosen holds as `ended` and frees their items.

    A written card stays a finished card of its HLR, with its identity and data bound (REQ-RSV-19); a damaged card only
    leaves the kit. A data unit goes back to the pool unless a card has it. A number in use and its card, on which a
    service order lay, stay as they are, unlocked (REQ-LCK-01). Items are locked before their state is looked at: the
    choice of holds may have waited for a write job that has just ended.
    """
    return f"""
WITH h AS MATERIALIZED ({chosen}
), n AS MATERIALIZED (
    SELECT number.item_no, number.state, number.hold_id AS now_held_by, h.hold_id, h.order_ref
    FROM h JOIN number ON number.city_id = CAST(:city AS int) AND number.item_no = h.number_item_no
    FOR NO KEY UPDATE OF number
), s AS MATERIALIZED (
    SELECT sim.item_no, sim.state, sim.hold_id AS now_held_by, h.hold_id, h.order_ref,
           CASE WHEN sim.state = 'WRITTEN' THEN u.hlr_code ELSE sim.hlr_code END AS hlr_code
    FROM h JOIN sim ON sim.city_id = CAST(:city AS int) AND sim.item_no = h.sim_item_no
    LEFT JOIN subscription_data u ON u.city_id = CAST(:city AS int) AND u.data_no = h.data_no
    FOR NO KEY UPDATE OF sim
), uh AS (
    UPDATE hold SET state = '{ended}', closed_at = CAST(:now AS timestamptz), close_reason = CAST(:reason AS text)
    FROM h WHERE hold.city_id = CAST(:city AS int) AND hold.hold_id = h.hold_id
), un AS (
    UPDATE number SET state = 'UNUSED', version = version + 1, hold_id = NULL, hold_until = NULL,
           updated_at = CAST(:now AS timestamptz)
    FROM n WHERE number.city_id = CAST(:city AS int) AND number.item_no = n.item_no AND n.now_held_by = n.hold_id
      AND n.state IN ('HELD', 'BOOKED')
    RETURNING n.item_no, version, n.state AS from_state, n.hold_id, n.order_ref
), unlocked AS (
    UPDATE number SET hold_id = NULL, hold_until = NULL
    FROM n WHERE number.city_id = CAST(:city AS int) AND number.item_no = n.item_no AND n.now_held_by = n.hold_id
      AND n.state NOT IN ('HELD', 'BOOKED')
), us AS (
    UPDATE sim SET state = 'AVAILABLE', version = version + 1, hold_id = NULL, hold_until = NULL,
           hlr_code = s.hlr_code, updated_at = CAST(:now AS timestamptz)
    FROM s WHERE sim.city_id = CAST(:city AS int) AND sim.item_no = s.item_no AND s.now_held_by = s.hold_id
      AND s.state IN ('HELD', 'WRITTEN')
    RETURNING s.item_no, version, s.state AS from_state, s.hold_id, s.order_ref
), left_over AS (
    UPDATE sim SET hold_id = NULL, hold_until = NULL
    FROM s WHERE sim.city_id = CAST(:city AS int) AND sim.item_no = s.item_no AND s.now_held_by = s.hold_id
      AND s.state NOT IN ('HELD', 'WRITTEN')
), old_card AS (
    UPDATE sim SET hold_id = NULL, hold_until = NULL
    FROM h WHERE sim.city_id = CAST(:city AS int) AND sim.item_no = h.old_sim_item_no AND sim.hold_id = h.hold_id
), d AS MATERIALIZED (
    SELECT u.data_no, u.state, u.hold_id AS now_held_by, h.hold_id, h.order_ref
    FROM h JOIN subscription_data u ON u.city_id = CAST(:city AS int) AND u.data_no = h.data_no
    FOR NO KEY UPDATE OF u
), ud AS (
    UPDATE subscription_data AS u
    SET state = 'FREE', version = u.version + 1, hold_id = NULL, updated_at = CAST(:now AS timestamptz)
    FROM d WHERE u.city_id = CAST(:city AS int) AND u.data_no = d.data_no AND d.now_held_by = d.hold_id
      AND d.state = 'RESERVED'
    RETURNING d.data_no, version, d.hold_id, d.order_ref
), bound AS (
    UPDATE subscription_data AS u SET hold_id = NULL
    FROM d WHERE u.city_id = CAST(:city AS int) AND u.data_no = d.data_no AND d.now_held_by = d.hold_id
      AND d.state <> 'RESERVED'
), e AS (
    INSERT INTO event ({EVENT_COLUMNS})
    SELECT CAST(:city AS int), CAST(:now AS timestamptz), c.name, c.kind, c.item_no, c.version, c.from_state,
           c.to_state, CAST(:staff AS text), CAST(:interface AS text), CAST(:reason AS text), c.order_ref, c.data
    FROM (
        SELECT '{event}' AS name, 'hold' AS kind, hold_id AS item_no, NULL AS version, state AS from_state,
               '{ended}' AS to_state, order_ref, jsonb_build_object('owner', interface_no) AS data FROM h
        UNION ALL
        SELECT 'number.{freed}', 'number', item_no, version, from_state, 'UNUSED', order_ref,
               jsonb_build_object('hold', 'h-' || CAST(:city AS int) || '-' || hold_id) FROM un
        UNION ALL
        SELECT 'sim.{freed}', 'sim', item_no, version, from_state, 'AVAILABLE', order_ref,
               jsonb_build_object('hold', 'h-' || CAST(:city AS int) || '-' || hold_id) FROM us
        UNION ALL
        SELECT 'data.free', 'data', data_no, version, 'RESERVED', 'FREE', order_ref,
               jsonb_build_object('hold', 'h-' || CAST(:city AS int) || '-' || hold_id) FROM ud
    ) AS c
)
"""  # noqa: S608 - composed of constants


_COUNT = "SELECT count(*) FROM h"

RELEASE = _free(_ONE, ended="RELEASED", event="hold.released", freed="released") + KEEP_ANSWER.format(
    answer="CAST(:answer AS jsonb)"
)
"""Release one hold that has no open write job; gives the answer or no row."""

RELEASE_ONE = _free(_ONE, ended="RELEASED", event="hold.released", freed="released") + _COUNT
"""The same inside a transaction of something else, which no caller's key stands for; gives 1 or 0."""

EXPIRE_DUE = _free(_DUE, ended="EXPIRED", event="hold.expired", freed="expired") + _COUNT
"""End up to `batch` holds of a city whose time is over, oldest first; gives how many."""

RELEASE_OF_STAFF = _free(_OF_STAFF, ended="RELEASED", event="hold.released", freed="released") + _COUNT
"""Release the open holds of staff ids, but for bookings and kits with an open write job; gives how many."""

END_LEGALLY_HELD = _free(_LEGALLY_HELD, ended="RELEASED", event="hold.released", freed="released") + _COUNT
"""End those of the holds that have an item under a legal hold, but for kits with an open write job; gives how many."""

END_LET_GO = _free(_LET_GO, ended="RELEASED", event="hold.released", freed="released") + _COUNT
"""End holds with an item under a legal hold that the network kept until now; gives how many."""

EXPIRE_ONE = _free(_DUE_ONE, ended="EXPIRED", event="hold.expired", freed="expired") + _COUNT
"""End one hold if its time is over and no card of it is being written; gives 1 or 0."""
