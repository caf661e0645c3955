"""What the network is told of cards, and the keys that this goes under.

Revision ID: 0026
Revises: 0025
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_INDEX = "ix_sim_identity_export"


def upgrade() -> None:
    """Add the columns and the table, then the index while halls go on selling.

    Cards proven before keep what they reported; that comes last, when the tables are no longer locked.
    """
    purpose = sa.Column("purpose", sa.Text(collation="C"), server_default="vendor", nullable=False)
    op.add_column("transport_key", purpose, if_not_exists=True)  # all stays when the index is broken off
    for name in ("sqn", "export_id"):
        op.add_column("sim_identity", sa.Column(name, sa.BigInteger(), nullable=True), if_not_exists=True)
    op.create_table(
        "auc_export",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("export_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("form", sa.Text(collation="C"), nullable=False),
        sa.Column("transport_key_index", sa.Text(collation="C"), nullable=False),
        sa.Column("hlr_code", sa.Text(collation="C"), nullable=True),
        sa.Column("item_count", sa.BigInteger(), nullable=False),
        sa.Column("staff_no", sa.Text(collation="C"), nullable=False),
        sa.Column("approver", sa.Text(collation="C"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["hlr_code"], ["hlr.code"], name=op.f("fk_auc_export_hlr_code_hlr")),
        sa.ForeignKeyConstraint(
            ["transport_key_index"],
            ["transport_key.index"],
            name=op.f("fk_auc_export_transport_key_index_transport_key"),
        ),
        sa.PrimaryKeyConstraint("city_id", "export_id", name=op.f("pk_auc_export")),
        if_not_exists=True,
    )
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for every long transaction, and nobody waits for it
        op.drop_index(_INDEX, "sim_identity", postgresql_concurrently=True, if_exists=True)
        op.create_index(
            _INDEX,
            "sim_identity",
            ["city_id", "export_id", "item_no"],
            postgresql_concurrently=True,
            postgresql_where=sa.text("export_id IS NOT NULL"),
        )
        op.execute("SET lock_timeout = '4s'")
    op.execute("""
        UPDATE sim_identity AS i SET sqn = j.sqn
        FROM (
            SELECT DISTINCT ON (city_id, sim_item_no) city_id, sim_item_no, CAST(verdict ->> 'sqn_ms' AS bigint) AS sqn
            FROM write_job WHERE state = 'verified' AND verdict ->> 'sqn_ms' IS NOT NULL
            ORDER BY city_id, sim_item_no, job_id DESC
        ) AS j
        WHERE i.city_id = j.city_id AND i.item_no = j.sim_item_no AND i.slot = 1
    """)


def downgrade() -> None:
    """Forget what was told; the transport keys of networks stay, as if they were vendors'."""
    with op.get_context().autocommit_block():
        op.drop_index(_INDEX, "sim_identity", postgresql_concurrently=True, if_exists=True)
    op.drop_table("auc_export")
    op.drop_column("sim_identity", "export_id")
    op.drop_column("sim_identity", "sqn")
    op.drop_column("transport_key", "purpose")
