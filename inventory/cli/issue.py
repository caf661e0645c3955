"""`haoka issue`: hand items one level down (发放)."""

from __future__ import annotations

import typer

from inventory.cli.client import connect
from inventory.cli.moves import (
    Count,
    First,
    Giver,
    Item,
    Last,
    Of,
    OnTheWay,
    Person,
    Reason,
    Receiver,
    Resource,
    selection,
)
from inventory.cli.tables import AsJson, show_fields

app = typer.Typer(help=__doc__)


@app.command()
def issue(
    resource: Resource,
    giver: Giver,
    receiver: Receiver,
    *,
    item: Item = None,
    first: First = None,
    last: Last = None,
    count: Count = None,
    of: Of = None,
    person: Person = None,
    reason: Reason = None,
    on_the_way: OnTheWay = False,
    as_json: AsJson = False,
) -> None:
    """Issue items to a direct child, with a document."""
    body = {
        "resource": resource,
        "giver": giver,
        "receiver": receiver,
        "selection": selection(item, first, last, count, of),
        "receiver_name": person,
        "reason": reason,
        "on_the_way": on_the_way,
    }
    show_fields(connect().write("/v1/movements:issue", body), as_json=as_json)
