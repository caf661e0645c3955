"""What must hold of the stock at every moment, each rule as a query for what breaks it: (subject, detail).

All parameters are `:city`, and `:live` for the states of a live hold. Nothing is compared with a stored total: the
ledger, the events and the stock tables are three records of one truth, kept in one transaction.
"""

from __future__ import annotations

from inventory.store.audit_links_sql import CITIES, DELIVERIES, FEES, HOLDERS, LEGAL_HOLDS, RECALLS, WRITE_JOBS

_HELD_TWICE = """
    SELECT 'number ' || number_item_no, 'holds ' || string_agg(CAST(hold_id AS text), ', ') FROM hold
    WHERE city_id = :city AND state = ANY (:live) AND number_item_no IS NOT NULL
    GROUP BY number_item_no HAVING count(*) > 1
    UNION ALL
    SELECT 'sim ' || sim_item_no, 'holds ' || string_agg(CAST(hold_id AS text), ', ') FROM hold
    WHERE city_id = :city AND state = ANY (:live) AND sim_item_no IS NOT NULL
    GROUP BY sim_item_no HAVING count(*) > 1
    UNION ALL
    SELECT 'data ' || data_no, 'holds ' || string_agg(CAST(hold_id AS text), ', ') FROM hold
    WHERE city_id = :city AND state = ANY (:live) AND data_no IS NOT NULL
    GROUP BY data_no HAVING count(*) > 1
"""

_HOLD_WITHOUT_ITS_ITEMS = """
    SELECT 'hold ' || h.hold_id, 'number ' || coalesce(n.number, '?') || ' is ' || coalesce(n.state, 'not there')
    FROM hold h LEFT JOIN number n ON n.city_id = h.city_id AND n.item_no = h.number_item_no
    WHERE h.city_id = :city AND h.state = ANY (:live) AND h.number_item_no IS NOT NULL
      AND (n.hold_id IS DISTINCT FROM h.hold_id OR n.hold_until IS DISTINCT FROM h.expires_at
           OR n.state <> CASE WHEN h.old_sim_item_no IS NOT NULL THEN 'IN_USE' WHEN h.state = 'BOOKED' THEN 'BOOKED'
                         ELSE 'HELD' END)
    UNION ALL
    SELECT 'hold ' || h.hold_id, 'card ' || coalesce(s.iccid, s.serial, '?') || ' is ' || coalesce(s.state, 'not there')
    FROM hold h LEFT JOIN sim s ON s.city_id = h.city_id AND s.item_no = h.sim_item_no
    WHERE h.city_id = :city AND h.state = ANY (:live) AND h.sim_item_no IS NOT NULL
      AND s.state IS DISTINCT FROM 'DAMAGED'
      AND (s.hold_id IS DISTINCT FROM h.hold_id OR s.hold_until IS DISTINCT FROM h.expires_at
           OR CASE h.business WHEN 'second_number' THEN s.state NOT IN ('IN_USE', 'REPORTED_LOST')
              ELSE s.state NOT IN ('HELD', 'WRITING', 'WRITE_UNKNOWN', 'WRITTEN', 'SHIPPED') END)
    UNION ALL
    SELECT 'hold ' || h.hold_id, 'card to be replaced ' || coalesce(s.iccid, s.serial, '?') || ' is '
           || coalesce(s.state, 'not there')
    FROM hold h LEFT JOIN sim s ON s.city_id = h.city_id AND s.item_no = h.old_sim_item_no
    WHERE h.city_id = :city AND h.state = ANY (:live) AND h.old_sim_item_no IS NOT NULL
      AND (s.hold_id IS DISTINCT FROM h.hold_id OR s.hold_until IS DISTINCT FROM h.expires_at
           OR s.state NOT IN ('IN_USE', 'REPORTED_LOST'))
"""
"""A service order keeps in use what was in use: number and old card, or the card of a second number (REQ-LCK-01).

That card may be reported lost meanwhile (S13).
"""

_ITEM_WITHOUT_ITS_HOLD = """
    SELECT 'number ' || n.number, 'is ' || n.state || ' with hold ' || coalesce(CAST(n.hold_id AS text), 'none')
    FROM number n LEFT JOIN hold h ON h.city_id = n.city_id AND h.hold_id = n.hold_id AND h.state = ANY (:live)
    WHERE n.city_id = :city AND (n.hold_id IS NOT NULL OR n.state IN ('HELD', 'BOOKED'))
      AND h.number_item_no IS DISTINCT FROM n.item_no
    UNION ALL
    SELECT 'card ' || coalesce(s.iccid, s.serial), 'is ' || s.state || ' with hold '
           || coalesce(CAST(s.hold_id AS text), 'none')
    FROM sim s LEFT JOIN hold h ON h.city_id = s.city_id AND h.hold_id = s.hold_id AND h.state = ANY (:live)
    WHERE s.city_id = :city AND (s.hold_id IS NOT NULL OR s.state IN ('HELD', 'WRITING', 'WRITTEN'))
      AND h.sim_item_no IS DISTINCT FROM s.item_no AND h.old_sim_item_no IS DISTINCT FROM s.item_no
"""

_IMSI_TWICE = """
    SELECT 'imsi of card ' || min(item_no), 'is on ' || count(*) || ' cards'
    FROM sim_identity WHERE imsi IN (SELECT imsi FROM sim_identity WHERE city_id = :city)
    GROUP BY imsi HAVING count(DISTINCT (city_id, item_no)) > 1
"""

_DATA = """
    SELECT 'data ' || d.data_no, 'is ' || d.state || ' with hold ' || coalesce(CAST(d.hold_id AS text), 'none')
           || ' and card ' || coalesce(CAST(d.sim_item_no AS text), 'none')
    FROM subscription_data d
    LEFT JOIN hold h ON h.city_id = d.city_id AND h.hold_id = d.hold_id AND h.state = ANY (:live)
                    AND h.data_no = d.data_no
    LEFT JOIN sim_identity i ON i.city_id = d.city_id AND i.imsi = d.imsi
    WHERE d.city_id = :city AND CASE d.state
        WHEN 'FREE' THEN d.hold_id IS NULL AND i.imsi IS NULL
        WHEN 'RESERVED' THEN h.hold_id IS NOT NULL AND i.imsi IS NULL
        WHEN 'LEASED' THEN h.job_id IS NOT NULL AND d.sim_item_no IS NOT NULL
        WHEN 'BOUND' THEN i.item_no IS NOT DISTINCT FROM d.sim_item_no AND i.state = 'VERIFIED'
                          AND i.hlr_code = d.hlr_code
        WHEN 'QUARANTINED' THEN d.sim_item_no IS NOT NULL
        WHEN 'RETIRED' THEN true
        ELSE false END IS NOT TRUE
    UNION ALL
    SELECT 'identity of card ' || i.item_no, 'is ' || i.state || ' without data of its own'
    FROM sim_identity i LEFT JOIN subscription_data d ON d.city_id = i.city_id AND d.imsi = i.imsi
    WHERE i.city_id = :city AND i.state = 'VERIFIED'
      AND d.state IS DISTINCT FROM CASE i.auc WHEN 'deleted' THEN 'RETIRED' ELSE 'BOUND' END
    UNION ALL
    SELECT 'data ' || d.data_no, 'is ' || d.state || ' with an ICCID that ' || CASE
           WHEN s.item_no IS NULL THEN 'its card should have' ELSE 'card ' || s.item_no || ' has' END
    FROM subscription_data d LEFT JOIN sim s ON s.city_id = d.city_id AND s.iccid = d.iccid
    WHERE d.city_id = :city AND d.iccid IS NOT NULL AND (s.item_no IS NOT NULL OR d.state = 'BOUND')
"""
"""An ICCID has one owner: the data unit, or the card from which it was read back."""

_LINES = """
    WITH serves AS (
        SELECT i.number_item_no, i.item_no, i.hlr_code, i.auc FROM sim_identity i
        WHERE i.city_id = :city AND i.number_item_no IS NOT NULL
        UNION ALL
        SELECT s.second_number_item_no, s.item_no, i.hlr_code, i.auc
        FROM sim s LEFT JOIN sim_identity i ON i.city_id = s.city_id AND i.item_no = s.item_no
        WHERE s.city_id = :city AND s.second_number_item_no IS NOT NULL
    )
    SELECT 'sale of number ' || n.number, 'card ' || coalesce(s.iccid, s.serial, '?') || ' is '
           || coalesce(s.state, 'not there')
    FROM serves i JOIN number n ON n.city_id = :city AND n.item_no = i.number_item_no
    LEFT JOIN sim s ON s.city_id = :city AND s.item_no = i.item_no
    WHERE n.state = 'IN_USE'
      AND (s.state NOT IN ('IN_USE', 'REPORTED_LOST') OR i.hlr_code IS DISTINCT FROM n.hlr_code OR i.auc <> 'confirmed')
    UNION ALL
    SELECT 'number ' || n.number, 'is in use without a card'
    FROM number n WHERE n.city_id = :city AND n.state = 'IN_USE' AND n.hlr_code IS NOT NULL AND NOT EXISTS (
        SELECT FROM serves i WHERE i.number_item_no = n.item_no)
    UNION ALL
    SELECT 'number ' || n.number, 'waits for the network, and no card with it'
    FROM number n WHERE n.city_id = :city AND n.state = 'COMPLETING' AND NOT EXISTS (
        SELECT FROM sim_identity i JOIN sim s ON s.city_id = i.city_id AND s.item_no = i.item_no
        WHERE i.city_id = n.city_id AND i.number_item_no = n.item_no AND s.state = 'COMPLETING'
          AND i.auc <> 'confirmed')
    UNION ALL
    SELECT 'number item ' || number_item_no, 'is served by ' || count(DISTINCT item_no) || ' cards'
    FROM serves GROUP BY number_item_no HAVING count(DISTINCT item_no) > 1
    UNION ALL
    SELECT 'card ' || coalesce(min(s.iccid), min(s.serial), '?'),
           'serves with ' || count(i.number_item_no) || ' of its ' || count(*) || ' identities'
    FROM sim s JOIN sim_identity i ON i.city_id = s.city_id AND i.item_no = s.item_no
    WHERE s.city_id = :city AND s.state IN ('COMPLETING', 'IN_USE', 'REPORTED_LOST')
    GROUP BY s.item_no HAVING count(i.number_item_no) < count(*)
    UNION ALL
    SELECT 'card ' || coalesce(s.iccid, s.serial, '?'), 'is REPLACED with an identity that may work'
    FROM sim s JOIN sim_identity i ON i.city_id = s.city_id AND i.item_no = s.item_no
    WHERE s.city_id = :city AND s.state = 'REPLACED' AND (i.auc <> 'deleted' OR i.number_item_no IS NOT NULL)
    UNION ALL
    SELECT 'card ' || coalesce(s.iccid, s.serial, '?'), 'is ' || s.state || ', its product allows ' || k.max_numbers
           || ', and its second number ' || coalesce(n.number, '?') || ' is ' || coalesce(n.state, 'not there')
           || CASE WHEN m.item_no IS NULL THEN '' ELSE ' and its main one too' END
    FROM sim s JOIN card_kind k ON k.code = s.kind_code
    LEFT JOIN number n ON n.city_id = s.city_id AND n.item_no = s.second_number_item_no
    LEFT JOIN sim_identity m ON m.city_id = s.city_id AND m.item_no = s.item_no
         AND m.number_item_no = s.second_number_item_no
    WHERE s.city_id = :city AND s.second_number_item_no IS NOT NULL
      AND (s.state NOT IN ('IN_USE', 'REPORTED_LOST') OR n.state IS DISTINCT FROM 'IN_USE' OR k.max_numbers < 2
           OR m.item_no IS NOT NULL)
"""
"""Each number in use names its card, by the card's identities or as its second number, and the other way round."""

_VERSIONS = """
    WITH e AS MATERIALIZED (
        SELECT kind, item_no, count(*) AS events, count(DISTINCT version) AS versions, min(version) AS low,
               max(version) AS high
        FROM event WHERE city_id = :city AND kind IN ('number', 'sim', 'data') AND version IS NOT NULL
        GROUP BY kind, item_no)
    SELECT 'number ' || n.number, 'version ' || n.version || ', events ' || coalesce(e.events, 0)
    FROM number n LEFT JOIN e ON e.kind = 'number' AND e.item_no = n.item_no
    WHERE n.city_id = :city AND (n.version <> coalesce(e.high, 0) OR e.events <> e.high OR e.versions <> e.high
                                 OR e.low <> 1)
    UNION ALL
    SELECT 'card ' || coalesce(s.iccid, s.serial), 'version ' || s.version || ', events ' || coalesce(e.events, 0)
    FROM sim s LEFT JOIN e ON e.kind = 'sim' AND e.item_no = s.item_no
    WHERE s.city_id = :city AND (s.version <> coalesce(e.high, 0) OR e.events <> e.high OR e.versions <> e.high
                                 OR e.low <> 1)
    UNION ALL
    SELECT 'data ' || d.data_no, 'version ' || d.version || ', events ' || coalesce(e.events, 0)
    FROM subscription_data d LEFT JOIN e ON e.kind = 'data' AND e.item_no = d.data_no
    WHERE d.city_id = :city AND (d.version <> coalesce(e.high, 0) OR e.events <> e.high OR e.versions <> e.high
                                 OR e.low <> 1)
"""

_LAST_STATE = """
    SELECT kind || ' ' || item_no, 'is ' || state || ', its last event says ' || to_state
    FROM (
        SELECT DISTINCT ON (e.kind, e.item_no) e.kind, e.item_no, e.to_state,
               coalesce(n.state, s.state, d.state) AS state
        FROM event e
        LEFT JOIN number n ON e.kind = 'number' AND n.city_id = e.city_id AND n.item_no = e.item_no
        LEFT JOIN sim s ON e.kind = 'sim' AND s.city_id = e.city_id AND s.item_no = e.item_no
        LEFT JOIN subscription_data d ON e.kind = 'data' AND d.city_id = e.city_id AND d.data_no = e.item_no
        WHERE e.city_id = :city AND e.kind IN ('number', 'sim', 'data') AND e.version IS NOT NULL
        ORDER BY e.kind, e.item_no, e.version DESC
    ) AS last WHERE state IS DISTINCT FROM to_state
    UNION ALL
    SELECT 'number ' || number, 'is ' || state || ' and no event says so'
    FROM number WHERE city_id = :city AND version = 0
      AND state <> CASE kind WHEN 'sms_port' THEN 'FREE' WHEN 'access_code' THEN 'IDLE' ELSE 'UNUSED' END
    UNION ALL
    SELECT 'card ' || coalesce(iccid, serial), 'is ' || state || ' and no event says so'
    FROM sim WHERE city_id = :city AND version = 0 AND state <> 'AVAILABLE'
    UNION ALL
    SELECT 'data ' || data_no, 'is ' || state || ' and no event says so'
    FROM subscription_data WHERE city_id = :city AND version = 0 AND state NOT IN ('FREE', 'BOUND')
"""
"""An item without an event is as its intake left it: data that came inside a finished card is bound from the first."""

_PORTS = """
    SELECT 'number ' || n.number, 'is ' || n.state || ' with ' || count(r.rent_no) || ' present rents'
    FROM number n LEFT JOIN port_rent r ON r.city_id = n.city_id AND r.item_no = n.item_no AND r.ended_at IS NULL
    WHERE n.city_id = :city AND (n.state = 'RENTED' OR r.rent_no IS NOT NULL)
    GROUP BY n.item_no, n.number, n.state HAVING (n.state = 'RENTED') <> (count(r.rent_no) = 1)
    UNION ALL
    SELECT 'number ' || number, 'is ' || state || ', which is no state of its kind'
    FROM number WHERE city_id = :city AND kind IN ('sms_port', 'access_code')
      AND state IN ('UNUSED', 'HELD', 'BOOKED', 'RECYCLED')
"""

_REGISTRY = """
    SELECT mine.kind || ' of ' || mine.owner, 'is registered for ' || coalesce(CAST(r.city_id AS text), 'no city')
    FROM (
        SELECT 'iccid' AS kind, iccid AS value, 'card ' || item_no AS owner FROM sim
        WHERE city_id = :city AND iccid IS NOT NULL
        UNION ALL SELECT 'serial', serial, 'card ' || item_no FROM sim WHERE city_id = :city AND serial IS NOT NULL
        UNION ALL SELECT 'imsi', imsi, 'data ' || data_no FROM subscription_data WHERE city_id = :city
        UNION ALL SELECT 'iccid', iccid, 'data ' || data_no FROM subscription_data
        WHERE city_id = :city AND iccid IS NOT NULL
        UNION ALL SELECT 'imsi', imsi, 'card ' || item_no FROM sim_identity WHERE city_id = :city
    ) AS mine
    LEFT JOIN identifier r ON r.kind = mine.kind AND r.value = mine.value
    WHERE r.city_id IS DISTINCT FROM :city
"""

_BALANCE = """
    WITH flow AS (
        SELECT m.resource, m.to_holder AS holder, l.hi - l.lo + 1 AS items
        FROM movement m JOIN movement_line l ON l.city_id = m.city_id AND l.movement_id = m.movement_id
        WHERE m.city_id = :city AND m.kind <> 'UNDO'
        UNION ALL
        SELECT m.resource, m.from_holder, -(l.hi - l.lo + 1)
        FROM movement m JOIN movement_line l ON l.city_id = m.city_id AND l.movement_id = m.movement_id
        WHERE m.city_id = :city AND m.from_holder IS NOT NULL AND m.kind <> 'CITY_IN'
    ), ledger AS (
        SELECT resource, holder, sum(items) AS items FROM flow GROUP BY resource, holder
    ), stock AS (
        SELECT 'number' AS resource, holder_id AS holder, count(*) AS items FROM number WHERE city_id = :city
        GROUP BY holder_id
        UNION ALL
        SELECT 'sim', holder_id, count(*) FROM sim WHERE city_id = :city GROUP BY holder_id
    )
    SELECT coalesce(l.resource, s.resource) || 's of holder ' || coalesce(l.holder, s.holder),
           'ledger ' || coalesce(l.items, 0) || ', stock ' || coalesce(s.items, 0)
    FROM ledger l FULL JOIN stock s ON s.resource = l.resource AND s.holder = l.holder
    WHERE coalesce(l.items, 0) <> coalesce(s.items, 0) AND coalesce(l.resource, s.resource) IN ('number', 'sim')
    UNION ALL
    SELECT 'movement ' || m.movement_id, 'says ' || m.item_count || ' items, its lines '
           || coalesce(sum(l.hi - l.lo + 1), 0)
    FROM movement m LEFT JOIN movement_line l ON l.city_id = m.city_id AND l.movement_id = m.movement_id
    WHERE m.city_id = :city GROUP BY m.movement_id, m.item_count
    HAVING m.item_count <> coalesce(sum(l.hi - l.lo + 1), 0)
"""

_OUTSIDE_THE_CHAIN = """
    SELECT 'event ' || e.event_no, e.name || ' stands before the chain''s end and is not in it'
    FROM event e
    WHERE e.city_id = :city
      AND NOT EXISTS (SELECT FROM sealed_event z WHERE z.city_id = e.city_id AND z.event_no = e.event_no)
      AND EXISTS (
          SELECT FROM (SELECT event_no FROM sealed_event WHERE city_id = :city ORDER BY position DESC LIMIT 1) AS last
          JOIN event l ON l.city_id = :city AND l.event_no = last.event_no
          WHERE (e.xid, e.event_no) < (l.xid, l.event_no))
    UNION ALL
    SELECT 'event ' || z.event_no, 'is in the chain at ' || z.position || ' and no longer there'
    FROM sealed_event z LEFT JOIN event e ON e.city_id = z.city_id AND e.event_no = z.event_no
    WHERE z.city_id = :city AND e.event_no IS NULL
"""

CHECKS: dict[str, str] = {
    "held_twice": _HELD_TWICE,
    "hold_without_its_items": _HOLD_WITHOUT_ITS_ITEMS,
    "item_without_its_hold": _ITEM_WITHOUT_ITS_HOLD,
    "imsi_on_two_cards": _IMSI_TWICE,
    "data_unit_astray": _DATA,
    "line_incomplete": _LINES,
    "version_gap": _VERSIONS,
    "state_without_event": _LAST_STATE,
    "registry_disagrees": _REGISTRY,
    "balance_differs": _BALANCE,
    "event_outside_chain": _OUTSIDE_THE_CHAIN,
    "write_job_astray": WRITE_JOBS,
    "item_astray": HOLDERS,
    "delivery_astray": DELIVERIES,
    "cities_disagree": CITIES,
    "recall_astray": RECALLS,
    "legal_hold_astray": LEGAL_HOLDS,
    "fee_without_change": FEES,
    "port_astray": _PORTS,
}
"""Every check by its name."""

FIGURES = """
    SELECT resource, state, holder_level, count(*) AS items FROM (
        SELECT 'number' AS resource, n.state, o.level AS holder_level
        FROM number n LEFT JOIN organisation o ON o.id = n.holder_id WHERE n.city_id = :city
        UNION ALL
        SELECT 'sim', s.state, o.level FROM sim s LEFT JOIN organisation o ON o.id = s.holder_id WHERE s.city_id = :city
    ) AS item GROUP BY resource, state, holder_level ORDER BY resource, state, holder_level
"""

LOADED = """
    SELECT resource, sum(CASE kind WHEN 'UNDO' THEN -item_count ELSE item_count END) AS items FROM movement
    WHERE city_id = :city AND kind IN ('INTAKE', 'CITY_IN', 'UNDO') GROUP BY resource
"""
"""What came into the city's book, from vendors and from other cities; what left it stays there as ended."""
