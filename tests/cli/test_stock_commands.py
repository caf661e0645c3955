"""The stock commands as clients of the service, end to end through its application."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from inventory.app import create_app
from inventory.cli import main
from inventory.runtime import Runtime
from inventory.services.rule_sets import install_default
from inventory.settings import Settings
from inventory.store import catalogue, kits
from inventory.store.catalogue import CardKindRow, HlrRow
from tests.builders import FOUNDED, Operator, found_operator
from tests.services.files import iccid, vendor_file

pytestmark = pytest.mark.database


@pytest.fixture
def operator(database_url: str) -> Operator:
    """Give a small operator in a database of this test's own."""
    return found_operator(database_url)


@pytest.fixture
def shell(
    database_url: str, operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[pytest.MonkeyPatch]:
    """Make commands talk to the service in this process as the city's admin."""
    app: FastAPI = create_app(
        Settings(database_url=SecretStr(database_url), data_dir=tmp_path, database_pool=4), clock=lambda: FOUNDED
    )
    runtime: Runtime = app.state.runtime

    async def prepare() -> None:
        async with runtime.database.session() as session:
            await install_default(session, now=FOUNDED)
            async with session.begin():
                await catalogue.add_hlr(session, HlrRow("LJ1", operator.city_id, "丽江一", "+8613800888500"))
                await catalogue.add_card_kind(session, CardKindRow("4G-P", "白卡", "Blank", "p", 128, [], {}, 1000))
                await kits.add_transport_key(session, index="11", algorithm="aes-128-ecb", wrapped=b"", kcv=bytes(3))
        await runtime.database.close()

    asyncio.run(prepare())
    login = operator.city_admin
    for name, value in {"INTERFACE": login.interface_no, "STAFF": login.staff_no, "SECRET": login.key}.items():
        monkeypatch.setenv(f"HAOKA_{name}", value)
    monkeypatch.setenv("COLUMNS", "200")
    with capture_logs(), TestClient(app) as service:

        @contextmanager
        def to_the_service(*, headers: dict[str, str], **_rest: object) -> Iterator[TestClient]:
            service.headers.update(headers)
            yield service

        monkeypatch.setattr(httpx2, "Client", to_the_service)
        yield monkeypatch


def answered(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    """Run a command with --json and give its answer."""
    assert main([*arguments, "--json"]) == 0, capsys.readouterr().err
    document: dict[str, object] = json.loads(capsys.readouterr().out)
    return document


@pytest.mark.usefixtures("shell")
def test_cards_are_loaded_issued_recalled_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "out.txt"
    file.write_bytes(vendor_file(range(20)))

    loaded = answered(capsys, "load", str(file), "--card-kind", "4G-P", "--pool", "hall")
    issued = answered(capsys, "issue", "sim", "530700", "LI-D1", "--count", "5", "--of", "4G-P", "--person", "和丽")
    recalled = answered(capsys, "recall", "sim", "LI-D1", "530700", "--from", iccid(1), "--to", iccid(2))
    assert main(["transfer", "sim", "LI-D1", "LI-P1", "--count", "1"]) != 0
    assert "not_siblings" in capsys.readouterr().err
    shown = answered(capsys, "show", iccid(1))
    counts = answered(capsys, "stock", "--resource", "sim")

    assert (loaded["rows"], issued["count"], recalled["count"]) == (20, 5, 2)
    life = shown["life"]
    assert isinstance(life, list)
    assert [entry["what"] for entry in life] == ["movement.intake", "movement.issue", "movement.recall"]
    rows = counts["counts"]
    assert isinstance(rows, list)
    assert [(row["place"], row["own"]) for row in rows] == [("530700", 17), ("LI-D1", 3)]


@pytest.mark.usefixtures("shell")
def test_delivery_is_listed_signed_for_in_part_and_sent_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "out.txt"
    file.write_bytes(vendor_file(range(20)))
    answered(capsys, "load", str(file), "--card-kind", "4G-P", "--pool", "hall")
    answered(capsys, "issue", "sim", "530700", "LI-D1", "--count", "5")

    sent = answered(capsys, "recall", "sim", "LI-D1", "530700", "--from", iccid(1), "--to", iccid(3), "--on-the-way")
    listed = answered(capsys, "deliveries")["deliveries"]
    document = str(sent["id"])
    taken = answered(capsys, "deliveries", "accept", document, "--item", iccid(2), "--person", "和丽")
    back = answered(capsys, "deliveries", "refuse", document, "--reason", "弯折")

    assert isinstance(listed, list)
    assert [(entry["id"], entry["state"], entry["mine"]) for entry in listed] == [(document, "IN_TRANSIT", True)]
    assert (taken["kind"], taken["count"], taken["parent_state"]) == ("RECEIPT", 1, "PARTLY_ANSWERED")
    assert (back["kind"], back["count"], back["parent_state"]) == ("RETURN", 2, "SETTLED")
    assert main(["deliveries", "accept", document]) != 0
    assert "delivery_answered" in capsys.readouterr().err
    assert main(["deliveries"]) == 0
    assert str(back["id"]) in capsys.readouterr().out


@pytest.mark.usefixtures("shell")
def test_drawer_is_counted_from_a_file_of_scans(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, scans = tmp_path / "out.txt", tmp_path / "scans.txt"
    file.write_bytes(vendor_file(range(3)))
    answered(capsys, "load", str(file), "--card-kind", "4G-P", "--pool", "hall")

    scans.write_text("\n".join(iccid(serial) for serial in (0, 1, 7)), encoding="utf-8-sig")
    assert main(["count", "sim", "530700", str(scans), "--by", "和丽"]) == 1
    said = capsys.readouterr().out
    scans.write_text("\n".join(iccid(serial) for serial in range(3)), encoding="utf-8")
    agreed = answered(capsys, "count", "sim", "530700", str(scans))

    assert iccid(2) in said
    assert iccid(7) in said
    assert "not_in_stock" in said
    assert (agreed["agrees"], agreed["book"]) == (True, 3)


@pytest.mark.usefixtures("shell")
def test_answers_read_as_tables_without_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "out.txt"
    file.write_bytes(vendor_file(range(3)))
    main(["load", str(file), "--card-kind", "4G-P"])
    capsys.readouterr()

    assert main(["stock"]) == 0
    assert "AVAILABLE" in capsys.readouterr().out
    assert main(["show", iccid(1)]) == 0
    assert "movement.intake" in capsys.readouterr().out


@pytest.mark.usefixtures("shell")
def test_refused_file_ends_with_its_reason_and_its_faults_can_be_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "out.txt"
    file.write_bytes(vendor_file(range(3)).replace(iccid(1).encode(), b"77"))

    assert main(["load", str(file), "--card-kind", "4G-P"]) == 2

    assert "load_rejected" in capsys.readouterr().err
    assert answered(capsys, "show", "b-530700-1")["faults"] == [
        {"no": 1, "row": 13, "column": "iccid", "value": "… (2 characters)", "code": "malformed"}
    ]


@pytest.mark.usefixtures("shell")
def test_status_of_a_card_is_set_with_a_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "out.txt"
    file.write_bytes(vendor_file(range(3)))
    main(["load", str(file), "--card-kind", "4G-P"])
    capsys.readouterr()

    answer = answered(capsys, "status", "sim", iccid(0), "DAMAGED", "--reason", "触点脱落")

    assert (answer["from_state"], answer["to_state"]) == ("AVAILABLE", "DAMAGED")


def test_items_named_in_two_ways_are_a_wrong_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["issue", "sim", "a", "b", "--count", "1", "--item", iccid(1)]) == 2
    assert "one way" in " ".join(capsys.readouterr().err.split())


@pytest.mark.usefixtures("shell")
def test_list_is_tried_then_its_good_rows_are_loaded_and_the_bad_ones_written_to_be_mended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, rejects = tmp_path / "cards.csv", tmp_path / "rejects.csv"
    file.write_text(f"{iccid(1)}\nbad\n")
    load = ("load", str(file), "--kind", "card_list", "--card-kind", "4G-P", "--columns", "iccid=1")

    tried = answered(capsys, *load, "--dry-run")
    assert main([*load, "--dry-run"]) == 0
    assert "malformed" in capsys.readouterr().out
    assert main([*load, "--rejects", str(rejects)]) == 2
    refused = rejects.read_text()
    rejects.unlink()
    loaded = answered(capsys, *load, "--keep-good", "--rejects", str(rejects))

    assert (tried["good"], tried["bad"]) == (1, 1)
    assert (loaded["rows"], loaded["rejected"]) == (1, 1)
    assert rejects.read_text() == refused == "bad,iccid:malformed\n"
