"""`haoka up`: database, service and worker for real use, until Ctrl-C; the first start makes the first login."""

from __future__ import annotations

import asyncio
import socket
from typing import Annotated

import typer

from inventory.cli.database import running_database
from inventory.cli.processes import Processes, ProcessFailed, listen, service_and_worker
from inventory.runtime import utc_now
from inventory.services.bootstrap import FirstLogin, cities, first_admin
from inventory.services.organisation import CityWish
from inventory.settings import Settings
from inventory.store.engine import connect

app = typer.Typer()


@app.command()
def up(
    *,
    city: Annotated[int | None, typer.Option(help="First start: the city's GB/T 2260 code, such as 530700.")] = None,
    name_zh: Annotated[str, typer.Option(help="First start: the city company's Chinese name.")] = "",
    name_en: Annotated[str, typer.Option(help="First start: its English name.")] = "",
) -> None:
    """Start everything and stay up; settings are in the environment (docs/settings.md)."""
    settings = Settings()
    wish = CityWish(city_id=city, name_zh=name_zh or str(city), name_en=name_en or str(city)) if city else None
    with _listening(settings) as listening, running_database(settings, typer.echo) as ready:
        login = asyncio.run(_found(ready, wish))
        with Processes(ready.data_dir / "log") as processes:
            try:
                address = service_and_worker(ready, processes, listening)
                if not processes.stopped.is_set():
                    _greet(ready.public_url or address, login)
                processes.wait()
            except ProcessFailed as failure:
                typer.echo(str(failure), err=True)
                raise typer.Exit(1) from None


def _listening(settings: Settings) -> socket.socket:
    """Take the port before anything is founded: the first login is told once, and only by a service that runs."""
    try:
        return listen(settings.host, settings.port)
    except OSError as failure:
        where = f"{settings.host}:{settings.port}"
        typer.echo(f"cannot listen on {where}: {failure.strerror}; set HAOKA_PORT to another port (0: any)", err=True)
        raise typer.Exit(1) from None


async def _found(settings: Settings, wish: CityWish | None) -> FirstLogin | None:
    """Found the city if one is asked for; without any city there is nothing to work with."""
    database = connect(settings.sqlalchemy_url(), pool_size=2)
    try:
        async with database.session() as session:
            if wish is not None:
                return await first_admin(session, wish, now=utc_now())
            if not await cities(session):
                typer.echo(
                    "no city yet; start once with: haoka up --city 530700 --name-zh 丽江 --name-en Lijiang", err=True
                )
                raise typer.Exit(2)
            return None
    finally:
        await database.close()


def _greet(address: str, login: FirstLogin | None) -> None:
    typer.echo(f"Haoka 号卡 is up: {address}  (Ctrl-C ends it)")
    if login is not None:
        typer.echo(
            "First login, shown this once; change the password after signing in (what comes next: docs/setup.md):"
        )
        typer.echo(f"  interface 接口编号  {login.interface_no}")
        typer.echo(f"  staff id  工号      {login.staff_no}")
        typer.echo(f"  password  密码      {login.password}")
