"""Read the list of mobile segments that the package `phone` carries, and repair what is known to be wrong with it.

The file: 4 bytes version, 4 bytes offset of the index (little endian); records `province|city|zip|area code`, each
ended by a zero byte; the index, 9 bytes a segment: seven-digit prefix, offset of its record, carrier code.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata, resources
from typing import NamedTuple

from inventory.domain.regions import Regions
from inventory.store.plan import PlanRow

_HEADER = struct.Struct("<4si")
_ENTRY = struct.Struct("<iiB")
_ZIP_DIGITS = 6

MOBILE, VIRTUAL = "mobile", "virtual"
"""Kinds of segment: of an operator with a network, or of a virtual operator in another's range."""

_CARRIERS: Mapping[int, tuple[str, str]] = {
    1: ("mobile", MOBILE),
    2: ("unicom", MOBILE),
    3: ("telecom", MOBILE),
    4: ("telecom", VIRTUAL),
    5: ("unicom", VIRTUAL),
    6: ("mobile", VIRTUAL),
    7: ("broadnet", MOBILE),
    8: ("broadnet", VIRTUAL),
}

VIRTUAL_RANGES: Mapping[str, str] = {
    "162": "telecom",
    "165": "mobile",
    "167": "unicom",
    "1700": "telecom",
    "1701": "telecom",
    "1702": "telecom",
    "1703": "mobile",
    "1704": "unicom",
    "1705": "mobile",
    "1706": "mobile",
    "1707": "unicom",
    "1708": "unicom",
    "1709": "unicom",
    "171": "unicom",
}
"""Ranges of virtual operators and whose network they use; the list labels many of them as the network's own."""


class ListedSegment(NamedTuple):
    """A segment as the list has it: names and zip code as written, the carrier as the list's code."""

    prefix: str
    province: str
    city: str
    zip_code: str
    area_code: str
    carrier: int


@dataclass
class Repairs:
    """What was put right (by repair), and what could not be mapped (by province and city as written)."""

    repaired: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)


def packaged_list() -> tuple[str, bytes]:
    """Return the version of the installed package `phone`, and its file."""
    return metadata.version("phone"), resources.files("phone").joinpath("phone.dat").read_bytes()


def is_packed_list(data: bytes) -> bool:
    """Whether the file has the form above: a version of four digits, and an index that ends with the file."""
    if len(data) < _HEADER.size or not data[:4].isdigit():
        return False
    offset: int = _HEADER.unpack_from(data)[1]
    return _HEADER.size <= offset <= len(data) and (len(data) - offset) % _ENTRY.size == 0


def carrier_code(holder: str, kind: str) -> int | None:
    """Return the list's code of an operator's own segments or (`virtual`) those that it lends, or None."""
    return next((code for code, known in _CARRIERS.items() if known == (holder, kind)), None)


def list_version(data: bytes) -> str:
    """Return the version of the list: two digits of the year and the month, such as `2312`."""
    version: bytes = _HEADER.unpack_from(data)[0]
    return version.decode("ascii")


def read_list(data: bytes) -> Iterator[ListedSegment]:
    """Give the segments of the file in order."""
    offset: int = _HEADER.unpack_from(data)[1]
    places: dict[int, tuple[str, ...]] = {}
    for prefix, at, carrier in _ENTRY.iter_unpack(data[offset:]):
        if at not in places:
            places[at] = tuple(data[at : data.index(b"\0", at)].decode("utf-8").split("|"))
        province, city, zip_code, area_code = places[at]
        yield ListedSegment(f"{prefix:07d}", province, city, zip_code, area_code, carrier)


def repair(listed: Iterable[ListedSegment], regions: Regions, repairs: Repairs) -> Iterator[PlanRow]:
    """Give the rows of the number plan: zip codes with their zeros back, virtual ranges named, places mapped.

    The city never follows from the area code: several share one (024, 028, 0731).
    """
    places: dict[tuple[str, str], tuple[int | None, int | None]] = {}
    for segment in listed:
        holder, kind = _range_holder(segment, repairs)
        zip_code = segment.zip_code
        if len(zip_code) < _ZIP_DIGITS:
            zip_code = zip_code.zfill(_ZIP_DIGITS)
            repairs.repaired["zip_zero"] += 1
        names = (segment.province, segment.city)
        if names not in places:
            found = regions.find(*names)
            places[names] = (None, None) if found is None else (found.province_id, found.city_id)
        province_id, city_id = places[names]
        if city_id is None:
            repairs.unmapped["|".join(names)] += 1
        yield PlanRow(
            segment.prefix,
            province_id,
            city_id,
            segment.province,
            segment.city,
            zip_code,
            segment.area_code,
            holder,
            kind,
        )


def _range_holder(segment: ListedSegment, repairs: Repairs) -> tuple[str, str]:
    """Return whose range the segment is in and of which kind; a list's code that is not known reads `unknown`."""
    as_listed = _CARRIERS.get(segment.carrier, ("unknown", MOBILE))
    network = VIRTUAL_RANGES.get(segment.prefix[:3]) or VIRTUAL_RANGES.get(segment.prefix[:4])
    if network is None:
        return as_listed
    if as_listed != (network, VIRTUAL):
        repairs.repaired["virtual_operator"] += 1
    return network, VIRTUAL
