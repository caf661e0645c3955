"""Each city has holidays of its own.

Revision ID: 0041
Revises: 0040
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; what is a holiday of every city stays one."""
    op.create_table(
        "city_holiday",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("added_by", sa.Text(collation="C"), nullable=False),
        sa.Column("added_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("city_id", "day", name=op.f("pk_city_holiday")),
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_table("city_holiday")
