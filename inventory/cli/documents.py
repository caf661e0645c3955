"""`haoka documents`: what was issued, recalled, transferred, signed for and sold, newest first."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory.cli.client import connect
from inventory.cli.tables import AsFile, AsJson, show_rows

app = typer.Typer(help=__doc__)

_COLUMNS = ("id", "kind", "resource", "state", "giver", "receiver", "count", "staff", "at")


@app.command("documents")
def documents(
    place: Annotated[str | None, typer.Argument(help="Given or received there or below; by default by you.")] = None,
    *,
    kind: Annotated[str | None, typer.Option(help="Only these, such as ISSUE or SALE.")] = None,
    resource: Annotated[str | None, typer.Option(help="Only this kind of stock: number or sim.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="First day, such as 2026-11-01.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day, included.")] = None,
    before: Annotated[int | None, typer.Option(help="`next_before` of the page before.")] = None,
    limit: Annotated[int, typer.Option(help="So many at most, up to 1000; a file has all.")] = 100,
    csv: AsFile = None,
    as_json: AsJson = False,
) -> None:
    """List documents of your part; `haoka show` tells what is on one."""
    client, conditions = connect(), {"place": place, "kind": kind, "resource": resource, "first": first, "last": last}
    if csv is not None:
        client.save("/v1/movements", csv, **conditions)
        return
    answer = client.read("/v1/movements", **conditions, before=before, limit=limit)
    show_rows(answer, answer["documents"], _COLUMNS, as_json=as_json)
