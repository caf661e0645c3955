"""The vendor's cards as image files, for the virtual reader."""

from __future__ import annotations

from pathlib import Path

from cardwriter.crypto.secret import Secret
from cardwriter.virtual.blank import blank_card
from cardwriter.virtual.faults import Fault
from tests.web.stock import VENDOR


def make_card(
    folder: Path, serial: int, *, faults: tuple[Fault, ...] = (), stranger: bool = False, numbered: bool = True
) -> Path:
    """Take the vendor's card out of the box as an image file; a stranger's keys are not those of the delivery.

    One that is not `numbered` has a chip serial only.
    """
    card = VENDOR.card(serial)
    image = blank_card(
        iccid=card.iccid if numbered else None,
        serial=card.serial,
        k=Secret(bytes(16) if stranger else card.k),
        opc=Secret(card.opc),
        adm1=Secret(card.adm1),
        pin1=card.pin1,
        puk1=card.puk1,
    )
    image.faults = list(faults)
    path = folder / f"card-{serial}.json"
    image.save(path)
    return path
