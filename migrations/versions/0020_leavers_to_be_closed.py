"""Accounts of leavers that wait to be closed.

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep since when an account waits."""
    op.add_column("organisation", sa.Column("leaving_at", sa.TIMESTAMP(timezone=True), nullable=True))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("organisation", "leaving_at")
