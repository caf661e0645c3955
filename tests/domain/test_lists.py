"""Lists in the forms that offices send them."""

from __future__ import annotations

from io import BytesIO, StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.errors import InvalidField
from inventory.domain.loading import (
    BadRow,
    FaultCode,
    ListFile,
    ListRow,
    ListSort,
    Reject,
    RowFault,
    encoding_of,
    lines_of,
    parse_columns,
    reject_rows,
    reject_text,
)
from inventory.domain.loading.faults import BadValueError
from inventory.domain.loading.list_form import SAMPLE
from inventory.domain.loading.text import LONGEST_LINE

A, B, C = (f"8986001234567890123{digit}" for digit in "123")
KEY = "0123456789abcdef0123456789ABCDEF"


def cards(text: str, columns: str = "") -> ListFile:
    return ListFile(StringIO(text, newline=None), ListSort.CARDS, parse_columns(columns))


def numbers(text: str, columns: str = "") -> ListFile:
    return ListFile(StringIO(text, newline=None), ListSort.NUMBERS, parse_columns(columns))


def good(file: ListFile) -> list[dict[str, str]]:
    found = list(file.rows())
    assert [row for row in found if isinstance(row, RowFault)] == []
    return [dict(row.values) for row in found if isinstance(row, ListRow)]


def faults(file: ListFile) -> list[tuple[int, str, str, FaultCode]]:
    found = (row for row in file.rows() if isinstance(row, RowFault))
    return [(fault.row, fault.column, fault.value, fault.code) for fault in found]


def told(file: ListFile) -> dict[int, str]:
    """Give the text that is kept of each row."""
    return {found.row: found.line for found in file.rows()}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_text_is_read_in_every_encoding_that_offices_write(encoding: str) -> None:
    content = f"卡号,备注\r\n{A},丽江".encode(encoding)
    assert encoding_of(lambda: BytesIO(content)) == encoding
    assert list(lines_of(BytesIO(content), encoding)) == ["卡号,备注\n", f"{A},丽江"]


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(InvalidField, match="a line has more than"):
        list(lines_of(BytesIO(b"8" * (LONGEST_LINE + 1)), "utf-8"))


@pytest.mark.parametrize("content", [b"\xff\xff\xff", "卡号".encode("utf-16"), b"\xef\xbb\xbf\xff", b"a\x00b"])
def test_bytes_that_are_no_text_are_a_fault(content: bytes) -> None:
    with pytest.raises(BadValueError) as fault:
        encoding_of(lambda: BytesIO(content))
    assert fault.value.code is FaultCode.NOT_TEXT


@pytest.mark.parametrize("mark", [",", ";", "\t", "|", "  "])
def test_the_delimiter_is_found(mark: str) -> None:
    """REQ-SIM-02: a file of SIMs can be loaded."""
    serials = [f"{number:016X}" for number in range(2)]
    file = cards(f"{A}{mark}{serials[0]}\r\n{B}{mark}{serials[1]}\r\n")
    assert file.form.delimiter == mark.strip(" ") or mark == "  "
    assert good(file) == [{"iccid": A, "serial": serials[0]}, {"iccid": B, "serial": serials[1]}]


def test_one_value_a_line_may_be_grouped_with_blanks() -> None:
    assert good(cards(f"\n{A[:4]} {A[4:12]} {A[12:]}\n\n{B}\n")) == [{"iccid": A}, {"iccid": B}]
    assert good(numbers("+86 138 8880 0001\n138-8880-0002")) == [{"number": "13888800001"}, {"number": "13888800002"}]


def test_quotes_are_read_as_in_csv() -> None:
    file = cards(f'"ICCID","备注"\n"{A}","丽江, 古城"\n{B},"他说""好"""\n')
    assert good(file) == [{"iccid": A}, {"iccid": B}]
    assert (file.form.header, file.form.ignored) == ('"ICCID","备注"', ("备注",))


@pytest.mark.parametrize(
    ("header", "values", "expected"),
    [
        ("卡号,空卡序列号", f"{A},{1:020X}", {"iccid": A, "serial": f"{1:020X}"}),
        ("Ser_nb;ICCID", f"{1:016X};{A}", {"iccid": A, "serial": f"{1:016X}"}),
        ("SIM 卡号\t卡品", f"{A}\t4G-P", {"iccid": A, "card_kind": "4G-P"}),
        ("卡号,箱号", f"{A},box: lj-01", {"iccid": A, "box": "LJ-01"}),
        ("卡片,备注,卡品", f"{A},x,4G-P", {"iccid": A, "card_kind": "4G-P"}),
    ],
    ids=[
        "Chinese",
        "English, another order",
        "with the product",
        "with the box",
        "an unknown name, known by its values",
    ],
)
def test_columns_of_cards_are_known_by_name(header: str, values: str, expected: dict[str, str]) -> None:
    assert good(cards(f"{header}\n{values}\n")) == [expected]


@pytest.mark.parametrize("header", ["手机号,归属HLR", "MSISDN,hlr_code", "Phone Number,HLR"])
def test_columns_of_numbers_are_known_by_name(header: str) -> None:
    """REQ-NUM-02: intake by file."""
    assert good(numbers(f"{header}\n13888800001,LJ1\n")) == [{"number": "13888800001", "hlr": "LJ1"}]


@pytest.mark.parametrize(
    "number",
    ["13888800001", "1400012345678", "08885123456", "106901234", "10086"],
    ids=["mobile", "iot", "fixed", "sms", "code"],
)
def test_numbers_of_every_kind_are_read(number: str) -> None:
    """REQ-NUM-01: mobile, SMS port, access code, fixed line, IoT."""
    assert good(numbers(number)) == [{"number": number}]


def test_without_a_header_columns_are_known_by_what_their_values_look_like() -> None:
    file = cards(f"1,{1:016X},{A},x\n2,{2:016X},{B},y\n3,bad,{C},z\n")
    assert file.form.columns == ("", "serial", "iccid", "")
    assert file.form.ignored == ("1", "4")
    assert faults(file) == [(3, "serial", "bad", FaultCode.MALFORMED)]


def test_what_the_caller_says_is_stronger_than_the_guess() -> None:
    text = f"印刷号,卡号\n{A},{B}\n"
    assert good(cards(text)) == [{"iccid": B}]
    assert good(cards(text, "iccid=印刷号")) == [{"iccid": A}]
    assert good(cards(text, "iccid=1")) == [{"iccid": A}]
    assert good(cards(f"X编号\n{A}", "iccid=X编号")) == [{"iccid": A}]


@pytest.mark.parametrize("said", ["iccid=9", "iccid=不在", "iccid=0"])
def test_a_place_that_the_list_does_not_have_is_named(said: str) -> None:
    assert (1, "iccid", "", FaultCode.UNKNOWN_COLUMN) in faults(cards(f"{A}\n", said))


@pytest.mark.parametrize("said", ["iccid", "iccid=", "colour=1", "iccid=1,iccid=2"])
def test_a_mapping_that_says_nothing_is_refused(said: str) -> None:
    with pytest.raises(InvalidField):
        parse_columns(said)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ICCID\n8.986E+19\n", [(2, "iccid", "8.986E+19", FaultCode.SPREADSHEET_NUMBER)]),
        (
            "8.986E+19\n8.987E+19",
            [(row, "iccid", f"8.98{row + 5}E+19", FaultCode.SPREADSHEET_NUMBER) for row in (1, 2)],
        ),
        (f"{A}\n{A[:-3]}\n", [(2, "iccid", A[:-3], FaultCode.MALFORMED)]),
        (f"ICCID,serial\n{A}\n,\n", [(2, "", "", FaultCode.COLUMN_COUNT), (3, "iccid", "", FaultCode.MISSING)]),
        (f'{A},x\n{B},"y\n{C},z', [(2, "", "", FaultCode.MALFORMED)]),
        (f"ICCID,卡品\n{A},四 G\n", [(2, "card_kind", "四 G", FaultCode.MALFORMED)]),
        (f"ICCID,卡号\n{A},{B}\n", [(1, "iccid", "", FaultCode.DUPLICATE_COLUMN)]),
        (f"{A},{B}\n", [(1, "iccid", "", FaultCode.DUPLICATE_COLUMN)]),
        (f"ICCID,IMSI\n{A},46000123456789\n", [(2, "imsi", "46000123456789", FaultCode.MALFORMED)]),
        (f"ICCID,面值\n{A},0\n", [(2, "face_value", "0", FaultCode.MALFORMED)]),
        (f"ICCID,有效期\n{A},2027-02-30\n", [(2, "expires_on", "2027-02-30", FaultCode.MALFORMED)]),
        (f"ICCID,区域\n{A},云南\n", [(2, "area", "云南", FaultCode.MALFORMED)]),
        (f"ICCID,箱号\n{A},一号\n", [(2, "box", "一号", FaultCode.MALFORMED)]),
        ("卡品,备注\n4G-P,x\n", [(1, "iccid", "", FaultCode.MISSING)]),
    ],
)
def test_each_fault_of_a_list_of_cards_is_named(text: str, expected: list[tuple[int, str, str, FaultCode]]) -> None:
    """REQ-SIM-02: each line is accepted or rejected with line number and reason."""
    assert faults(cards(text)) == expected


def test_a_list_longer_than_what_its_form_is_found_from_is_read_to_its_end() -> None:
    lines = [str(13800000000 + no) for no in range(3 * SAMPLE)]
    assert [row["number"] for row in good(numbers("\n".join(lines)))] == lines


def test_each_fault_of_a_list_of_numbers_is_named() -> None:
    text = "号码,HLR\n13888800001,LJ1\n12888800001111,LJ1\n1.38888E+10,L J\n"
    assert faults(numbers(text)) == [
        (3, "number", "12888800001111", FaultCode.MALFORMED),
        (4, "number", "1.38888E+10", FaultCode.SPREADSHEET_NUMBER),
        (4, "hlr", "L J", FaultCode.MALFORMED),
    ]


@pytest.mark.parametrize("text", ["", "\n \n", "ICCID\n"])
def test_a_list_without_rows_has_neither_rows_nor_faults(text: str) -> None:
    assert list(cards(text).rows()) == []


@pytest.mark.parametrize("name", ["Ki", "OPc", "ADM1", "PIN1", "PUK码", "传输密钥", "OTA_KEY"])
def test_a_list_with_a_column_of_codes_is_refused_and_no_line_of_it_is_told(name: str) -> None:
    text = f"ICCID,{name}\n{A},1234\nbad,1234\n"
    assert faults(cards(text)) == [(1, "2", "", FaultCode.SECRET_COLUMN)]
    assert told(cards(text)) == {1: ""}


def test_a_column_of_keys_is_known_without_its_name() -> None:
    assert faults(cards(f"{A},{KEY}\n")) == [(1, "2", "", FaultCode.SECRET_COLUMN)]


def test_a_row_is_told_as_it_stands_in_the_file() -> None:
    text = f'卡号;序列号\n"{A[:-2]}";{1:016X}  \n{B};{2:016X}'
    assert told(cards(text)) == {2: f'"{A[:-2]}";{1:016X}', 3: f"{B};{2:016X}"}


def test_only_columns_that_are_read_are_told() -> None:
    text = f'ICCID,备注\n{A},1234\nbad,"5678\nbad,1,2\nbad,ok\n'
    assert told(cards(text)) == {2: f"{A},", 3: "", 4: "", 5: "bad,"}
    assert told(cards(f"1 {A}\n2 bad\n"))[2] == "- bad"


def test_a_key_that_slipped_into_a_list_is_not_shown() -> None:
    text = f"ICCID\n{A}\n{B}\n{KEY}\n"
    assert faults(cards(text)) == [(4, "iccid", "", FaultCode.MALFORMED)]
    assert told(cards(text))[4] == ""


@given(st.text(max_size=200), st.sampled_from(ListSort))
def test_any_text_gives_rows_or_faults_and_nothing_else(text: str, sort: ListSort) -> None:
    for found in ListFile(StringIO(text, newline=None), sort).rows():
        assert isinstance(found, ListRow | RowFault | BadRow)
        assert isinstance(found.line, str)


@given(
    serials=st.lists(st.integers(0, 10**12), unique=True, min_size=1),
    mark=st.sampled_from(",;\t|"),
    headed=st.booleans(),
)
def test_every_row_comes_back_once_and_in_order(serials: list[int], mark: str, *, headed: bool) -> None:
    pairs = [(f"898600{serial:014d}", f"{serial:020X}") for serial in serials]
    text = "\n".join([*(["卡号" + mark + "序列号"] if headed else []), *(mark.join(pair) for pair in pairs)])
    assert [tuple(row.values()) for row in good(cards(text))] == pairs


def test_bad_rows_are_written_in_the_lists_own_form_with_all_their_reasons() -> None:
    rejects = [
        Reject(2, "iccid", "x", "malformed", "x;y"),
        Reject(2, "serial", "y", "malformed", "x;y"),
        Reject(5, "", "", "column_count", ""),
    ]
    assert reject_text(";", "卡号;序列号", rejects).splitlines() == [
        "卡号;序列号;reason",
        "x;y;iccid:malformed/serial:malformed",
        ";5:column_count",
    ]
    assert reject_text(" ", None, rejects[2:]) == " 5:column_count\r\n"


def test_bad_rows_for_a_sheet_have_their_reasons_behind_the_lists_last_column() -> None:
    rejects = [
        Reject(2, "iccid", "x", "malformed", '"x;1";y'),
        Reject(3, "", "", "column_count", ""),
        Reject(4, "", "", "malformed", '"x"1;y'),
    ]
    assert list(reject_rows(";", "卡号;序列号", 2, rejects)) == [
        ["卡号", "序列号", "reason"],
        ["x;1", "y", "iccid:malformed"],
        ["", "", "3:column_count"],
        ['"x"1;y', "", "4:malformed"],
    ]


@given(st.from_regex(r"89[0-9A-F]{17}[0-9A-F]?", fullmatch=True), st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_a_value_in_normal_form_says_the_same_as_one_that_is_read(iccid: str, number: str) -> None:
    assert good(cards(f"ICCID\n{iccid}\n")) == good(cards(f"ICCID\n{iccid[:9]}-{iccid[9:].lower()}\n"))
    assert good(numbers(f"{number}\n")) == good(numbers(f"+86{number}\n"))
