"""Commands that the drivers' tests send to the tiny card."""

from __future__ import annotations

from drivers.polled import PolledSource
from tests.station.tiny_card import ADM

SELECT_ICCID = bytes.fromhex("00a40004022fe2")
READ_ICCID = bytes.fromhex("00b000000a")
UPDATE = bytes.fromhex("00d6000001ff")
VERIFY_ADM = bytes.fromhex("0020000a08") + ADM


def iccid_in(source: PolledSource) -> bytes:
    """Return the ICCID of the card in a source's one reader, as the card has it."""
    card = source.connect(source.name)
    try:
        card.transmit(SELECT_ICCID)
        data, sw = card.transmit(READ_ICCID)
    finally:
        card.close()
    assert sw == 0x9000
    return data
