"""The life of an item is found in one index alone.

The lines of one block lie strewn over the whole ledger: reading each of them from the table cost a page a line.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_PROBE = ["city_id", "resource", "level", "block"]


def upgrade() -> None:
    """Build the index that holds a line's ends too beside the old one, which then goes; halls go on selling."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for every long transaction, and nobody waits for it
        op.drop_index("ix_movement_line_life", "movement_line", postgresql_concurrently=True, if_exists=True)
        op.create_index(
            "ix_movement_line_life",
            "movement_line",
            _PROBE,
            postgresql_include=["lo", "hi", "movement_id"],
            postgresql_concurrently=True,
        )
        op.drop_index("ix_movement_line_probe", "movement_line", postgresql_concurrently=True, if_exists=True)
        op.execute("SET lock_timeout = '4s'")


def downgrade() -> None:
    """Build the old index again."""
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_movement_line_probe", "movement_line", _PROBE, postgresql_concurrently=True, if_not_exists=True
        )
        op.drop_index("ix_movement_line_life", "movement_line", postgresql_concurrently=True, if_exists=True)
