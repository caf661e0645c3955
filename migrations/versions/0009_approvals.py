"""Acts for two persons are asked for and answered.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of approvals."""
    op.create_table(
        "approval",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("approval_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("act", sa.Text(collation="C"), nullable=False),
        sa.Column("permission", sa.Text(collation="C"), nullable=False),
        sa.Column("place_id", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("wish", JSONB(), nullable=False),
        sa.Column("summary", JSONB(), nullable=False),
        sa.Column("state", sa.Text(collation="C"), nullable=False),
        sa.Column("asked_by", sa.Text(collation="C"), nullable=False),
        sa.Column("asked_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("answered_by", sa.Text(collation="C"), nullable=True),
        sa.Column("answered_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("answer_reason", sa.Text(), nullable=True),
        sa.Column("used_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("city_id", "approval_id", name=op.f("pk_approval")),
    )
    op.create_index(
        "ix_approval_open",
        "approval",
        ["city_id", "expires_at"],
        postgresql_where=sa.text("state IN ('ASKED', 'GRANTED')"),
    )
    op.create_index("ix_approval_asked_by", "approval", ["city_id", "asked_by", "approval_id"])


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("approval")
