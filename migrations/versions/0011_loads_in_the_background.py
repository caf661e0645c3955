"""Files in sealed parts, loads that run in the background, and envelopes bound to the row of their delivery.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_CODE = sa.Text(collation="C")
_TIME = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Add the tables; cards until now keep envelopes that are bound to their item number (both columns null)."""
    op.create_table(
        "upload",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("upload_id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("said_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("sha256", sa.LargeBinary(), nullable=True),
        sa.Column("staff_no", _CODE, nullable=False),
        sa.Column("interface_no", _CODE, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("city_id", "upload_id", name="pk_upload"),
    )
    op.create_index("ix_upload_updated_at", "upload", ["updated_at"])
    op.create_table(
        "upload_part",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("upload_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("city_id", "upload_id", "start", name="pk_upload_part"),
        sa.ForeignKeyConstraint(
            ["city_id", "upload_id"],
            ["upload.city_id", "upload.upload_id"],
            name="fk_upload_part_city_id_upload_id_upload",
            ondelete="CASCADE",
        ),
    )
    # What is encrypted cannot be compressed; trying costs more than writing it.
    op.execute("ALTER TABLE upload_part ALTER COLUMN sealed SET STORAGE EXTERNAL")
    op.create_table(
        "load_run",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("batch_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("upload_id", sa.BigInteger(), nullable=False),
        sa.Column("terms", JSONB(), nullable=False),
        sa.Column("phase", _CODE, nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("phase_began", _TIME, nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("answer", JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("city_id", "batch_id", name="pk_load_run"),
        sa.ForeignKeyConstraint(
            ["city_id", "batch_id"],
            ["load_batch.city_id", "load_batch.batch_id"],
            name="fk_load_run_city_id_batch_id_load_batch",
        ),
    )
    op.create_table(
        "list_mapping",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("vendor", _CODE, nullable=False),
        sa.Column("kind", _CODE, nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("city_id", "vendor", "kind", name="pk_list_mapping"),
    )
    op.add_column("card_secret", sa.Column("batch_id", sa.BigInteger(), nullable=True))
    op.add_column("card_secret", sa.Column("row", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Remove the tables and what waits in them; codes of cards loaded since can no longer be opened."""
    op.drop_column("card_secret", "row")
    op.drop_column("card_secret", "batch_id")
    for table in ("list_mapping", "load_run", "upload_part", "upload"):
        op.drop_table(table)
