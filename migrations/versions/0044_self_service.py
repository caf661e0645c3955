"""Self-service machines: which reader is one, sessions that may do nothing else, and the sales at them.

Revision ID: 0044
Revises: 0043
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

_CODE = sa.Text(collation="C")


def upgrade() -> None:
    """Add columns and table; no reader is a machine and no session is narrowed."""
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("station_reader", sa.Column("kiosk_kind", _CODE, nullable=True))
    op.add_column("sign_in_session", sa.Column("role", _CODE, nullable=True))
    when = sa.DateTime(timezone=True)
    op.create_table(
        "kiosk_sale",
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("hold_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("station_id", sa.BigInteger(), nullable=False),
        sa.Column("reader", _CODE, nullable=False),
        sa.Column("state", _CODE, nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=True),
        sa.Column("real_name", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("cards", sa.Integer(), server_default="0", nullable=False),
        sa.Column("movement", _CODE, nullable=True),
        sa.Column("movement_no", sa.Integer(), server_default="0", nullable=False),
        sa.Column("insertion", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stop", _CODE, nullable=True),
        sa.Column("staff_no", _CODE, nullable=False),
        sa.Column("interface_no", _CODE, nullable=False),
        sa.Column("created_at", when, nullable=False),
        sa.Column("moved_at", when, nullable=False),
        sa.Column("shown_until", when, nullable=True),
        sa.ForeignKeyConstraint(
            ["city_id", "station_id"],
            ["station.city_id", "station.station_id"],
            name=op.f("fk_kiosk_sale_city_id_station_id_station"),
        ),
        sa.PrimaryKeyConstraint("city_id", "hold_id", name=op.f("pk_kiosk_sale")),
    )
    key = ["city_id", "station_id", "reader"]
    is_open = sa.text("state IN ('waiting', 'serving', 'sold')")
    op.create_index("uq_kiosk_sale_open", "kiosk_sale", key, unique=True, postgresql_where=is_open)
    op.create_index("ix_kiosk_sale_reader", "kiosk_sale", [*key, "created_at"])


def downgrade() -> None:
    """Take them away."""
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_table("kiosk_sale")
    op.drop_column("sign_in_session", "role")
    op.drop_column("station_reader", "kiosk_kind")
