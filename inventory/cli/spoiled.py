"""`haoka spoiled`: cards that writing has spoiled, by station, vendor's load and fault; the claim for the vendor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inventory.cli.client import connect
from inventory.cli.tables import AsFile, AsJson, show_rows

app = typer.Typer(help=__doc__, invoke_without_command=True)

Station = Annotated[str | None, typer.Option(help="Only this station, such as st-530700-3.")]
Vendor = Annotated[str | None, typer.Option(help="Only loads of this vendor.")]
First = Annotated[str | None, typer.Option("--from", help="First day, such as 2026-11-01.")]
Last = Annotated[str | None, typer.Option("--to", help="Last day, included.")]
_COLUMNS = ("station_name", "vendor", "batch", "fault", "count")


@app.callback()
def spoiled(
    context: typer.Context,
    *,
    station: Station = None,
    vendor: Vendor = None,
    first: First = None,
    last: Last = None,
    csv: AsFile = None,
    as_json: AsJson = False,
) -> None:
    """Count spoiled cards of your part by station, load and fault; each card counts once."""
    if context.invoked_subcommand is not None:
        return
    client, conditions = connect(), {"station": station, "vendor": vendor, "first": first, "last": last}
    if csv is not None:
        client.save("/v1/spoiled-cards", csv, **conditions)
        return
    answer = client.read("/v1/spoiled-cards", **conditions)
    show_rows(answer, answer["rows"], _COLUMNS, as_json=as_json)


@app.command()
def claim(
    file: Annotated[Path, typer.Argument(help="Where to write it; as XLSX if its name ends with .xlsx, else CSV.")],
    *,
    station: Station = None,
    vendor: Vendor = None,
    first: First = None,
    last: Last = None,
) -> None:
    """Write the claim file for a vendor: card by card with load, fault, status word, station and time."""
    connect().save("/v1/spoiled-cards:claim", file, station=station, vendor=vendor, first=first, last=last)
