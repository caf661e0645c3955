"""Cards that an operator's own system writes: what passes between us, and data that came for one card alone.

Revision ID: 0038
Revises: 0037
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; a job may begin without data, and data may come without a load."""
    code = sa.Text(collation="C")
    time = sa.TIMESTAMP(timezone=True)
    op.create_table(
        "card_issue",
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("sim_item_no", sa.BigInteger(), nullable=False),
        sa.Column("request", code, nullable=False),
        sa.Column("serial", code, nullable=False),
        sa.Column("product", code, nullable=False),
        sa.Column("number", code, nullable=False),
        sa.Column("hlr_code", code, nullable=False),
        sa.Column("asked_at", time, nullable=False),
        sa.Column("due_at", time, nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("transaction", sa.Text(), nullable=True),
        sa.Column("iccid", code, nullable=True),
        sa.Column("imsi", code, nullable=True),
        sa.Column("parts", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", time, nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("sw", sa.Integer(), nullable=True),
        sa.Column("read_iccid", code, nullable=True),
        sa.Column("accepted", sa.Boolean(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["city_id", "job_id"],
            ["write_job.city_id", "write_job.job_id"],
            name=op.f("fk_card_issue_city_id_job_id_write_job"),
        ),
        sa.ForeignKeyConstraint(["hlr_code"], ["hlr.code"], name=op.f("fk_card_issue_hlr_code_hlr")),
        sa.PrimaryKeyConstraint("city_id", "job_id", name=op.f("pk_card_issue")),
    )
    op.create_index("ix_card_issue_due", "card_issue", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))
    op.create_index("ix_card_issue_card", "card_issue", ["city_id", "sim_item_no"])
    op.alter_column("write_job", "data_no", existing_type=sa.BigInteger(), nullable=True)
    op.alter_column("subscription_data", "batch_id", existing_type=sa.BigInteger(), nullable=True)


def downgrade() -> None:
    """Take the table away; jobs without data are as if none had been asked for."""
    op.execute("DELETE FROM subscription_data WHERE batch_id IS NULL")
    op.alter_column("subscription_data", "batch_id", existing_type=sa.BigInteger(), nullable=False)
    op.drop_table("card_issue")
