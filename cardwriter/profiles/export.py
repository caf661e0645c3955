"""What is known about a card that no profile is known for, to be sent to someone who may know it: no key, no IMSI."""

from __future__ import annotations

from typing import Any

from cardwriter.profiles.atr import historical_bytes
from cardwriter.profiles.base import CardFacts
from cardwriter.usim.bcd import CodecError, is_blank
from cardwriter.usim.identity import decode_imsi

_SHOWN_HEAD, _SHOWN_TAIL = 6, 4


def card_report(facts: CardFacts, profiles: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return what harmless reads told, as JSON-ready values; `profiles` are the names of those that it looks like.

    ICCID, serial and IMSI show their first six and last four characters, which tell the issuer, not the card.
    """
    return {
        "atr": facts.atr.hex(),
        "historical_bytes": historical_bytes(facts.atr).hex(),
        "profiles": list(profiles),
        "iccid": _masked(facts.iccid),
        "serial": _masked(facts.serial or ""),
        "usim": facts.usim,
        "imsi": _imsi(facts.imsi_usim),
        "imsi_gsm": _imsi(facts.imsi_gsm),
        "gsm_hidden": facts.gsm_hidden,
        "blank": facts.blank,
        "mnc_length": facts.mnc_length,
        "pin1_enabled": facts.pin1_enabled,
        "adm_tries": facts.adm_tries,
        "sizes": dict(sorted(facts.sizes.items())),
        "contents": {name: content.hex() for name, content in sorted(facts.contents.items())},
    }


def _masked(text: str) -> str | None:
    if not text:
        return None
    hidden = len(text) - _SHOWN_HEAD - _SHOWN_TAIL
    return text[:_SHOWN_HEAD] + "*" * hidden + text[-_SHOWN_TAIL:] if hidden > 0 else "*" * len(text)


def _imsi(content: bytes | None) -> str | None:
    """Return a masked IMSI, "blank", or "malformed"; None if it was not read."""
    if content is None:
        return None
    if is_blank(content):
        return "blank"
    try:
        return _masked(decode_imsi(content))
    except CodecError:
        return "malformed"
