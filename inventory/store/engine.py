"""Connections to PostgreSQL: one engine a process, sessions for most services, autocommit for the hot ones."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import errors as pg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

LOCK_TIMEOUT = "4s"
STATEMENT_TIMEOUT = "60s"
_RETRYABLE = (pg.LockNotAvailable, pg.DeadlockDetected, pg.SerializationFailure, pg.QueryCanceled)


@dataclass(frozen=True)
class Database:
    """The connections of one process."""

    engine: AsyncEngine
    autocommitting: AsyncEngine
    """The same pool; made once, for making it costs as much as a statement."""
    sessions: async_sessionmaker[AsyncSession]

    def session(self) -> AsyncSession:
        """Return a new session; a service function opens and ends its one transaction."""
        return self.sessions()

    def autocommit(self) -> AsyncConnection:
        """Return a new connection, to be entered with `async with`, on which each statement is a transaction."""
        return self.autocommitting.connect()

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def connect(url: str, *, pool_size: int = 16, application: str = "haoka") -> Database:
    """Return the connections to the database at the SQLAlchemy URL (psycopg 3); nothing is opened yet."""
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=False,
        connect_args={
            "application_name": application,
            "options": f"-c lock_timeout={LOCK_TIMEOUT} -c statement_timeout={STATEMENT_TIMEOUT} -c timezone=UTC",
            "prepare_threshold": 3,
        },
    )
    autocommitting = engine.execution_options(isolation_level="AUTOCOMMIT")
    return Database(engine, autocommitting, async_sessionmaker(engine, expire_on_commit=False))


def is_retryable(error: DBAPIError) -> bool:
    """Whether the same request may succeed when sent again: a lock time-out, a deadlock, a cancelled statement."""
    return isinstance(error.orig, _RETRYABLE)


def is_unique_violation(error: DBAPIError, constraint: str | None = None) -> bool:
    """Whether the error is a duplicate key, of the named constraint if one is given."""
    cause = error.orig
    if not isinstance(cause, pg.UniqueViolation):
        return False
    return constraint is None or cause.diag.constraint_name == constraint
