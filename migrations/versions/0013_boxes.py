"""Boxes with their seals, and the ranges of items in them.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; what is in stock lies in no box yet."""
    code = sa.Text(collation="C")
    time = sa.TIMESTAMP(timezone=True)
    op.create_table(
        "box",
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("box_no", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("code", code, nullable=False),
        sa.Column("resource", code, nullable=False),
        sa.Column("state", code, nullable=False),
        sa.Column("seal", code, nullable=True),
        sa.Column("parent_no", sa.BigInteger(), nullable=True),
        sa.Column("item_count", sa.BigInteger(), nullable=False),
        sa.Column("packed_by", code, nullable=False),
        sa.Column("packed_at", time, nullable=False),
        sa.Column("opened_by", code, nullable=True),
        sa.Column("opened_at", time, nullable=True),
        sa.Column("open_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("city_id", "box_no", name=op.f("pk_box")),
        sa.UniqueConstraint("city_id", "code", name=op.f("uq_box_city_id_code")),
    )
    op.create_index("ix_box_parent", "box", ["city_id", "parent_no"], postgresql_where=sa.text("parent_no IS NOT NULL"))
    op.create_table(
        "box_line",
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("resource", code, nullable=False),
        sa.Column("lo", sa.BigInteger(), nullable=False),
        sa.Column("hi", sa.BigInteger(), nullable=False),
        sa.Column("box_no", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("city_id", "resource", "lo", name=op.f("pk_box_line")),
        sa.ForeignKeyConstraint(
            ["city_id", "box_no"], ["box.city_id", "box.box_no"], name=op.f("fk_box_line_city_id_box")
        ),
    )
    op.create_index("ix_box_line_box", "box_line", ["city_id", "box_no"])


def downgrade() -> None:
    """Forget the boxes; what lay in them stays in stock."""
    op.drop_table("box_line")
    op.drop_table("box")
