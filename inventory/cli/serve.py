"""`haoka serve`: the service alone, in the foreground, on a database that is there; `haoka up` starts it as a child."""

from __future__ import annotations

import socket
from typing import Annotated

import typer
import uvicorn

from inventory.app import create_app
from inventory.observability import configure_logging
from inventory.settings import Settings

_GRACE_SECONDS = 5
_BACKLOG = 2048

app = typer.Typer()


@app.command()
def serve(
    *,
    fd: Annotated[int | None, typer.Option(help="Take connections on this inherited listening socket.")] = None,
) -> None:
    """Serve the API and the pages until SIGTERM; settings are in the environment (docs/settings.md)."""
    settings = Settings()
    configure_logging(level=settings.log_level, form=settings.log_format)
    listening = listen(settings.host, settings.port) if fd is None else socket.socket(fileno=fd)
    config = uvicorn.Config(
        create_app(settings),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listening])


def listen(host: str, port: int, *, or_any: bool = False) -> socket.socket:
    """Return a listening socket; with `or_any` any free port is taken where the wanted one is in use.

    Raises
    ------
    OSError
        The address is not this machine's, or the port is in use.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError:
        if not or_any:
            raise
        return socket.create_server((host, 0), family=family, backlog=_BACKLOG)
