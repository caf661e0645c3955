"""A kit may take another card while it is not known how the first one ended.

Revision ID: 0024
Revises: 0023
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_BEFORE, _NAME = "uq_write_job_open", "uq_write_job_of_kit"
_UNSETTLED = "state IN ('created', 'identifying', 'writing', 'verifying', 'unknown')"


def upgrade() -> None:
    """Add the column, then exchange the index that keeps a kit to one job; halls go on selling."""
    op.add_column(
        "write_job",
        sa.Column("left_kit", sa.Boolean(), server_default=sa.false(), nullable=False),
        if_not_exists=True,  # it stays when what follows is broken off
    )
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for every long transaction, and nobody waits for it
        op.drop_index(_NAME, "write_job", postgresql_concurrently=True, if_exists=True)  # one that was broken off
        op.create_index(
            _NAME,
            "write_job",
            ["city_id", "hold_id"],
            unique=True,
            postgresql_concurrently=True,
            postgresql_where=sa.text(f"{_UNSETTLED} AND NOT left_kit"),
        )
        op.drop_index(_BEFORE, "write_job", postgresql_concurrently=True, if_exists=True)
        op.execute("SET lock_timeout = '4s'")


def downgrade() -> None:
    """Go back to one job of a kit, whatever card it has; refused while a card that left its kit is unsettled."""
    with op.get_context().autocommit_block():
        op.create_index(
            _BEFORE,
            "write_job",
            ["city_id", "hold_id"],
            unique=True,
            postgresql_concurrently=True,
            postgresql_where=sa.text(_UNSETTLED),
            if_not_exists=True,
        )
        op.drop_index(_NAME, "write_job", postgresql_concurrently=True, if_exists=True)
    op.drop_column("write_job", "left_kit")
