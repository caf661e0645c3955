"""`haoka show ITEM`: a number, card, document or load, with its life, items or faults."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory.cli.client import Client, connect, show
from inventory.cli.tables import AsFile, AsJson, show_fields, show_rows

app = typer.Typer(help=__doc__)

_CARD_PREFIXES = ("89", "98")
_SERIAL_LENGTHS = (16, 20)


@app.command("show")
def show_item(
    item: Annotated[str, typer.Argument(help="A number, ICCID, serial, document (m-…) or load (b-…).")],
    *,
    csv: AsFile = None,
    as_json: AsJson = False,
) -> None:
    """Show what it is now and what has happened to it; a file gets a document's items, a load's faults."""
    client = connect()
    if csv is not None:
        if not item.startswith(("m-", "b-")):
            raise typer.BadParameter("only documents (m-…) and loads (b-…) have a list", param_hint="--csv")
        client.save(f"/v1/movements/{item}" if item.startswith("m-") else f"/v1/loads/{item}/faults", csv)
    elif item.startswith("m-"):
        page = client.read(f"/v1/movements/{item}", limit=1000)
        show_fields(page if as_json else page["movement"], as_json=as_json)
        if not as_json:
            rows = [
                {"item": row["item"], "class": row["fee"]["number_class"] if row["fee"] else None}
                for row in page["items"]
            ]
            show_rows(page, rows, ("item", "class"), as_json=False)
    elif item.startswith("b-"):
        load = client.read(f"/v1/loads/{item}")
        faults = client.read(f"/v1/loads/{item}/faults", limit=1000)
        if as_json:
            show({**load, **faults})
            return
        show_fields(load, as_json=False)
        show_rows(faults, faults["faults"], ("row", "column", "value", "code"), as_json=False)
    else:
        _show_stock_item(client, item, as_json=as_json)


def _show_stock_item(client: Client, item: str, *, as_json: bool) -> None:
    """Show a card or number and its life."""
    is_card = item.startswith(_CARD_PREFIXES) or len(item) in _SERIAL_LENGTHS
    path = f"/v1/{'sims' if is_card else 'numbers'}/{item}"
    now, life = client.read(path), client.read(f"{path}/history")
    if as_json:
        show({**now, "life": life["entries"]})
        return
    show_fields(now, as_json=False)
    columns = ("at", "what", "from_state", "to_state", "giver", "receiver", "document", "staff", "reason")
    show_rows(life, life["entries"], columns, as_json=False)
