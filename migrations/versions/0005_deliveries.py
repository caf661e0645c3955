"""Documents whose items are on their way until the receiver answers.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Count what of a document is answered; everything until now was accepted at once."""
    op.add_column("movement", sa.Column("parent_id", sa.BigInteger(), nullable=True))
    op.add_column("movement", sa.Column("accepted_count", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("movement", sa.Column("refused_count", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE movement SET accepted_count = item_count")
    op.create_index(
        "ix_movement_open",
        "movement",
        ["city_id", "movement_id"],
        postgresql_where=sa.text("state IN ('IN_TRANSIT', 'PARTLY_ANSWERED')"),
    )
    op.create_index(
        "ix_movement_parent",
        "movement",
        ["city_id", "parent_id"],
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )


def downgrade() -> None:
    """Remove the counts; what is on its way stays so."""
    op.drop_index("ix_movement_parent", "movement")
    op.drop_index("ix_movement_open", "movement")
    for column in ("refused_count", "accepted_count", "parent_id"):
        op.drop_column("movement", column)
