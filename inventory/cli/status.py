"""`haoka status`: set the state of a number or card, within its life cycle and with a reason (状态释放)."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory.cli.approvals import Approval, Ask, ask_second
from inventory.cli.client import connect
from inventory.cli.moves import Resource
from inventory.cli.tables import AsJson, show_fields

app = typer.Typer(help=__doc__)


@app.command()
def status(
    resource: Resource,
    item: Annotated[str, typer.Argument(help="The number, ICCID or serial.")],
    to_state: Annotated[str, typer.Argument(help="The state to set, such as DAMAGED.")],
    *,
    reason: Annotated[str, typer.Option(help="Why.")],
    order: Annotated[str | None, typer.Option(help="The order it belongs to.")] = None,
    approval: Approval = None,
    ask: Ask = False,
    as_json: AsJson = False,
) -> None:
    """Set the state of one item."""
    body = {"to_state": to_state, "reason": reason, "order_ref": order}
    if ask:
        ask_second("release_status", {"resource": resource, "item": item, **body}, as_json=as_json)
    else:
        path = f"/v1/{resource}s/{item}:release-status"
        show_fields(connect().write(path, {**body, "approval": approval}), as_json=as_json)
