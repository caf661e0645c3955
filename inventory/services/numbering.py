"""Which cards get their ICCID in the hall: blanks that have a chip serial only (空卡序列号), with their data unit."""

from __future__ import annotations

from cardwriter.profiles import profile, relay


def gets_iccid(family: str, iccid: str | None) -> bool:
    """Whether a card of stock gets an ICCID when it is written: its family comes without one, and it has none yet.

    A card that was cut off behind its ICCID keeps that one, and needs data without.
    """
    return iccid is None and assigns_iccid(family)


def assigns_iccid(family: str) -> bool:
    """Whether the blanks of a family have no ICCID; those of an unknown one cannot be written at all."""
    if is_relayed(family):
        return True
    try:
        return profile(family).assigns_iccid
    except KeyError:
        return False


def is_relayed(family: str | None) -> bool:
    """Whether the operator's own card-data system writes the cards of a family, with data of its own."""
    return family == relay.FAMILY
