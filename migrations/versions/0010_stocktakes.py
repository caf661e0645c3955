"""Stocktakes: documents with scans and findings.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    code = sa.Text(collation="C")
    time = sa.TIMESTAMP(timezone=True)
    op.create_table(
        "stocktake",
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("stocktake_id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("resource", code, nullable=False),
        sa.Column("place_id", sa.BigInteger(), nullable=False),
        sa.Column("with_below", sa.Boolean(), nullable=False),
        sa.Column("sort", code, nullable=True),
        sa.Column("state", code, nullable=False),
        sa.Column("after_movement", sa.BigInteger(), nullable=False),
        sa.Column("opened_by", code, nullable=False),
        sa.Column("interface_no", code, nullable=False),
        sa.Column("opened_at", time, nullable=False),
        sa.Column("counted_by", sa.Text(), nullable=True),
        sa.Column("closed_by", code, nullable=True),
        sa.Column("closed_at", time, nullable=True),
        sa.Column("figures", JSONB(), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("ended_by", code, nullable=True),
        sa.Column("approver", code, nullable=True),
        sa.Column("ended_at", time, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("city_id", "stocktake_id", name=op.f("pk_stocktake")),
    )
    op.create_table(
        "stocktake_scan",
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("stocktake_id", sa.BigInteger(), nullable=False),
        sa.Column("name", code, nullable=False),
        sa.Column("item_no", sa.BigInteger(), nullable=True),
        sa.Column("state", code, nullable=True),
        sa.Column("holder_id", sa.BigInteger(), nullable=True),
        sa.Column("in_transit", sa.Boolean(), nullable=False),
        sa.Column("damaged", sa.Boolean(), nullable=False),
        sa.Column("staff_no", code, nullable=False),
        sa.Column("at", time, nullable=False),
        sa.PrimaryKeyConstraint("city_id", "stocktake_id", "name", name=op.f("pk_stocktake_scan")),
        sa.ForeignKeyConstraint(
            ["city_id", "stocktake_id"],
            ["stocktake.city_id", "stocktake.stocktake_id"],
            name=op.f("fk_stocktake_scan_city_id_stocktake"),
        ),
    )
    op.create_index("ix_stocktake_scan_item", "stocktake_scan", ["city_id", "stocktake_id", "item_no"])
    op.create_table(
        "stocktake_finding",
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("stocktake_id", sa.BigInteger(), nullable=False),
        sa.Column("finding_no", sa.BigInteger(), nullable=False),
        sa.Column("code", code, nullable=False),
        sa.Column("name", code, nullable=False),
        sa.Column("item_no", sa.BigInteger(), nullable=True),
        sa.Column("state", code, nullable=True),
        sa.Column("holder_id", sa.BigInteger(), nullable=True),
        sa.Column("last_movement", sa.BigInteger(), nullable=True),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("settled_by", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("city_id", "stocktake_id", "finding_no", name=op.f("pk_stocktake_finding")),
        sa.ForeignKeyConstraint(
            ["city_id", "stocktake_id"],
            ["stocktake.city_id", "stocktake.stocktake_id"],
            name=op.f("fk_stocktake_finding_city_id_stocktake"),
        ),
    )


def downgrade() -> None:
    """Forget the counts; the documents they were posted with stay."""
    for table in ("stocktake_finding", "stocktake_scan", "stocktake"):
        op.drop_table(table)
