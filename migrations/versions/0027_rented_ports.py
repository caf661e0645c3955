"""SMS ports are rented, and have states of their own as access codes have.

Revision ID: 0027
Revises: 0026
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_CODE = sa.Text(collation="C")
_TIME = sa.TIMESTAMP(timezone=True)

_OWN_STATES = """
WITH before AS MATERIALIZED (
    SELECT n.city_id, n.item_no, n.kind, n.state FROM segment s
    JOIN number n ON n.city_id = s.city_id AND n.number >= s.prefix AND n.number < s.prefix || '~'
    WHERE s.kind IN ('sms_port', 'access_code') AND n.kind = s.kind
      AND n.state IN ('UNUSED', 'RECYCLED') AND n.hold_id IS NULL
    FOR NO KEY UPDATE OF n
), after AS (
    UPDATE number n SET state = CASE n.kind WHEN 'sms_port' THEN 'FREE' ELSE 'IDLE' END,
           version = n.version + 1, pool = NULL, updated_at = now()
    FROM before b WHERE n.city_id = b.city_id AND n.item_no = b.item_no
    RETURNING n.city_id, n.item_no, n.version, b.state AS from_state, n.state AS to_state
)
INSERT INTO event (city_id, at, name, kind, item_no, version, from_state, to_state, staff_no, interface_no, reason)
SELECT city_id, now(), 'number.status_released', 'number', item_no, version, from_state, to_state, 'system', 'system',
       'SMS ports and access codes have states of their own'
FROM after
"""
"""Found along their segments, which are few, so that the millions of other numbers are not read."""


def upgrade() -> None:
    """Make the table of rents and give ports and access codes that are in stock their own first state."""
    op.create_table(
        "port_rent",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rent_no", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("item_no", sa.BigInteger(), nullable=False),
        sa.Column("tenant_ref", _CODE, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("extension_digits", sa.SmallInteger(), nullable=False),
        sa.Column("begins_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("told", _CODE, nullable=True),
        sa.Column("staff_no", _CODE, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.Column("cooled_on", sa.Date(), nullable=True),
        sa.Column("free_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["city_id", "item_no"],
            ["number.city_id", "number.item_no"],
            name=op.f("fk_port_rent_city_id_item_no_number"),
        ),
        sa.PrimaryKeyConstraint("city_id", "rent_no", name=op.f("pk_port_rent")),
    )
    op.create_index(
        "uq_port_rent_present",
        "port_rent",
        ["city_id", "item_no"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_port_rent_item", "port_rent", ["city_id", "item_no", "rent_no"])
    op.execute(_OWN_STATES)


def downgrade() -> None:
    """Remove the table; ports and access codes keep the states they have, which no older version sells."""
    op.drop_table("port_rent")
