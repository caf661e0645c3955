"""Files that tell the network to delete the identities of cards that are gone.

Revision ID: 0046
Revises: 0045
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

_CODE = sa.Text(collation="C")
_GONE = "state IN ('REPLACED', 'RETIRED', 'SCRAPPED', 'WRITTEN_OFF', 'RETURNED_TO_VENDOR', 'VOIDED')"


def upgrade() -> None:
    """Add table and column, which stay if an index is broken off, then build the indexes; nothing was told yet."""
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "auc_deletion",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("deletion_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("form", _CODE, nullable=False),
        sa.Column("hlr_code", _CODE, nullable=True),
        sa.Column("item_count", sa.BigInteger(), nullable=False),
        sa.Column("staff_no", _CODE, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["hlr_code"], ["hlr.code"], name=op.f("fk_auc_deletion_hlr_code_hlr")),
        sa.PrimaryKeyConstraint("city_id", "deletion_id", name=op.f("pk_auc_deletion")),
        if_not_exists=True,
    )
    op.add_column("sim_identity", sa.Column("deletion_id", sa.BigInteger(), nullable=True), if_not_exists=True)
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for every long transaction, and nobody waits for it
        for index, table in (("ix_sim_identity_gone", "sim_identity"), ("ix_sim_gone", "sim")):
            op.drop_index(index, table, postgresql_concurrently=True, if_exists=True)  # one that was broken off
        op.create_index(
            "ix_sim_identity_gone",
            "sim_identity",
            ["city_id", "deletion_id", "item_no"],
            postgresql_concurrently=True,
            postgresql_where=sa.text("deletion_id IS NOT NULL"),
            postgresql_include=["auc"],
        )
        op.create_index(
            "ix_sim_gone",
            "sim",
            ["city_id", "item_no"],
            postgresql_concurrently=True,
            postgresql_where=sa.text(_GONE),
        )
        op.execute("SET lock_timeout = '4s'")


def downgrade() -> None:
    """Remove them; what was told of is forgotten."""
    with op.get_context().autocommit_block():
        op.drop_index("ix_sim_gone", "sim", postgresql_concurrently=True, if_exists=True)
        op.drop_index("ix_sim_identity_gone", "sim_identity", postgresql_concurrently=True, if_exists=True)
    op.drop_column("sim_identity", "deletion_id")
    op.drop_table("auc_deletion")
