"""An invented card vendor: the same cards for the same seed, and the files it would deliver.

The seed stands for the vendor's own production data; the demo keeps it in its data folder because the virtual card
that is put into the reader must hold the very keys that the delivered file holds encrypted.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

TRANSPORT_KEY_INDEX = "11"
CARD_KIND = "4G-PRESET"
SERIAL_KIND = "4G-SERIAL"
SERIAL_CARDS = range(900_001, 900_031)
"""The vendor's blanks that have a chip serial only."""
_ICCID_HEAD = "898600A3253099"
"""Invented: an issuer of China Mobile, a province code and a vendor that do not go together."""
_LAB_IMSI = 460009990000000
"""A range set aside for the demo; these identities are synthetic."""


@dataclass(frozen=True)
class VendorCard:
    """One blank as the vendor knows it."""

    iccid: str
    serial: str
    pin1: str = field(repr=False)
    puk1: str = field(repr=False)
    pin2: str = field(repr=False)
    puk2: str = field(repr=False)
    adm1: bytes = field(repr=False)
    k: bytes = field(repr=False)
    opc: bytes = field(repr=False)


@dataclass(frozen=True)
class DemoVendor:
    """Makes cards, the transport key and the delivery from a 32-byte seed."""

    seed: bytes = field(repr=False)

    @property
    def transport_key(self) -> bytes:
        """The AES-128 key under which Ki and OPc travel."""
        return self._bytes("transport key", 16)

    def card(self, number: int) -> VendorCard:
        """Return the card with this number of the batch."""

        def digits(name: str, count: int) -> str:
            return str(int.from_bytes(self._bytes(f"{name} {number}", 8)) % 10**count).zfill(count)

        return VendorCard(
            iccid=f"{_ICCID_HEAD}{number:06d}",
            serial=f"{20260000000000000000 + number}",
            pin1=digits("pin1", 4),
            puk1=digits("puk1", 8),
            pin2=digits("pin2", 4),
            puk2=digits("puk2", 8),
            adm1=digits("adm1", 8).encode(),
            k=self._bytes(f"k {number}", 16),
            opc=self._bytes(f"opc {number}", 16),
        )

    def write_delivery(self, path: Path, count: int) -> None:
        """Write the vendor's output file for cards 1 to `count` in the classic layout (docs/vendor-files.md)."""
        self._write(path, self._delivery(range(1, count + 1), numbered=True))

    def write_serial_delivery(self, path: Path) -> None:
        """Write the file of the blanks that have a chip serial only."""
        self._write(path, self._delivery(SERIAL_CARDS, numbered=False))

    def _write(self, path: Path, lines: Iterator[str]) -> None:
        with path.open("w", encoding="ascii") as file:
            path.chmod(0o600)
            file.writelines(f"{line}\n" for line in lines)

    def _delivery(self, numbers: range, *, numbered: bool) -> Iterator[str]:
        kind, profile, batch = (CARD_KIND, "preset_key", 1) if numbered else (SERIAL_KIND, "serial_only", 2)
        yield from ("*" * 40, "*HEADER DESCRIPTION", "*" * 40)
        yield from ("Customer: Haoka demo operator", f"Quantity: {len(numbers)}", f"Type: {kind}")
        yield from (f"Profile: {profile}", f"Batch: DEMO-{batch:04d}", f"Transport_key: {TRANSPORT_KEY_INDEX}")
        yield from ("*INPUT VARIABLES", "var_In:", f"Ser_nb: {self.card(numbers[0]).serial}", "*OUTPUT VARIABLES")
        yield f"var_Out: {'ICCID/' if numbered else ''}Ser_nb/PIN1/PUK1/PIN2/PUK2/ADM1/KI/OPC"
        for card in map(self.card, numbers):
            names = (card.iccid, card.serial) if numbered else (card.serial,)
            values = (*names, card.pin1, card.puk1, card.pin2, card.puk2, card.adm1.decode())
            yield " ".join((*values, self._sealed(card.k).hex(), self._sealed(card.opc).hex()))

    def write_numbered_pool(self, path: Path, hlr: str) -> None:
        """Write a pool file with an IMSI and an ICCID for each of those blanks."""
        with path.open("w", encoding="ascii") as file:
            file.write("imsi,iccid,hlr\n")
            file.writelines(f"{_LAB_IMSI + number},{self.card(number).iccid},{hlr}\n" for number in SERIAL_CARDS)

    def _sealed(self, key: bytes) -> bytes:
        """Encrypt one key block as vendors do (one AES block, no chaining)."""
        encryptor = Cipher(AES(self.transport_key), ECB()).encryptor()  # noqa: S305 - the vendors' form, one block
        return encryptor.update(key) + encryptor.finalize()

    def _bytes(self, name: str, length: int) -> bytes:
        return hmac.new(self.seed, name.encode(), hashlib.sha256).digest()[:length]


def write_imsi_pool(path: Path, hlr: str, count: int) -> None:
    """Write a pool file of `count` IMSIs of the demo's lab range for the HLR."""
    with path.open("w", encoding="ascii") as file:
        file.write("imsi,hlr\n")
        file.writelines(f"{_LAB_IMSI + number},{hlr}\n" for number in range(count))
