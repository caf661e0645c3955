"""Quotas of issues.

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_CODE = sa.Text(collation="C")


def upgrade() -> None:
    """Make the table of quotas."""
    op.create_table(
        "issue_quota",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("org_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("resource", _CODE, nullable=False),
        sa.Column("sort", _CODE, nullable=False),
        sa.Column("period", _CODE, nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("begun", sa.Date(), nullable=False),
        sa.Column("staff_no", _CODE, nullable=False),
        sa.Column("changed_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("city_id", "org_id", "resource", "sort", "period", name=op.f("pk_issue_quota")),
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("issue_quota")
