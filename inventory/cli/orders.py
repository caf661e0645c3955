"""`haoka orders`: recall orders (回收令): order everything of a sort back, and see who still owes what."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory.cli.client import connect
from inventory.cli.moves import Of, Resource
from inventory.cli.tables import AsJson, show_fields, show_rows

app = typer.Typer(help=__doc__, invoke_without_command=True)

Order = Annotated[str, typer.Argument(help="The order's id, such as r-530700-3.")]
_COLUMNS = ("id", "resource", "place", "below", "of", "number_class", "state", "asked", "came", "owed", "at")


@app.callback()
def orders(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the orders to your part and those that ask something of it."""
    if context.invoked_subcommand is None:
        answer = connect().read("/v1/recall-orders")
        show_rows(answer, answer["orders"], _COLUMNS, as_json=as_json)


@app.command()
def give(
    resource: Resource,
    place: Annotated[str, typer.Argument(help="Code of the organisation that everything comes back to.")],
    below: Annotated[str, typer.Argument(help="Code of the organisation whose part owes it.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    *,
    of: Of = None,
    number_class: Annotated[int | None, typer.Option("--class", help="Only numbers of this class.")] = None,
    as_json: AsJson = False,
) -> None:
    """Order everything of a sort back: free numbers move at once, cards stop selling and move when handed over."""
    body = {
        "resource": resource,
        "place": place,
        "below": below,
        "reason": reason,
        "of": of,
        "number_class": number_class,
    }
    show_fields(connect().write("/v1/recall-orders", body), as_json=as_json)


@app.command()
def show(order: Order, *, as_json: AsJson = False) -> None:
    """Show who of your part owes what under an order, and the first items."""
    answer = connect().read(f"/v1/recall-orders/{order}")
    debts = answer["order"]["debts"]
    show_rows(answer, debts, ("holder", "name_zh", "free", "promised", "on_the_way"), as_json=as_json)
    if not as_json:
        show_rows(answer, answer["items"], ("item", "holder", "state", "on_the_way"), as_json=False)


@app.command()
def end(order: Order, reason: Annotated[str, typer.Option(help="Why.")], *, as_json: AsJson = False) -> None:
    """End an order; what has not come back sells again."""
    show_fields(connect().write(f"/v1/recall-orders/{order}:end", {"reason": reason}), as_json=as_json)
