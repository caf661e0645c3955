"""The tables of the job queue, in a schema of their own.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_PIN_SEARCH_PATH = """
DO $$
DECLARE routine regprocedure;
BEGIN
    FOR routine IN SELECT oid FROM pg_proc WHERE pronamespace = 'procrastinate'::regnamespace LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = procrastinate, pg_temp', routine);
    END LOOP;
END $$
"""
"""The queue's functions and triggers name its tables bare; whoever calls them, they find their own."""


def _run(sql: str) -> None:
    """Run SQL of several statements, none with parameters."""
    connection = op.get_bind().connection.driver_connection
    if connection is None:
        raise RuntimeError("the migration has no connection")
    with connection.cursor() as cursor:
        cursor.execute(sql)


def upgrade() -> None:
    """Create schema `procrastinate` and run the queue's own SQL in it.

    The pinned version of the package is the one this migration was made with; a new version of the package brings its
    own steps (`procrastinate/sql/migrations`), which then become a migration here.
    """
    _run("CREATE SCHEMA procrastinate")
    _run("SET LOCAL search_path = procrastinate")
    _run(SchemaManager.get_schema())
    _run("SET LOCAL search_path = DEFAULT")
    _run(_PIN_SEARCH_PATH)


def downgrade() -> None:
    """Remove the queue with all its jobs."""
    _run("DROP SCHEMA procrastinate CASCADE")
