"""Keys of the secure channel of cards whose scripts are encrypted for them.

Revision ID: 0028
Revises: 0027
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_COLUMNS = ("scp_enc", "scp_mac")


def upgrade() -> None:
    """Add the columns; cards in stock have no such keys."""
    for name in _COLUMNS:
        op.add_column("card_secret", sa.Column(name, sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Drop them, and what they hold."""
    for name in reversed(_COLUMNS):
        op.drop_column("card_secret", name)
