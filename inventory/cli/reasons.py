"""`haoka reasons`: the reasons that are offered, and how often each was given; add, rename, close one.

Where a command asks for `--reason`, a code or name of the table may be given, and more words behind a colon.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from inventory.cli.client import connect
from inventory.cli.tables import AsJson, show_fields, show_rows

app = typer.Typer(help=__doc__, invoke_without_command=True)

Code = Annotated[str, typer.Argument(help="Code of the reason, such as hall_needs.")]
Chinese = Annotated[str, typer.Option("--zh", help="Its Chinese name.")]
English = Annotated[str, typer.Option("--en", help="Its English name.")]


@app.callback()
def reasons(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the reasons, closed ones too."""
    if context.invoked_subcommand is None:
        answer = connect().read("/v1/reasons")
        rows = [{**row, "purposes": " ".join(row["purposes"])} for row in answer["reasons"]]
        show_rows(answer, rows, ("code", "name_zh", "name_en", "purposes", "active"), as_json=as_json)


@app.command("add")
def add(
    code: Code,
    *,
    zh: Chinese,
    en: English,
    purposes: Annotated[list[str], typer.Option("--for", help="What it is for, such as recall; several times.")],
    as_json: AsJson = False,
) -> None:
    """Add a reason."""
    body = {"code": code, "name_zh": zh, "name_en": en, "purposes": purposes}
    show_fields(connect().write("/v1/reasons", body), as_json=as_json)


@app.command("rename")
def rename(code: Code, *, zh: Chinese, en: English, as_json: AsJson = False) -> None:
    """Call a reason otherwise from now on."""
    body = {"name_zh": zh, "name_en": en}
    show_fields(connect().write(f"/v1/reasons/{quote(code, safe='')}:rename", body), as_json=as_json)


@app.command("close")
def close(code: Code, *, as_json: AsJson = False) -> None:
    """Take a reason off what is offered; it stands where it was given."""
    show_fields(connect().write(f"/v1/reasons/{quote(code, safe='')}:close", {}), as_json=as_json)


@app.command("open")
def reopen(code: Code, *, as_json: AsJson = False) -> None:
    """Offer a closed reason again."""
    show_fields(connect().write(f"/v1/reasons/{quote(code, safe='')}:open", {}), as_json=as_json)


@app.command("count")
def count(
    *, days: Annotated[int, typer.Option(help="How many days to look back on.")] = 90, as_json: AsJson = False
) -> None:
    """Count how often each reason was given, and for how many items."""
    answer = connect().read(f"/v1/reasons:count?days={days}")
    show_rows(answer, answer["counts"], ("code", "event", "acts", "items"), as_json=as_json)
