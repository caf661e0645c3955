"""`haoka segments`: the segments (号段) of the city, their groups (号群) and the states of their numbers; take more."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory.cli.client import connect
from inventory.cli.tables import AsFile, AsJson, show_fields, show_rows
from inventory.domain.identifiers import NumberKind
from inventory.domain.loading.written_out import written_out

app = typer.Typer(help=__doc__, invoke_without_command=True)


@app.callback()
def segments(
    context: typer.Context,
    *,
    prefix: Annotated[str | None, typer.Option(help="How they begin.")] = None,
    group: Annotated[str | None, typer.Option(help="In this group.")] = None,
    hlr: Annotated[str | None, typer.Option(help="Of this HLR.")] = None,
    kind: Annotated[str | None, typer.Option(help="Of this kind of number, such as mobile.")] = None,
    carrier: Annotated[str | None, typer.Option(help="Of this range holder.")] = None,
    after: Annotated[str | None, typer.Option(help="`next_after` of the page before.")] = None,
    limit: Annotated[int, typer.Option(help="So many at most, up to 100; a file has all.")] = 25,
    csv: AsFile = None,
    as_json: AsJson = False,
) -> None:
    """List the segments, with how many numbers your part has in which state."""
    if context.invoked_subcommand is not None:
        return
    conditions = {"prefix": prefix, "group": group, "hlr": hlr, "kind": kind, "carrier": carrier}
    client = connect()
    if csv is not None:
        client.save("/v1/segments", csv, **conditions)
        return
    answer = client.read("/v1/segments", **conditions, after=after, limit=limit)
    rows = [
        {**row, "states": " ".join(f"{state} {count}" for state, count in row["states"].items())}
        for row in answer["segments"]
    ]
    show_rows(answer, rows, ("prefix", "kind", "carrier", "hlr", "group", "states"), as_json=as_json)


@app.command("take")
def take(
    prefixes: Annotated[
        list[str] | None, typer.Argument(help="Segments such as 1388804, or ranges of them; none: all by the plan.")
    ] = None,
    *,
    carrier: Annotated[str, typer.Option(help="Range holder, as the number plan names it.")] = "mobile",
    hlr: Annotated[str, typer.Option(help="HLR of the numbers.")],
    kind: Annotated[NumberKind, typer.Option(help="Kind of the numbers.")] = NumberKind.MOBILE,
    pool: Annotated[str | None, typer.Option(help="Sale pool; none: not on sale yet.")] = None,
    group: Annotated[str | None, typer.Option(help="Group of segments.")] = None,
    listed: Annotated[bool, typer.Option("--listed", help="Own them only; their numbers come by list.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take all the segments, each number with its class, or none of them."""
    wish = {"carrier": carrier, "hlr": hlr, "kind": kind.value, "pool": pool, "group": group, "listed": listed}
    named = written_out("\n".join(prefixes), field="prefixes").split() if prefixes else None
    show_fields(connect().write("/v1/segments", {**wish, "prefixes": named}), as_json=as_json)
