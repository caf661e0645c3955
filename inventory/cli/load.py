"""`haoka load FILE`: load a vendor's cards, a pool of IMSIs, or a list; `haoka show` lists the faults of a load.

Without a file: `haoka load --item FIRST-LAST --kind number_list` takes a range, `haoka load -` what is typed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, Annotated, Any, Final

import typer

from inventory.cli.client import Client, Refused, connect
from inventory.cli.tables import AsJson, show_fields, show_rows
from inventory.cli.uploading import follow, goes_in_pieces, send
from inventory.domain.lifecycle import LoadState
from inventory.domain.loading.written_out import written_out
from inventory.services.load_terms import FileKind

_TYPED: Final = Path("-")

app = typer.Typer(help=__doc__)


@app.command()
def load(
    file: Annotated[
        Path | None,
        typer.Argument(dir_okay=False, help="The file, as delivered; - to type or scan."),
    ] = None,
    *,
    item: Annotated[
        list[str] | None, typer.Option(help="An item, a row of a list, or a range FIRST-LAST, instead of a file.")
    ] = None,
    kind: Annotated[FileKind, typer.Option(help="What the file holds.")] = FileKind.SIM_VENDOR,
    card_kind: Annotated[str | None, typer.Option(help="Card product of the cards.")] = None,
    hlr: Annotated[str | None, typer.Option(help="HLR of finished cards whose rows name none.")] = None,
    vendor: Annotated[str | None, typer.Option(help="Who made the cards.")] = None,
    pool: Annotated[str | None, typer.Option(help="Sale pool the items go to.")] = None,
    columns: Annotated[str | None, typer.Option(help="Where a list's columns are: iccid=2,serial=NAME.")] = None,
    keep_good: Annotated[bool, typer.Option("--keep-good", help="Take the good rows, list the bad ones.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, take nothing.")] = False,
    announced: Annotated[
        bool, typer.Option("--announced", help="The cards come later: each counts once it is scanned in.")
    ] = False,
    background: Annotated[
        bool, typer.Option("--background", help="Send it in pieces and let a worker load it, however small it is.")
    ] = False,
    rejects: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Write a list's bad rows here, in its own form, to be mended."),
    ] = None,
    check_digit: Annotated[
        bool | None, typer.Option(help="The ICCIDs of a range end with a check digit; or all their digits count.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Load the file whole, or nothing of it; or its good rows, or only try. A large one is loaded by a worker."""
    given = {"kind": kind.value, "card_kind": card_kind, "hlr": hlr, "vendor": vendor, "pool": pool, "columns": columns}
    asked = {"keep_good": keep_good, "dry_run": dry_run, "announced": announced}
    wanted = {name: True for name, said in asked.items() if said}
    fields: dict[str, Any] = {name: value for name, value in given.items() if value is not None} | wanted
    if (file is None) is (item is None):
        raise typer.BadParameter("name a file, or items with --item, and not both")
    if file not in {None, _TYPED} and not file.is_file():
        raise typer.BadParameter(f"there is no file {file}")
    client = connect()
    by_hand = item if file is None else sys.stdin.read().splitlines() if file == _TYPED else None
    if by_hand is None and file is not None and (background or goes_in_pieces(file)):
        _in_background(client, file, fields, rejects, as_json=as_json)
        return
    try:
        with _content(file, by_hand, check_digit=check_digit) as content:
            answer = client.write("/v1/loads", data=fields, files={"file": content})
    except Refused as refused:
        if rejects is not None and "rows" in refused.params:
            _write_rejects(client, str(refused.params["batch"]), rejects)
        raise
    if rejects is not None and answer.get("rejected"):
        _write_rejects(client, str(answer["id"]), rejects)
    faults = [] if as_json else answer.pop("faults", [])
    show_fields(answer, as_json=as_json)
    if faults:
        show_rows(answer, faults, ("row", "column", "value", "code"), as_json=False)


@contextmanager
def _content(
    file: Path | None, by_hand: list[str] | None, *, check_digit: bool | None
) -> Iterator[tuple[str, IO[bytes]]]:
    """Open what is to be sent, with its name."""
    if file is None or by_hand is not None:
        yield "by hand", BytesIO(written_out("\n".join(by_hand or []), check_digit=check_digit).encode())
        return
    with file.open("rb") as content:
        yield file.name, content


def _in_background(client: Client, file: Path, fields: dict[str, Any], rejects: Path | None, *, as_json: bool) -> None:
    """Send the file, let a worker load it, and show what became of it; a load that took nothing ends with status 1."""
    upload = send(client, file)
    begun = client.write(f"/v1/uploads/{upload}:load", fields)
    load: dict[str, Any] = follow(client, str(begun["id"]))
    if rejects is not None and load["rejected"]:
        _write_rejects(client, load["id"], rejects)
    shown = ("id", "state", "source", "rows", "accepted", "rejected")
    show_fields(load if as_json else {name: load[name] for name in shown}, as_json=as_json)
    if load["state"] not in {LoadState.COMMITTED, LoadState.TRIED}:
        raise typer.Exit(1)


def _write_rejects(client: Client, load_id: str, path: Path) -> None:
    client.save_file(f"/v1/loads/{load_id}/rejects", path)
