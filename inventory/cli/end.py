"""`haoka end`: scrap, lost and found, write-off, return to the vendor or to another city, void; seal off and open."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory.api.v1.ends import SUMMARIES
from inventory.cli.approvals import Approval, Ask, ask_second
from inventory.cli.client import connect
from inventory.cli.moves import Batch, Boxes, First, Item, Last, Resource, selection
from inventory.cli.tables import AsJson, show_fields, show_rows
from inventory.services.ending import Ending

app = typer.Typer(help=__doc__, no_args_is_help=True)

Place = Annotated[str, typer.Argument(help="Code of the organisation whose stock it is.")]
Scanned = Annotated[
    typer.FileText | None,
    typer.Option("--handed-in", help="File with the scanned cards, one to a line, as handed in; - is standard input."),
]


def _add(way: Ending) -> None:
    """Add the command of a way."""
    verb = way.replace("_", "-")

    @app.command(verb, help=f"{SUMMARIES[way]}.")
    def end(
        resource: Resource,
        place: Place,
        *,
        reason: Annotated[str, typer.Option(help="Why.")],
        item: Item = None,
        first: First = None,
        last: Last = None,
        box: Boxes = None,
        batch: Batch = None,
        reference: Annotated[str | None, typer.Option(help="The claim, stocktake or dispute.")] = None,
        person: Annotated[str | None, typer.Option("--person", help="Who hands in.")] = None,
        handed_in: Scanned = None,
        to_city: Annotated[str | None, typer.Option(help="Code of the city that the cards are sent to.")] = None,
        approval: Approval = None,
        ask: Ask = False,
        as_json: AsJson = False,
    ) -> None:
        scanned = None if handed_in is None else [line.strip("\ufeff \t\r\n") for line in handed_in if line.strip()]
        body = {
            "resource": resource,
            "place": place,
            "selection": selection(item, first, last, None, None, boxes=box, batch=batch),
            "reason": reason,
            "reference": reference,
            "person": person,
            "handed_in": scanned,
            "to_city": to_city,
        }
        if ask:
            ask_second(way.value, body, as_json=as_json)
        else:
            answer = connect().write(f"/v1/movements:{verb}", {**body, "approval": approval})
            show_fields(answer, as_json=as_json)


for _way in Ending:
    _add(_way)


@app.command()
def spoiled(*, as_json: AsJson = False) -> None:
    """List who still owes spoiled cards."""
    answer = connect().read("/v1/stock:spoiled")
    show_rows(answer, answer["accounts"], ("place", "resource", "sort", "state", "count"), as_json=as_json)
