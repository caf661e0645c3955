"""The statement that takes a sale back which waits for the network: a fresh hold has its number and card (N9, S10b).

Shaped as those of `hold_sql`. The identities are locked before card and number, as the network's answers lock them: of
a confirmation and a roll back at one moment the second finds that the first has had its way.
"""

from __future__ import annotations

from inventory.store.hold_sql import EVENT_COLUMNS, KEEP_ANSWER, KEPT_BY_NETWORK

_SOLD_BY = """SELECT m.from_holder
              FROM movement_line l JOIN movement m ON m.city_id = l.city_id AND m.movement_id = l.movement_id
              WHERE l.city_id = CAST(:city AS int) AND l.resource = '{resource}' AND l.level = 0
                AND l.block = {item} / 10 AND l.lo = {item} AND l.hi = {item}
                AND m.kind = 'SALE' AND m.reason = h.public_id"""
"""Who had an item before its sale, found with one probe of the ledger."""

ROLL_BACK = f"""
WITH RECURSIVE h AS MATERIALIZED (
    SELECT hold_id, 'h-' || city_id || '-' || hold_id AS public_id, business, order_ref, customer_ref, number_item_no,
           sim_item_no, sim_wish, data_no, quote, rolled_back_cards, CAST(:answer AS jsonb) AS said
    FROM hold
    WHERE city_id = CAST(:city AS int) AND hold_id = CAST(:hold AS bigint) AND (state = 'CONFIRMED') IS TRUE
    FOR NO KEY UPDATE
), slots AS MATERIALIZED (
    SELECT sim_identity.number_item_no, auc
    FROM h JOIN sim_identity ON city_id = CAST(:city AS int) AND sim_identity.item_no = h.sim_item_no
    ORDER BY slot
    FOR NO KEY UPDATE OF sim_identity
), i AS MATERIALIZED (
    SELECT bool_or(auc NOT IN ('none', 'deleted')) AS kept FROM slots
    HAVING bool_and(number_item_no = (SELECT number_item_no FROM h)) IS TRUE
), s AS MATERIALIZED (
    SELECT item_no, iccid, serial, sim.hlr_code, holder_id, i.kept
    FROM h JOIN i ON true JOIN sim ON city_id = CAST(:city AS int) AND item_no = h.sim_item_no
    WHERE (sim.state = 'COMPLETING') IS TRUE AND sim.hold_id IS NULL AND NOT sim.legal_hold
    FOR NO KEY UPDATE OF sim
), n AS MATERIALIZED (
    SELECT number.item_no, number.number, number.holder_id
    FROM h JOIN s ON true JOIN number ON city_id = CAST(:city AS int) AND number.item_no = h.number_item_no
    WHERE (number.state = 'COMPLETING') IS TRUE AND number.hold_id IS NULL AND NOT number.legal_hold
    FOR NO KEY UPDATE OF number
), had (resource, place) AS (
    SELECT 'number', ({_SOLD_BY.format(resource="number", item="n.item_no")}) FROM h, n
    UNION ALL
    SELECT 'sim', ({_SOLD_BY.format(resource="sim", item="s.item_no")}) FROM h, s
), up (resource, place, parent_id, takes) AS (
    SELECT had.resource, o.id, o.parent_id, o.active AND o.leaving_at IS NULL
    FROM had JOIN organisation o ON o.id = had.place
    UNION ALL
    SELECT up.resource, o.id, o.parent_id, o.active AND o.leaving_at IS NULL
    FROM up JOIN organisation o ON o.id = up.parent_id WHERE NOT up.takes
), back AS MATERIALIZED (
    SELECT up.resource, up.place
    FROM up JOIN organisation o ON o.id = up.place WHERE up.takes AND o.active AND o.leaving_at IS NULL
    FOR SHARE OF o
), g AS MATERIALIZED (
    SELECT h.*, n.item_no AS number_item, n.holder_id AS number_holder, to_n.place AS number_back,
           s.item_no AS sim_item, s.holder_id AS sim_holder, to_s.place AS sim_back,
           CASE WHEN s.hlr_code IS NULL THEN 'WRITTEN' ELSE 'HELD' END AS sim_state,
           jsonb_build_object('number', n.number, 'iccid', s.iccid, 'chip_serial', s.serial, 'network_has_it', s.kept)
               AS found
    FROM h, n, s, back AS to_n, back AS to_s WHERE to_n.resource = 'number' AND to_s.resource = 'sim'
), f AS (
    INSERT INTO hold (city_id, state, interface_no, staff_no, org_id, business, order_ref, customer_ref, number_item_no,
                      sim_item_no, sim_wish, data_no, quote, expires_at, first_seconds, extensions, created_at,
                      original_hold_id, rolled_back_cards)
    SELECT CAST(:city AS int), 'ACTIVE', CAST(:interface AS text), CAST(:staff AS text), CAST(:org AS bigint),
           business, order_ref, customer_ref, number_item, sim_item, sim_wish, data_no, quote,
           CAST(:until AS timestamptz), CAST(:seconds AS int), 0, CAST(:now AS timestamptz), g.hold_id,
           array_append(array_remove(coalesce(rolled_back_cards, CAST('{{}}' AS bigint[])), sim_item), sim_item)
    FROM g
    RETURNING hold_id, 'h-' || city_id || '-' || hold_id AS public_id
), uh AS (
    UPDATE hold SET state = 'ROLLED_BACK', closed_at = CAST(:now AS timestamptz), close_reason = CAST(:reason AS text)
    FROM g WHERE city_id = CAST(:city AS int) AND hold.hold_id = g.hold_id
), un AS (
    UPDATE number SET state = 'HELD', version = version + 1, hold_id = f.hold_id,
           hold_until = CAST(:until AS timestamptz), holder_id = g.number_back, updated_at = CAST(:now AS timestamptz)
    FROM g, f WHERE city_id = CAST(:city AS int) AND item_no = g.number_item
    RETURNING item_no, version
), us AS (
    UPDATE sim SET state = g.sim_state, version = version + 1, hold_id = f.hold_id,
           hold_until = CAST(:until AS timestamptz), holder_id = g.sim_back, updated_at = CAST(:now AS timestamptz)
    FROM g, f WHERE city_id = CAST(:city AS int) AND item_no = g.sim_item
    RETURNING item_no, version
), ui AS (
    UPDATE sim_identity SET number_item_no = NULL FROM g WHERE city_id = CAST(:city AS int) AND item_no = g.sim_item
), ud AS (
    UPDATE subscription_data SET hold_id = f.hold_id, updated_at = CAST(:now AS timestamptz)
    FROM g, f WHERE city_id = CAST(:city AS int) AND subscription_data.data_no = g.data_no
), m AS (
    INSERT INTO movement (city_id, kind, resource, state, from_holder, to_holder, item_count, accepted_count, reason,
                          staff_no, interface_no, created_at, accepted_at)
    SELECT CAST(:city AS int), 'ROLL_BACK', went.resource, 'ACCEPTED', went.giver, went.receiver, 1, 1, g.public_id,
           CAST(:staff AS text), CAST(:interface AS text), CAST(:now AS timestamptz), CAST(:now AS timestamptz)
    FROM g, LATERAL (VALUES ('number', number_holder, number_back), ('sim', sim_holder, sim_back))
         AS went (resource, giver, receiver)
    RETURNING movement_id, resource
), ml AS (
    INSERT INTO movement_line (city_id, movement_id, line_no, resource, level, block, lo, hi)
    SELECT CAST(:city AS int), m.movement_id, 1, m.resource, 0, went.item_no / 10, went.item_no, went.item_no
    FROM g, LATERAL (VALUES ('number', number_item), ('sim', sim_item)) AS went (resource, item_no)
    JOIN m ON m.resource = went.resource
), e AS (
    INSERT INTO event ({EVENT_COLUMNS})
    SELECT CAST(:city AS int), CAST(:now AS timestamptz), c.name, c.kind, c.item_no, c.version, c.from_state,
           c.to_state, CAST(:staff AS text), CAST(:interface AS text), c.reason, c.order_ref, c.data
    FROM (
        SELECT 'hold.rolled_back' AS name, 'hold' AS kind, g.hold_id AS item_no, CAST(NULL AS int) AS version,
               'CONFIRMED' AS from_state, 'ROLLED_BACK' AS to_state, CAST(:reason AS text) AS reason, g.order_ref,
               jsonb_build_object('fresh_hold', f.public_id) AS data
        FROM g, f
        UNION ALL
        SELECT 'hold.created', 'hold', f.hold_id, NULL, NULL, 'ACTIVE', CAST(:reason AS text), g.order_ref,
               jsonb_build_object('expires_at', CAST(:until AS timestamptz), 'number_item', number_item,
                                  'sim_item', sim_item, 'data', data_no, 'original_hold', g.public_id)
        FROM g, f
        UNION ALL
        SELECT 'number.rolled_back', 'number', item_no, version, 'COMPLETING', 'HELD', CAST(:reason AS text), order_ref,
               jsonb_build_object('hold', f.public_id, 'original_hold', g.public_id, 'sim_item', sim_item)
        FROM un, g, f
        UNION ALL
        SELECT 'sim.rolled_back', 'sim', item_no, version, 'COMPLETING', sim_state, CAST(:reason AS text), order_ref,
               jsonb_build_object('hold', f.public_id, 'original_hold', g.public_id, 'number_item', number_item)
        FROM us, g, f
    ) AS c
)
{
    KEEP_ANSWER.replace("FROM h", "FROM g, f").format(
        answer="said || found || jsonb_build_object('hold', f.public_id, 'order_ref', order_ref)"
    )
}
"""  # noqa: S608 - composed of constants
"""Roll a sale back; gives the answer, or no row when its line does not wait for the network (any more).

Number and card go back to who had them before the sale; from a place that was closed since, or is about to be, to the
one above it. The card of a dropped order, or from a factory, is HELD, one that was written for this kit WRITTEN. The
sale's own hold is history; the fresh one has its price, and the cards that it was sold with until now.
"""

KEEP_ON = f"""
WITH h AS MATERIALIZED (
    SELECT hold_id, number_item_no, sim_item_no FROM hold
    WHERE city_id = CAST(:city AS int) AND rolled_back_cards IS NOT NULL AND state IN ('ACTIVE', 'BOOKED')
      AND job_id IS NULL AND expires_at <= CAST(:now AS timestamptz) AND {KEPT_BY_NETWORK}
    ORDER BY hold_id
    FOR NO KEY UPDATE SKIP LOCKED
), uh AS (
    UPDATE hold SET expires_at = CAST(:until AS timestamptz)
    FROM h WHERE city_id = CAST(:city AS int) AND hold.hold_id = h.hold_id
), un AS (
    UPDATE number SET hold_until = CAST(:until AS timestamptz)
    FROM h WHERE city_id = CAST(:city AS int) AND item_no = h.number_item_no AND number.hold_id = h.hold_id
), us AS (
    UPDATE sim SET hold_until = CAST(:until AS timestamptz)
    FROM h WHERE city_id = CAST(:city AS int) AND item_no = h.sim_item_no AND sim.hold_id = h.hold_id
)
SELECT count(*) FROM h
"""  # noqa: S608 - composed of constants
"""Move the end of the holds that are over and kept by the network, so that they can still be sold; gives how many."""
