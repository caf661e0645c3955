"""`haoka alerts`: what runs low, how long it lasts, who beside could help; set the thresholds."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from inventory.cli.client import connect
from inventory.cli.tables import AsFile, AsJson, show_fields, show_rows

app = typer.Typer(help=__doc__, invoke_without_command=True)

Place = Annotated[str, typer.Argument(help="Code of the organisation.")]
Resource = Annotated[str, typer.Argument(help="number, sim, or data (card data of an HLR).")]
Sort = Annotated[str, typer.Option(help="A card product, or a class of numbers; without it any.")]
Hlr = Annotated[str, typer.Option(help="An HLR; without it any.")]
_COLUMNS = ("place", "resource", "sort", "hlr", "minimum", "free", "sold", "days", "low", "giver", "give")


@app.callback()
def alerts(
    context: typer.Context,
    *,
    place: Annotated[str | None, typer.Option(help="Only there and below; by default your part.")] = None,
    low: Annotated[bool, typer.Option("--low", help="Only what has come down to its threshold.")] = False,
    csv: AsFile = None,
    as_json: AsJson = False,
) -> None:
    """List thresholds with what is there now, low ones first."""
    if context.invoked_subcommand is not None:
        return
    client, asked = connect(), {"place": place, "low": low or None}
    if csv is not None:
        client.save("/v1/stock/alerts", csv, **asked)
        return
    answer = client.read("/v1/stock/alerts", **asked)
    show_rows(answer, answer["alerts"], _COLUMNS, as_json=as_json)


@app.command("set")
def set_threshold(
    place: Place,
    resource: Resource,
    minimum: Annotated[int, typer.Argument(help="Low is when no more than so many are free.")],
    *,
    sort: Sort = "",
    hlr: Hlr = "",
    as_json: AsJson = False,
) -> None:
    """Set or change a threshold of a place and all below it."""
    _put({"place": place, "resource": resource, "sort": sort, "hlr": hlr, "minimum": minimum}, as_json=as_json)


@app.command("clear")
def clear(place: Place, resource: Resource, *, sort: Sort = "", hlr: Hlr = "", as_json: AsJson = False) -> None:
    """Take a threshold away."""
    _put({"place": place, "resource": resource, "sort": sort, "hlr": hlr, "minimum": None}, as_json=as_json)


def _put(body: dict[str, Any], *, as_json: bool) -> None:
    show_fields(connect().write("/v1/stock/thresholds", body), as_json=as_json)
