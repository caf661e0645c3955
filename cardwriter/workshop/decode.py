"""Says in words what a file holds, where a codec knows it; which files are a subscriber's own, and which hold keys."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Final

from cardwriter.usim import access, files, five_gs, identity, isim, names, network, services, texts
from cardwriter.usim.bcd import CodecError

KEYS: Final = frozenset(
    {files.KEYS, files.KEYS_PS, files.EPSNSC, files.FIVE_GS_NSC, files.FIVE_GS_N3_NSC},
)
"""Files of session keys (TS 31.102 §4.2.3, §4.2.4, §4.2.92, §4.4.11.4, §4.4.11.5): never read."""
PERSONAL: Final = frozenset(
    {
        files.IMSI,
        files.GSM_IMSI,
        files.MSISDN,
        files.TELECOM_MSISDN,
        files.ISIM_IMPI,
        files.ISIM_IMPU,
        files.LOCI,
        files.GSM_LOCI,
        files.PSLOCI,
        files.EPSLOCI,
        files.FIVE_GS_LOCI,
        files.FIVE_GS_N3_LOCI,
    }
)
"""Files that tell who the subscriber is: shown only when asked for."""
PER_CARD: Final = PERSONAL | {files.ICCID, files.SERIAL, files.ACC, files.GSM_ACC, files.START_HFN}
"""Files whose content differs between two good cards of one product."""

_PINS: Final = range(0x01, 0x09)
_ADMS: Final = range(0x0A, 0x0F)
"""Key references without the bit that makes them the second five, or local (TS 102 221 table 9.3)."""


def _services(table: bytes) -> list[int]:
    return sorted(services.services(table))


def _classes(content: bytes) -> list[int]:
    """Return the access classes of EF.ACC (TS 31.102 §4.2.15)."""
    return [place for place in range(16) if int.from_bytes(content, "big") >> place & 1]


def rights(rules: Sequence[access.Rule]) -> dict[str, str]:
    """Return who may do what, in the words of TS 102 221 §9: ALW, NEV, the name of a code."""
    return {
        "+".join(str(one.name) for one in rule.access) or rule.instructions.hex(): _who(rule.condition)
        for rule in rules
    }


def _who(condition: access.Condition) -> str:
    match condition:
        case access.Always():
            return "ALW"
        case access.Never():
            return "NEV"
        case access.Key(reference):
            return _code(reference)
        case access.AnyOf(conditions):
            return f"({' or '.join(map(_who, conditions))})"
        case access.AllOf(conditions):
            return f"({' and '.join(map(_who, conditions))})"


def _code(reference: int) -> str:
    """Return the name of a key reference (TS 102 221 §9.5.1)."""
    number, second = reference & 0x7F, bool(reference & 0x80)
    if number in _ADMS:
        return f"ADM{number - _ADMS.start + 1 + len(_ADMS) * second}"
    if number in _PINS:
        return f"PIN{number + second}"
    return f"key {reference:02x}"


def _access(record: bytes) -> str:
    return ", ".join(f"{what} {who}" for what, who in rights(access.decode_rules(record)).items())


_DECODERS: Final[Mapping[files.Ef, Callable[[bytes], Any]]] = {
    files.ICCID: identity.decode_iccid,
    files.PL: names.decode_languages,
    files.MF_ARR: _access,
    files.USIM_ARR: _access,
    files.IMSI: identity.decode_imsi,
    files.GSM_IMSI: identity.decode_imsi,
    files.LI: names.decode_languages,
    files.PLMN_ACT: network.decode_plmn_acts,
    files.OPLMN_ACT: network.decode_plmn_acts,
    files.HPLMN_ACT: network.decode_plmn_acts,
    files.HPPLMN: network.decode_hpplmn,
    files.UST: _services,
    files.IST: _services,
    files.SPN: texts.decode_spn,
    files.GSM_SPN: texts.decode_spn,
    files.ACC: _classes,
    files.GSM_ACC: _classes,
    files.FPLMN: network.decode_plmns,
    files.GSM_FPLMN: network.decode_plmns,
    files.EHPLMN: network.decode_plmns,
    files.AD: identity.decode_ad,
    files.GSM_AD: identity.decode_ad,
    files.ECC: names.decode_ecc,
    files.MSISDN: texts.decode_msisdn,
    files.TELECOM_MSISDN: texts.decode_msisdn,
    files.SMSP: texts.decode_smsp,
    files.TELECOM_SMSP: texts.decode_smsp,
    files.PNN: names.decode_pnn,
    files.OPL: names.decode_opl,
    files.SUCI_CALC_INFO: five_gs.decode_suci,
    files.ROUTING_INDICATOR: five_gs.decode_routing_indicator,
    files.ISIM_IMPI: isim.decode_text,
    files.ISIM_DOMAIN: isim.decode_text,
    files.ISIM_IMPU: isim.decode_text,
    files.PCSCF: isim.decode_pcscf,
}


def decode(ef: files.Ef, content: bytes) -> str | None:
    """Return what a transparent file, or one record, says; None where no codec knows, or the content is malformed."""
    decoder = _DECODERS.get(ef)
    if decoder is None:
        return None
    try:
        return words(decoder(content))
    except CodecError:
        return None


def words(value: Any) -> str:
    """Return a decoded value on one line."""
    if is_dataclass(value):
        return " ".join(f"{field.name}={words(getattr(value, field.name))}" for field in fields(value))
    match value:
        case None:
            return ""
        case enum.Flag():
            return "+".join(str(one.name) for one in value)
        case bytes():
            return value.hex()
        case tuple() | list():
            return ", ".join(filter(None, map(words, value)))
        case _:
            return str(value)
