"""The card families, as data. Facts about makes come from their makers' public manuals and from others' open tools."""

from __future__ import annotations

from typing import Final

from cardwriter.crypto.milenage import Milenage
from cardwriter.crypto.tuak import Tuak
from cardwriter.profiles.atr import HistoricalMask
from cardwriter.profiles.channel import ScriptChannel
from cardwriter.profiles.family import CardFamily, Named
from cardwriter.profiles.keys import KeyFile, KeyStrategy, Part
from cardwriter.usim.files import Directory, Ef

_SJS1_KEYS: Final = KeyStrategy(
    "two_file",
    (
        KeyFile("algorithm", Ef("EF.AUTH", 0x6F00, Directory.SYSMO_GSM, "sysmoUSIM-SJS1 manual"), (b"\x01\x01",)),
        KeyFile("opc", Ef("EF.OPC", 0x00F7, Directory.GSM, "sysmoUSIM-SJS1 manual"), (b"\x01", Part.OPC)),
        KeyFile("k", Ef("EF.KI", 0x00FF, Directory.GSM, "sysmoUSIM-SJS1 manual"), (Part.K,)),
    ),
)
"""Algorithm of 2G and 3G: MILENAGE; then OPc behind 01 (00 would be OP), then K."""

_SJA_AUTH_FILES: Final = (
    ("gsm_auth_key", Ef("EF.SIM_AUTH_KEY", 0x6F20, Directory.SYSMO_AUTH, "sysmoISIM manual")),
    ("isim_auth_key", Ef("EF.ISIM_AUTH_KEY", 0xAF20, Directory.ISIM, "sysmoISIM manual")),
    ("usim_auth_key", Ef("EF.USIM_AUTH_KEY", 0xAF20, Directory.USIM, "sysmoISIM manual")),
)
"""2G, IMS and 4G have a key file each; all three hold the same, or the networks disagree about the card."""
_SJA_CONTENT: Final = (Part.CONFIG, Part.BODY)
_SJA2_KEYS: Final = KeyStrategy(
    "sysmo_auth_key", tuple(KeyFile(name, ef, _SJA_CONTENT) for name, ef in _SJA_AUTH_FILES)
)
_SJA5_KEYS: Final = KeyStrategy(
    "sysmo_auth_key",
    tuple(KeyFile(name, ef, _SJA_CONTENT) for name, ef in _SJA_AUTH_FILES),
    algorithms=(Milenage, Tuak),
    short_res=True,
)
_GRCARD_KEYS: Final = KeyStrategy(
    "two_file",
    (
        KeyFile("algorithm", Ef("EF.ALGORITHM", 0x2FD0, Directory.MF, "others' reports"), (b"\x19\x10",)),
        KeyFile("opc", Ef("EF.OPC", 0x6002, Directory.MF, "others' reports"), (b"\x01", Part.OPC)),
        KeyFile("k", Ef("EF.K", 0x0001, Directory.MF, "others' reports"), (Part.K,)),
    ),
)
_GRCARD_ADM: Final = 0x0C
_CARD_MANAGER: Final = bytes.fromhex("a000000151000000")
"""The issuer's security domain (GlobalPlatform card specification 2.3 §H.1.3)."""
_FIRST_SCP03_VERSION: Final = 0x30
"""Key versions 30 to 3F are for SCP03 (amendment D §4.1.1)."""

PROFILES: Final = (
    CardFamily(name="preset_key"),
    CardFamily(name="preset_key_separate_gsm", gsm_linked=False),
    CardFamily(name="serial_only", named=Named.SERIAL),
    CardFamily(name="sysmo_usim_sjs1", atr=(HistoricalMask("8031a073be21136743200718000001"),), keys=_SJS1_KEYS),
    CardFamily(
        name="sysmo_isim_sja2",
        atr=(
            HistoricalMask("8031e073fe211b674a4c753034054b"),
            HistoricalMask("8031e073fe211b674a4c7531330251"),
            HistoricalMask("8031e073fe211b674a4c5275310451"),
        ),
        keys=_SJA2_KEYS,
    ),
    CardFamily(name="sysmo_isim_sja5", atr=(HistoricalMask("8031e073fe211b674a35753035"),), keys=_SJA5_KEYS),
    CardFamily(
        name="grcard_v2",
        atr=(HistoricalMask("8031a073b6a10067cf32"),),
        adm=_GRCARD_ADM,
        keys=_GRCARD_KEYS,
        keys_needed=True,
        experimental=True,
    ),
    CardFamily(
        name="scp03",
        keys=_SJS1_KEYS,
        keys_needed=True,
        channel=ScriptChannel(version=_FIRST_SCP03_VERSION, aid=_CARD_MANAGER),
        experimental=True,
    ),
)
"""All families; a card kind in stock names its own, and a name is never changed once used."""
