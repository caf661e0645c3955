"""The documents of a place are found in an index, however few they are.

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_ENDS = {"ix_movement_giver": "from_holder", "ix_movement_receiver": "to_holder"}


def upgrade() -> None:
    """Build an index for either end of a document; halls go on selling."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for every long transaction, and nobody waits for it
        for name, end in _ENDS.items():
            op.drop_index(name, "movement", postgresql_concurrently=True, if_exists=True)  # one that was broken off
            op.create_index(name, "movement", ["city_id", end, "movement_id"], postgresql_concurrently=True)
        op.execute("SET lock_timeout = '4s'")


def downgrade() -> None:
    """Remove both."""
    with op.get_context().autocommit_block():
        for name in _ENDS:
            op.drop_index(name, "movement", postgresql_concurrently=True, if_exists=True)
