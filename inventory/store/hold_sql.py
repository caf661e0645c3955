"""The hot statements on holds, each one a whole transaction.

They share one shape: lock every row that is needed, gate every change on having found them all, then change, write
events, and keep the answer last. The insert into `idempotency` has no ON CONFLICT on purpose: a second request with
the same key breaks there and takes the whole statement with it, so its caller gets the stored answer.

Parameters are written `:name` and cast where they stand, which both SQLAlchemy and pgbench (`-M prepared`) read, so
`haoka bench` measures the very same text.

`(state = 'X') IS TRUE` instead of `state = 'X'`: rows are found by primary key here, and the plain comparison would let
the planner take a partial index on that state that was empty when it was last analysed (10 a second instead of 2,558).
"""

from __future__ import annotations

SELLABLE = """(holder_id = ANY (CAST(:holders AS bigint[])) OR holder_id = (
          SELECT parent_id FROM organisation WHERE id = CAST(:org AS bigint) AND level = 'CLERK'))"""
"""Whose stock a caller may sell: that of its subtree, and a clerk also that of its hall."""

GOOD = """coalesce(
          expires_on >= CAST(CAST(:now AS timestamptz) AT TIME ZONE 'Asia/Shanghai' AS date), true)"""
"""Whether a card may still be sold: on its last day it may (REQ-SIM-16)."""

LEGALLY_HELD = """(EXISTS (
          SELECT FROM number n
          WHERE n.city_id = hold.city_id AND n.item_no = hold.number_item_no AND CAST(n.legal_hold AS int) = 1)
      OR EXISTS (
          SELECT FROM sim s
          WHERE s.city_id = hold.city_id AND s.item_no IN (hold.sim_item_no, hold.old_sim_item_no)
            AND CAST(s.legal_hold AS int) = 1))"""
"""Whether an outside order lies on an item of the hold; one whose card is being written is ended only after that.

The mark is cast for the reason told above: the index of marked items is empty on most days.
"""

KEPT_BY_NETWORK = """(hold.rolled_back_cards IS NOT NULL AND EXISTS (
          SELECT FROM sim_identity kept
          WHERE kept.city_id = hold.city_id AND kept.item_no = ANY (hold.rolled_back_cards)
            AND kept.number_item_no IS NULL AND kept.auc NOT IN ('none', 'deleted')))"""
"""Whether the network may still have an identity with which the hold's number was sold before (N9).

Such a hold neither ends nor is released: its number would be on sale while a card over there works with it. A refusal
of the network's is no deletion, for its answer may have been lost on the way; a card that serves another number since
has to do with that one.
"""

EVENT_COLUMNS = """city_id, at, name, kind, item_no, version, from_state, to_state,
                   staff_no, interface_no, reason, order_ref, data"""

KEEP_ANSWER = """
INSERT INTO idempotency (city_id, interface_no, key, operation, body_sha256, answer, created_at)
SELECT CAST(:city AS int), CAST(:interface AS text), CAST(:key AS text), CAST(:operation AS text),
       CAST(:body_sha256 AS bytea), {answer}, CAST(:now AS timestamptz)
FROM h
RETURNING answer
"""
"""The end of every write by a caller; a duplicate key takes everything before it back."""

CARD = f"""s AS MATERIALIZED (
    SELECT item_no FROM sim
    WHERE city_id = CAST(:city AS int) AND item_no = CAST(:sim_item AS bigint)
      AND (state = 'AVAILABLE') IS TRUE AND transit_id IS NULL AND recall_id IS NULL AND NOT legal_hold
      AND NOT adm_refused
      AND pool = ANY (CAST(:pools AS text[])) AND {SELLABLE}
      AND hlr_code IS NOT DISTINCT FROM CAST(:sim_hlr AS text) AND {GOOD}
    FOR NO KEY UPDATE SKIP LOCKED
)"""  # noqa: S608 - composed of constants
"""Locks the free card of a kit as `s`."""

CARD_AND_DATA = f"""{CARD}, d_up AS MATERIALIZED (
    SELECT data_no FROM subscription_data
    WHERE city_id = CAST(:city AS int) AND hlr_code = CAST(:data_hlr AS text) AND state = 'FREE' AND iccid IS NULL
      AND data_no >= CAST(:data_start AS bigint)
    ORDER BY data_no LIMIT 1
    FOR NO KEY UPDATE SKIP LOCKED
), d_wrapped AS MATERIALIZED (
    SELECT data_no FROM subscription_data
    WHERE city_id = CAST(:city AS int) AND hlr_code = CAST(:data_hlr AS text) AND state = 'FREE' AND iccid IS NULL
      AND data_no < CAST(:data_start AS bigint) AND NOT EXISTS (SELECT FROM d_up)
    ORDER BY data_no LIMIT 1
    FOR NO KEY UPDATE SKIP LOCKED
), d AS (
    SELECT data_no FROM d_up UNION ALL SELECT data_no FROM d_wrapped
)"""  # noqa: S608 - composed of constants
"""Locks the card of a kit as `s`, and a data unit for it as `d`."""

TAKEN = """us AS (
    UPDATE sim SET state = 'HELD', version = version + 1, hold_id = h.hold_id,
           hold_until = CAST(:until AS timestamptz), updated_at = CAST(:now AS timestamptz)
    FROM h WHERE city_id = CAST(:city AS int) AND item_no = CAST(:sim_item AS bigint)
    RETURNING item_no, version
)"""
"""Holds the card, as `us`."""

HOLD = f"""
WITH n AS MATERIALIZED (
    SELECT item_no, hlr_code FROM number
    WHERE city_id = CAST(:city AS int) AND item_no = CAST(:number_item AS bigint)
      AND (state = 'UNUSED') IS TRUE AND transit_id IS NULL AND recall_id IS NULL AND NOT legal_hold
      AND pool = ANY (CAST(:pools AS text[])) AND {SELLABLE}
      AND (cls, outcome, rule_set_id) = (CAST(:cls AS int), CAST(:outcome AS int), CAST(:rule_set AS int))
      AND CAST(:fee_change AS bigint) = coalesce(
          (SELECT change_no FROM number_fee f WHERE f.city_id = number.city_id AND f.item_no = number.item_no), 0)
    FOR NO KEY UPDATE SKIP LOCKED
), {CARD_AND_DATA}, h AS (
    INSERT INTO hold (city_id, state, interface_no, staff_no, org_id, business, order_ref, number_item_no, sim_item_no,
                      sim_wish, data_no, quote, expires_at, first_seconds, extensions, created_at)
    SELECT CAST(:city AS int), 'ACTIVE', CAST(:interface AS text), CAST(:staff AS text), CAST(:org AS bigint),
           CAST(:business AS text), CAST(:order_ref AS text), CAST(:number_item AS bigint), CAST(:sim_item AS bigint),
           CAST(:sim_wish AS jsonb), (SELECT data_no FROM d), CAST(:quote AS jsonb), CAST(:until AS timestamptz),
           CAST(:seconds AS int), 0, CAST(:now AS timestamptz)
    WHERE (CAST(:number_item AS bigint) IS NULL OR EXISTS (SELECT FROM n))
      AND (CAST(:sim_item AS bigint) IS NULL OR EXISTS (SELECT FROM s))
      AND (CAST(:data_hlr AS text) IS NULL OR EXISTS (SELECT FROM d))
    RETURNING hold_id, 'h-' || city_id || '-' || hold_id AS public_id
), un AS (
    UPDATE number SET state = 'HELD', version = version + 1, hold_id = h.hold_id,
           hold_until = CAST(:until AS timestamptz), updated_at = CAST(:now AS timestamptz)
    FROM h WHERE city_id = CAST(:city AS int) AND item_no = CAST(:number_item AS bigint)
    RETURNING item_no, version
), {TAKEN}, ud AS (
    UPDATE subscription_data SET state = 'RESERVED', version = version + 1, hold_id = h.hold_id,
           updated_at = CAST(:now AS timestamptz)
    FROM h, d WHERE city_id = CAST(:city AS int) AND subscription_data.data_no = d.data_no
    RETURNING subscription_data.data_no, version
), e AS (
    INSERT INTO event ({EVENT_COLUMNS})
    SELECT CAST(:city AS int), CAST(:now AS timestamptz), c.name, c.kind, c.item_no, c.version, c.from_state,
           c.to_state, CAST(:staff AS text), CAST(:interface AS text), NULL, CAST(:order_ref AS text), c.data
    FROM (
        SELECT 'hold.created' AS name, 'hold' AS kind, h.hold_id AS item_no, NULL AS version, NULL AS from_state,
               'ACTIVE' AS to_state,
               jsonb_build_object('expires_at', CAST(:until AS timestamptz),
                                  'number_item', CAST(:number_item AS bigint),
                                  'sim_item', CAST(:sim_item AS bigint), 'data', (SELECT data_no FROM d)) AS data
        FROM h
        UNION ALL
        SELECT 'number.held', 'number', item_no, version, 'UNUSED', 'HELD', jsonb_build_object('hold', public_id)
        FROM un, h
        UNION ALL
        SELECT 'sim.held', 'sim', item_no, version, 'AVAILABLE', 'HELD', jsonb_build_object('hold', public_id)
        FROM us, h
        UNION ALL
        SELECT 'data.reserved', 'data', data_no, version, 'FREE', 'RESERVED', jsonb_build_object('hold', public_id)
        FROM ud, h
    ) AS c
)
{KEEP_ANSWER.format(answer="CAST(:answer AS jsonb) || jsonb_build_object('hold', public_id)")}
"""  # noqa: S608 - composed of constants
"""Hold the whole kit or nothing; gives the answer, or no row when some row was not there to be had.

Its data unit has no ICCID.
"""
PLAIN, NUMBERED = "iccid IS NULL", "iccid IS NOT NULL"
"""The two sorts of data units, each with an index: for a card that has its ICCID, and for one that gets it."""
HOLD_NUMBERED = HOLD.replace(PLAIN, NUMBERED)
"""The same for a kit whose card gets an ICCID with its data unit."""

EXTEND = f"""
WITH h AS (
    UPDATE hold SET expires_at = CAST(:until AS timestamptz), extensions = extensions + 1
    WHERE city_id = CAST(:city AS int) AND hold_id = CAST(:hold AS bigint)
      AND (state = 'ACTIVE') IS TRUE AND expires_at = CAST(:until_before AS timestamptz)
      AND expires_at > CAST(:now AS timestamptz) AND extensions = CAST(:extensions AS int)
      AND NOT {LEGALLY_HELD}
    RETURNING hold_id, order_ref, number_item_no, sim_item_no, old_sim_item_no
), un AS (
    UPDATE number SET hold_until = CAST(:until AS timestamptz), updated_at = CAST(:now AS timestamptz)
    FROM h WHERE city_id = CAST(:city AS int) AND item_no = h.number_item_no AND number.hold_id = h.hold_id
), us AS (
    UPDATE sim SET hold_until = CAST(:until AS timestamptz), updated_at = CAST(:now AS timestamptz)
    FROM h WHERE city_id = CAST(:city AS int) AND item_no IN (h.sim_item_no, h.old_sim_item_no)
      AND sim.hold_id = h.hold_id
), e AS (
    INSERT INTO event ({EVENT_COLUMNS})
    SELECT CAST(:city AS int), CAST(:now AS timestamptz), 'hold.extended', 'hold', hold_id, NULL, 'ACTIVE', 'ACTIVE',
           CAST(:staff AS text), CAST(:interface AS text), NULL, order_ref,
           jsonb_build_object('expires_before', CAST(:until_before AS timestamptz),
                              'expires_at', CAST(:until AS timestamptz))
    FROM h
)
{KEEP_ANSWER.format(answer="CAST(:answer AS jsonb)")}
"""  # noqa: S608 - composed of constants
"""Move the end of a hold, if it is still as it was read; gives the answer or no row."""

BOOK = f"""
WITH h AS MATERIALIZED (
    UPDATE hold SET state = 'BOOKED', expires_at = CAST(:until AS timestamptz),
           customer_ref = coalesce(CAST(:customer_ref AS text), customer_ref),
           order_ref = coalesce(CAST(:order_ref AS text), order_ref)
    WHERE city_id = CAST(:city AS int) AND hold_id = CAST(:hold AS bigint)
      AND (state = 'ACTIVE') IS TRUE AND expires_at > CAST(:now AS timestamptz)
      AND old_sim_item_no IS NULL AND NOT {LEGALLY_HELD}
    RETURNING hold_id, 'h-' || city_id || '-' || hold_id AS public_id, order_ref, number_item_no, sim_item_no
), un AS (
    UPDATE number SET state = 'BOOKED', version = version + 1, hold_until = CAST(:until AS timestamptz),
           updated_at = CAST(:now AS timestamptz)
    FROM h WHERE city_id = CAST(:city AS int) AND item_no = h.number_item_no AND number.hold_id = h.hold_id
    RETURNING item_no, version
), us AS (
    UPDATE sim SET hold_until = CAST(:until AS timestamptz), updated_at = CAST(:now AS timestamptz)
    FROM h WHERE city_id = CAST(:city AS int) AND item_no = h.sim_item_no AND sim.hold_id = h.hold_id
), e AS (
    INSERT INTO event ({EVENT_COLUMNS})
    SELECT CAST(:city AS int), CAST(:now AS timestamptz), c.name, c.kind, c.item_no, c.version, c.from_state,
           c.to_state, CAST(:staff AS text), CAST(:interface AS text), NULL, c.order_ref, c.data
    FROM (
        SELECT 'hold.booked' AS name, 'hold' AS kind, hold_id AS item_no, NULL AS version, 'ACTIVE' AS from_state,
               'BOOKED' AS to_state, order_ref,
               jsonb_build_object('expires_at', CAST(:until AS timestamptz)) AS data FROM h
        UNION ALL
        SELECT 'number.booked', 'number', item_no, version, 'HELD', 'BOOKED', order_ref,
               jsonb_build_object('hold', public_id) FROM un, h
    ) AS c
)
{KEEP_ANSWER.format(answer="CAST(:answer AS jsonb)")}
"""  # noqa: S608 - composed of constants
"""Turn a hold into a booking; gives the answer or no row."""
