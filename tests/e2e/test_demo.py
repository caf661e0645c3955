from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from rich.cells import cell_len

from cardwriter.virtual.image import CardImage
from inventory.cli.demo.memory import Memory
from inventory.cli.demo.vendor import SCP03_CARDS, DemoVendor
from tests.e2e.demos import Demo, demo_in, until
from tests.patience import PATIENCE

pytestmark = [pytest.mark.e2e, pytest.mark.database, pytest.mark.card]


DF_GSM_KI = "7f20/00ff"


def sales(demo: Demo) -> int:
    """Give the number of lines sold."""
    return demo.said.count(":confirm\n")


def test_demo_begins_with_nothing_sells_a_line_and_ends_well(sold: Demo) -> None:
    """REQ-NUM-14: whole segments come in one operation."""
    assert "3 segments, 30,000 numbers" in sold.said
    assert "verified: every file read back, AUTHENTICATE proven" in sold.said
    assert "haoka audit: ok" in sold.said
    assert sold.processes() == []
    assert sold.litter() == []


def test_what_the_list_had_wrong_is_told(sold: Demo) -> None:
    assert "44,361  zip codes that had lost their leading zero" in sold.said
    assert "42  湖北 江汉" in sold.said


def test_printed_lines_fit_a_hundred_columns(sold: Demo) -> None:
    whole = (str(sold.folder), "     530700 ")  # paths, and the sums of the audit, are printed as they are
    lines = [line for line in sold.said.splitlines() if not any(part in line for part in whole)]
    assert [line for line in lines if cell_len(line) > 100] == []


def test_second_start_loads_nothing_and_sells_another_line_on_a_blank_with_a_secure_channel(demo: Demo) -> None:
    """REQ-HW-10: a card bought without keys takes them in a script that is encrypted for it."""
    assert demo.run("--card", "scp03") == 0, demo.said
    assert sales(demo) == 1
    assert demo.said.count("done before") == 7
    assert "CUSTOMER 2" in demo.said
    card = DemoVendor(bytes.fromhex(Memory.open(demo.data / "demo.json").seed)).card(SCP03_CARDS[0])
    inside = CardImage.load(demo.data / "cards" / f"card-{SCP03_CARDS[0]:06d}.json")
    written = inside.file(DF_GSM_KI)
    assert written is not None
    assert written.content == card.k
    told = [path.read_bytes() for path in (*(demo.data / "log").glob("*.log"), *demo.data.glob("station/journal*"))]
    secrets = [form for key in (card.k, card.opc, card.scp_enc, card.scp_mac) for form in (key, key.hex().encode())]
    assert [secret for secret in secrets for text in told if secret in text] == []


def test_demos_side_by_side_have_ports_of_their_own_and_end_without_a_trace(sold: Demo, tmp_path: Path) -> None:
    with demo_in(tmp_path / "one", like=sold) as one, demo_in(tmp_path / "two", like=sold) as two:
        second = two.start()
        with one.staying() as first:
            until(lambda: "Ctrl-C" in two.said or second.poll() is not None)
            assert second.poll() is None, two.said
            os.killpg(first.pid, signal.SIGINT)
            assert first.wait(PATIENCE) == 0
            until(lambda: one.processes() == [])
            until(lambda: one.litter() == [])
        os.kill(second.pid, signal.SIGKILL)
        second.wait()
        until(lambda: two.processes() == [])
        until(lambda: two.litter() == [])


def test_ctrl_c_before_the_sale_ends_everything_and_the_next_start_takes_up_the_work(demo: Demo) -> None:
    process = demo.start()
    until(lambda: "/v1/stations\n" in demo.said or process.poll() is not None)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(PATIENCE) == 130, demo.said
    until(lambda: demo.processes() == [])
    until(lambda: demo.litter() == [])
    assert demo.run() == 0, demo.said


def test_reader_that_cannot_start_ends_the_demo_with_the_reason(demo: Demo) -> None:
    narrow = demo.folder / ("x" * 100)
    narrow.mkdir()
    assert demo.run(TMPDIR=str(narrow)) == 1
    assert "too long for a unix socket, choose another TMPDIR" in demo.said
    assert demo.processes() == []


def test_address_of_another_machine_ends_the_demo_with_the_reason(demo: Demo) -> None:
    assert demo.run(HAOKA_HOST="192.0.2.1") == 1
    assert "haoka demo: cannot listen on 192.0.2.1 (HAOKA_HOST)" in demo.said


def test_database_of_another_installation_is_left_alone(remembering: Demo, empty_database_url: str) -> None:
    assert remembering.run(HAOKA_DATABASE_URL=empty_database_url) == 1
    assert "belongs to another database" in remembering.said


def test_database_of_ones_own_is_never_emptied(remembering: Demo, empty_database_url: str) -> None:
    before = remembering.data.stat().st_ino
    assert remembering.run("--fresh", HAOKA_DATABASE_URL=empty_database_url) == 1
    assert "--fresh does not empty a database of yours" in remembering.said
    assert remembering.data.stat().st_ino == before
