"""What each city calls the kinds of numbers, and which it takes in.

Revision ID: 0037
Revises: 0036
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; a city without rows takes in every kind, under the product's names."""
    op.create_table(
        "number_kind",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("intake", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("city_id", "kind", name=op.f("pk_number_kind")),
    )


def downgrade() -> None:
    """Remove the table; every kind is taken in again."""
    op.drop_table("number_kind")
