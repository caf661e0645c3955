from __future__ import annotations

import pytest

from drivers.errors import CardRemovedError
from drivers.trace import TracingConnection, describe
from drivers.virtual import VirtualSource
from tests.station.tiny_card import ATR, ICCID, TinyCard

VERIFY = bytes.fromhex("0020000a08") + b"41414141"
UPDATE = bytes.fromhex("00d6000002abcd")
AUTHENTICATE = bytes.fromhex("0088008102a1a2")


@pytest.mark.parametrize("ins", [0x20, 0x24, 0x26, 0x28, 0x2C])
@pytest.mark.parametrize("show_data", [False, True])
def test_codes_are_never_shown(ins: int, *, show_data: bool) -> None:
    line = describe(bytes([0, ins, 0, 0x0A, 8]) + b"41414141", b"", 0x9000, show_data=show_data)
    assert line == f"00{ins:02x}000a [8 bytes] > 9000"


@pytest.mark.parametrize("show_data", [False, True])
def test_the_answer_of_authenticate_is_never_shown(*, show_data: bool) -> None:
    assert describe(AUTHENTICATE, b"\xdb\x08key", 0x9000, show_data=show_data).endswith("> [5 bytes] 9000")


def test_data_stays_hidden_unless_asked_for() -> None:
    assert describe(UPDATE, b"", 0x9000) == "00d60000 [2 bytes] > 9000"
    assert describe(UPDATE, b"", 0x9000, show_data=True) == "00d60000 abcd > 9000"


def test_the_name_of_a_selected_file_is_shown() -> None:
    assert describe(bytes.fromhex("00a40004022fe2"), b"\x62\x00", 0x9000) == "00a40004 2fe2 > [2 bytes] 9000"


def test_a_traced_connection_behaves_as_the_one_inside() -> None:
    source = VirtualSource(TinyCard())
    lines: list[str] = []
    card = TracingConnection(source.connect("virtual"), lines.append)
    assert card.atr == card.reset() == ATR
    card.transmit(bytes.fromhex("00a40004022fe2"))
    assert card.transmit(bytes.fromhex("00b000000a")) == (ICCID, 0x9000)
    source.remove()
    with pytest.raises(CardRemovedError):
        card.transmit(VERIFY)
    card.close()
    assert lines == [
        f"reset > {ATR.hex()}",
        "00a40004 2fe2 > [6 bytes] 9000",
        "00b00000 > [10 bytes] 9000",
        "0020000a > card_removed",
    ]
