"""Find the sales that wait for the network without reading all numbers.

Revision ID: 0039
Revises: 0038
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

_NAME = "ix_number_completing"


def upgrade() -> None:
    """Build the index while halls go on selling; no number waits yet."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for every long transaction, and nobody waits for it
        op.drop_index(_NAME, "number", postgresql_concurrently=True, if_exists=True)  # one that was broken off
        op.create_index(
            _NAME,
            "number",
            ["city_id", "item_no"],
            postgresql_concurrently=True,
            postgresql_where=sa.text("state = 'COMPLETING'"),
        )
        op.execute("SET lock_timeout = '4s'")


def downgrade() -> None:
    """Take the index away."""
    op.drop_index(_NAME, "number")
