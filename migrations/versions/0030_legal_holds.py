"""Legal holds: orders from outside, the items they lie on, and the mark that an item is under one.

Revision ID: 0030
Revises: 0029
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_STOCK = ("number", "sim")


def upgrade() -> None:
    """Make the tables; no order lies on anything yet, and halls go on selling while the marks' indexes are built."""
    code = sa.Text(collation="C")
    time = sa.TIMESTAMP(timezone=True)
    op.create_table(
        "legal_order",
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("resource", code, nullable=False),
        sa.Column("state", code, nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=True),
        sa.Column("item_count", sa.BigInteger(), nullable=False),
        sa.Column("staff_no", code, nullable=False),
        sa.Column("interface_no", code, nullable=False),
        sa.Column("created_at", time, nullable=False),
        sa.Column("reminded_at", time, nullable=True),
        sa.Column("lifted_at", time, nullable=True),
        sa.Column("lifted_by", code, nullable=True),
        sa.Column("lifted_with", code, nullable=True),
        sa.Column("lift_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("city_id", "order_id", name=op.f("pk_legal_order")),
        if_not_exists=True,  # what is made stays when an index below is broken off
    )
    op.create_table(
        "legal_order_line",
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("resource", code, nullable=False),
        sa.Column("lo", sa.BigInteger(), nullable=False),
        sa.Column("hi", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id", "order_id"],
            ["legal_order.city_id", "legal_order.order_id"],
            name=op.f("fk_legal_order_line_city_id_order_id_legal_order"),
        ),
        sa.PrimaryKeyConstraint("city_id", "order_id", "line_no", name=op.f("pk_legal_order_line")),
        if_not_exists=True,
    )
    op.create_index(
        "ix_legal_order_line_items", "legal_order_line", ["city_id", "resource", "lo", "hi"], if_not_exists=True
    )
    for table in _STOCK:
        op.add_column(
            table,
            sa.Column("legal_hold", sa.Boolean(), server_default=sa.false(), nullable=False),
            if_not_exists=True,
        )
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for every long transaction, and nobody waits for it
        for table in _STOCK:
            name = f"ix_{table}_legal"
            op.drop_index(name, table, postgresql_concurrently=True, if_exists=True)  # one that was broken off
            op.create_index(
                name,
                table,
                ["city_id", "item_no"],
                postgresql_concurrently=True,
                postgresql_where=sa.text("legal_hold"),
            )
        op.execute("SET lock_timeout = '4s'")


def downgrade() -> None:
    """Forget the orders; what lay under one sells again."""
    for table in reversed(_STOCK):
        op.drop_index(f"ix_{table}_legal", table)
        op.drop_column(table, "legal_hold")
    op.drop_table("legal_order_line")
    op.drop_table("legal_order")
