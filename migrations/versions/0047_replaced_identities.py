"""The identity of a card that was replaced is told of too: it counts as deleted, but the network may have it.

Revision ID: 0047
Revises: 0046
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

_INDEX, _TABLE = "ix_sim_identity_to_delete", "sim_identity"


def upgrade() -> None:
    """Add the column, build its index while halls go on selling, then mark the cards that lie there replaced.

    Of those that were scrapped since nothing says whether the network was told.
    """
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column(
        _TABLE, sa.Column("to_delete", sa.Boolean(), server_default=sa.false(), nullable=False), if_not_exists=True
    )
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for every long transaction, and nobody waits for it
        op.drop_index(_INDEX, _TABLE, postgresql_concurrently=True, if_exists=True)  # one that was broken off
        op.create_index(
            _INDEX,
            _TABLE,
            ["city_id", "item_no"],
            postgresql_concurrently=True,
            postgresql_where=sa.text("to_delete"),
            postgresql_include=["deletion_id"],
        )
        op.execute("SET lock_timeout = '4s'")
    op.execute("""
        UPDATE sim_identity AS i SET to_delete = true
        FROM sim AS s
        WHERE s.city_id = i.city_id AND s.item_no = i.item_no AND s.state = 'REPLACED' AND i.auc = 'deleted'
    """)


def downgrade() -> None:
    """Remove them; the identities of replaced cards count as deleted, as before."""
    with op.get_context().autocommit_block():
        op.drop_index(_INDEX, _TABLE, postgresql_concurrently=True, if_exists=True)
    op.drop_column(_TABLE, "to_delete")
