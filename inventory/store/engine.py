"""Connections to PostgreSQL: one engine a process, sessions for most services, autocommit for the hot ones."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial

from psycopg import AsyncConnection as Driver
from psycopg import OperationalError
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
    """Connections of its own that stay as they are: turning one to autocommit and back costs as much as a statement."""
    sessions: async_sessionmaker[AsyncSession]
    long_reads: asyncio.Semaphore
    """To be taken for a read that holds its connection for seconds: all of them leave the others most of the pool."""

    def session(self) -> AsyncSession:
        """Return a new session; a service function opens and ends its one transaction."""
        return self.sessions()

    def autocommit(self) -> AsyncConnection:
        """Return a new connection, to be entered with `async with`, on which each statement is a transaction."""
        return self.autocommitting.connect()

    async def close(self) -> None:
        """Close every connection."""
        await self.autocommitting.dispose()
        await self.engine.dispose()


def connect(url: str, *, pool_size: int = 16, application: str = "haoka") -> Database:
    """Return the connections to the database at the SQLAlchemy URL (psycopg 3); nothing is opened yet.

    Sessions and autocommit have `pool_size` connections each, and as many again while there is a rush.
    """
    make = partial(
        create_async_engine,
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=False,
        hide_parameters=True,  # an error's text reaches the log, and what was bound may be anybody's
        connect_args={
            "application_name": application,
            "options": f"-c lock_timeout={LOCK_TIMEOUT} -c statement_timeout={STATEMENT_TIMEOUT} -c timezone=UTC",
            "prepare_threshold": 3,
        },
    )
    engine = make()
    autocommitting = make(isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    return Database(engine, autocommitting, sessions, asyncio.Semaphore(max(1, pool_size // 4)))


async def see_one_moment(session: AsyncSession) -> None:
    """Let all that the transaction just begun reads be of one moment, however many queries that takes."""
    _ = await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def driver_of(connection: AsyncConnection) -> Driver:
    """Return the driver's own connection under an open one: for what SQLAlchemy has no way to, or too slow a one.

    Raises
    ------
    TypeError
        The connection is not open, or not psycopg's.
    """
    opened = connection.sync_connection
    driver = None if opened is None else opened.connection.driver_connection
    if not isinstance(driver, Driver):
        raise TypeError("this is no open connection of psycopg")
    return driver


def is_retryable(error: DBAPIError) -> bool:
    """Whether the same request may succeed when sent again: a lock time-out, a deadlock, a cancelled statement."""
    return isinstance(error.orig, _RETRYABLE)


def may_pass(error: Exception) -> bool:
    """Whether the error is of the connection or of the moment, so that the same work may succeed later."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(error.orig, OperationalError)
    return isinstance(error, OperationalError | OSError)


def is_foreign_key_violation(error: DBAPIError) -> bool:
    """Whether the error is a row that another one still names."""
    return isinstance(error.orig, pg.ForeignKeyViolation)


def is_unique_violation(error: DBAPIError, constraint: str | None = None) -> bool:
    """Whether the error is a duplicate key, of the named constraint if one is given."""
    cause = error.orig
    if not isinstance(cause, pg.UniqueViolation):
        return False
    return constraint is None or cause.diag.constraint_name == constraint
