"""`haoka loads`: the loads of the city, leave one that runs, undo one that was a mistake."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory.cli.client import connect
from inventory.cli.tables import AsFile, AsJson, show_fields, show_rows

app = typer.Typer(help=__doc__, no_args_is_help=True)
Load = Annotated[str, typer.Argument(help="The load, such as b-530700-7.")]


@app.command("list")
def list_loads(
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 20,
    csv: AsFile = None,
    as_json: AsJson = False,
) -> None:
    """List the loads of the city, the newest first; as a file all of them."""
    client = connect()
    if csv is not None:
        client.save("/v1/loads", csv)
        return
    found = client.read("/v1/loads", limit=limit)
    columns = ("id", "state", "resource", "source", "rows", "accepted", "rejected", "staff", "created_at")
    show_rows(found, found["loads"], columns, as_json=as_json)


@app.command()
def undo(
    load: Load,
    *,
    reason: Annotated[str, typer.Option(help="Why.")],
    as_json: AsJson = False,
) -> None:
    """Take out of stock again what a load brought, as long as nothing of it has moved or changed."""
    show_fields(connect().write(f"/v1/loads/{load}:undo", {"reason": reason}), as_json=as_json)


@app.command()
def cancel(load: Load, *, as_json: AsJson = False) -> None:
    """Leave a load that runs; nothing of it is taken."""
    show_fields(connect().write(f"/v1/loads/{load}:cancel"), as_json=as_json)
