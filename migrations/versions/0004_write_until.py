"""Until when a write script may still begin somewhere.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the moment to write jobs; those before it count as over."""
    op.add_column("write_job", sa.Column("write_until", sa.TIMESTAMP(timezone=True), nullable=True))


def downgrade() -> None:
    """Remove the moment."""
    op.drop_column("write_job", "write_until")
