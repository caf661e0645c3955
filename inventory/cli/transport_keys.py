"""`haoka transport-keys`: the keys that card keys come in and go out under (传输密钥); docs/keys.md tells how."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from inventory.cli.approvals import Approval, Ask, ask_second
from inventory.cli.client import connect
from inventory.cli.tables import AsJson, show_fields, show_rows

app = typer.Typer(help=__doc__, invoke_without_command=True)

_COLUMNS = ("index", "algorithm", "kcv", "purpose")


@app.callback()
def transport_keys(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List which keys there are, by what their letters say; no key is ever shown."""
    if context.invoked_subcommand is None:
        answer = connect().read("/v1/transport-keys")
        show_rows(answer, answer["transport_keys"], _COLUMNS, as_json=as_json)


@app.command()
def take(
    index: Annotated[str, typer.Argument(help="Index of the key, as the files that come under it name it.")],
    algorithm: Annotated[str, typer.Argument(help="As the letter says: aes-128-ecb and its kin.")],
    kcv: Annotated[str, typer.Argument(help="Check value of the whole key, six hex digits.")],
    *,
    purpose: Annotated[str, typer.Option(help="vendor: card keys come in under it; network: they go out.")] = "vendor",
    parts: Annotated[int, typer.Option(min=1, max=3, help="How many custodians have a part.")] = 2,
    approval: Approval = None,
    ask: Ask = False,
    as_json: AsJson = False,
) -> None:
    """Take in a key, in parts; always for two persons: first with --ask, then with --approval.

    Each custodian types its part unseen; from a pipe, each is a line. Parts are no arguments: those are seen by others.
    """
    letter = {"index": index, "algorithm": algorithm, "kcv": kcv, "purpose": purpose}
    if ask:
        ask_second("import_transport_key", letter, as_json=as_json)
        return
    typed = [_part(number, parts) for number in range(1, parts + 1)]
    body = {**letter, "parts": typed, "approval": approval}
    show_fields(connect().write("/v1/transport-keys", body), as_json=as_json)


def _part(number: int, parts: int) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    typed: str = typer.prompt(f"part {number} of {parts}, hex", hide_input=True, err=True)
    return typed.strip()
