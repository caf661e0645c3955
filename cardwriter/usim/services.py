"""The service tables EF.UST and EF.IST: bit tables that say which files and features a phone may use."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from cardwriter.usim import files
from cardwriter.usim.bcd import CodecError

FILES: Final[Mapping[int, tuple[files.Ef, ...]]] = {
    12: (files.SMSP,),
    17: (files.GID1,),
    18: (files.GID2,),
    19: (files.SPN,),
    20: (files.PLMN_ACT,),
    21: (files.MSISDN,),
    42: (files.OPLMN_ACT,),
    43: (files.HPLMN_ACT,),
    45: (files.PNN,),
    46: (files.OPL,),
    71: (files.EHPLMN,),
    85: (files.EPSLOCI, files.EPSNSC),
    122: (files.FIVE_GS_LOCI, files.FIVE_GS_N3_LOCI, files.FIVE_GS_NSC, files.FIVE_GS_N3_NSC),
    124: (files.SUCI_CALC_INFO, files.ROUTING_INDICATOR),
    126: (files.UAC_AIC,),
}
"""The files that a service of EF.UST promises (TS 31.102 §4.2.8); a service that is not here promises none of ours."""


def services(table: bytes) -> frozenset[int]:
    """Return the numbers of the services that EF.UST or EF.IST switches on (TS 31.102 §4.2.8, TS 31.103 §4.2.7)."""
    return frozenset(8 * i + bit + 1 for i, byte in enumerate(table) for bit in range(8) if byte >> bit & 1)


def switch_services(table: bytes, *, on: Iterable[int] = (), off: Iterable[int] = ()) -> bytes:
    """Return the table with some services switched, never longer or shorter than before.

    A service beyond the end of this card's table is off already (TS 31.102 §4.2.8).

    Raises
    ------
    CodecError
        A service to switch on lies beyond the end of this card's table, or its number is none.
    """
    switched = bytearray(table)
    for number, wanted in [*((n, True) for n in on), *((n, False) for n in off)]:
        place, bit = divmod(number - 1, 8)
        if place >= len(switched) and not wanted:
            continue
        if not 0 <= place < len(switched):
            raise CodecError(f"service {number} is not in a table of {len(switched)} bytes")
        switched[place] = switched[place] | 1 << bit if wanted else switched[place] & ~(1 << bit)
    return bytes(switched)


def promised(number: int, present: Collection[str]) -> bool:
    """Whether all files that a service promises are on the card; `present` holds their names."""
    return all(ef.name in present for ef in FILES.get(number, ()))
