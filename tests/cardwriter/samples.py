"""One invented card and its data; K and OPc are those of test set 1 of TS 35.207."""

from __future__ import annotations

from typing import Any

from cardwriter.crypto.aka import AuthAlgorithm
from cardwriter.crypto.milenage import Milenage
from cardwriter.crypto.scp03 import StaticKeys
from cardwriter.crypto.secret import Secret
from cardwriter.profiles import (
    CardFacts,
    CardProfile,
    Personalisation,
    Product,
    identify_script,
    measured_for,
    read_facts,
)
from cardwriter.usim.network import Act, PlmnAct
from cardwriter.usim.texts import Spn
from cardwriter.virtual.blank import blank_card
from cardwriter.virtual.families import blank_of
from cardwriter.virtual.image import CardImage
from cardwriter.virtual.scp03 import ChannelKeys
from cardwriter.virtual.uicc import VirtualUicc
from cardwriter.workshop.samples import WHOLE_SET
from tests.cardwriter.station import run

ICCID = "89860012345678901238"
SERIAL = "20260100000000000042"
IMSI = "460001234567890"
K = Secret.fromhex("465b5ce8b199b49faa5f0a2ee238a6bc")
OPC = Secret.fromhex("cd63cb71954a9f4e48a5994e37a02baf")
ADM1 = Secret(b"83726150")
RAND = bytes.fromhex("23553cbe9637a89d218ae64dae47bf35")
EXPIRES = 1_800_000_000
KEYS = Milenage(K, OPC)
CHANNEL = StaticKeys(0x30, Secret(bytes(range(0x40, 0x50))), Secret(bytes(range(0x50, 0x60))))
FACTORY_KEY = Secret(bytes(range(16)))
"""What a card has that is given K and OPc in the hall."""


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


def blank_for(family: CardProfile, **changes: Any) -> CardImage:
    """Return a fresh blank card of a family, with the stock's keys inside if the hall writes none."""
    takes_keys = some_data_for(family).keys is not None
    inside: dict[str, Any] = {"k": FACTORY_KEY, "opc": FACTORY_KEY} if takes_keys else {"k": K, "opc": OPC}
    if family.greeting:
        inside["channel"] = ChannelKeys(CHANNEL.version, CHANNEL.enc, CHANNEL.mac)
    return blank_of(family.name, **({"iccid": ICCID, "serial": SERIAL, "adm1": ADM1} | inside | changes))


def some_data_for(family: CardProfile, keys: AuthAlgorithm = KEYS, **changes: Any) -> Personalisation:
    """Return data that suit a card of the family: what its product asks for, an ICCID or keys where it needs them."""
    needs: dict[str, dict[str, Any]] = {
        "serial_only": {"iccid": ICCID},
        "sysmo_usim_sjs1": {"keys": keys, "product": Product(allow_clear_keys=True)},
        "sysmo_isim_sja2": {"keys": keys, "product": Product(files=("impi", "domain", "impu"), allow_clear_keys=True)},
        "sysmo_isim_sja5": {"keys": keys, "product": WHOLE_SET},
        "grcard_v2": {"keys": keys, "product": Product(allow_clear_keys=True)},
        "scp03": {"keys": keys, "channel": CHANNEL},
    }
    return some_data(**(needs.get(family.name, {}) | changes))


def identify(family: CardProfile, card: VirtualUicc) -> CardFacts:
    """Identify a card as a job does that knows its product."""
    measured = measured_for(some_data_for(family).product)
    script = identify_script("identify", EXPIRES, measured=measured, adm=family.adm, greeting=family.greeting)
    return read_facts(run(card, script))
