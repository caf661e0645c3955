"""For how long each city holds what.

Revision ID: 0021
Revises: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep what a city sets; what it has not set is as the product has it."""
    op.create_table(
        "hold_time",
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("channel", sa.Text(collation="C"), nullable=False),
        sa.Column("flow", sa.Text(collation="C"), nullable=False),
        sa.Column("number_class", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("city_id", "kind", "channel", "flow", "number_class", name=op.f("pk_hold_time")),
    )


def downgrade() -> None:
    """Forget it."""
    op.drop_table("hold_time")
