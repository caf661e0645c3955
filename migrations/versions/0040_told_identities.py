"""How the network answered for the cards of a file is counted in the index that lists them.

Revision ID: 0040
Revises: 0039
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

_NEW, _OLD, _TABLE = "ix_sim_identity_told", "ix_sim_identity_export", "sim_identity"
_COLUMNS = ["city_id", "export_id", "item_no"]
_TOLD = sa.text("export_id IS NOT NULL")


def upgrade() -> None:
    """Build the wider index, then drop the narrow one; halls go on selling."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for every long transaction, and nobody waits for it
        op.drop_index(_NEW, _TABLE, postgresql_concurrently=True, if_exists=True)  # one that was broken off
        op.create_index(
            _NEW, _TABLE, _COLUMNS, postgresql_where=_TOLD, postgresql_include=["auc"], postgresql_concurrently=True
        )
        op.drop_index(_OLD, _TABLE, postgresql_concurrently=True, if_exists=True)
        op.execute("SET lock_timeout = '4s'")


def downgrade() -> None:
    """Build the narrow one again."""
    with op.get_context().autocommit_block():
        op.drop_index(_OLD, _TABLE, postgresql_concurrently=True, if_exists=True)
        op.create_index(_OLD, _TABLE, _COLUMNS, postgresql_where=_TOLD, postgresql_concurrently=True)
        op.drop_index(_NEW, _TABLE, postgresql_concurrently=True, if_exists=True)
