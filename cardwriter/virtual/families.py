"""A blank card of every family, as its maker delivers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from cardwriter.usim import files
from cardwriter.usim.files import Directory, Ef
from cardwriter.virtual.blank import HIDDEN, IDENTITY, PUBLIC, VOLATILE, blank_card, path_of
from cardwriter.virtual.image import CardImage, FileImage

_ISIM_AID: Final = files.ISIM_AID + bytes.fromhex("ff86ffff89ffffffff")
_LONG_UST: Final = 17
_SJS1: Final = bytes.fromhex("8031a073be21136743200718000001")
_SJA2: Final = bytes.fromhex("8031e073fe211b674a4c753034054b")
_SJA5: Final = bytes.fromhex("8031e073fe211b674a357530350251")
_GRCARD: Final = bytes.fromhex("8031a073b6a10067cf3211b252c679")
_GRCARD_ADM: Final = 0x0C

_MORE: Final[tuple[tuple[Ef, int, int, int], ...]] = (
    (files.ECC, PUBLIC, 5 * 16, 16),
    (files.GID1, IDENTITY, 8, 0),
    (files.GID2, IDENTITY, 8, 0),
    (files.EST, IDENTITY, 1, 0),
    (files.PNN, PUBLIC, 4 * 24, 24),
    (files.OPL, PUBLIC, 4 * 8, 8),
    (files.START_HFN, VOLATILE, 6, 0),
    (files.THRESHOLD, VOLATILE, 3, 0),
    (files.EPSNSC, VOLATILE, 54, 54),
    (files.FIVE_GS_LOCI, VOLATILE, 20, 0),
    (files.FIVE_GS_N3_LOCI, VOLATILE, 20, 0),
    (files.FIVE_GS_NSC, VOLATILE, 62, 62),
    (files.FIVE_GS_N3_NSC, VOLATILE, 62, 62),
    (files.UAC_AIC, IDENTITY, 4, 0),
    (files.SUCI_CALC_INFO, IDENTITY, 96, 0),
    (files.ROUTING_INDICATOR, IDENTITY, 4, 0),
)
"""Further files of a USIM: rule, size, record length."""
_ISIM: Final[tuple[tuple[Ef, int, int, int], ...]] = (
    (files.ISIM_IMPI, IDENTITY, 80, 0),
    (files.ISIM_DOMAIN, IDENTITY, 64, 0),
    (files.ISIM_IMPU, IDENTITY, 2 * 90, 90),
    (files.PCSCF, IDENTITY, 2 * 60, 60),
)
_SYSMO_USIM_KEYS: Final = (
    (Ef("EF.KI", 0x00FF, Directory.GSM, "maker"), 16),
    (Ef("EF.OPC", 0x00F7, Directory.GSM, "maker"), 17),
    (Ef("EF.AUTH", 0x6F00, Directory.SYSMO_GSM, "maker"), 2),
)
_SYSMO_ISIM_KEYS: Final = (
    (Ef("EF.USIM_AUTH_KEY", 0xAF20, Directory.USIM, "maker"), 67),
    (Ef("EF.ISIM_AUTH_KEY", 0xAF20, Directory.ISIM, "maker"), 67),
    (Ef("EF.SIM_AUTH_KEY", 0x6F20, Directory.SYSMO_AUTH, "maker"), 67),
)
_GRCARD_KEYS: Final = (
    (Ef("EF.K", 0x0001, Directory.MF, "maker"), 16),
    (Ef("EF.OPC", 0x6002, Directory.MF, "maker"), 17),
    (Ef("EF.ALGORITHM", 0x2FD0, Directory.MF, "maker"), 2),
)


def add_files(image: CardImage, wanted: tuple[tuple[Ef, int, int, int], ...]) -> None:
    """Give a card further files: rule, size and record length of each; all bytes are FF."""
    for ef, rule, size, record_length in wanted:
        image.files[path_of(ef)] = FileImage(b"\xff" * size, rule, ef.sfi, record_length)


def add_whole_set(image: CardImage) -> None:
    """Give a card all files of a 4G and 5G USIM and an ISIM."""
    add_files(image, (*_MORE, *_ISIM))
    image.files[path_of(files.EST)].content = b"\x00"
    image.files[path_of(files.ISIM_AD)] = FileImage(bytes.fromhex("00000002"), PUBLIC, files.ISIM_AD.sfi)
    image.files[path_of(files.IST)] = FileImage(b"\x00", IDENTITY, files.IST.sfi)
    ust = image.files[path_of(files.UST)]
    ust.content = ust.content.ljust(_LONG_UST, b"\x00")
    image.isim_aid = _ISIM_AID


def _serial_only(wish: Mapping[str, Any]) -> CardImage:
    return blank_card(**{**wish, "iccid": None})


def _with_keys(layout: str, keys: tuple[tuple[Ef, int], ...], **make: Any) -> Callable[[Mapping[str, Any]], CardImage]:
    """Return a builder of a card whose keys lie in files; those are blank, the card works with its factory's."""

    def build(wish: Mapping[str, Any]) -> CardImage:
        image = blank_card(**{**wish, "serial": None, **make})
        if layout == "sysmo_isim":
            add_whole_set(image)
        add_files(image, tuple((ef, HIDDEN, size, 0) for ef, size in keys))
        image.key_layout = layout
        return image

    return build


_BUILDERS: Final[Mapping[str, Callable[[Mapping[str, Any]], CardImage]]] = {
    "preset_key": lambda wish: blank_card(**wish),
    "preset_key_separate_gsm": lambda wish: blank_card(**wish, gsm_linked=False),
    "serial_only": _serial_only,
    "sysmo_usim_sjs1": _with_keys("sysmo_usim", _SYSMO_USIM_KEYS, historical=_SJS1),
    "sysmo_isim_sja2": _with_keys("sysmo_isim", _SYSMO_ISIM_KEYS, historical=_SJA2),
    "sysmo_isim_sja5": _with_keys("sysmo_isim", _SYSMO_ISIM_KEYS, historical=_SJA5),
    "scp03": _with_keys("sysmo_usim", _SYSMO_USIM_KEYS),
    "grcard_v2": _with_keys("grcard", _GRCARD_KEYS, historical=_GRCARD, adm=_GRCARD_ADM),
}


def blank_of(profile: str, **wish: Any) -> CardImage:
    """Return a blank card of the family that the profile of this name writes; `wish` is that of `blank_card`.

    K and OPc are those that the card has from its factory.

    Raises
    ------
    KeyError
        No family has this name.
    """
    return _BUILDERS[profile](wish)
