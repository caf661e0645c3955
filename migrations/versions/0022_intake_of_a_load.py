"""The document that brought a load is found in an index, however many documents the city has.

Revision ID: 0022
Revises: 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_NAME = "ix_movement_batch"


def upgrade() -> None:
    """Build an index of the few documents that name a load; halls go on selling."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for every long transaction, and nobody waits for it
        op.drop_index(_NAME, "movement", postgresql_concurrently=True, if_exists=True)  # one that was broken off
        op.create_index(
            _NAME,
            "movement",
            ["city_id", "batch_id"],
            postgresql_concurrently=True,
            postgresql_where=sa.text("batch_id IS NOT NULL"),
        )
        op.execute("SET lock_timeout = '4s'")


def downgrade() -> None:
    """Remove it."""
    with op.get_context().autocommit_block():
        op.drop_index(_NAME, "movement", postgresql_concurrently=True, if_exists=True)
