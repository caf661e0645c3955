"""Large files at the command line: sent in pieces, loaded by a worker, followed to their end."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from inventory.cli import main, uploading
from inventory.cli.client import Client, Unreachable
from inventory.runtime import open_runtime
from inventory.settings import Settings
from inventory.worker.main import work
from tests.builders import FOUNDED
from tests.services.files import iccid, vendor_file

pytestmark = pytest.mark.database


@pytest.fixture
def worker(shell: pytest.MonkeyPatch, operator_url: str, tmp_path: Path) -> Iterator[None]:
    """Run a worker beside the service."""
    del shell  # the database is prepared
    settings = Settings(database_url=SecretStr(operator_url), data_dir=tmp_path, database_pool=4)
    begun: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    ready = threading.Event()

    async def run() -> None:
        runtime, stop = open_runtime(settings, application="worker", clock=lambda: FOUNDED), asyncio.Event()
        begun.append((asyncio.get_running_loop(), stop))
        ready.set()
        try:
            await work(runtime, operator_url, stop)
        finally:
            await runtime.close()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    ready.wait()
    yield
    loop, stop = begun[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join()


@pytest.mark.usefixtures("worker")
def test_a_large_file_is_sent_in_pieces_and_taken_up_where_the_connection_broke(
    shell: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """REQ-SIM-02: a file of any size is loaded; a piece that came twice counts once."""
    file = tmp_path / "vendor.out"
    file.write_bytes(vendor_file(range(40)))
    sent: list[int] = []
    append = Client.append

    def breaking(client: Client, path: str, offset: int, piece: bytes) -> dict[str, Any]:
        answer = append(client, path, offset, piece)
        sent.append(offset)
        if len(sent) == 2:
            raise Unreachable  # the piece has arrived, its answer has not
        return answer

    shell.setattr(Client, "append", breaking)
    shell.setattr(uploading, "PIECE", 1000)
    shell.setattr(uploading, "_WAIT_SECONDS", 0.01)

    assert main(["load", str(file), "--card-kind", "4G-P", "--pool", "hall", "--background", "--json"]) == 0

    load = json.loads(capsys.readouterr().out)
    assert (load["state"], load["rows"], load["accepted"]) == ("COMMITTED", 40, 40)
    assert sent == [0, 1000, *range(1000, file.stat().st_size, 1000)]


@pytest.mark.usefixtures("worker", "shell")
def test_a_load_in_the_background_that_takes_nothing_ends_with_status_1_and_gives_the_bad_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, bad = tmp_path / "list.csv", tmp_path / "bad.csv"
    file.write_text(f"ICCID\n{iccid(1)}\n8986\n")
    command = ["load", str(file), "--kind", "card_list", "--card-kind", "4G-P", "--background", "--rejects", str(bad)]
    assert main(command) == 1
    assert "REJECTED" in capsys.readouterr().out
    assert bad.read_text().splitlines() == ["ICCID,reason", "8986,iccid:malformed"]
