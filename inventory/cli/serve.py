"""`haoka serve`: the service alone, in the foreground, on a database that is there; `haoka up` starts it as a child."""

from __future__ import annotations

import socket
from typing import Annotated

import typer
import uvicorn

from inventory.app import create_app
from inventory.cli.processes import listen
from inventory.observability import configure_logging
from inventory.settings import Settings

_GRACE_SECONDS = 5

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
