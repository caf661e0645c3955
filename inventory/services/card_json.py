"""Facts about a card and what it is to hold, as the JSON that a write job keeps: no key, no code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from cardwriter.crypto.secret import Secret
from cardwriter.profiles import CardFacts, Personalisation, Verdict
from cardwriter.usim.network import Act, PlmnAct
from cardwriter.usim.texts import Spn

_BYTES = ("atr", "iccid_raw", "imsi_usim", "imsi_gsm")
_NO_CODE = Secret(b"")
_MNC_LENGTH = 2  # China and the test network: 3GPP TS 23.003 clause 2.2, ITU-T E.212 annex
_ACCESS = Act.E_UTRAN | Act.UTRAN | Act.GSM
_COUNTRY_CODE = "86"


def facts_json(facts: CardFacts) -> dict[str, Any]:
    """Write the facts with bytes as hex."""
    wire = {**vars(facts), "sizes": dict(facts.sizes)}
    return wire | {name: None if wire[name] is None else wire[name].hex() for name in _BYTES}


def facts_of(wire: Mapping[str, Any]) -> CardFacts:
    """Read facts that `facts_json` wrote."""
    return CardFacts(**{**wire, **{name: None if wire[name] is None else bytes.fromhex(wire[name]) for name in _BYTES}})


def content_for(network: Mapping[str, Any], *, imsi: str, smsc: str, mobile: str | None) -> Personalisation:
    """Give what a card of the kind is to hold for this IMSI, still without its ADM1.

    `network` is `card_kind.network`: `spn` {`name`, `show_plmn`, `hide_abroad`} is needed; `mnc_length` (2), `hplmns`
    [{`plmn`, `act`: names of `Act`}] (the IMSI's own network, 4G first), `ehplmns`, `search_minutes` (30) and
    `own_number` (true: `mobile` is written too) have these defaults. `smsc` is digits with `+`.

    Raises
    ------
    KeyError, TypeError, ValueError
        The kind's network is not of this form.
    """
    mnc_length = int(network.get("mnc_length", _MNC_LENGTH))
    home = PlmnAct(imsi[: 3 + mnc_length], _ACCESS)
    named = tuple(PlmnAct(item["plmn"], _acts(item["act"])) for item in network.get("hplmns", ()))
    return Personalisation(
        imsi=imsi,
        mnc_length=mnc_length,
        smsc=smsc.removeprefix("+"),
        spn=Spn(**network["spn"]),
        hplmns=named or (home,),
        ehplmns=tuple(network.get("ehplmns", ())),
        msisdn=_COUNTRY_CODE + mobile if mobile is not None and network.get("own_number", True) else None,
        search_minutes=int(network.get("search_minutes", 30)),
        adm1=_NO_CODE,
    )


def content_json(content: Personalisation) -> dict[str, Any]:
    """Write what a card is to hold; the ADM1 is left out."""
    wire = {name: value for name, value in vars(content).items() if name != "adm1"}
    return wire | {
        "spn": asdict(content.spn),
        "hplmns": [{"plmn": item.plmn, "act": [act.name for act in item.act]} for item in content.hplmns],
        "ehplmns": list(content.ehplmns),
    }


def content_of(wire: Mapping[str, Any], adm1: Secret) -> Personalisation:
    """Read what `content_json` wrote and add the card's ADM1."""
    return Personalisation(
        **{
            **wire,
            "spn": Spn(**wire["spn"]),
            "hplmns": tuple(PlmnAct(item["plmn"], _acts(item["act"])) for item in wire["hplmns"]),
            "ehplmns": tuple(wire["ehplmns"]),
            "adm1": adm1,
        }
    )


def with_code(content: Personalisation, adm1: Secret) -> Personalisation:
    """Give the same content with the card's ADM1."""
    return replace(content, adm1=adm1)


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


def _acts(names: list[str]) -> Act:
    acts = Act(0)
    for name in names:
        acts |= Act[name]
    return acts
