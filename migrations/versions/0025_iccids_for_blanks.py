"""Card data may have an ICCID, for blanks that have a chip serial only.

Revision ID: 0025
Revises: 0024
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_TABLE = "subscription_data"
_UNIQUE = "uq_subscription_data_iccid"
_FREE = {
    "ix_subscription_data_plain": "state = 'FREE' AND iccid IS NULL",
    "ix_subscription_data_numbered": "state = 'FREE' AND iccid IS NOT NULL",
}
"""A card takes the next unit of its own sort, however many of the other sort lie between."""


def upgrade() -> None:
    """Add the column and the indexes of the free units of either sort; halls go on selling."""
    op.add_column(_TABLE, sa.Column("iccid", sa.Text(collation="C")), if_not_exists=True)  # it stays if broken off
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for every long transaction, and nobody waits for it
        for name, where in _FREE.items():
            op.drop_index(name, _TABLE, postgresql_concurrently=True, if_exists=True)  # one that was broken off
            op.create_index(
                name,
                _TABLE,
                ["city_id", "hlr_code", "data_no"],
                postgresql_concurrently=True,
                postgresql_where=sa.text(where),
            )
        op.drop_index(_UNIQUE, _TABLE, postgresql_concurrently=True, if_exists=True)
        op.create_index(
            _UNIQUE,
            _TABLE,
            ["city_id", "iccid"],
            unique=True,
            postgresql_concurrently=True,
            postgresql_where=sa.text("iccid IS NOT NULL"),
        )
        op.execute("SET lock_timeout = '4s'")


def downgrade() -> None:
    """Remove the column with its indexes; refused while a unit has an ICCID, which nothing else remembers."""
    op.execute("""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM subscription_data WHERE iccid IS NOT NULL) THEN
                RAISE EXCEPTION 'card data with ICCIDs are in stock';
            END IF;
        END $$
    """)
    op.drop_column(_TABLE, "iccid")
