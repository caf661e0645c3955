"""The file with which a technician writes a test card: an identity of the test network and the keys of one card.

It is no data of a subscriber and none of the stock's: whatever could be is refused as the file is read.
"""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from cardwriter.crypto.milenage import Milenage
from cardwriter.crypto.secret import Secret

NETWORK: Final = "00101"
"""MCC 001 is for tests and nobody's country (ITU-T E.212); 001/01 is what test networks send."""
OPERATORS: Final = "8986"
"""How the cards of China's operators are numbered (ITU-T E.118): one of them may be in a stock."""
_MNC_DIGITS: Final = 2
_FORMS: Final = {
    "iccid": re.compile(r"89[0-9]{17,18}"),
    "imsi": re.compile(r"[0-9]{15}"),
    "smsc": re.compile(r"[0-9]{8,15}"),
    "spn": re.compile(r"[ -~]{1,16}"),
    "k": re.compile(r"[0-9a-fA-F]{32}"),
    "opc": re.compile(r"[0-9a-fA-F]{32}"),
    "adm1": re.compile(r"[0-9]{8}|[0-9a-fA-F]{16}"),
}


class UnfitFileError(ValueError):
    """The file makes no test identity; `code` is a text of `texts.TEXTS`, `values` its values, never a secret one."""

    def __init__(self, code: str, **values: str) -> None:
        self.code = code
        self.values = values
        super().__init__(code)


@dataclass(frozen=True)
class TrialIdentity:
    """What one test card is to hold. `smsc` is international digits without "+"; `adm1` 8 bytes."""

    iccid: str
    imsi: str
    smsc: str
    spn: str
    keys: Milenage = field(repr=False)
    adm1: Secret = field(repr=False)
    mnc_length: int = _MNC_DIGITS

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file of JSON with the texts `iccid`, `imsi`, `smsc`, `spn`, `k`, `opc` and `adm1`.

        `k` and `opc` are 32 hex digits, `adm1` its 8 digits or 16 hex digits.

        Raises
        ------
        UnfitFileError
            It cannot be read, others may read it, a text is missing or malformed, or it is not for a test.
        """
        try:
            with path.open(encoding="utf-8") as file:
                _refuse_others(path, os.fstat(file.fileno()).st_mode)
                document = json.load(file)
        except OSError as error:
            raise UnfitFileError("test_unreadable", path=str(path), reason=str(error.strerror)) from None
        except (RecursionError, ValueError) as error:
            if isinstance(error, UnfitFileError):
                raise
            raise UnfitFileError("test_no_json", path=str(path)) from None
        return cls._of(document)

    @classmethod
    def _of(cls, document: Any) -> Self:
        if not isinstance(document, dict) or document.keys() != _FORMS.keys():
            raise UnfitFileError("test_fields", fields=", ".join(_FORMS))
        for name, form in _FORMS.items():
            if not isinstance(document[name], str) or not form.fullmatch(document[name]):
                raise UnfitFileError("test_malformed", field=name)
        if not document["imsi"].startswith(NETWORK):
            raise UnfitFileError("test_imsi", network=NETWORK)
        if document["iccid"].startswith(OPERATORS):
            raise UnfitFileError("test_iccid", issuer=OPERATORS)
        adm1 = document["adm1"]
        return cls(
            iccid=document["iccid"],
            imsi=document["imsi"],
            smsc=document["smsc"],
            spn=document["spn"],
            keys=Milenage(Secret.fromhex(document["k"]), Secret.fromhex(document["opc"])),
            adm1=Secret(adm1.encode()) if len(adm1) == 8 else Secret.fromhex(adm1),  # noqa: PLR2004 - digits, or hex
        )


def _refuse_others(path: Path, mode: int) -> None:
    """Refuse a file with keys in it that is not its owner's alone, where there are such rights."""
    if os.name == "posix" and stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO):
        raise UnfitFileError("test_readable", path=str(path))
