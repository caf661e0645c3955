"""`haoka count`: compare what was scanned in a drawer with the book (盘点)."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory.cli.client import connect
from inventory.cli.moves import Resource
from inventory.cli.tables import AsJson, show_fields, show_rows

app = typer.Typer(help=__doc__)


@app.command()
def count(
    resource: Resource,
    place: Annotated[str, typer.Argument(help="Code of the organisation whose drawer it is.")],
    scanned: Annotated[typer.FileText, typer.Argument(help="File with one item to a line; - is standard input.")],
    *,
    by: Annotated[str | None, typer.Option("--by", help="Who counted.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send the scan and show what is missing and what is too much; exit 1 if the book and the drawer differ."""
    items = [line.strip("\ufeff \t\r\n") for line in scanned if line.strip()]
    body = {"resource": resource, "place": place, "items": items, "counted_by": by}
    answer = connect().write("/v1/stock:count", body)
    if as_json:
        show_fields(answer, as_json=True)
    else:
        show_fields({name: answer[name] for name in ("place", "scanned", "book", "missing", "extra")}, as_json=False)
        strays = [{"what": "missing", "code": "", "holder": "", **row} for row in answer["missing_items"]]
        strays += [{"what": "extra", **row} for row in answer["extra_items"]]
        show_rows(answer, strays, ("what", "item", "state", "code", "holder"), as_json=False)
    if not answer["agrees"]:
        raise typer.Exit(1)
