"""`haoka stock`: what there is, per place, kind and state."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory.cli.client import connect
from inventory.cli.tables import AsFile, AsJson, show_rows

app = typer.Typer(help=__doc__)


@app.command()
def stock(
    place: Annotated[str | None, typer.Argument(help="Code of the organisation; by default your own.")] = None,
    *,
    resource: Annotated[str | None, typer.Option(help="Only this kind: number or sim.")] = None,
    csv: AsFile = None,
    as_json: AsJson = False,
) -> None:
    """Count what lies at a place and at each of its direct children."""
    client = connect()
    if csv is not None:
        client.save("/v1/stock", csv, place=place, resource=resource)
        return
    answer = client.read("/v1/stock", place=place, resource=resource)
    columns = ("place", "level", "resource", "sort", "state", "count", "own", "on_the_way")
    show_rows(answer, answer["counts"], columns, as_json=as_json)
