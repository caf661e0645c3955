from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.identifiers import Iccid, swap_nibbles
from inventory.domain.identifiers import parse_imsi as parse
from inventory.domain.loading import BadRow, CardRow, FaultCode, ImsiRow, RowFault, VendorFile, read_imsi_pool

ICCID = "89860012345678901238"
KI, OPC = "0123456789abcdef0123456789ABCDEF", "f" * 32
COLUMNS = "ICCID/Ser_nb/PIN1/PUK1/PIN2/PUK2/ADM1/KI/OPC"


def card(number: int, **changes: str) -> str:
    values = {
        "iccid": f"898600{number:014d}",
        "serial": f"{number:020d}",
        "pin1": "1234",
        "puk1": "12345678",
        "pin2": "5678",
        "puk2": "87654321",
        "adm1": "3838383838383838",
        "ki": KI,
        "opc": OPC,
    }
    return " ".join((values | changes).values())


def file_of(*cards: str, columns: str = COLUMNS, quantity: str | None = None, name: str = "var_Out") -> list[str]:
    declared = str(len(cards)) if quantity is None else quantity
    return (
        f"""***************************************
*HEADER DESCRIPTION
***************************************
Customer: Lijiang Mobile
Quantity: {declared}
Type: preset-key USIM
Profile: 0605
Batch: 00233
Transport_key: 11
Address1: Road: 5
*INPUT VARIABLES
***************************************
var_In:
ICCID: 89860000000000000001
*OUTPUT VARIABLES
***************************************
{name}: {columns}
""".splitlines()
        + list(cards)
    )


def read(lines: list[str]) -> tuple[list[CardRow], list[RowFault]]:
    found = list(VendorFile(lines).rows())
    return (
        [row for row in found if isinstance(row, CardRow)],
        [fault for fault in found if isinstance(fault, RowFault)],
    )


def test_a_good_file_gives_its_header_and_every_card() -> None:
    file = VendorFile(file_of(card(1), card(2)))
    assert file.faults == []
    assert (file.header.customer, file.header.quantity, file.header.batch) == ("Lijiang Mobile", 2, "00233")
    assert (file.header.card_type, file.header.profile, file.header.transport_key) == ("preset-key USIM", "0605", "11")
    assert file.header.more["address1"] == "Road: 5"
    first, second = file.rows()
    assert isinstance(first, CardRow)
    assert isinstance(second, CardRow)
    assert (first.row, first.iccid, first.serial) == (18, "89860000000000000001", "00000000000000000001")
    assert second.row == 19
    secrets = first.secrets
    assert (secrets.pin1, secrets.puk1, secrets.pin2, secrets.puk2) == ("1234", "12345678", "5678", "87654321")
    assert (secrets.adm1, secrets.ki, secrets.opc) == (b"88888888", bytes.fromhex(KI), bytes.fromhex(OPC))


@pytest.mark.parametrize(
    "name", ["var_out", "VAR_OUT", "var_Out "], ids=["lower case", "upper case", "a space before the colon"]
)
def test_section_names_are_read_in_any_case(name: str) -> None:
    cards, faults = read(file_of(card(1), name=name))
    assert len(cards) == 1
    assert faults == []


@pytest.mark.parametrize(
    ("written", "iccid", "warnings"),
    [
        (ICCID, ICCID, ()),
        (swap_nibbles(ICCID), ICCID, ("swapped",)),
        ("8988211000000467343F", "8988211000000467343", ()),
        ("988812010000407643F3", "8988211000000467343", ("swapped",)),
        ("898600d01210f1234567", "898600D01210F1234567", ()),
    ],
)
def test_an_iccid_is_read_plain_swapped_and_padded(written: str, iccid: str, warnings: tuple[str, ...]) -> None:
    cards, faults = read(file_of(card(1, iccid=written)))
    assert faults == []
    assert [(row.iccid, row.warnings) for row in cards] == [(iccid, warnings)]


def test_codes_are_read_as_digits_or_as_hex_of_their_padded_bytes() -> None:
    """ETSI TS 102 221 clause 9.5.1: eight bytes, padded with FF."""
    cards, faults = read(file_of(card(1, pin1="31323334FFFFFFFF", puk1="3132333435363738", adm1="12345678")))
    assert faults == []
    secrets = cards[0].secrets
    assert (secrets.pin1, secrets.puk1, secrets.adm1) == ("1234", "12345678", b"12345678")
    cards, _ = read(file_of(card(1, adm1="1234")))
    assert cards[0].secrets.adm1 == b"1234\xff\xff\xff\xff"


def test_a_finished_card_brings_imsi_and_number() -> None:
    line = f"{ICCID} 460001234567890 13812345678 {KI}"
    cards, faults = read(file_of(line, columns="ICCID/IMSI/MSISDN/eKi"))
    assert faults == []
    assert (cards[0].imsi, cards[0].msisdn, cards[0].serial) == ("460001234567890", "13812345678", None)
    assert cards[0].secrets.opc is None


def test_a_blank_may_have_a_serial_alone() -> None:
    cards, faults = read(file_of("0011223344556677", columns="CardSN"))
    assert faults == []
    assert (cards[0].iccid, cards[0].serial) == (None, "0011223344556677")


@pytest.mark.parametrize(
    ("columns", "boxed", "several"),
    [("ICCID/IMSI", False, False), ("ICCID/BOX_NO", True, False), ("ICCID/IMSI/IMSI2", False, True)],
)
def test_a_header_tells_whether_cards_lie_in_boxes_and_have_several_imsis(
    columns: str, *, boxed: bool, several: bool
) -> None:
    file = VendorFile(file_of(columns=columns))
    assert (file.boxed, file.several) == (boxed, several)


def test_columns_without_use_are_named_and_left_alone() -> None:
    file = VendorFile(file_of(f"{ICCID} x y", columns="ICCID/PRINT_ICCID/KIC1"))
    assert file.ignored == ("PRINT_ICCID", "KIC1")
    assert [type(row) for row in file.rows()] == [CardRow]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (file_of(card(1), quantity="2"), [(0, "Quantity", "2", FaultCode.QUANTITY)]),
        (file_of(card(1), quantity="many"), [(0, "Quantity", "many", FaultCode.MALFORMED)]),
        (file_of(card(1), quantity="１"), [(0, "Quantity", "１", FaultCode.MALFORMED)]),
        (file_of(card(1) + " 5"), [(18, "", "", FaultCode.COLUMN_COUNT)]),
        (file_of(card(1, iccid="8.986E+19")), [(18, "iccid", "… (9 characters)", FaultCode.SPREADSHEET_NUMBER)]),
        (file_of(card(1, iccid="12345")), [(18, "iccid", "… (5 characters)", FaultCode.MALFORMED)]),
        (file_of(card(1, serial="1" * 60)), [(18, "serial", "11… (60 characters)", FaultCode.MALFORMED)]),
        (file_of(card(1, pin1="12")), [(18, "pin1", "", FaultCode.MALFORMED)]),
        (file_of(card(1, puk1="1234")), [(18, "puk1", "", FaultCode.MALFORMED)]),
        (file_of(card(1, pin1="FFFFFFFFFFFFFFFF")), [(18, "pin1", "", FaultCode.MALFORMED)]),
        (file_of(card(1, adm1="123")), [(18, "adm1", "", FaultCode.MALFORMED)]),
        (file_of(card(1, ki="00" * 15)), [(18, "ki", "", FaultCode.MALFORMED)]),
        (file_of(columns="IMSI/KI"), [(17, "var_Out", "", FaultCode.MISSING)]),
        (file_of(columns="ICCID/KI/eKi"), [(17, "ki", "", FaultCode.DUPLICATE_COLUMN)]),
        (file_of(columns="ICCID/IMSI2"), [(17, "imsi", "", FaultCode.MISSING)]),
        (
            file_of(f"{ICCID} 460001234567890 460001234567890", columns="ICCID/IMSI/IMSI2"),
            [(18, "imsi", "460001234567890", FaultCode.DUPLICATE_IN_FILE)],
        ),
        ([], [(0, "var_Out", "", FaultCode.MISSING), (0, "Quantity", "", FaultCode.MALFORMED)]),
    ],
)
def test_each_fault_is_named_by_row_column_and_code(
    lines: list[str], expected: list[tuple[int, str, str, FaultCode]]
) -> None:
    _, faults = read(lines)
    assert [(fault.row, fault.column, fault.value, fault.code) for fault in faults] == expected


def test_a_key_that_slipped_into_another_column_is_not_shown_in_a_fault() -> None:
    _, faults = read(file_of(card(1, iccid="0F" * 16)))
    assert [fault.value for fault in faults] == ["0F… (32 characters)"]


def test_a_bad_identifier_in_a_file_without_codes_is_shown() -> None:
    lines = ["Quantity: 1", "var_Out: ICCID/Ser_nb", f"12345 {1:020d}"]
    _, faults = read(lines)
    assert [fault.value for fault in faults] == ["12345"]


def test_all_faults_of_a_file_are_found_at_once() -> None:
    lines = file_of(card(1, pin1="x", ki="y"), card(2), card(2, iccid=ICCID), card(3, adm1=""), quantity="9")
    cards, faults = read(lines)
    assert [row.row for row in cards] == [19, 20]
    assert [(fault.row, fault.column) for fault in faults] == [(18, "pin1"), (18, "ki"), (21, ""), (0, "Quantity")]


def test_the_names_of_a_bad_row_are_told() -> None:
    found = list(VendorFile(file_of(card(1, pin1="x"), card(2, iccid="x"))).rows())
    assert [row for row in found if isinstance(row, BadRow)] == [
        BadRow(18, {"iccid": "89860000000000000001", "serial": f"{1:020d}"}),
        BadRow(19, {"serial": f"{2:020d}"}),
    ]
    assert list(read_imsi_pool(["imsi,hlr", "460001234567890,"]))[-1] == BadRow(2, {"imsi": "460001234567890"})


codes = st.from_regex(r"[0-9]{4,8}", fullmatch=True)
eights = st.from_regex(r"[0-9]{8}", fullmatch=True)
keys = st.from_regex(r"([0-9A-Fa-f]{32}){1,2}", fullmatch=True)


@given(st.from_regex(r"89[0-9A-F]{17}[0-9A-E]", fullmatch=True), codes, eights, keys, keys)
def test_a_row_in_normal_form_says_the_same_as_one_that_is_read_value_by_value(
    iccid: str, pin: str, puk: str, ki: str, opc: str
) -> None:
    values = {"pin1": pin, "puk1": puk, "ki": ki, "opc": opc}
    columns = f"{COLUMNS}/PRINT_ICCID"
    (plain,), _ = read(file_of(f"{card(1, iccid=iccid, **values)} x", columns=columns))
    (swapped,), _ = read(file_of(f"{card(1, iccid=swap_nibbles(iccid), **values)} x", columns=columns))
    assert swapped.warnings == ("swapped",)
    assert plain == replace(swapped, warnings=())


CHANNEL = f"{COLUMNS}/SCP03_ENC/SCP03_MAC"


def test_keys_of_a_secure_channel_are_read_as_delivered() -> None:
    (found,), faults = read(file_of(f"{card(1)} {KI} {OPC * 2}", columns=CHANNEL))
    assert faults == []
    assert (found.secrets.scp_enc, found.secrets.scp_mac) == (bytes.fromhex(KI), bytes.fromhex(OPC * 2))
    assert (KI in repr(found), "scp" in repr(found)) == (False, False)


def test_one_key_of_a_secure_channel_is_none() -> None:
    _, faults = read(file_of(f"{card(1)} {KI}", columns=f"{COLUMNS}/SCP03_MAC"))
    assert [(fault.column, fault.code) for fault in faults] == [("scp_enc", FaultCode.MISSING)]


@pytest.mark.parametrize("key", ["00" * 24, "00" * 15, "xy" * 16])
def test_a_key_that_aes_has_not_is_refused_without_being_shown(key: str) -> None:
    _, faults = read(file_of(f"{card(1)} {KI} {key}", columns=CHANNEL))
    assert [(fault.column, fault.code, fault.value) for fault in faults] == [("scp_mac", FaultCode.MALFORMED, "")]


def test_rows_come_one_by_one_from_a_file_without_end() -> None:
    def endless() -> Iterator[str]:
        yield from file_of(quantity="9")
        number = 0
        while True:
            number += 1
            yield card(number)

    assert len(list(islice(VendorFile(endless()).rows(), 1000))) == 1000


hexes = st.text("0123456789abcdef", min_size=14, max_size=70)


@given(column=st.sampled_from(["pin1", "puk1", "pin2", "puk2", "adm1", "ki", "opc"]), secret=hexes, spoil=st.booleans())
def test_no_secret_is_shown_by_a_row_or_a_fault(column: str, secret: str, *, spoil: bool) -> None:
    secret = f"{secret}x" if spoil else secret
    for found in VendorFile(file_of(card(1, **{column: secret}))).rows():
        assert secret not in repr(found)
        assert secret.upper() not in repr(found).upper()


def test_the_secrets_of_a_good_row_have_an_empty_repr() -> None:
    cards, _ = read(file_of(card(1)))
    assert repr(cards[0].secrets) == "CardSecrets()"


@given(st.lists(st.text(max_size=40), max_size=12))
def test_any_lines_give_rows_or_faults_and_nothing_else(lines: list[str]) -> None:
    for found in (*VendorFile(lines).rows(), *VendorFile(file_of() + lines).rows()):
        assert isinstance(found, CardRow | RowFault | BadRow)
    for unit in (*read_imsi_pool(lines), *read_imsi_pool(["imsi,hlr", *lines])):
        assert isinstance(unit, ImsiRow | RowFault | BadRow)


def test_a_pool_is_read_with_its_columns_in_any_order() -> None:
    lines = ["\ufeffHLR, IMSI", "LJ01,460001234567890", "", "LJ01, 460001234567891 "]
    assert list(read_imsi_pool(lines)) == [
        ImsiRow(2, parse("460001234567890"), "LJ01"),
        ImsiRow(4, parse("460001234567891"), "LJ01"),
    ]


def test_a_pool_for_blanks_without_an_iccid_brings_one_with_each_imsi() -> None:
    lines = ["ICCID,imsi,hlr", "8986002700000000001f,460001234567890,A", "8986,460001234567891,A", "x,46000,A"]
    assert list(read_imsi_pool(lines[:2])) == [ImsiRow(2, parse("460001234567890"), "A", Iccid("8986002700000000001"))]
    read = list(read_imsi_pool(lines))
    assert [(item.row, item.column) for item in read if isinstance(item, RowFault)] == [
        (3, "iccid"), (4, "imsi"), (4, "iccid"),
    ]  # fmt: skip
    assert [item for item in read if isinstance(item, BadRow)] == [BadRow(3, {"imsi": "460001234567891"})]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], [(1, "imsi", FaultCode.MISSING), (1, "hlr", FaultCode.MISSING)]),
        (["imsi,hlr,iccid,iccid"], [(1, "iccid", FaultCode.DUPLICATE_COLUMN)]),
        (["imsi,imsi,hlr"], [(1, "imsi", FaultCode.DUPLICATE_COLUMN)]),
        (["imsi,hlr,ki"], [(1, "ki", FaultCode.UNKNOWN_COLUMN)]),
        (["imsi,hlr", "460001234567890"], [(2, "", FaultCode.COLUMN_COUNT)]),
        (["imsi,hlr", "4.6E+14,LJ01"], [(2, "imsi", FaultCode.SPREADSHEET_NUMBER)]),
        (["imsi,hlr", "46000,"], [(2, "imsi", FaultCode.MALFORMED), (2, "hlr", FaultCode.MALFORMED)]),
        (["imsi,hlr", "x" * 200_000], [(2, "", FaultCode.COLUMN_COUNT)]),
    ],
)
def test_each_fault_of_a_pool_is_named(lines: list[str], expected: list[tuple[int, str, FaultCode]]) -> None:
    faults = [row for row in read_imsi_pool(lines) if isinstance(row, RowFault)]
    assert [(fault.row, fault.column, fault.code) for fault in faults] == expected


def test_a_stray_quote_in_a_pool_spoils_its_own_line_alone() -> None:
    """REQ-SIM-02: each line is accepted or rejected with line number and reason."""
    lines = ["imsi,hlr", "460001234567890,A", '"460001234567891,A', "460001234567892,A", '460001234567893,"A"']
    read = list(read_imsi_pool(lines))
    assert [item.row for item in read if isinstance(item, ImsiRow)] == [2, 4, 5]
    assert [(item.row, item.code) for item in read if isinstance(item, RowFault)] == [(3, FaultCode.MALFORMED)]
