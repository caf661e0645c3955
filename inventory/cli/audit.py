"""`haoka audit`: do stock, ledger, events and promises agree, and is the chain unbroken."""

from __future__ import annotations

import asyncio
from typing import Any

import typer

from inventory.cli.database import present_database
from inventory.runtime import utc_now
from inventory.services.auditing import audit
from inventory.settings import Settings
from inventory.store.auditing import StoredAudit
from inventory.store.engine import connect

app = typer.Typer()


@app.command()
def run() -> None:
    """Audit the database of HAOKA_DATABASE_URL, or the one in the data folder, running or not; 1 on any finding."""
    with present_database(Settings(), typer.echo) as ready:
        done = asyncio.run(_audit(ready.sqlalchemy_url()))
    for line in report(done):
        typer.echo(line)
    if not done.ok:
        raise typer.Exit(1)


async def _audit(url: str) -> StoredAudit:
    database = connect(url, pool_size=1, application="haoka audit")
    try:
        async with database.session() as session:
            return await audit(session, now=utc_now())
    finally:
        await database.close()


def report(done: StoredAudit) -> list[str]:
    """Give the lines of an audit: the verdict first, then what each city has, then every finding."""
    verdict = "ok" if done.ok else f"{len(done.findings)} findings"
    lines = [f"haoka audit: {verdict}"]
    for city, figures in done.figures.items():
        lines += [_kind(city, kind, figures) for kind in figures["loaded"]]
        lines.append(
            f"  {city} events: {figures['sealed']} sealed in {figures['blocks']} blocks, {figures['unsealed']} unsealed"
        )
    for found in done.findings:
        lines.append(f"  {found['check']}: {found['city_id']} {found['subject']}: {found['detail']}")
    return lines


def _kind(city: str, kind: str, figures: dict[str, Any]) -> str:
    states = ", ".join(f"{state} {count}" for state, count in sorted(figures["states"].get(kind, {}).items()))
    holders = ", ".join(f"{level} {count}" for level, count in sorted(figures["holders"].get(kind, {}).items()))
    return f"  {city} {kind}: loaded {figures['loaded'][kind]} = {states} = {holders}"
