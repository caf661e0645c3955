"""What each city decides about custody.

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; a city without rows is as before."""
    op.create_table(
        "city_policy",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("value", sa.Text(collation="C"), nullable=False),
        sa.Column("changed_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("city_id", "name", name=op.f("pk_city_policy")),
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("city_policy")
