"""`haoka legal`: legal holds (司法/政企保留): put items under an order, list them, lift one with two persons."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from inventory.cli.approvals import Approval, Ask, ask_second
from inventory.cli.client import connect
from inventory.cli.moves import Boxes, First, Item, Last, Resource, selection
from inventory.cli.tables import AsJson, show_fields, show_rows
from inventory.services.legal_holds import LIFT

app = typer.Typer(help=__doc__, invoke_without_command=True)

LegalHold = Annotated[str, typer.Argument(help="The legal hold's id, such as l-530700-3.")]
Day = Annotated[datetime, typer.Option("--given-on", formats=["%Y-%m-%d"], help="The day of the order.")]
ReviewDay = Annotated[
    datetime | None,
    typer.Option("--review-on", formats=["%Y-%m-%d"], help="The day on which to ask whether it still stands."),
]
_COLUMNS = ("id", "resource", "state", "count", "authority", "reference", "given_on", "review_on", "review_due")


@app.callback()
def legal(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the legal holds of the city, those in force first."""
    if context.invoked_subcommand is None:
        answer = connect().read("/v1/legal-holds")
        show_rows(answer, answer["legal_holds"], _COLUMNS, as_json=as_json)


@app.command()
def place(
    resource: Resource,
    *,
    reference: Annotated[str, typer.Option(help="The authority's own number of the order.")],
    authority: Annotated[str, typer.Option(help="Who gave it.")],
    reason: Annotated[str, typer.Option(help="What for.")],
    given_on: Day,
    review_on: ReviewDay = None,
    item: Item = None,
    first: First = None,
    last: Last = None,
    box: Boxes = None,
    as_json: AsJson = False,
) -> None:
    """Put items under an order, in whatever state; what was promised of them ends."""
    body = {
        "resource": resource,
        "selection": selection(item, first, last, None, None, boxes=box),
        "reference": reference,
        "authority": authority,
        "reason": reason,
        "given_on": given_on.date().isoformat(),
        "review_on": None if review_on is None else review_on.date().isoformat(),
    }
    show_fields(connect().write("/v1/legal-holds", body), as_json=as_json)


@app.command()
def show(legal_hold: LegalHold, *, as_json: AsJson = False) -> None:
    """Show a legal hold and the first of its items."""
    answer = connect().read(f"/v1/legal-holds/{legal_hold}")
    show_fields(answer if as_json else answer["legal_hold"], as_json=as_json)
    if not as_json:
        show_rows(answer, answer["items"], ("item", "state", "holder"), as_json=False)


@app.command()
def lift(
    legal_hold: LegalHold,
    reason: Annotated[str, typer.Option(help="Why.")],
    *,
    approval: Approval = None,
    ask: Ask = False,
    as_json: AsJson = False,
) -> None:
    """Lift a legal hold with a second person's word; what is under no other one sells again."""
    if ask:
        ask_second(LIFT, {"legal_hold": legal_hold, "reason": reason}, as_json=as_json)
    else:
        body = {"reason": reason, "approval": approval}
        show_fields(connect().write(f"/v1/legal-holds/{legal_hold}:lift", body), as_json=as_json)
