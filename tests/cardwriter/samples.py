"""One invented card and its data; K and OPc are those of test set 1 of TS 35.207."""

from __future__ import annotations

from typing import Any

from cardwriter.crypto.secret import Secret
from cardwriter.profiles import Personalisation
from cardwriter.usim.network import Act, PlmnAct
from cardwriter.usim.texts import Spn
from cardwriter.virtual.blank import blank_card
from cardwriter.virtual.image import CardImage

ICCID = "89860012345678901238"
SERIAL = "20260100000000000042"
IMSI = "460001234567890"
K = Secret.fromhex("465b5ce8b199b49faa5f0a2ee238a6bc")
OPC = Secret.fromhex("cd63cb71954a9f4e48a5994e37a02baf")
ADM1 = Secret(b"83726150")
RAND = bytes.fromhex("23553cbe9637a89d218ae64dae47bf35")
EXPIRES = 1_800_000_000


def a_blank(**changes: Any) -> CardImage:
    """Return a fresh blank card."""
    wish: dict[str, Any] = {"iccid": ICCID, "serial": SERIAL, "k": K, "opc": OPC, "adm1": ADM1}
    return blank_card(**(wish | changes))


def some_data(**changes: Any) -> Personalisation:
    """Return data that belong together and to the sample card."""
    wish: dict[str, Any] = {
        "imsi": IMSI,
        "mnc_length": 2,
        "smsc": "8613800100500",
        "spn": Spn("中国移动"),
        "hplmns": (PlmnAct("46000", Act.E_UTRAN | Act.UTRAN | Act.GSM),),
        "ehplmns": ("46000", "46002", "46007", "46008"),
        "msisdn": "8613912345678",
        "adm1": ADM1,
    }
    return Personalisation(**(wish | changes))
