"""Cards to be named in a `virtual:` address."""

from __future__ import annotations

from cardwriter.usim import files
from cardwriter.usim.identity import encode_imsi
from cardwriter.virtual.image import CardImage, FileImage
from cardwriter.virtual.uicc import VirtualUicc
from tests.cardwriter.samples import IMSI, a_blank


def blank() -> VirtualUicc:
    """Make a blank card."""
    return VirtualUicc(a_blank())


def personal_image() -> CardImage:
    """Make a card that holds an IMSI."""
    image = a_blank()
    place(image, files.IMSI).content = encode_imsi(IMSI)
    return image


def personal() -> VirtualUicc:
    """Put the card with an IMSI into a reader."""
    return VirtualUicc(personal_image())


def place(image: CardImage, ef: files.Ef) -> FileImage:
    """Give the body of a file."""
    found = image.file(ef.path.hex("/", 2))
    assert found is not None
    return found
