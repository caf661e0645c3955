"""Where what has left the stock lies, and the data on cards that are gone.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give each city its pseudo-holder of what is out of stock, and find quarantined data by its card."""
    op.execute(
        """
        WITH city AS (
            SELECT nextval(pg_get_serial_sequence('organisation', 'id')) AS id, o.id AS parent_id, o.city_id, o.path
            FROM organisation o
            WHERE o.parent_id IS NULL AND NOT EXISTS (
                SELECT FROM organisation e WHERE e.city_id = o.city_id AND e.level = 'ENDED')
        )
        INSERT INTO organisation (id, parent_id, city_id, level, code, name_zh, name_en, path)
        SELECT id, parent_id, city_id, 'ENDED', lpad(city_id::text, 6, '0') || '-ended', '已离库', 'Out of stock',
               path || '/0/' || id
        FROM city
        """
    )
    op.create_index(
        "ix_subscription_data_quarantined",
        "subscription_data",
        ["city_id", "sim_item_no"],
        postgresql_where=sa.text("state = 'QUARANTINED'"),
    )


def downgrade() -> None:
    """Remove the index; the pseudo-holders may hold something and stay."""
    op.drop_index("ix_subscription_data_quarantined", "subscription_data")
