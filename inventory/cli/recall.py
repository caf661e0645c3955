"""`haoka recall`: take items one level up again (回收)."""

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
def recall(
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
    """Recall items to the direct parent, with a document."""
    body = {
        "resource": resource,
        "giver": giver,
        "receiver": receiver,
        "selection": selection(item, first, last, count, of),
        "returner_name": person,
        "reason": reason,
        "on_the_way": on_the_way,
    }
    show_fields(connect().write("/v1/movements:recall", body), as_json=as_json)
