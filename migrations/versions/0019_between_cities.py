"""What goes from one city to another: two documents that name each other, and secrets that stay bound as they are.

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; all that is there has none of it."""
    op.add_column("movement", sa.Column("other_city", sa.Integer(), nullable=True))
    op.add_column("movement", sa.Column("other_id", sa.BigInteger(), nullable=True))
    op.add_column("card_secret", sa.Column("bound_to", sa.Text(collation="C"), nullable=True))


def downgrade() -> None:
    """Remove the columns."""
    op.drop_column("card_secret", "bound_to")
    op.drop_column("movement", "other_id")
    op.drop_column("movement", "other_city")
