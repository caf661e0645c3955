"""Recall orders, and the mark that an item is owed under one.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_STOCK = ("number", "sim")


def upgrade() -> None:
    """Make the table; nothing in stock is owed yet."""
    code = sa.Text(collation="C")
    time = sa.TIMESTAMP(timezone=True)
    op.create_table(
        "recall_order",
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("resource", code, nullable=False),
        sa.Column("place_id", sa.BigInteger(), nullable=False),
        sa.Column("below_id", sa.BigInteger(), nullable=False),
        sa.Column("sort", code, nullable=True),
        sa.Column("number_class", sa.SmallInteger(), nullable=True),
        sa.Column("state", code, nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("came", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("staff_no", code, nullable=False),
        sa.Column("interface_no", code, nullable=False),
        sa.Column("created_at", time, nullable=False),
        sa.Column("closed_at", time, nullable=True),
        sa.Column("closed_by", code, nullable=True),
        sa.Column("close_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("city_id", "order_id", name=op.f("pk_recall_order")),
    )
    op.create_index(
        "ix_recall_order_open",
        "recall_order",
        ["city_id", "order_id"],
        postgresql_where=sa.text("state = 'OPEN'"),
    )
    for table in _STOCK:
        op.add_column(table, sa.Column("recall_id", sa.BigInteger(), nullable=True))
        op.create_index(
            f"ix_{table}_recall",
            table,
            ["city_id", "recall_id"],
            postgresql_where=sa.text("recall_id IS NOT NULL"),
        )


def downgrade() -> None:
    """Forget the orders; what was owed sells again."""
    for table in reversed(_STOCK):
        op.drop_index(f"ix_{table}_recall", table)
        op.drop_column(table, "recall_id")
    op.drop_table("recall_order")
