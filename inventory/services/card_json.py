"""Facts about a card and what it is to hold, as the JSON that a write job keeps: no key, no code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from cardwriter.crypto.aka import AuthAlgorithm
from cardwriter.crypto.scp03 import StaticKeys
from cardwriter.crypto.secret import Secret
from cardwriter.profiles import CardFacts, Personalisation, Product, Verdict
from cardwriter.profiles.product import acts_of
from cardwriter.usim.identity import whole_iccid
from cardwriter.usim.network import Act, PlmnAct, encode_hpplmn, encode_plmn
from cardwriter.usim.texts import Spn, encode_spn

_BYTES = ("atr", "iccid_raw", "serial_raw", "imsi_usim", "imsi_gsm", "greeting")
_SECRET = ("adm1", "keys", "channel")
_NO_CODE = Secret(b"")
_MNC_LENGTH = 2  # China and the test network: 3GPP TS 23.003 clause 2.2, ITU-T E.212 annex
_ACCESS = Act.E_UTRAN | Act.UTRAN | Act.GSM
_COUNTRY_CODE = "86"
_ANY_IMSI = "001010123456789"


def facts_json(facts: CardFacts) -> dict[str, Any]:
    """Write the facts with bytes as hex."""
    tables = {name: content.hex() for name, content in facts.contents.items()}
    wire = {**vars(facts), "sizes": dict(facts.sizes), "contents": tables}
    return wire | {name: None if wire[name] is None else wire[name].hex() for name in _BYTES}


def facts_of(wire: Mapping[str, Any]) -> CardFacts:
    """Read facts that `facts_json` wrote."""
    content = {name: bytes.fromhex(wire[name]) for name in _BYTES if wire.get(name) is not None}
    tables = {name: bytes.fromhex(text) for name, text in wire.get("contents", {}).items()}
    return CardFacts(**{**wire, **content, "contents": tables})


def product_of(network: Mapping[str, Any]) -> Product:
    """Give what a card kind's `network` says about the product's own files, under `product`.

    Raises
    ------
    KeyError, TypeError, ValueError
        It is not of the form of `Product.to_json`.
    """
    return Product.from_json(network.get("product", {}))


def content_for(
    network: Mapping[str, Any], *, imsi: str, smsc: str, mobile: str | None, iccid: str | None = None
) -> Personalisation:
    """Give what a card of the kind is to hold for this IMSI, still without its ADM1.

    `network` is `card_kind.network`: `spn` {`name`, `show_plmn`, `hide_abroad`} is needed; `mnc_length` (2), `hplmns`
    [{`plmn`, `act`: names of `Act`}] (the IMSI's own network, 4G first), `ehplmns`, `search_minutes` (30), `own_number`
    (true: `mobile` is written too) and `product` (no further files) have these defaults. `smsc` is digits with `+`,
    `iccid` the number for a card that has none from its factory.

    Raises
    ------
    KeyError, TypeError, ValueError
        The kind's network is not of this form.
    """
    mnc_length = int(network.get("mnc_length", _MNC_LENGTH))
    home = PlmnAct(imsi[: 3 + mnc_length], _ACCESS)
    named = tuple(PlmnAct(item["plmn"], acts_of(item["act"])) for item in network.get("hplmns", ()))
    return Personalisation(
        imsi=imsi,
        mnc_length=mnc_length,
        smsc=smsc.removeprefix("+"),
        spn=Spn(**network["spn"]),
        hplmns=named or (home,),
        ehplmns=tuple(network.get("ehplmns", ())),
        msisdn=_COUNTRY_CODE + mobile if mobile is not None and network.get("own_number", True) else None,
        search_minutes=int(network.get("search_minutes", 30)),
        product=product_of(network),
        iccid=None if iccid is None else whole_iccid(iccid),
        adm1=_NO_CODE,
    )


def check_network(network: Mapping[str, Any]) -> None:
    """Refuse what no card of the kind could be written with; a kind that no hall writes has none.

    Raises
    ------
    KeyError, TypeError, ValueError
        It is not of the form that `content_for` reads, or has a value that no file can hold.
    """
    if network:
        content = content_for(network, imsi=_ANY_IMSI, smsc="+8613800100500", mobile=None)
        encode_spn(content.spn)
        encode_hpplmn(content.search_minutes)
        for plmn in (*content.ehplmns, *(item.plmn for item in content.hplmns)):
            encode_plmn(plmn)


def content_json(content: Personalisation) -> dict[str, Any]:
    """Write what a card is to hold; ADM1 and keys are left out."""
    wire = {name: value for name, value in vars(content).items() if name not in _SECRET}
    return wire | {
        "spn": asdict(content.spn),
        "hplmns": [{"plmn": item.plmn, "act": [act.name for act in item.act]} for item in content.hplmns],
        "ehplmns": list(content.ehplmns),
        "product": content.product.to_json(),
    }


def content_of(wire: Mapping[str, Any]) -> Personalisation:
    """Read what `content_json` wrote, without the secrets."""
    return Personalisation(
        **{
            **wire,
            "spn": Spn(**wire["spn"]),
            "hplmns": tuple(PlmnAct(item["plmn"], acts_of(item["act"])) for item in wire["hplmns"]),
            "ehplmns": tuple(wire["ehplmns"]),
            "product": product_of(wire),
            "adm1": _NO_CODE,
        }
    )


def with_secrets(
    content: Personalisation, adm1: Secret, keys: AuthAlgorithm, channel: StaticKeys | None = None
) -> Personalisation:
    """Give the same content with the card's ADM1, and with its keys if they may travel.

    They may if the product lets them travel in clear, or if the script is encrypted for the card with `channel`.
    """
    travel = content.product.allow_clear_keys or channel is not None
    return replace(content, adm1=adm1, keys=keys if travel else None, channel=channel)


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """Write a verdict: kind, failure class, deciding step and status word (hex), and the card's SQN for the HSS."""
    return {
        "kind": verdict.kind.value,
        "failure": None if verdict.failure is None else verdict.failure.value,
        "step": verdict.step,
        "sw": None if verdict.sw is None else f"{verdict.sw:04x}",
        "detail": verdict.detail,
        "sqn_ms": verdict.sqn_ms,
    }
