"""How issue and recall name the items at the command line."""

from __future__ import annotations

from typing import Annotated, Any

import typer

Resource = Annotated[str, typer.Argument(help="number or sim.")]
Giver = Annotated[str, typer.Argument(help="Code of the organisation that gives.")]
Receiver = Annotated[str, typer.Argument(help="Code of the organisation that receives.")]
Item = Annotated[list[str] | None, typer.Option("--item", help="A number, ICCID or serial; repeat for more.")]
First = Annotated[str | None, typer.Option("--from", help="First item of a range.")]
Last = Annotated[str | None, typer.Option("--to", help="Last item of the range.")]
Count = Annotated[int | None, typer.Option("--count", help="So many items of a sort.")]
Of = Annotated[str | None, typer.Option("--of", help="The sort: a card product, or how numbers begin.")]
Person = Annotated[str | None, typer.Option("--person", help="Who takes, or who hands back.")]
OnTheWay = Annotated[
    bool, typer.Option("--on-the-way", help="The receiver signs for the items first (haoka deliveries).")
]
Reason = Annotated[str | None, typer.Option(help="Why.")]


def selection(
    items: list[str] | None, first: str | None, last: str | None, count: int | None, of: str | None
) -> dict[str, Any]:
    """Return the selection in the form of the API.

    Raises
    ------
    typer.BadParameter
        Not exactly one way of naming items is used.
    """
    ways: list[dict[str, Any]] = []
    if items:
        ways.append({"items": items})
    if first is not None or last is not None:
        ways.append({"first": first, "last": last})
    if count is not None:
        ways.append({"count": count, "of": of})
    if len(ways) != 1 or None in ({"first": first, "last": last}.values() if first or last else ()):
        raise typer.BadParameter("name the items in one way: --item …, --from … --to …, or --count … [--of …]")
    return ways[0]
