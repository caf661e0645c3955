"""The statements of a second number (副号): a kit of a free number and a card in use, and its confirmation.

Shaped as those of `hold_sql`. The kit locks the card by its `hold_id`; the card goes on working, and keeps state and
version, until it serves the number too (REQ-SIM-17, REQ-LCK-01).
"""

from __future__ import annotations

from inventory.store.confirm_sql import SOLD_NUMBER
from inventory.store.hold_sql import CARD, EVENT_COLUMNS, HOLD, KEEP_ANSWER, TAKEN

_HAS_ROOM = """second_number_item_no IS NULL
      AND EXISTS (SELECT FROM card_kind WHERE code = sim.kind_code AND max_numbers > 1)"""

_CARD_IN_USE = f"""s AS MATERIALIZED (
    SELECT item_no FROM sim
    WHERE city_id = CAST(:city AS int) AND item_no = CAST(:sim_item AS bigint)
      AND (state = 'IN_USE') IS TRUE AND hold_id IS NULL AND NOT legal_hold AND {_HAS_ROOM}
    FOR NO KEY UPDATE SKIP LOCKED
)"""  # noqa: S608 - composed of constants

_LOCKED = """us AS (
    SELECT item_no, version FROM sim WHERE false
), locked AS (
    UPDATE sim SET hold_id = h.hold_id, hold_until = CAST(:until AS timestamptz)
    FROM h WHERE city_id = CAST(:city AS int) AND item_no = CAST(:sim_item AS bigint)
)"""
"""In the place of what holds a free card: a card in use keeps state and version, and has no event of its own."""

OPEN = HOLD.replace(CARD, _CARD_IN_USE).replace(TAKEN, _LOCKED)
"""Hold a number for a card in use; gives the answer, or no row when one of them was not to be had."""

ADD = f"""
WITH h AS MATERIALIZED (
    SELECT hold_id, 'h-' || city_id || '-' || hold_id AS public_id, state, order_ref, number_item_no, sim_item_no,
           CAST(:answer AS jsonb) AS said
    FROM hold
    WHERE city_id = CAST(:city AS int) AND hold_id = CAST(:hold AS bigint) AND business = 'second_number'
      AND (state IN ('ACTIVE', 'BOOKED')) IS TRUE AND expires_at > CAST(:now AS timestamptz)
      AND CAST(quote ->> 'rule_set_version' AS int) = CAST(:quote_accepted AS int)
    FOR NO KEY UPDATE
), {SOLD_NUMBER}, s AS MATERIALIZED (
    SELECT item_no, iccid
    FROM h JOIN sim ON city_id = CAST(:city AS int) AND item_no = h.sim_item_no
    WHERE sim.hold_id = h.hold_id AND NOT sim.legal_hold AND (sim.state = 'IN_USE') IS TRUE AND {_HAS_ROOM}
    FOR NO KEY UPDATE OF sim
), i AS MATERIALIZED (
    SELECT FROM s JOIN sim_identity ON city_id = CAST(:city AS int) AND sim_identity.item_no = s.item_no
    HAVING bool_and(number_item_no IS NOT NULL AND hlr_code = (SELECT hlr_code FROM n)) IS TRUE
), customer AS MATERIALIZED (
    SELECT id FROM organisation WHERE city_id = CAST(:city AS int) AND level = 'CUSTOMER'
), g AS MATERIALIZED (
    SELECT h.hold_id, h.public_id, h.order_ref, customer.id AS customer_id, n.item_no AS number_item,
           n.state AS number_state, n.holder_id AS number_holder, s.item_no AS sim_item,
           h.said || jsonb_build_object('number', n.number, 'iccid', s.iccid, 'line', 'IN_USE') AS said
    FROM h, n, s, i, customer
), uh AS (
    UPDATE hold SET state = 'CONFIRMED', closed_at = CAST(:now AS timestamptz)
    FROM g WHERE city_id = CAST(:city AS int) AND hold.hold_id = g.hold_id
), un AS (
    UPDATE number SET state = 'IN_USE', version = version + 2, hold_id = NULL, hold_until = NULL,
           holder_id = g.customer_id, updated_at = CAST(:now AS timestamptz)
    FROM g WHERE city_id = CAST(:city AS int) AND item_no = g.number_item
    RETURNING item_no, version
), us AS (
    UPDATE sim SET second_number_item_no = g.number_item, hold_id = NULL, hold_until = NULL,
           updated_at = CAST(:now AS timestamptz)
    FROM g WHERE city_id = CAST(:city AS int) AND item_no = g.sim_item
), m AS (
    INSERT INTO movement (city_id, kind, resource, state, from_holder, to_holder, item_count, accepted_count, reason,
                          staff_no, interface_no, created_at, accepted_at)
    SELECT CAST(:city AS int), 'SALE', 'number', 'ACCEPTED', number_holder, customer_id, 1, 1, public_id,
           CAST(:staff AS text), CAST(:interface AS text), CAST(:now AS timestamptz), CAST(:now AS timestamptz)
    FROM g
    RETURNING movement_id
), ml AS (
    INSERT INTO movement_line (city_id, movement_id, line_no, resource, level, block, lo, hi)
    SELECT CAST(:city AS int), m.movement_id, 1, 'number', 0, number_item / 10, number_item, number_item FROM g, m
), e AS (
    INSERT INTO event ({EVENT_COLUMNS})
    SELECT CAST(:city AS int), CAST(:now AS timestamptz), c.name, c.kind, c.item_no, c.version, c.from_state,
           c.to_state, CAST(:staff AS text), CAST(:interface AS text), NULL, c.order_ref, c.data
    FROM (
        SELECT 'hold.confirmed' AS name, 'hold' AS kind, g.hold_id AS item_no, NULL AS version,
               h.state AS from_state, 'CONFIRMED' AS to_state, g.order_ref, CAST(:proof AS jsonb) AS data
        FROM g, h
        UNION ALL
        SELECT 'number.assigned', 'number', item_no, version - 1, number_state, 'COMPLETING', order_ref,
               jsonb_build_object('hold', public_id, 'sim_item', sim_item) FROM un, g
        UNION ALL
        SELECT 'number.activated', 'number', item_no, version, 'COMPLETING', 'IN_USE', order_ref,
               jsonb_build_object('hold', public_id) FROM un, g
        UNION ALL
        SELECT 'sim.number_added', 'sim', sim_item, NULL, 'IN_USE', 'IN_USE', order_ref,
               jsonb_build_object('hold', public_id, 'number_item', number_item) FROM g
    ) AS c
)
{KEEP_ANSWER.replace("FROM h", "FROM g").format(answer="said")}
"""  # noqa: S608 - composed of constants
"""Confirm a second number; gives the answer, or no row when anything that it needs is not there.

The network knows the card already, so the number is in use at once, in every city: the caller's word that it confirms
counts as the network's on the number (REQ-AUC-01).
"""
