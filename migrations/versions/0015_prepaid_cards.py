"""Prepaid cards carry a face value, a last day and an area.

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; cards until now are bound to none of them."""
    op.add_column("sim", sa.Column("face_value", sa.BigInteger(), nullable=True))
    op.add_column("sim", sa.Column("expires_on", sa.Date(), nullable=True))
    op.add_column("sim", sa.Column("area", sa.Text(collation="C"), nullable=True))


def downgrade() -> None:
    """Forget them."""
    for name in ("area", "expires_on", "face_value"):
        op.drop_column("sim", name)
