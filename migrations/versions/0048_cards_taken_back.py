"""Find the sales at self-service machines that are not finished, those whose card was drawn in among them.

Revision ID: 0048
Revises: 0047
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

_NAME, _TABLE = "ix_kiosk_sale_unfinished", "kiosk_sale"


def upgrade() -> None:
    """Build the index while machines go on selling."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for every long transaction, and nobody waits for it
        op.drop_index(_NAME, _TABLE, postgresql_concurrently=True, if_exists=True)  # one that was broken off
        op.create_index(
            _NAME,
            _TABLE,
            ["city_id", "org_id"],
            postgresql_concurrently=True,
            postgresql_where=sa.text("state IN ('waiting', 'serving', 'sold', 'taken_back')"),
        )
        op.execute("SET lock_timeout = '4s'")


def downgrade() -> None:
    """Take the index away; a card that was drawn in counts as given."""
    op.drop_index(_NAME, _TABLE)
    op.execute("UPDATE kiosk_sale SET state = 'done' WHERE state = 'taken_back'")
