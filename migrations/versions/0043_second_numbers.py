"""A card may serve a second number, if its product allows two.

Revision ID: 0043
Revises: 0042
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

_INDEX, _TABLE = "ix_sim_second_number", "sim"


def upgrade() -> None:
    """Add the columns, which stay if the index is broken off, then build it; every product allows one number."""
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column(
        "card_kind",
        sa.Column("max_numbers", sa.SmallInteger(), nullable=False, server_default="1"),
        if_not_exists=True,
    )
    op.add_column(_TABLE, sa.Column("second_number_item_no", sa.BigInteger(), nullable=True), if_not_exists=True)
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for every long transaction, and nobody waits for it
        op.drop_index(_INDEX, _TABLE, postgresql_concurrently=True, if_exists=True)  # one that was broken off
        op.create_index(
            _INDEX,
            _TABLE,
            ["city_id", "second_number_item_no"],
            postgresql_concurrently=True,
            postgresql_where=sa.text("second_number_item_no IS NOT NULL"),
        )
        op.execute("SET lock_timeout = '4s'")


def downgrade() -> None:
    """Remove them."""
    with op.get_context().autocommit_block():
        op.drop_index(_INDEX, _TABLE, postgresql_concurrently=True, if_exists=True)
    op.drop_column(_TABLE, "second_number_item_no")
    op.drop_column("card_kind", "max_numbers")
