"""Whether one card's data belong together, checked as a whole before any byte is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cardwriter.profiles.base import Personalisation
from cardwriter.profiles.product import Product
from cardwriter.usim.bcd import CodecError, digits

_IMSI_SHORTEST, _IMSI_LONGEST = 14, 15
_E164_SHORTEST, _E164_LONGEST = 8, 15
_MCC_DIGITS = 3
_SUCI_ON_CARD = 125  # TS 31.102 §4.2.8

_COUNTRIES: Final = {"460": ("86", 2)}
"""MCC: country code of numbers and ICCIDs (ITU-T E.212, E.164, E.118), digits of an MNC."""

_MOBILE, _UNICOM, _TELECOM = ("00", "02", "04", "07", "08", "13"), ("01", "06", "09"), ("03", "05", "11", "12")
_ISSUERS: Final = {
    **dict.fromkeys(("898600", "898602", "898604", "898607", "898608"), _MOBILE),
    **dict.fromkeys(("898601", "898606", "898609"), _UNICOM),
    **dict.fromkeys(("898603", "898611"), _TELECOM),
    "898615": ("15",),
}
"""ICCID prefix of a Chinese issuer: the MNCs of its networks. A prefix that is not listed is not judged."""


@dataclass(frozen=True)
class Problem:
    """One contradiction: the field to look at and why, with no value in it."""

    field: str
    reason: str


class IdentityError(ValueError):
    """The data for a card contradict each other or its ICCID; `problems` lists every contradiction."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{problem.field}: {problem.reason}" for problem in problems))


def identity_problems(data: Personalisation, iccid: str) -> tuple[Problem, ...]:
    """Return all contradictions between IMSI, MNC length, network lists, ICCID issuer, SMSC and MSISDN, best first."""
    try:
        digits(data.imsi, _IMSI_SHORTEST, _IMSI_LONGEST)
    except CodecError as error:
        return (Problem("imsi", str(error)),)
    return (*_networks(data), *_numbers(data), *_issuer(data, iccid), *_product(data.product))


def _networks(data: Personalisation) -> Iterator[Problem]:
    country = _COUNTRIES.get(data.imsi[:_MCC_DIGITS])
    if data.mnc_length != (country[1] if country else data.mnc_length) or data.mnc_length not in (2, 3):
        yield Problem("mnc_length", "is not the MNC length of the IMSI's country")
    if not data.hplmns or data.hplmns[0].plmn != data.home:
        yield Problem("hplmns", "must begin with the network of the IMSI")
    if data.ehplmns and data.home not in data.ehplmns:
        yield Problem("ehplmns", "must contain the network of the IMSI")
    if any(plmn[:_MCC_DIGITS] != data.home[:_MCC_DIGITS] for plmn in data.ehplmns):
        yield Problem("ehplmns", "holds a network of another country")


def _numbers(data: Personalisation) -> Iterator[Problem]:
    country = _COUNTRIES.get(data.imsi[:_MCC_DIGITS])
    for field, number in (("smsc", data.smsc), ("msisdn", data.msisdn)):
        if number is None:
            continue
        try:
            digits(number, _E164_SHORTEST, _E164_LONGEST)
        except CodecError as error:
            yield Problem(field, str(error))
            continue
        if country and not number.startswith(country[0]):
            yield Problem(field, "is a number of another country than the IMSI")


def _issuer(data: Personalisation, iccid: str) -> Iterator[Problem]:
    country = _COUNTRIES.get(data.imsi[:_MCC_DIGITS])
    if country and not iccid.startswith("89" + country[0]):
        yield Problem("iccid", "was issued in another country than the IMSI's")
    networks = _ISSUERS.get(iccid[:6])
    if networks and data.home not in {"460" + mnc for mnc in networks}:
        yield Problem("iccid", "was issued by another operator than the IMSI's network")


def _product(product: Product) -> Iterator[Problem]:
    if any(not 1 <= rule.name <= len(product.names) for rule in product.name_rules):
        yield Problem("name_rules", "names a network name that is not in the list")
    if set(product.services_on) & set(product.services_off):
        yield Problem("services_on", "switches on a service that is switched off too")
    if product.suci is not None and not product.routing_indicator:
        yield Problem("routing_indicator", "is needed to conceal the IMSI")
    if product.suci is not None and _SUCI_ON_CARD in product.services_on:
        yield Problem("services_on", "lets the card conceal the IMSI, which is left to the phone")
