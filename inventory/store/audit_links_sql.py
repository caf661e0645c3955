"""What must hold between stock and what it refers to: write jobs, documents, recall orders, changed fees.

Each rule is a query for what breaks it, as in `audit_sql`.
"""

from __future__ import annotations

WRITE_JOBS = """
    SELECT 'hold ' || coalesce(h.hold_id, j.hold_id), 'names write job ' || coalesce(CAST(h.job_id AS text), 'none')
           || ', unsettled is ' || coalesce(CAST(j.job_id AS text), 'none')
    FROM (SELECT hold_id, job_id FROM hold WHERE city_id = :city AND job_id IS NOT NULL) AS h
    FULL JOIN (
        SELECT hold_id, job_id FROM write_job
        WHERE city_id = :city AND state IN ('created', 'identifying', 'writing', 'verifying', 'unknown')
          AND NOT left_kit
    ) AS j ON j.job_id = h.job_id AND j.hold_id = h.hold_id
    WHERE h.hold_id IS NULL OR j.hold_id IS NULL
    UNION ALL
    SELECT 'card item ' || coalesce(s.item_no, j.item_no), 'is ' || coalesce(s.state, 'something else')
           || ', by its write job ' || coalesce(j.state, 'something else')
    FROM (SELECT item_no, state FROM sim WHERE city_id = :city AND state IN ('WRITING', 'WRITE_UNKNOWN')) AS s
    FULL JOIN (
        SELECT sim_item_no AS item_no, CASE state WHEN 'unknown' THEN 'WRITE_UNKNOWN' ELSE 'WRITING' END AS state
        FROM write_job WHERE city_id = :city AND state IN ('writing', 'verifying', 'unknown')
    ) AS j ON j.item_no = s.item_no AND j.state = s.state
    WHERE s.item_no IS NULL OR j.item_no IS NULL
"""
"""A hold names the unsettled job of its card and no other; a card is written, or unknown, just while such a job is."""

HOLDERS = """
    WITH held AS (
        SELECT 'number' AS resource, n.number AS name, n.item_no, n.holder_id
        FROM hold h JOIN number n ON n.city_id = h.city_id AND n.item_no = h.number_item_no
        WHERE h.city_id = :city AND h.state = ANY (:live)
        UNION ALL
        SELECT 'sim', coalesce(s.iccid, s.serial), s.item_no, s.holder_id
        FROM hold h JOIN sim s ON s.city_id = h.city_id AND s.item_no = h.sim_item_no
        WHERE h.city_id = :city AND h.state = ANY (:live)
    ), sold AS (
        SELECT 'number' AS resource, number AS name, holder_id FROM number WHERE city_id = :city AND state = 'IN_USE'
        UNION ALL
        SELECT 'sim', coalesce(iccid, serial), holder_id FROM sim
        WHERE city_id = :city AND state IN ('IN_USE', 'REPORTED_LOST')
    )
    SELECT held.resource || ' ' || held.name, 'lies with holder ' || held.holder_id || ', by its last document with '
           || coalesce(CAST(last.to_holder AS text), 'nobody')
    FROM held LEFT JOIN LATERAL (
        SELECT m.to_holder FROM generate_series(0, 6) AS probe (level)
        JOIN movement_line l ON l.city_id = :city AND l.resource = held.resource AND l.level = probe.level
             AND l.block = held.item_no / CAST(power(CAST(10 AS numeric), probe.level + 1) AS bigint)
             AND held.item_no BETWEEN l.lo AND l.hi
        JOIN movement m ON m.city_id = l.city_id AND m.movement_id = l.movement_id
        ORDER BY m.movement_id DESC LIMIT 1
    ) AS last ON true
    WHERE last.to_holder IS DISTINCT FROM held.holder_id
    UNION ALL
    SELECT sold.resource || ' ' || sold.name, 'is in use and lies with holder ' || sold.holder_id
    FROM sold LEFT JOIN organisation o ON o.id = sold.holder_id
    WHERE o.level IS DISTINCT FROM 'CUSTOMER'
"""
"""What is promised lies where its last document put it, what is in use lies with the customer.

A document is found with one probe for each level of the ledger, as `inventory.domain.ledger.probes` has them.
For all other stock the sums by holder must do (`balance_differs`); probing the ledger for each item would take hours.
"""

FEES = """
    SELECT 'fee of number item ' || coalesce(f.item_no, c.item_no), 'is by change '
           || coalesce(CAST(f.change_no AS text), '-') || ', the last is ' || coalesce(CAST(c.change_no AS text), '-')
    FROM (
        SELECT DISTINCT ON (item_no) item_no, change_no, CAST(after ->> 'number_class' AS int) AS cls,
               jsonb_build_object(
                   'cash_fee', after -> 'cash_fee_fen', 'prepay', after -> 'prepay_fen',
                   'min_monthly', after -> 'min_monthly_fen', 'return_months', after -> 'return_months',
                   'commitment_months', after -> 'commitment_months', 'sale_channel', after -> 'sale_channel'
               ) AS terms
        FROM fee_change WHERE city_id = :city ORDER BY item_no, change_no DESC
    ) AS c
    FULL JOIN (
        SELECT f.item_no, f.change_no, f.cls, f.terms - 'waive_role' AS terms, n.cls AS number_cls
        FROM number_fee f JOIN number n ON n.city_id = f.city_id AND n.item_no = f.item_no WHERE f.city_id = :city
    ) AS f ON f.item_no = c.item_no
    WHERE (f.change_no, f.cls, f.terms, f.number_cls) IS DISTINCT FROM (c.change_no, c.cls, c.terms, c.cls)
"""
"""The terms that a person gave a number are those of its last written change."""

DELIVERIES = """
    WITH lying AS (
        SELECT 'number' AS resource, transit_id, holder_id, count(*) AS items FROM number
        WHERE city_id = :city AND transit_id IS NOT NULL GROUP BY transit_id, holder_id
        UNION ALL
        SELECT 'sim', transit_id, holder_id, count(*) FROM sim
        WHERE city_id = :city AND transit_id IS NOT NULL GROUP BY transit_id, holder_id
    ), unanswered AS (
        SELECT resource, movement_id, to_holder, item_count - accepted_count - refused_count AS items FROM movement
        WHERE city_id = :city AND state IN ('IN_TRANSIT', 'PARTLY_ANSWERED')
    )
    SELECT 'movement ' || coalesce(u.movement_id, l.transit_id), 'leaves ' || coalesce(u.items, 0)
           || ' items to be answered, ' || coalesce(l.items, 0) || ' are on their way to its receiver'
    FROM unanswered u FULL JOIN lying l
        ON l.resource = u.resource AND l.transit_id = u.movement_id AND l.holder_id = u.to_holder
    WHERE u.items IS DISTINCT FROM l.items
"""
"""What is on its way is exactly what the open documents have no answer for yet."""

CITIES = """
    SELECT 'movement ' || m.movement_id, m.kind || ' of ' || m.item_count || ' items, the other city has '
           || coalesce(o.kind || ' of ' || o.item_count, 'nothing')
    FROM movement m LEFT JOIN movement o ON o.city_id = m.other_city AND o.movement_id = m.other_id
         AND o.other_city = m.city_id AND o.other_id = m.movement_id AND o.resource = m.resource
    WHERE m.city_id = :city AND m.kind IN ('CITY_OUT', 'CITY_IN')
      AND (o.item_count IS DISTINCT FROM m.item_count
           OR o.kind IS DISTINCT FROM CASE m.kind WHEN 'CITY_OUT' THEN 'CITY_IN' ELSE 'CITY_OUT' END)
"""
"""What one city sent, another has been sent, by documents that name each other."""

RECALLS = """
    WITH owed AS (
        SELECT 'number' AS resource, recall_id, count(*) AS items FROM number
        WHERE city_id = :city AND recall_id IS NOT NULL GROUP BY recall_id
        UNION ALL
        SELECT 'sim', recall_id, count(*) FROM sim
        WHERE city_id = :city AND recall_id IS NOT NULL GROUP BY recall_id
    )
    SELECT owed.resource || 's of recall order ' || owed.recall_id,
           owed.items || ' are marked, the order is ' || coalesce(o.state, 'not there')
    FROM owed LEFT JOIN recall_order o
        ON o.city_id = :city AND o.order_id = owed.recall_id AND o.resource = owed.resource
    WHERE o.state IS DISTINCT FROM 'OPEN' OR owed.items > o.asked - o.came
"""
"""What is kept from sale as owed is owed under an open order that asked for at least so much."""

LEGAL_HOLDS = """
    WITH ordered AS (
        SELECT DISTINCT l.resource, generate_series(l.lo, l.hi) AS item_no
        FROM legal_order o JOIN legal_order_line l ON l.city_id = o.city_id AND l.order_id = o.order_id
        WHERE o.city_id = :city AND o.state = 'IN_FORCE'
    ), marked AS (
        SELECT 'number' AS resource, item_no FROM number WHERE city_id = :city AND legal_hold
        UNION ALL
        SELECT 'sim', item_no FROM sim WHERE city_id = :city AND legal_hold
    )
    SELECT coalesce(o.resource, m.resource) || ' item ' || coalesce(o.item_no, m.item_no),
           CASE WHEN m.item_no IS NULL THEN 'is under a legal hold and not marked'
                ELSE 'is marked and under no legal hold in force' END
    FROM ordered o FULL JOIN marked m ON m.resource = o.resource AND m.item_no = o.item_no
    WHERE o.item_no IS NULL OR m.item_no IS NULL
    UNION ALL
    SELECT DISTINCT 'hold ' || h.hold_id, 'is open on an item under a legal hold, and no card of it is being written'
    FROM hold h
    LEFT JOIN number n ON n.city_id = h.city_id AND n.item_no = h.number_item_no
    LEFT JOIN sim s ON s.city_id = h.city_id AND s.item_no IN (h.sim_item_no, h.old_sim_item_no)
    WHERE h.city_id = :city AND h.state = ANY (:live) AND h.job_id IS NULL AND h.rolled_back_cards IS NULL
      AND (n.legal_hold OR s.legal_hold)
"""
"""The mark on an item says just that an order in force lies on it, and what is marked is promised to nobody.

But for holds after a roll back: they stay while the network has their identity, and are ended by the next sweep.
"""
