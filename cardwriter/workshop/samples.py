"""A blank card of each family with the data for it, all invented: what benches and their tests write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cardwriter.crypto.milenage import Milenage
from cardwriter.crypto.scp03 import StaticKeys
from cardwriter.crypto.secret import Secret
from cardwriter.profiles import CardProfile, Personalisation, Product
from cardwriter.usim.five_gs import HomeKey, Scheme, SuciInfo
from cardwriter.usim.names import EmergencyNumber, NameRule, NetworkName
from cardwriter.usim.network import Act, PlmnAct
from cardwriter.usim.texts import Spn
from cardwriter.virtual.families import blank_of
from cardwriter.virtual.image import CardImage
from cardwriter.virtual.scp03 import ChannelKeys

WHOLE_SET: Final = Product(
    languages=("zh", "en"),
    emergency=(EmergencyNumber("110", 0x01), EmergencyNumber("120", 0x02)),
    oplmns=(PlmnAct("45400", Act.E_UTRAN), PlmnAct("20801", Act.UTRAN)),
    names=(NetworkName("中国移动", "移动"), NetworkName("CMCC")),
    name_rules=(NameRule("46000", 1), NameRule("46002", 2)),
    gid1=b"\x01",
    gid2=b"\x02\x03",
    services_on=(85, 89, 122, 124),
    services_off=(86,),
    pcscf=("pcscf.ims.example", "192.0.2.1"),
    routing_indicator="17",
    suci=SuciInfo(((Scheme.PROFILE_A, 1), (Scheme.NULL, 0)), (HomeKey(27, bytes(range(32))),)),
    files=(
        *("plmnwact", "est", "uac_aic", "isim_ad", "impi", "domain", "impu", "ist"),
        *("keys", "keys_ps", "start_hfn", "threshold", "epsnsc"),
        *("5gs_loci", "5gs_n3_loci", "5gs_nsc", "5gs_n3_nsc"),
        *("gsm_ad", "gsm_spn", "gsm_acc", "telecom_smsp", "telecom_msisdn"),
    ),
    allow_clear_keys=True,
)
"""A product that asks for every file that a card of the sysmoISIM family can hold."""


_PRODUCTS: Final[Mapping[str, Product]] = {
    "sysmo_usim_sjs1": Product(allow_clear_keys=True),
    "sysmo_isim_sja2": Product(files=("impi", "domain", "impu"), allow_clear_keys=True),
    "sysmo_isim_sja5": WHOLE_SET,
    "grcard_v2": Product(allow_clear_keys=True),
    "scp03": Product(),
}
"""Products of the families whose cards are given K and OPc in the hall."""
SCP03_VERSION: Final = 0x30
"""Of the key set of cards that are written through a secure channel."""
_FACTORY_KEY: Final = Secret(bytes(range(16)))
"""What such a card has until then."""


@dataclass(frozen=True)
class Sample:
    """One card with what is inside it since the factory."""

    image: CardImage
    iccid: str
    keys: Milenage
    adm1: Secret
    channel: StaticKeys

    @property
    def secrets(self) -> tuple[bytes, ...]:
        """Everything that nobody may see, as bytes, as hex and as digits."""
        hidden = (self.keys.k, self.keys.opc, self.adm1, self.channel.enc, self.channel.mac)
        values = [one.reveal() for one in hidden]
        return tuple(form for value in values for form in (value, value.hex().encode()))


def sample(family: CardProfile, number: int) -> Sample:
    """Return the n-th blank card of a family; every card has keys and codes of its own."""
    k = Secret.fromhex(f"465b5ce8b199b49faa5f0a2e{number:08x}")
    opc = Secret.fromhex(f"cd63cb71954a9f4e48a5994e{number:08x}")
    adm1 = Secret(f"{31415926 + number:08d}".encode())
    iccid = f"89860012{number:012d}"
    enc, mac = (Secret.fromhex(f"{start}0a0b0c0d0e0f1011121314{number:08x}") for start in ("a0", "b0"))
    inside: dict[str, Any] = {"k": k, "opc": opc}
    if family.name in _PRODUCTS:
        inside = {"k": _FACTORY_KEY, "opc": _FACTORY_KEY}
    if family.greeting:
        inside["channel"] = ChannelKeys(SCP03_VERSION, enc, mac)
    image = blank_of(family.name, iccid=iccid, serial=f"{number:020d}", adm1=adm1, **inside)
    return Sample(image, iccid, Milenage(k, opc), adm1, StaticKeys(SCP03_VERSION, enc, mac))


def data_for(family: CardProfile, of: Sample, imsi: str) -> Personalisation:
    """Return data with this IMSI for a card: an ICCID for one that has none, keys for one that is given them."""
    product = _PRODUCTS.get(family.name)
    more: dict[str, Any] = {} if product is None else {"product": product, "keys": of.keys}
    return Personalisation(
        imsi=imsi,
        mnc_length=2,
        smsc="8613800100500",
        spn=Spn("HAOKA"),
        hplmns=(PlmnAct("46000", Act.E_UTRAN | Act.UTRAN | Act.GSM),),
        ehplmns=("46000", "46002", "46007", "46008"),
        msisdn="8613912345678",
        adm1=of.adm1,
        iccid=of.iccid if family.name == "serial_only" else None,
        channel=of.channel if family.greeting else None,
        **more,
    )
