"""`haoka auc`: tell the network (HSS, AuC) of proven cards, and take in what it answered (网络开户)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from inventory.cli.approvals import Approval, Ask, ask_second
from inventory.cli.client import connect
from inventory.cli.tables import AsFile, AsJson, show_fields, show_rows
from inventory.domain.auc import AucAnswer

app = typer.Typer(help=__doc__, invoke_without_command=True)

_ANSWERS_AT_ONCE = 10_000
_COLUMNS = ("id", "form", "transport_key", "hlr", "count", "states", "staff", "approver", "at")
_RESULTS = frozenset(AucAnswer)


@app.callback()
def exports(
    context: typer.Context,
    *,
    csv_file: AsFile = None,
    as_json: AsJson = False,
) -> None:
    """List what the network was told, and how many it has confirmed."""
    if context.invoked_subcommand is not None:
        return
    client = connect()
    if csv_file is not None:
        client.save("/v1/network-exports", csv_file)
        return
    answer = client.read("/v1/network-exports")
    rows = [{**row, "states": _counted(row["states"])} for row in answer["exports"]]
    show_rows(answer, rows, _COLUMNS, as_json=as_json)


@app.command()
def export(
    form: Annotated[str, typer.Argument(help="open5gs, osmo-hlr or csv.")],
    key: Annotated[str, typer.Argument(help="Index of the network's transport key that K and OPc go under.")],
    *,
    hlr: Annotated[str | None, typer.Option(help="Cards of this HLR alone.")] = None,
    most: Annotated[int, typer.Option(help="So many identities at most, up to 1,000,000.")] = 100_000,
    to: Annotated[Path | None, typer.Option(help="Write the file here; without it, fetch it later.")] = None,
    approval: Approval = None,
    ask: Ask = False,
    as_json: AsJson = False,
) -> None:
    """Tell the network of proven cards that it does not know of; always for two persons."""
    wish: dict[str, Any] = {"form": form, "transport_key": key, "hlr": hlr, "most": most}
    if ask:
        ask_second("export_to_network", wish, as_json=as_json)
        return
    answer = connect().write("/v1/network-exports", {**wish, "approval": approval})
    if to is not None:
        _fetch(answer["id"], to)
    show_fields(answer, as_json=as_json)


@app.command()
def fetch(
    export_id: Annotated[
        str, typer.Argument(metavar="FILE_ID", help="Id of an export or of deletions, such as x-530700-1, xd-530700-1.")
    ],
    to: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")],
) -> None:
    """Write the file of an export or of deletions, again if need be."""
    _fetch(export_id, to)


@app.command()
def deletions(*, csv_file: AsFile = None, as_json: AsJson = False) -> None:
    """List the files that told the network to delete identities of cards that are gone, and what is left of each."""
    client = connect()
    if csv_file is not None:
        client.save("/v1/network-deletions", csv_file)
        return
    answer = client.read("/v1/network-deletions")
    show_rows(answer, answer["deletions"], ("id", "form", "hlr", "count", "left", "staff", "at"), as_json=as_json)
    if answer["waiting"] and not as_json:
        typer.echo(f"{answer['waiting']:,} more to be told: haoka auc delete", err=True)


@app.command()
def delete(
    form: Annotated[str, typer.Argument(help="open5gs, osmo-hlr or csv.")],
    *,
    hlr: Annotated[str | None, typer.Option(help="Cards of this HLR alone.")] = None,
    most: Annotated[int, typer.Option(help="So many identities at most, up to 1,000,000.")] = 100_000,
    to: Annotated[Path | None, typer.Option(help="Write the file here; without it, fetch it later.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell the network to delete the identities of cards that are gone for good."""
    answer = connect().write("/v1/network-deletions", {"form": form, "hlr": hlr, "most": most})
    if to is not None:
        _fetch(answer["id"], to)
    show_fields(answer, as_json=as_json)


@app.command()
def waiting(*, as_json: AsJson = False) -> None:
    """List the sales that wait for the network's word, those to do something about first."""
    answer = connect().read("/v1/network-waiting")
    show_rows(answer, answer["sales"], ("number", "iccid", "auc", "since"), as_json=as_json)


@app.command("roll-back")
def roll_back(
    number: Annotated[str, typer.Argument(help="The number of a sale that waits, as `haoka auc waiting` shows it.")],
    *,
    reason: Annotated[str, typer.Option(help="Why the sale is taken back.")],
    as_json: AsJson = False,
) -> None:
    """Take a sale back that waits for the network; a fresh hold of yours has its number and card."""
    client = connect()
    found = [sale for sale in client.read("/v1/waiting-sales")["sales"] if sale["number"] == number]
    hold = next((sale["hold"] for sale in found if sale["state"] == "COMPLETING"), None)
    if hold is None:
        raise typer.BadParameter(f"no sale of {number} waits for the network here: see `haoka auc waiting`")
    show_fields(client.write(f"/v1/holds/{hold}:roll-back", {"reason": reason}), as_json=as_json)


@app.command()
def confirm(
    file: Annotated[Path, typer.Argument(help="CSV with imsi, result (confirmed, failed or deleted) and reason.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Take in what the network answered; a file may be taken in again. Ends with 1 if a row was not taken."""
    client = connect()
    whole: dict[str, Any] = {"confirmed": 0, "failed": 0, "deleted": 0, "unchanged": 0, "completed": 0, "refused": []}
    for _ in _answers(file):
        pass  # all of it is well formed before the first is sent
    answers, first = _answers(file), 1  # the file's first row is its head
    while piece := list(islice(answers, _ANSWERS_AT_ONCE)):
        heard = client.write("/v1/network-answers", {"answers": piece})
        for name in ("confirmed", "failed", "deleted", "unchanged", "completed"):
            whole[name] += heard.get(name, 0)
        whole["refused"] += [{**row, "row": row["row"] + first} for row in heard["refused"]]
        first += len(piece)
    show_fields({**whole, "refused": len(whole["refused"])} if not as_json else whole, as_json=as_json)
    for row in whole["refused"]:
        typer.echo(f"row {row['row']}: {row['code']}", err=True)
    if whole["refused"]:
        raise typer.Exit(1)


def _answers(file: Path) -> Iterator[dict[str, str]]:
    """Give the rows of the file.

    Raises
    ------
    typer.BadParameter
        It cannot be read, lacks a column, or a row has another result.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            for number, row in enumerate(csv.DictReader(lines), start=2):
                if row.get("result") not in _RESULTS or not row.get("imsi"):
                    raise typer.BadParameter(
                        f"row {number}: imsi and result are needed, result confirmed, failed or deleted"
                    )
                reason = (row.get("reason") or "").strip()
                yield {"imsi": row["imsi"].strip(), "result": row["result"], **({"reason": reason} if reason else {})}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise typer.BadParameter(f"{file} cannot be read: {error}") from None


def _fetch(export_id: str, to: Path) -> None:
    of = "network-deletions" if export_id.startswith("xd-") else "network-exports"
    connect().save_file(f"/v1/{of}/{export_id}/file", to)


def _counted(states: dict[str, int]) -> str:
    return ", ".join(f"{state} {count}" for state, count in sorted(states.items()))
