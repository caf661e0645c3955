"""The statements of a replacement (补卡, 换卡): a service order on a number in use, and the change of its card.

Shaped as those of `hold_sql`. The order locks the number and its card by their `hold_id`; both go on working, and keep
state and version, until the new card is proven and the order confirmed (N8, S10, S12, REQ-LCK-01).
"""

from __future__ import annotations

from inventory.domain.replacement import EXTRA_CHECK_CLASS
from inventory.store.confirm_sql import PROVEN_CARD, WAITS_FOR_NETWORK
from inventory.store.hold_sql import CARD_AND_DATA, EVENT_COLUMNS, KEEP_ANSWER, NUMBERED, PLAIN, TAKEN

OPEN = f"""
WITH n AS MATERIALIZED (
    SELECT item_no FROM number
    WHERE city_id = CAST(:city AS int) AND item_no = CAST(:number_item AS bigint)
      AND (state = 'IN_USE') IS TRUE AND hold_id IS NULL AND NOT legal_hold
    FOR NO KEY UPDATE SKIP LOCKED
), o AS MATERIALIZED (
    SELECT item_no FROM sim
    WHERE city_id = CAST(:city AS int) AND item_no = CAST(:old_sim_item AS bigint)
      AND (state IN ('IN_USE', 'REPORTED_LOST')) IS TRUE AND hold_id IS NULL AND NOT legal_hold
      AND (second_number_item_no IS NULL OR CAST(:max_numbers AS int) > 1)
    FOR NO KEY UPDATE SKIP LOCKED
), {CARD_AND_DATA}, h AS (
    INSERT INTO hold (city_id, state, interface_no, staff_no, org_id, business, order_ref, number_item_no, sim_item_no,
                      sim_wish, data_no, old_sim_item_no, replace_reason, quote, expires_at, first_seconds, extensions,
                      created_at)
    SELECT CAST(:city AS int), 'ACTIVE', CAST(:interface AS text), CAST(:staff AS text), CAST(:org AS bigint),
           CAST(:business AS text), CAST(:order_ref AS text), n.item_no, CAST(:sim_item AS bigint),
           CAST(:sim_wish AS jsonb), (SELECT data_no FROM d), o.item_no, CAST(:replace_reason AS text),
           CAST(:quote AS jsonb), CAST(:until AS timestamptz), CAST(:seconds AS int), 0, CAST(:now AS timestamptz)
    FROM n, o
    WHERE (CAST(:sim_item AS bigint) IS NULL OR EXISTS (SELECT FROM s))
      AND (CAST(:data_hlr AS text) IS NULL OR EXISTS (SELECT FROM d))
    RETURNING hold_id, 'h-' || city_id || '-' || hold_id AS public_id
), un AS (
    UPDATE number SET hold_id = h.hold_id, hold_until = CAST(:until AS timestamptz)
    FROM h WHERE city_id = CAST(:city AS int) AND item_no = CAST(:number_item AS bigint)
), uo AS (
    UPDATE sim SET hold_id = h.hold_id, hold_until = CAST(:until AS timestamptz)
    FROM h WHERE city_id = CAST(:city AS int) AND item_no = CAST(:old_sim_item AS bigint)
), {TAKEN}, ud AS (
    UPDATE subscription_data SET state = 'RESERVED', version = version + 1, hold_id = h.hold_id,
           updated_at = CAST(:now AS timestamptz)
    FROM h, d WHERE city_id = CAST(:city AS int) AND subscription_data.data_no = d.data_no
    RETURNING subscription_data.data_no, version
), e AS (
    INSERT INTO event ({EVENT_COLUMNS})
    SELECT CAST(:city AS int), CAST(:now AS timestamptz), c.name, c.kind, c.item_no, c.version, c.from_state,
           c.to_state, CAST(:staff AS text), CAST(:interface AS text), c.reason, CAST(:order_ref AS text), c.data
    FROM (
        SELECT 'hold.created' AS name, 'hold' AS kind, h.hold_id AS item_no, NULL AS version, NULL AS from_state,
               'ACTIVE' AS to_state, CAST(:replace_reason AS text) AS reason,
               jsonb_build_object('expires_at', CAST(:until AS timestamptz),
                                  'number_item', CAST(:number_item AS bigint), 'sim_item', CAST(:sim_item AS bigint),
                                  'data', (SELECT data_no FROM d),
                                  'sim_to_replace', CAST(:old_sim_item AS bigint)) AS data
        FROM h
        UNION ALL
        SELECT 'sim.held', 'sim', item_no, version, 'AVAILABLE', 'HELD', NULL, jsonb_build_object('hold', public_id)
        FROM us, h
        UNION ALL
        SELECT 'data.reserved', 'data', data_no, version, 'FREE', 'RESERVED', NULL,
               jsonb_build_object('hold', public_id)
        FROM ud, h
    ) AS c
)
{KEEP_ANSWER.format(answer="CAST(:answer AS jsonb) || jsonb_build_object('hold', public_id)")}
"""  # noqa: S608 - composed of constants
"""Open a replacement; gives the answer, or no row when number, old card, new card or data were not there to be had."""
OPEN_NUMBERED = OPEN.replace(PLAIN, NUMBERED)
"""The same for a kit whose card gets an ICCID with its data unit."""

REPLACE = f"""
WITH h AS MATERIALIZED (
    SELECT hold_id, 'h-' || city_id || '-' || hold_id AS public_id, state, order_ref, number_item_no, sim_item_no,
           data_no, old_sim_item_no, replace_reason, CAST(:answer AS jsonb) AS said
    FROM hold
    WHERE city_id = CAST(:city AS int) AND hold_id = CAST(:hold AS bigint) AND old_sim_item_no IS NOT NULL
      AND (state = 'ACTIVE') IS TRUE AND expires_at > CAST(:now AS timestamptz) AND job_id IS NULL
      AND CAST(quote ->> 'rule_set_version' AS int) = CAST(:quote_accepted AS int)
      AND (CAST(quote ->> 'number_class' AS int) > {EXTRA_CHECK_CLASS} OR CAST(:extra_check AS text) IS NOT NULL)
    FOR NO KEY UPDATE
), n AS MATERIALIZED (
    SELECT item_no, number, hlr_code
    FROM h JOIN number ON city_id = CAST(:city AS int) AND item_no = h.number_item_no
    WHERE number.hold_id = h.hold_id AND NOT number.legal_hold AND (number.state = 'IN_USE') IS TRUE
    FOR NO KEY UPDATE OF number
), o AS MATERIALIZED (
    SELECT item_no, iccid, sim.state, holder_id, second_number_item_no
    FROM h JOIN sim ON city_id = CAST(:city AS int) AND item_no = h.old_sim_item_no
    WHERE sim.hold_id = h.hold_id AND NOT sim.legal_hold AND (sim.state IN ('IN_USE', 'REPORTED_LOST')) IS TRUE
    FOR NO KEY UPDATE OF sim
), oi AS MATERIALIZED (
    SELECT slot, application, imsi, number_item_no
    FROM o JOIN sim_identity ON city_id = CAST(:city AS int) AND sim_identity.item_no = o.item_no
    FOR NO KEY UPDATE OF sim_identity
), served AS MATERIALIZED (
    SELECT min(oi.number_item_no) AS main_item, o.second_number_item_no AS second_item
    FROM oi, o GROUP BY o.second_number_item_no HAVING count(DISTINCT oi.number_item_no) = 1
), od AS MATERIALIZED (
    SELECT data_no FROM oi JOIN subscription_data u ON city_id = CAST(:city AS int) AND u.imsi = oi.imsi
    WHERE (u.state = 'BOUND') IS TRUE
    FOR NO KEY UPDATE OF u
), {PROVEN_CARD}, customer AS MATERIALIZED (
    SELECT id FROM organisation WHERE city_id = CAST(:city AS int) AND level = 'CUSTOMER'
), g AS MATERIALIZED (
    SELECT h.hold_id, h.public_id, h.order_ref, h.replace_reason, h.data_no, customer.id AS customer_id,
           n.item_no AS number_item, o.item_no AS old_item, o.state AS old_state, o.holder_id AS old_holder,
           CASE WHEN CAST(:handed_in AS boolean) THEN s.holder_id ELSE o.holder_id END AS old_goes_to,
           h.said || jsonb_build_object('number', n.number, 'iccid', s.iccid, 'line', 'IN_USE') AS said,
           s.item_no AS sim_item, s.state AS sim_state, s.holder_id AS sim_holder,
           served.main_item, served.second_item
    FROM h, n, o, s, i, served, customer
    WHERE n.item_no IN (served.main_item, served.second_item)
      AND NOT EXISTS (
          SELECT FROM number x WHERE x.city_id = CAST(:city AS int)
          AND x.item_no IN (served.main_item, served.second_item) AND CAST(x.legal_hold AS int) = 1)
      AND (i.known OR NOT {WAITS_FOR_NETWORK})
), uh AS (
    UPDATE hold SET state = 'CONFIRMED', closed_at = CAST(:now AS timestamptz)
    FROM g WHERE city_id = CAST(:city AS int) AND hold.hold_id = g.hold_id
), un AS (
    UPDATE number SET hold_id = NULL, hold_until = NULL, updated_at = CAST(:now AS timestamptz)
    FROM g WHERE city_id = CAST(:city AS int) AND item_no = g.number_item
), us AS (
    UPDATE sim SET state = 'IN_USE', version = version + 2, hold_id = NULL, hold_until = NULL,
           holder_id = g.customer_id, second_number_item_no = g.second_item, updated_at = CAST(:now AS timestamptz)
    FROM g WHERE city_id = CAST(:city AS int) AND item_no = g.sim_item
    RETURNING item_no, version
), uo AS (
    UPDATE sim SET state = 'REPLACED', version = version + 1, hold_id = NULL, hold_until = NULL,
           second_number_item_no = NULL, holder_id = g.old_goes_to, updated_at = CAST(:now AS timestamptz)
    FROM g WHERE city_id = CAST(:city AS int) AND item_no = g.old_item
    RETURNING item_no, version
), ui AS (
    UPDATE sim_identity SET number_item_no = g.main_item, auc = 'confirmed'
    FROM g WHERE city_id = CAST(:city AS int) AND item_no = g.sim_item
), uoi AS (
    UPDATE sim_identity SET number_item_no = NULL, auc = 'deleted', to_delete = auc NOT IN ('none', 'deleted')
    FROM g, oi WHERE city_id = CAST(:city AS int) AND item_no = g.old_item AND sim_identity.slot = oi.slot
      AND sim_identity.application = oi.application
), ud AS (
    UPDATE subscription_data SET hold_id = NULL, updated_at = CAST(:now AS timestamptz)
    FROM g WHERE city_id = CAST(:city AS int) AND subscription_data.data_no = g.data_no
      AND subscription_data.hold_id = g.hold_id
), uod AS (
    UPDATE subscription_data SET state = 'RETIRED', version = version + 1, updated_at = CAST(:now AS timestamptz)
    FROM g, od WHERE city_id = CAST(:city AS int) AND subscription_data.data_no = od.data_no
    RETURNING subscription_data.data_no, version
), m AS (
    INSERT INTO movement (city_id, kind, resource, state, from_holder, to_holder, item_count, accepted_count, reason,
                          staff_no, interface_no, created_at, accepted_at)
    SELECT CAST(:city AS int), moved.kind, 'sim', 'ACCEPTED', moved.giver, moved.receiver, 1, 1, public_id,
           CAST(:staff AS text), CAST(:interface AS text), CAST(:now AS timestamptz), CAST(:now AS timestamptz)
    FROM g, LATERAL (VALUES ('SALE', g.sim_holder, g.customer_id), ('HAND_IN', g.old_holder, g.old_goes_to))
         AS moved (kind, giver, receiver)
    WHERE moved.giver <> moved.receiver
    RETURNING movement_id, kind
), ml AS (
    INSERT INTO movement_line (city_id, movement_id, line_no, resource, level, block, lo, hi)
    SELECT CAST(:city AS int), m.movement_id, 1, 'sim', 0, moved.item_no / 10, moved.item_no, moved.item_no
    FROM g, LATERAL (VALUES ('SALE', g.sim_item), ('HAND_IN', g.old_item)) AS moved (kind, item_no)
    JOIN m ON m.kind = moved.kind
), e AS (
    INSERT INTO event ({EVENT_COLUMNS})
    SELECT CAST(:city AS int), CAST(:now AS timestamptz), c.name, c.kind, c.item_no, c.version, c.from_state,
           c.to_state, CAST(:staff AS text), CAST(:interface AS text), c.reason, c.order_ref, c.data
    FROM (
        SELECT 'hold.confirmed' AS name, 'hold' AS kind, g.hold_id AS item_no, NULL AS version,
               h.state AS from_state, 'CONFIRMED' AS to_state, NULL AS reason, g.order_ref,
               CAST(:proof AS jsonb) AS data
        FROM g, h
        UNION ALL
        SELECT 'sim.assigned', 'sim', item_no, version - 1, sim_state, 'COMPLETING', NULL, order_ref,
               jsonb_build_object('hold', public_id, 'number_item', main_item) FROM us, g
        UNION ALL
        SELECT 'sim.activated', 'sim', item_no, version, 'COMPLETING', 'IN_USE', NULL, order_ref,
               jsonb_build_object('hold', public_id) FROM us, g
        UNION ALL
        SELECT 'sim.replaced', 'sim', item_no, version, old_state, 'REPLACED', replace_reason, order_ref,
               jsonb_build_object('hold', public_id, 'number_item', number_item, 'sim_item', sim_item) FROM uo, g
        UNION ALL
        SELECT 'data.retired', 'data', uod.data_no, version, 'BOUND', 'RETIRED', replace_reason, order_ref,
               jsonb_build_object('hold', public_id, 'sim_item', old_item) FROM uod, g
        UNION ALL
        SELECT 'number.card_replaced', 'number', went.number_item, NULL, 'IN_USE', 'IN_USE', replace_reason, order_ref,
               jsonb_build_object('hold', public_id, 'sim_before', old_item, 'sim_item', sim_item)
        FROM g, LATERAL (VALUES (main_item), (second_item)) AS went (number_item)
        WHERE went.number_item IS NOT NULL
    ) AS c
)
{KEEP_ANSWER.replace("FROM h", "FROM g").format(answer="said")}
"""  # noqa: S608 - composed of constants
"""Confirm a replacement; gives the answer, or no row when anything that it needs is not there.

The new card passes COMPLETING and serves the numbers of the old one (REQ-SIM-17), which is REPLACED; its identities
leave the network and their data are retired: all at one moment, so that a number has one working card at any time. A
caller's word counts as the network's, for the old identity as for the new one (REQ-AUC-01); a city that waits for the
network's own word changes no card before the network knows the new one. A file still tells the network to delete the
old identity (`to_delete`), until it says that it has. `handed_in`: the old card goes to whoever had the new one, to be
scrapped.
"""
