"""The shape of the database over time (Alembic)."""
