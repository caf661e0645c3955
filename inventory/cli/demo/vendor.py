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
SCP03_KIND = "4G-SCP03"
SCP03_CARDS = range(800_001, 800_031)
"""The vendor's blanks that are written through a secure channel, K and OPc with it."""
SCP03_VERSION = 0x30
"""Of the key set of their channels."""
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
    scp_enc: bytes = field(repr=False)
    scp_mac: bytes = field(repr=False)


_CODES = ("PIN1", "PUK1", "PIN2", "PUK2", "ADM1", "KI", "OPC")


@dataclass(frozen=True)
class Article:
    """What the vendor sells under one name: the profile of its cards and the columns of the file that comes along."""

    kind: str
    profile: str
    batch: int
    columns: tuple[str, ...]

    @property
    def file_name(self) -> str:
        """The name under which a delivery comes."""
        return f"vendor-DEMO-{self.batch:04d}.out"


PRESET = Article(CARD_KIND, "preset_key", 1, ("ICCID", "Ser_nb", *_CODES))
SERIAL = Article(SERIAL_KIND, "serial_only", 2, ("Ser_nb", *_CODES))
SCP03 = Article(SCP03_KIND, "scp03", 3, ("ICCID", *_CODES, "SCP03_ENC", "SCP03_MAC"))


def article_of(number: int) -> Article:
    """Return what the vendor's card with this number is."""
    return SERIAL if number in SERIAL_CARDS else SCP03 if number in SCP03_CARDS else PRESET


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
            scp_enc=self._bytes(f"scp03 enc {number}", 16),
            scp_mac=self._bytes(f"scp03 mac {number}", 16),
        )

    def write_delivery(self, path: Path, count: int) -> None:
        """Write the vendor's output file for cards 1 to `count` in the classic layout (docs/vendor-files.md)."""
        self.write_article(path, range(1, count + 1))

    def write_article(self, path: Path, numbers: range) -> None:
        """Write the output file of these cards, which are all of one article."""
        with path.open("w", encoding="ascii") as file:
            path.chmod(0o600)
            file.writelines(f"{line}\n" for line in self._delivery(article_of(numbers[0]), numbers))

    def _delivery(self, article: Article, numbers: range) -> Iterator[str]:
        yield from ("*" * 40, "*HEADER DESCRIPTION", "*" * 40)
        yield from ("Customer: Haoka demo operator", f"Quantity: {len(numbers)}", f"Type: {article.kind}")
        yield f"Profile: {article.profile}"
        yield from (f"Batch: DEMO-{article.batch:04d}", f"Transport_key: {TRANSPORT_KEY_INDEX}")
        yield from ("*INPUT VARIABLES", "var_In:", f"Ser_nb: {self.card(numbers[0]).serial}", "*OUTPUT VARIABLES")
        yield f"var_Out: {'/'.join(article.columns)}"
        for card in map(self.card, numbers):
            values = self._values(card)
            yield " ".join(values[column] for column in article.columns)

    def _values(self, card: VendorCard) -> dict[str, str]:
        """Return what stands in each column that a file may have."""
        keys = {"KI": card.k, "OPC": card.opc, "SCP03_ENC": card.scp_enc, "SCP03_MAC": card.scp_mac}
        return {
            "ICCID": card.iccid,
            "Ser_nb": card.serial,
            "PIN1": card.pin1,
            "PUK1": card.puk1,
            "PIN2": card.pin2,
            "PUK2": card.puk2,
            "ADM1": card.adm1.decode(),
            **{column: self._sealed(key).hex() for column, key in keys.items()},
        }

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
