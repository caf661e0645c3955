"""`haoka flow KIND`: what came to a place, went, was sold and was found damaged, day by day."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory.cli.client import connect
from inventory.cli.tables import AsFile, AsJson, show_rows

app = typer.Typer(help=__doc__)


@app.command("flow")
def flow(
    resource: Annotated[str, typer.Argument(help="number or sim.")],
    place: Annotated[str | None, typer.Argument(help="Code of the organisation; by default your own.")] = None,
    *,
    days: Annotated[int, typer.Option(help="So many days back: 7, 30 or 90.")] = 30,
    csv: AsFile = None,
    as_json: AsJson = False,
) -> None:
    """Count what passed the border of a place of your part; what stays within it is no movement."""
    client, asked = connect(), {"resource": resource, "place": place, "days": days}
    if csv is not None:
        client.save("/v1/stock/flow", csv, **asked)
        return
    answer = client.read("/v1/stock/flow", **asked)
    show_rows(answer, answer["days"], ("day", "came", "went", "sold", "damaged"), as_json=as_json)
