"""`haoka box`: pack cards into sealed boxes that are moved as one (箱)."""

from __future__ import annotations

import csv
from typing import Annotated, Any

import typer

from inventory.cli.client import connect
from inventory.cli.moves import Batch, First, Item, Last, Resource, selection
from inventory.cli.tables import AsJson, show_fields, show_rows

app = typer.Typer(help=__doc__, invoke_without_command=True)

Box = Annotated[str, typer.Argument(help="The box's code, as printed on it.")]
Place = Annotated[str, typer.Argument(help="Code of the organisation where the items lie.")]
Seal = Annotated[str | None, typer.Option(help="Number of the seal.")]
_COLUMNS = ("box", "resource", "place", "state", "seal", "count", "packed_at")
_LIST_COLUMNS = ("box", "seal", "first", "last")


@app.callback()
def boxes(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the newest boxes that lie in your part."""
    if context.invoked_subcommand is None:
        answer = connect().read("/v1/boxes")
        show_rows(answer, answer["boxes"], _COLUMNS, as_json=as_json)


@app.command()
def pack(
    resource: Resource,
    place: Place,
    box: Box,
    *,
    seal: Seal = None,
    item: Item = None,
    first: First = None,
    last: Last = None,
    batch: Batch = None,
    inner: Annotated[list[str] | None, typer.Option("--box", help="A sealed box to take in; repeat for more.")] = None,
    as_json: AsJson = False,
) -> None:
    """Pack items, or sealed boxes, into a box and seal it."""
    named = selection(item, first, last, None, None, batch=batch) if item or first or last or batch else None
    show_fields(_pack(resource, place, box, seal, named, inner or []), as_json=as_json)


@app.command(name="pack-list")
def pack_list(
    resource: Resource,
    place: Place,
    file: Annotated[typer.FileText, typer.Argument(help="CSV with the columns box, seal, first, last.")],
) -> None:
    """Pack many boxes, each a range of items, from the list that came with them; stops at the first refusal."""
    rows = csv.DictReader(line.lstrip("\ufeff") for line in file)
    if not set(_LIST_COLUMNS) <= set(rows.fieldnames or ()):
        raise typer.BadParameter(f"the first line names the columns {', '.join(_LIST_COLUMNS)}")
    for row in rows:
        named = {"first": row["first"], "last": row["last"]}
        done = _pack(resource, place, row["box"], row["seal"] or None, named, [])
        typer.echo(f"{done['box']}\t{done['count']}")


@app.command()
def show(box: Box, *, as_json: AsJson = False) -> None:
    """Show a box, where its items lie, and the first of them."""
    answer = connect().read(f"/v1/boxes/{box}", limit="1000")
    if as_json:
        show_fields(answer, as_json=True)
        return
    inside = " ".join(answer["inside"])
    show_fields({**answer["box"], "parent": answer["parent"], "inside": inside}, as_json=False)
    show_rows(answer, answer["lying"], ("holder", "state", "on_the_way", "count"), as_json=False)
    show_rows(answer, answer["items"], ("item", "state"), as_json=False)


@app.command(name="open")
def open_(box: Box, reason: Annotated[str, typer.Option(help="Why.")], *, as_json: AsJson = False) -> None:
    """Break the seal of a box; its items are moved one by one from now on."""
    show_fields(connect().write(f"/v1/boxes/{box}:open", {"reason": reason}), as_json=as_json)


def _pack(
    resource: str, place: str, box: str, seal: str | None, named: dict[str, Any] | None, inner: list[str]
) -> dict[str, Any]:
    body = {"resource": resource, "place": place, "box": box, "seal": seal, "selection": named, "boxes": inner}
    return connect().write("/v1/boxes", body)
