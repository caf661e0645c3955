"""`haoka items KIND`: list numbers or cards by what they are called, where they lie, how they are and what they are."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from inventory.cli.client import connect
from inventory.cli.tables import AsFile, AsJson, show_rows

app = typer.Typer(help=__doc__)

_COLUMNS = {
    "number": ("item", "state", "holder", "sort", "number_class", "hlr", "pool", "batch", "on_the_way", "updated_at"),
    "sim": ("item", "serial", "state", "holder", "sort", "hlr", "pool", "batch", "on_the_way", "updated_at"),
}


@app.command("items")
def list_items(
    resource: Annotated[str, typer.Argument(help="number or sim.")],
    name: Annotated[str | None, typer.Argument(help="How it begins; ? is one character, * any run.")] = None,
    *,
    place: Annotated[str | None, typer.Option(help="Code of the organisation; by default your own.")] = None,
    itself: Annotated[bool, typer.Option("--itself", help="Nothing of the places below it.")] = False,
    first: Annotated[str | None, typer.Option("--from", help="First name of a range.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last name of the range.")] = None,
    state: Annotated[list[str] | None, typer.Option(help="In this state; repeat for more.")] = None,
    sort: Annotated[str | None, typer.Option(help="A card product, or a kind of number.")] = None,
    number_class: Annotated[int | None, typer.Option("--class", help="Class of numbers.")] = None,
    segment: Annotated[str | None, typer.Option(help="Digits that numbers begin with.")] = None,
    group: Annotated[str | None, typer.Option(help="Group of the numbers' segments.")] = None,
    hlr: Annotated[str | None, typer.Option(help="Of this HLR.")] = None,
    batch: Annotated[str | None, typer.Option(help="The load that brought them, such as b-530700-12.")] = None,
    capability: Annotated[str | None, typer.Option(help="What cards can do, such as 5G.")] = None,
    on_the_way: Annotated[bool, typer.Option("--on-the-way", help="Only what is not signed for yet.")] = False,
    legal_hold: Annotated[bool, typer.Option("--legal-hold", help="Only what is under a legal hold.")] = False,
    after: Annotated[int | None, typer.Option(help="`next_after` of the page before.")] = None,
    limit: Annotated[int, typer.Option(help="So many at most, up to 1000; a file has all.")] = 100,
    csv: AsFile = None,
    as_json: AsJson = False,
) -> None:
    """List items of your part, in the order in which they were taken in."""
    if resource not in _COLUMNS:
        raise typer.BadParameter("number or sim", param_hint="resource")
    conditions: dict[str, Any] = {
        "name": name, "place": place, "itself": itself or None, "first": first, "last": last, "state": state or None,
        "sort": sort, "number_class": number_class, "segment": segment, "group": group, "hlr": hlr, "batch": batch,
        "capability": capability, "on_the_way": on_the_way or None,
        "legal_hold": legal_hold or None,
    }  # fmt: skip
    client, path = connect(), f"/v1/{resource}s"
    if csv is not None:
        client.save(path, csv, **conditions)
        return
    answer = client.read(path, **conditions, after=after, limit=limit)
    show_rows(answer, answer["items"], _COLUMNS[resource], as_json=as_json)
