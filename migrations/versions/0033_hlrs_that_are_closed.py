"""An HLR is closed, never deleted: nothing new comes for it.

Revision ID: 0033
Revises: 0032
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; every HLR that there is stays open."""
    op.add_column("hlr", sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False))


def downgrade() -> None:
    """Take the column away; closed HLRs are open again."""
    op.drop_column("hlr", "active")
