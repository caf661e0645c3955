"""The database of an installation: the one it is told of, or the embedded one; migrated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pydantic import SecretStr

from inventory.settings import Settings
from inventory.store import migrate
from inventory.store.embedded import EmbeddedServer
from inventory.store.running import running_url


@contextmanager
def running_database(settings: Settings, say: Callable[[str], None]) -> Iterator[Settings]:
    """Give settings whose `database_url` is a running, migrated database; an embedded one is stopped at the end.

    Raises
    ------
    inventory.store.embedded.EmbeddedServerError
        The embedded server cannot run here; the message says why.
    """
    if settings.database_url is not None:
        migrate.upgrade(settings.sqlalchemy_url())
        yield settings
        return
    with EmbeddedServer(settings.data_dir) as server:
        for remark in server.remarks:
            say(remark)
        migrate.upgrade(server.url)
        yield settings.model_copy(update={"database_url": SecretStr(server.url)})


@contextmanager
def present_database(settings: Settings, say: Callable[[str], None]) -> Iterator[Settings]:
    """Give the settings of `running_database`, or of the embedded server that another process runs already.

    Raises
    ------
    inventory.store.embedded.EmbeddedServerError
        The embedded server cannot run here; the message says why.
    """
    url = None if settings.database_url is not None else running_url(settings.data_dir)
    if url is not None:
        settings = settings.model_copy(update={"database_url": SecretStr(url)})
    with running_database(settings, say) as ready:
        yield ready
