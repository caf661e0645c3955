"""Bad rows of lists are kept as they stand in the file, so that they can be given back to be mended.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the row's text; of faults until now it was not kept."""
    op.add_column("load_fault", sa.Column("line", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    """Forget the rows."""
    op.drop_column("load_fault", "line")
