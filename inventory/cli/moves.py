"""Moves at the command line: issue, recall and transfer name their items and their people the same way."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from inventory.cli.client import connect
from inventory.cli.tables import AsJson, show_fields

Resource = Annotated[str, typer.Argument(help="number or sim.")]
Giver = Annotated[str, typer.Argument(help="Code of the organisation that gives.")]
Receiver = Annotated[str, typer.Argument(help="Code of the organisation that receives.")]
Item = Annotated[list[str] | None, typer.Option("--item", help="A number, ICCID or serial; repeat for more.")]
First = Annotated[str | None, typer.Option("--from", help="First item of a range.")]
Last = Annotated[str | None, typer.Option("--to", help="Last item of the range.")]
Boxes = Annotated[list[str] | None, typer.Option("--box", help="A sealed box; repeat for more.")]
Batch = Annotated[str | None, typer.Option("--batch", help="All of this load that is there, such as b-530700-7.")]
Count = Annotated[int | None, typer.Option("--count", help="So many items of a sort.")]
Of = Annotated[str | None, typer.Option("--of", help="The sort: a card product, or how numbers begin.")]
Class = Annotated[int | None, typer.Option("--class", min=0, max=99, help="The class of the numbers.")]
Person = Annotated[str | None, typer.Option("--person", help="Who takes, or who hands back.")]
OnTheWay = Annotated[
    bool, typer.Option("--on-the-way", help="The receiver signs for the items first (haoka deliveries).")
]
Reason = Annotated[str | None, typer.Option(help="Why.")]


def selection(
    items: list[str] | None,
    first: str | None,
    last: str | None,
    count: int | None,
    of: str | None,
    number_class: int | None = None,
    boxes: list[str] | None = None,
    batch: str | None = None,
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
    if boxes:
        ways.append({"boxes": boxes})
    if batch:
        ways.append({"batch": batch})
    if count is not None:
        ways.append({"count": count, "of": of, "number_class": number_class})
    if len(ways) != 1 or None in ({"first": first, "last": last}.values() if first or last else ()):
        raise typer.BadParameter(
            "name the items in one way: --item …, --from … --to …, --box …, --batch …, "
            "or --count … [--of …] [--class …]"
        )
    return ways[0]


def move_app(verb: str, summary: str, *, person_field: str = "receiver_name") -> typer.Typer:
    """Return the command that sends a move of this verb."""
    app = typer.Typer(help=summary)

    @app.command(name=verb, help=summary)
    def move(
        resource: Resource,
        giver: Giver,
        receiver: Receiver,
        *,
        item: Item = None,
        first: First = None,
        last: Last = None,
        box: Boxes = None,
        batch: Batch = None,
        count: Count = None,
        of: Of = None,
        number_class: Class = None,
        person: Person = None,
        reason: Reason = None,
        on_the_way: OnTheWay = False,
        as_json: AsJson = False,
    ) -> None:
        body = {
            "resource": resource,
            "giver": giver,
            "receiver": receiver,
            "selection": selection(item, first, last, count, of, number_class, box, batch),
            person_field: person,
            "reason": reason,
            "on_the_way": on_the_way,
        }
        show_fields(connect().write(f"/v1/movements:{verb}", body), as_json=as_json)

    return app
