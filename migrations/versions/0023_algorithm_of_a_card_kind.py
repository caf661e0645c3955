"""How the cards of a product authenticate.

Revision ID: 0023
Revises: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_MILENAGE = sa.text("""'{"name": "milenage"}'""")


def upgrade() -> None:
    """Add the column; the products until now use MILENAGE with the constants of the standard."""
    op.add_column("card_kind", sa.Column("algorithm", JSONB(), server_default=_MILENAGE, nullable=False))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("card_kind", "algorithm")
