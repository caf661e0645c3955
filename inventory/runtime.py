"""What one process of the product works with, put together once at start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from inventory.access.cache import CallerCache
from inventory.settings import Settings
from inventory.store.engine import Database, connect
from inventory.store.notices import Notices
from inventory.vault.envelope import Vault
from inventory.vault.keys import FileKeyProvider
from inventory.vault.token import guard_of


def utc_now() -> datetime:
    """Return the time now, aware, in UTC: the one clock, read only at the edges."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Runtime:
    """What every request works with.

    `hold_secret` makes hold keys, `body_secret` the digests of request bodies that are kept; `callers` remembers who
    called lately, `notices` tells what stations do.
    """

    settings: Settings
    database: Database
    vault: Vault
    hold_secret: bytes
    body_secret: bytes
    clock: Callable[[], datetime]
    callers: CallerCache
    notices: Notices

    async def close(self) -> None:
        """Close the connections."""
        await self.database.close()


def open_runtime(settings: Settings, *, application: str, clock: Callable[[], datetime] = utc_now) -> Runtime:
    """Build the runtime; the vault's key file is made if there is none, the database is not opened yet.

    Raises
    ------
    ValueError
        No database is set.
    inventory.domain.errors.DomainError
        The key file or its token cannot be used; the refusal says why and what to do.
    """
    vault = Vault(FileKeyProvider(settings.vault_key_path, guard=guard_of(settings.key_token)))
    database = connect(settings.sqlalchemy_url(), pool_size=settings.database_pool, application=application)
    callers = CallerCache(settings.caller_cache_seconds)
    return Runtime(
        settings,
        database,
        vault,
        vault.derive("hold-key"),
        vault.derive("idempotency"),
        clock,
        callers,
        Notices(database),
    )
