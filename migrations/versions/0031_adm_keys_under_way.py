"""A card's ADM key is marked in stock before it is sent.

Revision ID: 0031
Revises: 0030
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the mark; a card that is being written or unknown has its key under way.

    Those are found when the table is no longer locked: halls go on selling meanwhile.
    """
    mark: sa.Column[bool] = sa.Column("adm_sent", sa.Boolean(), server_default=sa.false(), nullable=False)
    op.add_column("sim", mark, if_not_exists=True)  # it stays when what follows is broken off
    with op.get_context().autocommit_block():
        op.execute("""
            UPDATE sim AS s SET adm_sent = true FROM write_job AS j
            WHERE j.state IN ('writing', 'verifying', 'unknown') AND s.city_id = j.city_id AND s.item_no = j.sim_item_no
        """)


def downgrade() -> None:
    """Forget it."""
    op.drop_column("sim", "adm_sent")
