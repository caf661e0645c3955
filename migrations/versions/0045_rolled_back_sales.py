"""A hold names the one whose sale was rolled back for it, and the cards that the network may still know.

Revision ID: 0045
Revises: 0044
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

_INDEX, _TABLE = "ix_hold_rolled_back", "hold"


def upgrade() -> None:
    """Add the columns, which stay if the index is broken off, then build it; nothing was rolled back yet."""
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column(_TABLE, sa.Column("original_hold_id", sa.BigInteger(), nullable=True), if_not_exists=True)
    op.add_column(
        _TABLE, sa.Column("rolled_back_cards", postgresql.ARRAY(sa.BigInteger()), nullable=True), if_not_exists=True
    )
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for every long transaction, and nobody waits for it
        op.drop_index(_INDEX, _TABLE, postgresql_concurrently=True, if_exists=True)  # one that was broken off
        op.create_index(
            _INDEX,
            _TABLE,
            ["city_id", "hold_id"],
            postgresql_concurrently=True,
            postgresql_where=sa.text("rolled_back_cards IS NOT NULL AND state IN ('ACTIVE', 'BOOKED')"),
        )
        op.execute("SET lock_timeout = '4s'")


def downgrade() -> None:
    """Remove them."""
    with op.get_context().autocommit_block():
        op.drop_index(_INDEX, _TABLE, postgresql_concurrently=True, if_exists=True)
    op.drop_column(_TABLE, "rolled_back_cards")
    op.drop_column(_TABLE, "original_hold_id")
