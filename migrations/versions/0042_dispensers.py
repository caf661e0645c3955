"""How a card dispenser stands: where its card is, what is in its stack and its bin, what stopped it.

Revision ID: 0042
Revises: 0041
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; no reader is known as a dispenser until its station says so."""
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("station_reader", sa.Column("dispenser", postgresql.JSONB(none_as_null=True), nullable=True))


def downgrade() -> None:
    """Take the column away."""
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_column("station_reader", "dispenser")
