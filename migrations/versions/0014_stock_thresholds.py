"""Thresholds of stock; documents by time.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_CODE = sa.Text(collation="C")
_TIME = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Make the table of thresholds, and let documents be found by when they were written."""
    op.create_table(
        "stock_threshold",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("org_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("resource", _CODE, nullable=False),
        sa.Column("sort", _CODE, nullable=False),
        sa.Column("hlr", _CODE, nullable=False),
        sa.Column("minimum", sa.BigInteger(), nullable=False),
        sa.Column("low_since", _TIME, nullable=True),
        sa.Column("staff_no", _CODE, nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("city_id", "org_id", "resource", "sort", "hlr", name=op.f("pk_stock_threshold")),
    )
    op.create_index(
        "ix_stock_threshold_low",
        "stock_threshold",
        ["city_id", "org_id"],
        postgresql_where=sa.text("low_since IS NOT NULL"),
    )
    op.create_index(
        "ix_movement_created",
        "movement",
        ["created_at"],
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on"},  # else each new page is read until the next vacuum
    )


def downgrade() -> None:
    """Remove both."""
    op.drop_index("ix_movement_created", "movement")
    op.drop_table("stock_threshold")
