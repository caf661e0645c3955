"""Readers have a label and the seat that they are bound to.

Revision ID: 0032
Revises: 0031
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_CODE = sa.Text(collation="C")
_COLUMNS: dict[str, sa.types.TypeEngine[Any]] = {
    "label": sa.Text(),
    "seat": _CODE,
    "seat_staff": _CODE,
    "seat_at": sa.TIMESTAMP(timezone=True),
}


def upgrade() -> None:
    """Add the columns; what browsers remembered before is chosen once more."""
    for name, kind in _COLUMNS.items():
        op.add_column("station_reader", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    """Forget labels and seats."""
    for name in _COLUMNS:
        op.drop_column("station_reader", name)
