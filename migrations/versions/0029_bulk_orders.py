"""Bulk orders, and write jobs by the spoiled card.

Revision ID: 0029
Revises: 0028
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_CODE = sa.Text(collation="C")
_TIME = sa.TIMESTAMP(timezone=True)
_JOB_INDEXES = {
    "ix_write_job_bulk": (["city_id", "bulk_no"], "bulk_no IS NOT NULL"),
    "ix_write_job_spoiled": (
        ["city_id", "finished_at"],
        "(state = 'damaged' OR verdict ->> 'failure' = 'adm_refused')",
    ),
}


def upgrade() -> None:
    """Make the table and the columns that tie jobs and readers to it; halls go on writing while the indexes grow."""
    op.create_table(
        "bulk_order",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bulk_no", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("station_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("kind_code", _CODE, nullable=False),
        sa.Column("hlr_code", _CODE, nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("state", _CODE, nullable=False),
        sa.Column("staff_no", _CODE, nullable=False),
        sa.Column("interface_no", _CODE, nullable=False),
        sa.Column("opened_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["city_id", "station_id"],
            ["station.city_id", "station.station_id"],
            name=op.f("fk_bulk_order_city_id_station_id_station"),
        ),
        sa.ForeignKeyConstraint(["hlr_code"], ["hlr.code"], name=op.f("fk_bulk_order_hlr_code_hlr")),
        sa.ForeignKeyConstraint(["kind_code"], ["card_kind.code"], name=op.f("fk_bulk_order_kind_code_card_kind")),
        sa.PrimaryKeyConstraint("city_id", "bulk_no", name=op.f("pk_bulk_order")),
        if_not_exists=True,  # it stays when what follows is broken off
    )
    op.create_index(
        "uq_bulk_order_of_station",
        "bulk_order",
        ["city_id", "station_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('RUNNING', 'PAUSED')"),
        if_not_exists=True,
    )
    op.add_column("write_job", sa.Column("bulk_no", sa.BigInteger(), nullable=True), if_not_exists=True)
    op.add_column("station_reader", sa.Column("bulk_job_id", sa.BigInteger(), nullable=True), if_not_exists=True)
    op.add_column("station_reader", sa.Column("bulk_refusal", _CODE, nullable=True), if_not_exists=True)
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for every long transaction, and nobody waits for it
        for name, (columns, where) in _JOB_INDEXES.items():
            op.drop_index(name, "write_job", postgresql_concurrently=True, if_exists=True)  # one that was broken off
            op.create_index(name, "write_job", columns, postgresql_concurrently=True, postgresql_where=sa.text(where))
        op.execute("SET lock_timeout = '4s'")


def downgrade() -> None:
    """Take all of it away; cards written in bulk stay finished cards."""
    with op.get_context().autocommit_block():
        for name in _JOB_INDEXES:
            op.drop_index(name, "write_job", postgresql_concurrently=True, if_exists=True)
    op.drop_column("station_reader", "bulk_refusal")
    op.drop_column("station_reader", "bulk_job_id")
    op.drop_column("write_job", "bulk_no")
    op.drop_table("bulk_order")
