"""The service as a process of its own, and a client that costs little: it shares the processors with the service."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from pydantic import SecretStr

from inventory.cli.bench.ground import Ground
from inventory.cli.bench.report import BenchFailed
from inventory.cli.demo.memory import Login
from inventory.cli.processes import Processes, environment, listen, ours
from inventory.settings import Settings

_HOST = "127.0.0.1"
Request = tuple[str, Mapping[str, Any]]
"""Idempotency key and JSON body."""


@contextmanager
def serving(ground: Ground) -> Iterator[int]:
    """Run the service on the bench's database while the block lasts and give its port.

    Raises
    ------
    inventory.cli.processes.ProcessFailed
        It does not start.
    """
    settings = Settings(database_url=SecretStr(ground.engine.url), data_dir=ground.folder)
    with listen(_HOST, 0) as listening, Processes(ground.folder / "log") as processes:
        port: int = listening.getsockname()[1]
        handle = listening.fileno()
        processes.start("service", ours("serve", "--fd", str(handle)), env=environment(settings), inherit=[handle])
        processes.wait_ready(f"http://{_HOST}:{port}/v1/health/ready")
        yield port


async def post_all(port: int, path: str, login: Login, clients: Sequence[Sequence[Request]]) -> float:
    """Send each client's requests one after the other on its own connection; return the seconds for all.

    Raises
    ------
    BenchFailed
        A request was not answered with 201.
    """
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {_HOST}:{port}\r\nContent-Type: application/json\r\n"
        f"Haoka-Interface: {login.interface_no}\r\nHaoka-Staff: {login.staff_no}\r\n"
        f"Authorization: Bearer {login.key}\r\n"
    )
    began = time.perf_counter()
    await asyncio.gather(*(_client(port, head, requests) for requests in clients))
    return time.perf_counter() - began


async def _client(port: int, head: str, requests: Sequence[Request]) -> None:
    reader, writer = await asyncio.open_connection(_HOST, port)
    try:
        for key, wish in requests:
            body = json.dumps(wish)
            writer.write(f"{head}Idempotency-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
            await _require_created(reader)
    finally:
        writer.close()
        await writer.wait_closed()


async def _require_created(reader: asyncio.StreamReader) -> None:
    """Read one answer with a declared length, as the service sends them."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    length = next(int(line.partition(":")[2]) for line in lines if line.lower().startswith("content-length:"))
    body = await reader.readexactly(length)
    if lines[0].split()[1] != str(HTTPStatus.CREATED.value):
        raise BenchFailed(f"{lines[0]}: {body.decode()}")
