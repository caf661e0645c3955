"""The statement that turns a kit into a working line: one transaction, from the hold key's word to the ledger."""

from __future__ import annotations

from inventory.domain.policies import BY_NETWORK, Policy
from inventory.store.hold_sql import EVENT_COLUMNS, GOOD, KEEP_ANSWER

PROVEN_CARD = f"""s AS MATERIALIZED (
    SELECT item_no, iccid, sim.state, holder_id
    FROM h JOIN sim ON city_id = CAST(:city AS int) AND item_no = h.sim_item_no
    WHERE sim.hold_id = h.hold_id AND NOT sim.legal_hold
      AND (sim.state = 'WRITTEN' OR sim.state = 'HELD' AND sim.hlr_code IS NOT NULL)
      AND {GOOD}
    FOR NO KEY UPDATE OF sim
), slots AS MATERIALIZED (
    SELECT sim_identity.state, number_item_no, hlr_code, auc, deletion_id
    FROM s JOIN sim_identity ON city_id = CAST(:city AS int) AND sim_identity.item_no = s.item_no
    ORDER BY slot
    FOR NO KEY UPDATE OF sim_identity
), i AS MATERIALIZED (
    SELECT bool_and(auc = 'confirmed') AS known FROM slots
    HAVING bool_and((state = 'VERIFIED' AND number_item_no IS NULL AND auc <> 'deleted' AND deletion_id IS NULL
                     AND hlr_code = (SELECT hlr_code FROM n)) IS TRUE)
)"""  # noqa: S608 - composed of constants
"""Locks the kit's card as `s` if it is proven, and gives one row `i` if all identities on it may serve the number `n`.

They do so all or none (REQ-SIM-19): one of them that may not, and there is no `i`; such is one that the network was
told to delete. The network may have `known` all.
"""

WAITS_FOR_NETWORK = f"""EXISTS (
               SELECT FROM city_policy
               WHERE city_id = CAST(:city AS int) AND name = '{Policy.COMPLETION}' AND value = '{BY_NETWORK}')"""
"""Whether lines of the city come into service on the network's word alone."""

SOLD_NUMBER = """n AS MATERIALIZED (
    SELECT item_no, number, number.state, hlr_code, holder_id
    FROM h JOIN number ON city_id = CAST(:city AS int) AND item_no = h.number_item_no
    WHERE number.hold_id = h.hold_id AND NOT number.legal_hold AND number.state IN ('HELD', 'BOOKED')
    FOR NO KEY UPDATE OF number
)"""
"""Locks the number that a kit sells as `n`."""

CONFIRM = f"""
WITH h AS MATERIALIZED (
    SELECT hold_id, 'h-' || city_id || '-' || hold_id AS public_id, state, order_ref, number_item_no, sim_item_no,
           data_no, CAST(:answer AS jsonb) AS said
    FROM hold
    WHERE city_id = CAST(:city AS int) AND hold_id = CAST(:hold AS bigint)
      AND (state IN ('ACTIVE', 'BOOKED')) IS TRUE AND expires_at > CAST(:now AS timestamptz) AND job_id IS NULL
      AND CAST(quote ->> 'rule_set_version' AS int) = CAST(:quote_accepted AS int)
    FOR NO KEY UPDATE
), {SOLD_NUMBER}, {PROVEN_CARD}, customer AS MATERIALIZED (
    SELECT id FROM organisation WHERE city_id = CAST(:city AS int) AND level = 'CUSTOMER'
), line AS MATERIALIZED (
    SELECT CASE WHEN NOT i.known AND {WAITS_FOR_NETWORK}
           THEN 'COMPLETING' ELSE 'IN_USE' END AS state
    FROM i
), g AS MATERIALIZED (
    SELECT h.hold_id, h.public_id, h.order_ref, h.data_no, customer.id AS customer_id,
           n.item_no AS number_item, n.state AS number_state, n.holder_id AS number_holder,
           h.said || jsonb_build_object('number', n.number, 'iccid', s.iccid, 'line', line.state) AS said,
           s.item_no AS sim_item, s.state AS sim_state, s.holder_id AS sim_holder, line.state AS line_state,
           CAST(line.state = 'IN_USE' AS int) AS completed
    FROM h, n, s, i, customer, line
), uh AS (
    UPDATE hold SET state = 'CONFIRMED', closed_at = CAST(:now AS timestamptz)
    FROM g WHERE city_id = CAST(:city AS int) AND hold.hold_id = g.hold_id
), un AS (
    UPDATE number SET state = g.line_state, version = version + 1 + g.completed, hold_id = NULL, hold_until = NULL,
           holder_id = g.customer_id, updated_at = CAST(:now AS timestamptz)
    FROM g WHERE city_id = CAST(:city AS int) AND item_no = g.number_item
    RETURNING item_no, version
), us AS (
    UPDATE sim SET state = g.line_state, version = version + 1 + g.completed, hold_id = NULL, hold_until = NULL,
           holder_id = g.customer_id, updated_at = CAST(:now AS timestamptz)
    FROM g WHERE city_id = CAST(:city AS int) AND item_no = g.sim_item
    RETURNING item_no, version
), ui AS (
    UPDATE sim_identity SET number_item_no = g.number_item,
           auc = CASE WHEN g.completed = 1 THEN 'confirmed' ELSE auc END
    FROM g WHERE city_id = CAST(:city AS int) AND item_no = g.sim_item
), ud AS (
    UPDATE subscription_data SET hold_id = NULL, updated_at = CAST(:now AS timestamptz)
    FROM g WHERE city_id = CAST(:city AS int) AND subscription_data.data_no = g.data_no
      AND subscription_data.hold_id = g.hold_id
), m AS (
    INSERT INTO movement (city_id, kind, resource, state, from_holder, to_holder, item_count, accepted_count, reason,
                          staff_no, interface_no, created_at, accepted_at)
    SELECT CAST(:city AS int), 'SALE', sold.resource, 'ACCEPTED', sold.holder, customer_id, 1, 1, public_id,
           CAST(:staff AS text), CAST(:interface AS text), CAST(:now AS timestamptz), CAST(:now AS timestamptz)
    FROM g, LATERAL (VALUES ('number', g.number_holder), ('sim', g.sim_holder)) AS sold (resource, holder)
    RETURNING movement_id, resource
), ml AS (
    INSERT INTO movement_line (city_id, movement_id, line_no, resource, level, block, lo, hi)
    SELECT CAST(:city AS int), m.movement_id, 1, m.resource, 0, sold.item_no / 10, sold.item_no, sold.item_no
    FROM g, LATERAL (VALUES ('number', g.number_item), ('sim', g.sim_item)) AS sold (resource, item_no)
    JOIN m ON m.resource = sold.resource
), e AS (
    INSERT INTO event ({EVENT_COLUMNS})
    SELECT CAST(:city AS int), CAST(:now AS timestamptz), c.name, c.kind, c.item_no, c.version, c.from_state,
           c.to_state, CAST(:staff AS text), CAST(:interface AS text), NULL, c.order_ref, c.data
    FROM (
        SELECT 'hold.confirmed' AS name, 'hold' AS kind, g.hold_id AS item_no, NULL AS version,
               h.state AS from_state, 'CONFIRMED' AS to_state, g.order_ref, CAST(:proof AS jsonb) AS data
        FROM g, h
        UNION ALL
        SELECT 'number.assigned', 'number', item_no, version - completed, number_state, 'COMPLETING', order_ref,
               jsonb_build_object('hold', public_id, 'sim_item', sim_item) FROM un, g
        UNION ALL
        SELECT 'number.activated', 'number', item_no, version, 'COMPLETING', 'IN_USE', order_ref,
               jsonb_build_object('hold', public_id) FROM un, g WHERE completed = 1
        UNION ALL
        SELECT 'sim.assigned', 'sim', item_no, version - completed, sim_state, 'COMPLETING', order_ref,
               jsonb_build_object('hold', public_id, 'number_item', number_item) FROM us, g
        UNION ALL
        SELECT 'sim.activated', 'sim', item_no, version, 'COMPLETING', 'IN_USE', order_ref,
               jsonb_build_object('hold', public_id) FROM us, g WHERE completed = 1
    ) AS c
)
{KEEP_ANSWER.replace("FROM h", "FROM g").format(answer="said")}
"""  # noqa: S608 - composed of constants
"""Confirm a kit; gives the answer, or no row when anything that a sale needs is not there.

Without completion reports number and card pass COMPLETING and reach IN_USE in the same act (N8, N8b, S10), each
transition with its own event, and the network's knowledge of its identities counts as confirmed (REQ-AUC-01). In a city
that waits for the network they stay COMPLETING until it has confirmed all identities, if it has not yet.
"""
