"""The files that a card can be given, as data: where each lies, whose value it holds, how that is coded, and when.

The order is the order of writing: the network's and the product's files, the ISIM, volatile state back to its defaults,
the subscriber's own. Card families add their keys and, last, EF.IMSI as the mark that the card is complete.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cardwriter.profiles.base import CardFacts, Personalisation
from cardwriter.profiles.product import Product
from cardwriter.usim import files
from cardwriter.usim.bcd import pad
from cardwriter.usim.five_gs import encode_routing_indicator, encode_suci
from cardwriter.usim.identity import Ad, encode_acc, encode_ad, encode_iccid, encode_imsi
from cardwriter.usim.isim import encode_pcscf, encode_text, home_domain, private_identity, public_identity
from cardwriter.usim.names import encode_ecc, encode_languages, encode_opl, encode_pnn
from cardwriter.usim.network import (
    KEYS_RESET,
    START_HFN_RESET,
    THRESHOLD_RESET,
    encode_hpplmn,
    encode_plmn_acts,
    encode_plmns,
    reset_5gs_loci,
    reset_epsloci,
    reset_loci,
    reset_psloci,
)
from cardwriter.usim.services import FILES, promised, switch_services
from cardwriter.usim.texts import Smsp, encode_msisdn, encode_smsp, encode_spn

Values = Callable[[Personalisation, CardFacts], Sequence[Any]]
Code = Callable[[Any, int], bytes]
_PCSCF_SERVICE: Final = 1  # TS 31.103 §4.2.7


class When(enum.Enum):
    """Which cards get a file."""

    ALWAYS = "always"
    SET = "set"
    """Those whose product or subscriber has a value for it."""
    NAMED = "named"
    """Those whose product names it in `Product.files`."""


@dataclass(frozen=True)
class FileRule:
    """One file of the set; `name` stands in the names of its steps, in `Product.files` and `Product.optional`.

    `values` gives what one card is to hold: one value, or one for each record from the first on, or none. `code` turns
    a value into bytes, given the size or record length that the card told (0 if the file is not `measured`, because the
    standard fixes it). `set_by` are the product's fields that have it written.
    """

    name: str
    ef: files.Ef
    values: Values
    code: Code
    when: When = When.ALWAYS
    measured: bool = False
    records: bool = False
    set_by: tuple[str, ...] = ()

    def wanted(self, product: Product) -> bool:
        """Whether cards of the product get the file, if their subscriber has a value for it."""
        if self.when is When.NAMED:
            return self.name in product.files
        return not self.set_by or any(getattr(product, field) for field in self.set_by)


def _of(value: Callable[[Personalisation], Any]) -> Values:
    return lambda data, _facts: [value(data)]


def _is(content: bytes) -> Values:
    return lambda _data, _facts: [content]


def _fixed(code: Callable[[Any], bytes]) -> Code:
    """Return a coding whose size the standard fixes."""
    return lambda value, _size: code(value)


def _zeros(_value: bytes, size: int) -> bytes:
    return bytes(size)


def _set(name: str, ef: files.Ef, code: Code) -> FileRule:
    """Return the rule of a file that holds the product's value of the same name."""
    return FileRule(
        name, ef, lambda data, _: [getattr(data.product, name)], code, When.SET, measured=True, set_by=(name,)
    )


def _listed(name: str, ef: files.Ef, field: str, code: Code) -> FileRule:
    """Return the rule of a file that holds a list of the product's, one entry a record."""
    return FileRule(
        name,
        ef,
        lambda data, _: getattr(data.product, field),
        code,
        When.SET,
        measured=True,
        records=True,
        set_by=(field,),
    )


def _named(name: str, ef: files.Ef, values: Values, code: Code = pad, *, records: bool = False) -> FileRule:
    return FileRule(name, ef, values, code, When.NAMED, measured=True, records=records)


def _services(data: Personalisation, facts: CardFacts) -> Sequence[bytes]:
    """Return EF.UST as read with the product's services switched, on only those whose files the card has."""
    present = {*facts.sizes, *(rule.ef.name for rule in FILE_SET if rule.when is When.ALWAYS)}
    on = [number for number in data.product.services_on if promised(number, present)]
    return [switch_services(facts.contents[files.UST.name], on=on, off=data.product.services_off)]


def _isim_services(data: Personalisation, facts: CardFacts) -> Sequence[bytes]:
    """Return EF.IST as read, with the list of P-CSCF addresses announced where the card gets one (TS 31.103 §4.2.7)."""
    on = (_PCSCF_SERVICE,) if data.product.pcscf and files.PCSCF.name in facts.sizes else ()
    return [switch_services(facts.contents[files.IST.name], on=on)]


_SPN: Final = FileRule("spn", files.SPN, _of(lambda data: data.spn), _fixed(encode_spn), measured=True)
_AD: Final = FileRule("ad", files.AD, _of(lambda data: Ad(data.mnc_length)), _fixed(encode_ad))
_SMSP: Final = FileRule("smsp", files.SMSP, _of(lambda data: Smsp(data.smsc)), encode_smsp, measured=True, records=True)
_MSISDN: Final = FileRule(
    "msisdn",
    files.MSISDN,
    lambda data, facts: [data.msisdn or ""] if data.msisdn or facts.own_number else [],
    encode_msisdn,
    When.SET,
    measured=True,
    records=True,
)
"""Blanked without a number, unless it is: a write that broke off may have left the number of the card's last kit."""
_FPLMN: Final = FileRule("fplmn", files.FPLMN, _of(lambda _: ()), encode_plmns, measured=True)
_LOCI: Final = FileRule("loci", files.LOCI, _of(lambda data: reset_loci(data.home)), _fixed(bytes))
_ACC: Final = FileRule("acc", files.ACC, _of(lambda data: data.imsi), _fixed(encode_acc))
_HPLMN_ACT: Final = FileRule(
    "hplmnwact", files.HPLMN_ACT, _of(lambda data: data.hplmns), encode_plmn_acts, measured=True
)
_EHPLMN: Final = FileRule(
    "ehplmn", files.EHPLMN, _of(lambda data: data.ehplmns or (data.home,)), encode_plmns, measured=True
)

_NETWORK: Final = (
    _AD,
    _SPN,
    FileRule("hpplmn", files.HPPLMN, _of(lambda data: data.search_minutes), _fixed(encode_hpplmn)),
    _HPLMN_ACT,
    _EHPLMN,
    _SMSP,
    _MSISDN,
)
_PRODUCT: Final = (
    replace(_set("languages", files.PL, encode_languages), name="pl"),
    replace(_set("languages", files.LI, encode_languages), name="li"),
    _listed("ecc", files.ECC, "emergency", encode_ecc),
    replace(_set("oplmns", files.OPLMN_ACT, encode_plmn_acts), name="oplmnwact"),
    _named("plmnwact", files.PLMN_ACT, _of(lambda _: ()), encode_plmn_acts),
    _listed("pnn", files.PNN, "names", encode_pnn),
    _listed("opl", files.OPL, "name_rules", _fixed(encode_opl)),
    _set("gid1", files.GID1, pad),
    _set("gid2", files.GID2, pad),
    _named("est", files.EST, _is(b""), _zeros),
    _set("routing_indicator", files.ROUTING_INDICATOR, _fixed(encode_routing_indicator)),
    _set("suci", files.SUCI_CALC_INFO, encode_suci),
    _named("uac_aic", files.UAC_AIC, _is(b""), _zeros),
    FileRule(
        "ust", files.UST, _services, _fixed(bytes), When.SET, measured=True, set_by=("services_on", "services_off")
    ),
)
_ISIM: Final = (
    _named("isim_ad", files.ISIM_AD, _of(lambda data: Ad(data.mnc_length)), _fixed(encode_ad)),
    _named("impi", files.ISIM_IMPI, _of(lambda data: private_identity(data.imsi, data.mnc_length)), encode_text),
    _named("domain", files.ISIM_DOMAIN, _of(lambda data: home_domain(data.imsi, data.mnc_length)), encode_text),
    _named(
        "impu",
        files.ISIM_IMPU,
        _of(lambda data: public_identity(data.imsi, data.mnc_length)),
        encode_text,
        records=True,
    ),
    _named("ist", files.IST, _isim_services, _fixed(bytes)),
    _listed("pcscf", files.PCSCF, "pcscf", encode_pcscf),
)
_RESET: Final = (
    _FPLMN,
    _named("keys", files.KEYS, _is(KEYS_RESET)),
    _named("keys_ps", files.KEYS_PS, _is(KEYS_RESET)),
    _named("start_hfn", files.START_HFN, _is(START_HFN_RESET)),
    _named("threshold", files.THRESHOLD, _is(THRESHOLD_RESET)),
    _named("epsnsc", files.EPSNSC, _is(b""), records=True),
    _named("5gs_loci", files.FIVE_GS_LOCI, _of(lambda data: reset_5gs_loci(data.home))),
    _named("5gs_n3_loci", files.FIVE_GS_N3_LOCI, _of(lambda data: reset_5gs_loci(data.home))),
    _named("5gs_nsc", files.FIVE_GS_NSC, _is(b""), records=True),
    _named("5gs_n3_nsc", files.FIVE_GS_N3_NSC, _is(b""), records=True),
    _LOCI,
    FileRule("psloci", files.PSLOCI, _of(lambda data: reset_psloci(data.home)), _fixed(bytes)),
    FileRule("epsloci", files.EPSLOCI, _of(lambda data: reset_epsloci(data.home)), _fixed(bytes)),
)
_COPIES: Final = (
    ("gsm_ad", files.GSM_AD, _AD),
    ("gsm_spn", files.GSM_SPN, _SPN),
    ("gsm_fplmn", files.GSM_FPLMN, _FPLMN),
    ("gsm_loci", files.GSM_LOCI, _LOCI),
    ("gsm_acc", files.GSM_ACC, _ACC),
    ("telecom_smsp", files.TELECOM_SMSP, _SMSP),
    ("telecom_msisdn", files.TELECOM_MSISDN, _MSISDN),
)
"""Files of a 2G phone that are one body with the USIM's on most cards; a product whose cards differ names them."""

FILE_SET: Final = (
    *_NETWORK,
    *_PRODUCT,
    *_ISIM,
    *_RESET,
    *(replace(rule, name=name, ef=ef, when=When.NAMED, measured=True) for name, ef, rule in _COPIES),
    _ACC,
)
"""All that any family writes, except its keys and the files that say who the card is."""
ICCID: Final = FileRule("iccid", files.ICCID, _of(lambda data: data.iccid or ""), _fixed(encode_iccid))
GSM_IMSI: Final = FileRule("gsm_imsi", files.GSM_IMSI, _of(lambda data: data.imsi), _fixed(encode_imsi))
IMSI: Final = FileRule("imsi", files.IMSI, _of(lambda data: data.imsi), _fixed(encode_imsi))

USUAL: Final = ("hplmnwact", "ehplmn", "fplmn", "spn", "smsp", "msisdn")
"""Measured files that the USIMs of all families have: what is asked of a card that nobody knows yet."""
MEASURED: Final = {rule.name: rule.ef for rule in FILE_SET if rule.measured}
"""Files that have one size or another, or are not there at all, by the name in their step."""


def measured_for(product: Product) -> tuple[str, ...]:
    """Return the measured files that must be known before a card of the product can be written, `USUAL` first.

    Those of services that the product switches on are among them: a service without its files stays off.
    """
    promised_files = {ef for number in product.services_on for ef in FILES.get(number, ())}
    wanted = [rule.name for rule in FILE_SET if rule.measured and (rule.wanted(product) or rule.ef in promised_files)]
    return (*USUAL, *(name for name in wanted if name not in USUAL))


def unknown_files(product: Product) -> tuple[str, ...]:
    """Return the names in `files` and `optional` that are no file's: a product with any can have no card written."""
    named = {rule.name for rule in FILE_SET if rule.when is When.NAMED}
    return tuple(sorted({*product.files} - named | {*product.optional} - MEASURED.keys()))
