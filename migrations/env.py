"""Run the migrations on the database that `inventory.store.migrate` or HAOKA_DATABASE_URL names."""

from __future__ import annotations

import os
from typing import Any

from alembic import context
from sqlalchemy import Connection, create_engine, pool, text

from inventory.store.schema import Base

QUEUE = "procrastinate"
"""How the names of the job queue's own tables begin; autogenerate leaves them alone."""


def _ours(_object: Any, name: str | None, type_: str, _reflected: object, _compare_to: object) -> bool:
    return not (type_ == "table" and (name or "").startswith(QUEUE))


def _migrate(connection: Connection) -> None:
    connection.execute(text("SET lock_timeout = '4s'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_object=_ours,
        compare_type=True,
        user_module_prefix="schema.",
        compare_server_default=False,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    _migrate(given)
else:
    url = context.config.get_main_option("sqlalchemy.url") or os.environ["HAOKA_DATABASE_URL"]
    with create_engine(url, poolclass=pool.NullPool).connect() as own:
        _migrate(own)
