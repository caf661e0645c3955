"""A hold may be a service order: it names the card that its own is to replace; a number's card is found in an index.

Revision ID: 0035
Revises: 0034
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_INDEX, _TABLE = "ix_sim_identity_number", "sim_identity"


def upgrade() -> None:
    """Add the columns, which stay if the index is broken off, then build it; halls go on selling."""
    op.add_column("hold", sa.Column("old_sim_item_no", sa.BigInteger(), nullable=True), if_not_exists=True)
    op.add_column("hold", sa.Column("replace_reason", sa.Text(collation="C"), nullable=True), if_not_exists=True)
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for every long transaction, and nobody waits for it
        op.drop_index(_INDEX, _TABLE, postgresql_concurrently=True, if_exists=True)  # one that was broken off
        op.create_index(
            _INDEX,
            _TABLE,
            ["city_id", "number_item_no"],
            postgresql_concurrently=True,
            postgresql_where=sa.text("number_item_no IS NOT NULL"),
        )
        op.execute("SET lock_timeout = '4s'")


def downgrade() -> None:
    """Remove them."""
    with op.get_context().autocommit_block():
        op.drop_index(_INDEX, _TABLE, postgresql_concurrently=True, if_exists=True)
    op.drop_column("hold", "replace_reason")
    op.drop_column("hold", "old_sim_item_no")
