"""`haoka keys`: the keys that secrets at rest lie under, by version (密钥版本); docs/keys.md tells what to do when."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.cli.database import present_database
from inventory.cli.tables import AsJson, show_rows
from inventory.domain.errors import MissingField
from inventory.runtime import utc_now
from inventory.services.key_versions import (
    Rewrapped,
    Versions,
    count_stale,
    count_versions,
    retire,
    rewrap,
    tell_rotated,
)
from inventory.settings import Settings
from inventory.store.engine import connect
from inventory.vault.envelope import Vault
from inventory.vault.keys import FileKeyProvider
from inventory.vault.token import TokenGuard, guard_of, parse_address

app = typer.Typer(help=__doc__, invoke_without_command=True)

_T = TypeVar("_T")
_COLUMNS = ("version", "state", "since", "secrets", "reason")


@app.callback()
def keys(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the key versions and how many secrets lie under each; no key is ever shown."""
    if context.invoked_subcommand is None:
        provider = _provider()
        _show(provider, _with_database(count_versions), as_json=as_json)


@app.command()
def rotate() -> None:
    """Add a key version that seals from now on, in services that run too; older secrets still open."""
    provider = _provider()
    version = _with_database(lambda session: _rotated(provider, session))
    typer.echo(f"key version {version} seals from now on; back up the key file, then run: haoka keys rewrap")


async def _rotated(provider: FileKeyProvider, session: AsyncSession) -> int:
    now = utc_now()
    version = provider.rotate(now=now)
    await tell_rotated(session, version, now=now)
    return version


@app.command("rewrap")
def rewrap_all(
    *,
    rows: Annotated[int | None, typer.Option(min=1, max=5000, help="Rows of one transaction at most.")] = None,
    as_json: AsJson = False,
) -> None:
    """Seal everything under the newest version while services run; after an interruption, start it again.

    Ends with 1 if something does not open or is left under an older version.
    """
    provider = _provider()
    done = _with_database(lambda session: _rewrapped(Vault(provider), session, rows))
    _show(provider, done.versions, as_json=as_json)
    for place in done.broken:
        typer.echo(place, err=True)
    if left := sum(sum(count.values()) - count[provider.current] for count in done.versions.values()):
        typer.echo(f"{left} secrets are still under an older version", err=True)
        raise typer.Exit(1)


async def _rewrapped(vault: Vault, session: AsyncSession, rows: int | None) -> Rewrapped:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=await count_stale(session, vault=vault))

        def tell(table: str, looked_at: int) -> None:
            bar.update(task, description=table, advance=looked_at)

        return await rewrap(session, vault=vault, rows=rows, tell=tell, now=utc_now())


@app.command("retire")
def retire_one(
    version: Annotated[int, typer.Argument(help="The version, as `haoka keys` lists it.")],
    *,
    reason: Annotated[str, typer.Option(help="Why.")],
) -> None:
    """Destroy a version that seals nothing any more; a database backup from before needs the old key file."""
    provider = _provider()
    told: set[int] = set()

    def tell(waiting: int) -> None:
        if waiting not in told:
            typer.echo(f"waiting for {waiting} transactions that began before; Ctrl-C leaves everything as it is")
            told.add(waiting)

    _with_database(lambda session: retire(session, provider, version, reason=reason, now=utc_now(), tell=tell))
    typer.echo(f"key version {version} is destroyed; back up the key file")


@app.command()
def enclose(
    *,
    before: Annotated[
        str | None, typer.Option("--from", help="PKCS#11 URI of the token that seals the key file until now, if any.")
    ] = None,
) -> None:
    """Seal the key file by the token of HAOKA_KEY_TOKEN, whose key is made if there is none; then restart services."""
    settings = Settings()
    if settings.key_token is None:
        raise MissingField(field="HAOKA_KEY_TOKEN")
    guard = TokenGuard(parse_address(settings.key_token))
    made = guard.make_key()
    if settings.vault_key_path.exists():
        FileKeyProvider(settings.vault_key_path, guard=guard_of(before)).guard_with(guard)
    else:
        FileKeyProvider(settings.vault_key_path, guard=guard)
    typer.echo(f"{settings.vault_key_path} is sealed by {guard.name}" + (" (made now)" if made else ""))
    typer.echo("start service and worker again with HAOKA_KEY_TOKEN; destroy plain copies of the file, then rotate")


def _provider() -> FileKeyProvider:
    settings = Settings()
    return FileKeyProvider(settings.vault_key_path, guard=guard_of(settings.key_token), make=False)


def _with_database(work: Callable[[AsyncSession], Awaitable[_T]]) -> _T:
    """Do the work on the database of HAOKA_DATABASE_URL, or the one in the data folder, running or not."""

    async def run(url: str) -> _T:
        database = connect(url, pool_size=1, application="haoka keys")
        try:
            async with database.session() as session:
                return await work(session)
        finally:
            await database.close()

    with present_database(Settings(), lambda remark: typer.echo(remark, err=True)) as ready:
        return asyncio.run(run(ready.sqlalchemy_url()))


def _show(provider: FileKeyProvider, versions: Versions, *, as_json: bool) -> None:
    """Print a row for each version: kept, retired, or missing although secrets lie under it; as JSON by table too."""
    kept, retired, current = provider.versions, provider.retired, provider.current
    whole = sum(versions.values(), Counter[int]())
    rows: list[dict[str, Any]] = []
    for version in sorted({*kept, *retired, *whole}):
        made, gone = kept.get(version), retired.get(version)
        state = "seals" if version == current else "opens" if version in kept else "retired" if gone else "MISSING"
        since = gone.at if gone else made
        rows.append(
            {
                "version": version,
                "state": state,
                "since": since and since.isoformat(timespec="seconds"),
                "secrets": whole[version],
                "reason": gone and gone.reason,
                **{table: count[version] for table, count in versions.items()},
            }
        )
    show_rows({"versions": rows}, rows, _COLUMNS, as_json=as_json)
