"""`haoka holidays`: the days on which working hours are closed that do not open on holidays."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from inventory.cli.client import connect
from inventory.cli.tables import AsFile, AsJson, show_fields, show_rows

app = typer.Typer(help=__doc__, invoke_without_command=True)

_DAY = ["%Y-%m-%d"]


@app.callback()
def holidays(context: typer.Context, *, csv: AsFile = None, as_json: AsJson = False) -> None:
    """List today's holiday and those to come."""
    if context.invoked_subcommand is not None:
        return
    client = connect()
    if csv is not None:
        client.save("/v1/holidays", csv)
        return
    answer = client.read("/v1/holidays")
    show_rows(answer, answer["holidays"], ("day", "name", "added_by"), as_json=as_json)


@app.command("add")
def add(
    first: Annotated[datetime, typer.Argument(formats=_DAY, help="The first day.")],
    last: Annotated[datetime | None, typer.Argument(formats=_DAY, help="The last day, if there are several.")] = None,
    *,
    name: Annotated[str, typer.Option(help="What is celebrated.")],
    as_json: AsJson = False,
) -> None:
    """Add holidays, up to 31 days."""
    days = {"first": first.date().isoformat(), "last": (last or first).date().isoformat()}
    show_fields(connect().write("/v1/holidays", {**days, "name": name}), as_json=as_json)


@app.command("remove")
def remove(
    day: Annotated[datetime, typer.Argument(formats=_DAY, help="The day.")],
    *,
    reason: Annotated[str, typer.Option(help="Why.")],
    as_json: AsJson = False,
) -> None:
    """Make a holiday a day like others."""
    show_fields(connect().write(f"/v1/holidays/{day.date()}:remove", {"reason": reason}), as_json=as_json)
