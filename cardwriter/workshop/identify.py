"""What card is this: the facts of the generic reading script, for people and for programs."""

from __future__ import annotations

from typing import Any

from cardwriter.profiles import CardFacts, matching
from cardwriter.usim.bcd import CodecError
from cardwriter.usim.identity import decode_imsi

_SHOWN_DIGITS = 5
"""Of an IMSI: country and network, which are nobody's secret."""


def masked(imsi: str) -> str:
    """Return an IMSI with all digits hidden but those of country and network."""
    return imsi[:_SHOWN_DIGITS] + "*" * (len(imsi) - _SHOWN_DIGITS)


def facts_shown(facts: CardFacts) -> dict[str, Any]:
    """Return the facts JSON-ready: IMSI masked, nothing secret; None where the card did not say."""
    return {
        "atr": facts.atr.hex(),
        "iccid": facts.iccid or None,
        "serial": facts.serial,
        "usim": facts.usim,
        "blank": facts.blank,
        "imsi": imsi_shown(facts.imsi_usim),
        "imsi_gsm": "hidden" if facts.gsm_hidden else imsi_shown(facts.imsi_gsm),
        "mnc_length": facts.mnc_length,
        "pin1_enabled": facts.pin1_enabled,
        "adm1_tries": facts.adm_tries,
        "families": [one.name for one in matching(facts)],
        "sizes": dict(facts.sizes),
    }


def imsi_shown(content: bytes | None) -> str | None:
    """Return what may be seen of EF.IMSI: the masked IMSI, "blank", "malformed", or None if it was not read."""
    if content is None:
        return None
    try:
        return masked(decode_imsi(content)) or "blank"
    except CodecError:
        return "malformed"
