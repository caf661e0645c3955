"""Lists as files: identifiers stay text, formulas stay text, memory stays small."""

from __future__ import annotations

import asyncio
import csv
import io
import resource
import tempfile
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from inventory import sheets
from inventory.domain.kinds import SIM
from inventory.services.selecting import item_name
from inventory.sheets import BOM, Form, Row, sheet
from inventory.spooling import scratch_folder

ICCID = "89860012345678901238"


def written(form: Form, *batches: Iterable[Row], columns: tuple[str, ...] = ("item",)) -> bytes:
    """Give the whole file."""

    async def given() -> AsyncIterator[Iterable[Row]]:
        for batch in batches:
            yield batch

    async def whole() -> bytes:
        return b"".join([piece async for piece in sheet(form, columns, given())])

    return asyncio.run(whole())


def rows_of(content: bytes) -> list[list[str]]:
    """Give the rows of a CSV file as a spreadsheet without guesses would."""
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_csv_says_that_it_is_utf8_and_has_its_heads_when_empty() -> None:
    assert written(Form.CSV) == f"{BOM}item\r\n".encode()
    assert rows_of(written(Form.CSV, [("预置卡",)], [(7,)], columns=("品名",))) == [["品名"], ["预置卡"], ["7"]]


@pytest.mark.parametrize("spoilt", [ICCID, "08888123456", "12345678901234E5", "1064812345678"])
def test_identifier_that_excel_would_spoil_is_led_by_a_tab(spoilt: str) -> None:
    """REQ-SIM-04: an identifier that went through a spreadsheet is still itself."""
    assert rows_of(written(Form.CSV, [(spoilt,)]))[1] == [f"\t{spoilt}"]


def test_our_own_readers_take_the_led_identifier_as_it_was() -> None:
    [[_], [cell]] = rows_of(written(Form.CSV, [(ICCID,)]))
    assert item_name(SIM, cell) == ICCID


@pytest.mark.parametrize(
    "text", ["=1+1", "+86", "-2", "@SUM(A1)", "\tx", "\r=1", "\n=1", "＝1+1", "＋86", "－2", "＠SUM(A1)"]
)
def test_text_that_would_run_as_a_formula_is_shown_instead(text: str) -> None:
    assert rows_of(written(Form.CSV, [(text,)]))[1] == [f"'{text}"]


def test_formula_stays_a_text_in_a_workbook() -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(written(Form.XLSX, [("=1+1",)])))
    assert book.get_sheet_by_index(0).to_python()[1] == ["=1+1"]


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"))))
def test_no_cell_of_a_csv_begins_as_a_formula(text: str) -> None:
    cell = rows_of(written(Form.CSV, [("x", text)], columns=("a", "b")))[1][1]
    assert not cell.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
    assert cell.lstrip("'\t").endswith(text.lstrip("'\t"))


def test_workbook_holds_identifiers_as_text_and_counts_as_numbers() -> None:
    """REQ-SIM-04: Excel keeps 15 digits of a number, all of a text."""
    at = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
    content = written(Form.XLSX, [(ICCID, 12, True, at)], [("0888", 0, False, None)], columns=("a", "b", "c", "d"))
    assert CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python() == [
        ["a", "b", "c", "d"],
        [ICCID, 12.0, 1.0, "2026-11-22T10:00:00+08:00"],
        ["0888", 0.0, 0.0, ""],
    ]


def test_list_longer_than_a_sheet_goes_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 3)
    book = CalamineWorkbook.from_filelike(io.BytesIO(written(Form.XLSX, [(str(n),) for n in range(5)])))
    found = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    assert found == [[["item"], ["0"], ["1"]], [["item"], ["2"], ["3"]], [["item"], ["4"]]]


def test_workbook_that_cannot_be_written_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    limit, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, most))
    try:
        with pytest.raises(OSError, match="File too large"):
            written(Form.XLSX, [(ICCID,)] * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
    assert list(tmp_path.iterdir()) == []


def test_workbook_removes_what_a_killed_process_left_and_nothing_that_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "haoka-list-left"
    left.mkdir()
    with scratch_folder() as used:
        for folder in (left, used):
            (folder / "rows").touch()
        written(Form.XLSX, [(ICCID,)])
        assert list(tmp_path.iterdir()) == [used]
        assert list(used.iterdir()) == [used / "rows"]
