"""`haoka worker`: the background process alone, in the foreground; `haoka up` starts it as a child."""

from __future__ import annotations

import typer

from inventory.settings import Settings
from inventory.worker.main import main

app = typer.Typer()


@app.command()
def worker() -> None:
    """End holds in time, seal events, audit at night, until SIGTERM; settings are in the environment."""
    main(Settings())
