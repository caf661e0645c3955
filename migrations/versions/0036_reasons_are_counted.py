"""What was done for a reason is counted in an index, however long the history is.

Revision ID: 0036
Revises: 0035
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_INDEX = "ix_event_reason"


def upgrade() -> None:
    """Build it; halls go on selling."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for every long transaction, and nobody waits for it
        op.drop_index(_INDEX, "event", postgresql_concurrently=True, if_exists=True)  # one that was broken off
        op.create_index(
            _INDEX,
            "event",
            ["city_id", "at"],
            postgresql_where=sa.text("reason_code IS NOT NULL"),
            postgresql_concurrently=True,
        )
        op.execute("SET lock_timeout = '4s'")


def downgrade() -> None:
    """Remove it."""
    with op.get_context().autocommit_block():
        op.drop_index(_INDEX, "event", postgresql_concurrently=True, if_exists=True)
