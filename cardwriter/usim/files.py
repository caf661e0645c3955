"""The part of the file tree that point of sale touches: names, identifiers, short identifiers and their clauses."""

from __future__ import annotations

import enum
from dataclasses import dataclass

USIM_AID = bytes.fromhex("a0000000871002")
"""RID of 3GPP and the application code of a USIM, enough to select the first one (TS 101 220 annex E, TS 31.110)."""

MF = 0x3F00
"""TS 102 221 §8.3."""
ADF = 0x7FFF
"""File id that stands for the current application in a path (TS 102 221 §8.3)."""


class Pin(enum.IntEnum):
    """Key references (TS 102 221 §9.5.1)."""

    PIN1 = 0x01
    ADM1 = 0x0A


class Directory(enum.Enum):
    """Where a file lies, by the file id below the MF."""

    MF = MF
    TELECOM = 0x7F10
    GSM = 0x7F20
    USIM = ADF


@dataclass(frozen=True)
class Ef:
    """An elementary file; `sfi` is the short id that spares a SELECT, None where the standard gives none.

    `clause` says where its content is specified.
    """

    name: str
    fid: int
    directory: Directory
    clause: str
    sfi: int | None = None

    @property
    def path(self) -> bytes:
        """The path below the MF, for SELECT by path (TS 102 221 §11.1.1.2)."""
        parent = b"" if self.directory is Directory.MF else self.directory.value.to_bytes(2, "big")
        return parent + self.fid.to_bytes(2, "big")


DIR = Ef("EF.DIR", 0x2F00, Directory.MF, "TS 102 221 §13.1", 0x1E)
ICCID = Ef("EF.ICCID", 0x2FE2, Directory.MF, "TS 102 221 §13.2", 0x02)
PL = Ef("EF.PL", 0x2F05, Directory.MF, "TS 102 221 §13.3", 0x05)
MF_ARR = Ef("EF.ARR", 0x2F06, Directory.MF, "TS 102 221 §13.4", 0x06)
SERIAL = Ef("EF.SERIAL", 0x2F02, Directory.MF, "blank-card serial of Chinese blanks, not in a 3GPP document")

GSM_IMSI = Ef("EF.IMSI (DF.GSM)", 0x6F07, Directory.GSM, "TS 51.011 §10.3.2", 0x07)

LI = Ef("EF.LI", 0x6F05, Directory.USIM, "TS 31.102 §4.2.1", 0x02)
IMSI = Ef("EF.IMSI", 0x6F07, Directory.USIM, "TS 31.102 §4.2.2", 0x07)
KEYS = Ef("EF.Keys", 0x6F08, Directory.USIM, "TS 31.102 §4.2.3", 0x08)
KEYS_PS = Ef("EF.KeysPS", 0x6F09, Directory.USIM, "TS 31.102 §4.2.4", 0x09)
PLMN_ACT = Ef("EF.PLMNwAcT", 0x6F60, Directory.USIM, "TS 31.102 §4.2.5", 0x0A)
HPPLMN = Ef("EF.HPPLMN", 0x6F31, Directory.USIM, "TS 31.102 §4.2.6", 0x12)
UST = Ef("EF.UST", 0x6F38, Directory.USIM, "TS 31.102 §4.2.8", 0x04)
SPN = Ef("EF.SPN", 0x6F46, Directory.USIM, "TS 31.102 §4.2.12")
ACC = Ef("EF.ACC", 0x6F78, Directory.USIM, "TS 31.102 §4.2.15", 0x06)
FPLMN = Ef("EF.FPLMN", 0x6F7B, Directory.USIM, "TS 31.102 §4.2.16", 0x0D)
LOCI = Ef("EF.LOCI", 0x6F7E, Directory.USIM, "TS 31.102 §4.2.17", 0x0B)
AD = Ef("EF.AD", 0x6FAD, Directory.USIM, "TS 31.102 §4.2.18", 0x03)
PSLOCI = Ef("EF.PSLOCI", 0x6F73, Directory.USIM, "TS 31.102 §4.2.23", 0x0C)
MSISDN = Ef("EF.MSISDN", 0x6F40, Directory.USIM, "TS 31.102 §4.2.26")
SMSP = Ef("EF.SMSP", 0x6F42, Directory.USIM, "TS 31.102 §4.2.27")
OPLMN_ACT = Ef("EF.OPLMNwAcT", 0x6F61, Directory.USIM, "TS 31.102 §4.2.53", 0x11)
HPLMN_ACT = Ef("EF.HPLMNwAcT", 0x6F62, Directory.USIM, "TS 31.102 §4.2.54", 0x13)
USIM_ARR = Ef("EF.ARR", 0x6F06, Directory.USIM, "TS 31.102 §4.2.55", 0x17)
EHPLMN = Ef("EF.EHPLMN", 0x6FD9, Directory.USIM, "TS 31.102 §4.2.84", 0x1D)
EPSLOCI = Ef("EF.EPSLOCI", 0x6FE3, Directory.USIM, "TS 31.102 §4.2.91", 0x1E)
