"""`haoka plan`: the national number plan in force; load a later version."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from inventory.cli.client import connect
from inventory.cli.tables import AsJson, show_fields, show_rows

app = typer.Typer(help=__doc__, invoke_without_command=True)
_SHOWN = ("source", "version", "dated", "loaded_at", "rows")


@app.callback()
def plan(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Show the version in force, and who holds how many segments of the city."""
    if context.invoked_subcommand is None:
        answer = connect().read("/v1/number-plan")
        current = answer["in_force"]
        if not as_json:
            show_fields({name: current and current[name] for name in _SHOWN}, as_json=False)
        show_rows(answer, answer["city"], ("carrier", "kind", "segments"), as_json=as_json)


@app.command("load")
def load(
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="A table, or phone.dat; without it the product's own list."),
    ] = None,
    *,
    version: Annotated[str | None, typer.Option(help="Version of a table.")] = None,
    dated: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day of a table.")] = None,
    as_json: AsJson = False,
) -> None:
    """Put a version in force for all cities, whole or not at all; segments in stock stay as they are."""
    fields = {"version": version or "", **({"dated": dated.date().isoformat()} if dated else {})}
    with ExitStack() as open_files:
        files = {} if file is None else {"file": (file.name, open_files.enter_context(file.open("rb")))}
        answer = connect().write("/v1/number-plan", data=fields, files=files)
    show_fields(answer if as_json else {name: answer[name] for name in _SHOWN}, as_json=as_json)
