"""The part of the file tree that point of sale touches: names, identifiers, short identifiers and their clauses."""

from __future__ import annotations

import enum
from dataclasses import dataclass

USIM_AID = bytes.fromhex("a0000000871002")
"""RID of 3GPP and the application code of a USIM, enough to select the first one (TS 101 220 annex E, TS 31.110)."""
ISIM_AID = bytes.fromhex("a0000000871004")
"""The same for an ISIM (TS 101 220 annex E, TS 31.103)."""

MF = 0x3F00
"""TS 102 221 §8.3."""
ADF = 0x7FFF
"""File id that stands for the current application in a path (TS 102 221 §8.3)."""


class Pin(enum.IntEnum):
    """Key references (TS 102 221 §9.5.1)."""

    PIN1 = 0x01
    ADM1 = 0x0A


class Directory(enum.Enum):
    """Where a file lies: the path below the MF, and the AID of an application, which a path cannot tell apart."""

    MF = ("", b"")
    TELECOM = ("7f10", b"")
    GSM = ("7f20", b"")
    USIM = ("7fff", USIM_AID)
    ISIM = ("7fff", ISIM_AID)
    FIVE_GS = ("7fff5fc0", b"")
    """Below the USIM (TS 31.102 §4.4.11)."""
    SYSMO_GSM = ("7fcc", b"")
    SYSMO_AUTH = ("a515", b"")
    """Where two makers of cards keep what no standard places."""

    def __init__(self, path: str, aid: bytes) -> None:
        self.path = bytes.fromhex(path)
        self.aid = aid


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
        return self.directory.path + self.fid.to_bytes(2, "big")


DIR = Ef("EF.DIR", 0x2F00, Directory.MF, "TS 102 221 §13.1", 0x1E)
ICCID = Ef("EF.ICCID", 0x2FE2, Directory.MF, "TS 102 221 §13.2", 0x02)
PL = Ef("EF.PL", 0x2F05, Directory.MF, "TS 102 221 §13.3", 0x05)
MF_ARR = Ef("EF.ARR", 0x2F06, Directory.MF, "TS 102 221 §13.4", 0x06)
SERIAL = Ef("EF.SERIAL", 0x2F02, Directory.MF, "blank-card serial of Chinese blanks, not in a 3GPP document")

TELECOM_MSISDN = Ef("EF.MSISDN (DF.TELECOM)", 0x6F40, Directory.TELECOM, "TS 51.011 §10.5.5")
TELECOM_SMSP = Ef("EF.SMSP (DF.TELECOM)", 0x6F42, Directory.TELECOM, "TS 51.011 §10.5.6")

GSM_IMSI = Ef("EF.IMSI (DF.GSM)", 0x6F07, Directory.GSM, "TS 51.011 §10.3.2", 0x07)
GSM_SPN = Ef("EF.SPN (DF.GSM)", 0x6F46, Directory.GSM, "TS 51.011 §10.3.11")
GSM_ACC = Ef("EF.ACC (DF.GSM)", 0x6F78, Directory.GSM, "TS 51.011 §10.3.15")
GSM_FPLMN = Ef("EF.FPLMN (DF.GSM)", 0x6F7B, Directory.GSM, "TS 51.011 §10.3.16")
GSM_LOCI = Ef("EF.LOCI (DF.GSM)", 0x6F7E, Directory.GSM, "TS 51.011 §10.3.17")
GSM_AD = Ef("EF.AD (DF.GSM)", 0x6FAD, Directory.GSM, "TS 51.011 §10.3.18")

LI = Ef("EF.LI", 0x6F05, Directory.USIM, "TS 31.102 §4.2.1", 0x02)
IMSI = Ef("EF.IMSI", 0x6F07, Directory.USIM, "TS 31.102 §4.2.2", 0x07)
KEYS = Ef("EF.Keys", 0x6F08, Directory.USIM, "TS 31.102 §4.2.3", 0x08)
KEYS_PS = Ef("EF.KeysPS", 0x6F09, Directory.USIM, "TS 31.102 §4.2.4", 0x09)
PLMN_ACT = Ef("EF.PLMNwAcT", 0x6F60, Directory.USIM, "TS 31.102 §4.2.5", 0x0A)
HPPLMN = Ef("EF.HPPLMN", 0x6F31, Directory.USIM, "TS 31.102 §4.2.6", 0x12)
UST = Ef("EF.UST", 0x6F38, Directory.USIM, "TS 31.102 §4.2.8", 0x04)
GID1 = Ef("EF.GID1", 0x6F3E, Directory.USIM, "TS 31.102 §4.2.10")
GID2 = Ef("EF.GID2", 0x6F3F, Directory.USIM, "TS 31.102 §4.2.11")
SPN = Ef("EF.SPN", 0x6F46, Directory.USIM, "TS 31.102 §4.2.12")
ACC = Ef("EF.ACC", 0x6F78, Directory.USIM, "TS 31.102 §4.2.15", 0x06)
FPLMN = Ef("EF.FPLMN", 0x6F7B, Directory.USIM, "TS 31.102 §4.2.16", 0x0D)
LOCI = Ef("EF.LOCI", 0x6F7E, Directory.USIM, "TS 31.102 §4.2.17", 0x0B)
AD = Ef("EF.AD", 0x6FAD, Directory.USIM, "TS 31.102 §4.2.18", 0x03)
ECC = Ef("EF.ECC", 0x6FB7, Directory.USIM, "TS 31.102 §4.2.21", 0x01)
PSLOCI = Ef("EF.PSLOCI", 0x6F73, Directory.USIM, "TS 31.102 §4.2.23", 0x0C)
MSISDN = Ef("EF.MSISDN", 0x6F40, Directory.USIM, "TS 31.102 §4.2.26")
SMSP = Ef("EF.SMSP", 0x6F42, Directory.USIM, "TS 31.102 §4.2.27")
EST = Ef("EF.EST", 0x6F56, Directory.USIM, "TS 31.102 §4.2.47", 0x05)
START_HFN = Ef("EF.START-HFN", 0x6F5B, Directory.USIM, "TS 31.102 §4.2.51", 0x0F)
THRESHOLD = Ef("EF.THRESHOLD", 0x6F5C, Directory.USIM, "TS 31.102 §4.2.52", 0x10)
OPLMN_ACT = Ef("EF.OPLMNwAcT", 0x6F61, Directory.USIM, "TS 31.102 §4.2.53", 0x11)
HPLMN_ACT = Ef("EF.HPLMNwAcT", 0x6F62, Directory.USIM, "TS 31.102 §4.2.54", 0x13)
USIM_ARR = Ef("EF.ARR", 0x6F06, Directory.USIM, "TS 31.102 §4.2.55", 0x17)
PNN = Ef("EF.PNN", 0x6FC5, Directory.USIM, "TS 31.102 §4.2.58", 0x19)
OPL = Ef("EF.OPL", 0x6FC6, Directory.USIM, "TS 31.102 §4.2.59")
EHPLMN = Ef("EF.EHPLMN", 0x6FD9, Directory.USIM, "TS 31.102 §4.2.84", 0x1D)
EPSLOCI = Ef("EF.EPSLOCI", 0x6FE3, Directory.USIM, "TS 31.102 §4.2.91", 0x1E)
EPSNSC = Ef("EF.EPSNSC", 0x6FE4, Directory.USIM, "TS 31.102 §4.2.92", 0x18)

FIVE_GS_LOCI = Ef("EF.5GS3GPPLOCI", 0x4F01, Directory.FIVE_GS, "TS 31.102 §4.4.11.2", 0x01)
FIVE_GS_N3_LOCI = Ef("EF.5GSN3GPPLOCI", 0x4F02, Directory.FIVE_GS, "TS 31.102 §4.4.11.3", 0x02)
FIVE_GS_NSC = Ef("EF.5GS3GPPNSC", 0x4F03, Directory.FIVE_GS, "TS 31.102 §4.4.11.4", 0x03)
FIVE_GS_N3_NSC = Ef("EF.5GSN3GPPNSC", 0x4F04, Directory.FIVE_GS, "TS 31.102 §4.4.11.5", 0x04)
UAC_AIC = Ef("EF.UAC_AIC", 0x4F06, Directory.FIVE_GS, "TS 31.102 §4.4.11.7", 0x06)
SUCI_CALC_INFO = Ef("EF.SUCI_Calc_Info", 0x4F07, Directory.FIVE_GS, "TS 31.102 §4.4.11.8", 0x07)
ROUTING_INDICATOR = Ef("EF.Routing_Indicator", 0x4F0A, Directory.FIVE_GS, "TS 31.102 §4.4.11.11", 0x0A)

ISIM_IMPI = Ef("EF.IMPI", 0x6F02, Directory.ISIM, "TS 31.103 §4.2.2", 0x02)
ISIM_DOMAIN = Ef("EF.DOMAIN", 0x6F03, Directory.ISIM, "TS 31.103 §4.2.3", 0x05)
ISIM_IMPU = Ef("EF.IMPU", 0x6F04, Directory.ISIM, "TS 31.103 §4.2.4", 0x04)
IST = Ef("EF.IST", 0x6F07, Directory.ISIM, "TS 31.103 §4.2.7", 0x07)
PCSCF = Ef("EF.P-CSCF", 0x6F09, Directory.ISIM, "TS 31.103 §4.2.8")
ISIM_AD = Ef("EF.AD (ISIM)", 0x6FAD, Directory.ISIM, "TS 31.103 §4.2.9", 0x03)
