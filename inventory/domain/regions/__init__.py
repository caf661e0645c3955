"""Provinces and cities by GB/T 2260 code, and the spelling of a number-segment list mapped to them.

The codes are in `gb2260.json` beside this module; callers read the file and pass it in parsed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Place(NamedTuple):
    """A province and a city company's area, as GB/T 2260 codes (530000, 530700).

    For a municipality under the central government both are the same (110000); units that no prefecture administers
    (429004) stand for themselves.
    """

    province_id: int
    city_id: int


class Regions:
    """The provinces and prefecture-level units with their names."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._names: dict[int, str] = {}
        self._provinces: dict[int, dict[int, str]] = {}
        for province in document["provinces"]:
            code = int(province["code"])
            cities = {int(city): name for city, name in province["cities"].items()} or {code: province["zh"]}
            self._provinces[code] = cities
            self._names |= {**cities, code: province["zh"]}
        self._aliases = {
            (_province_of(int(code)), alias): int(code)
            for code, names in document["aliases"].items()
            for alias in names
        }

    def name(self, code: int) -> str | None:
        """Give the full Chinese name of a province or city, or None for a code that is not in the list."""
        return self._names.get(code)

    def cities(self, province_id: int) -> Mapping[int, str]:
        """Give the cities of a province, code → name, in the order of the standard; empty for an unknown province."""
        return self._provinces.get(province_id, {})

    def find(self, province: str, city: str) -> Place | None:
        """Give the place that is meant by names as people write them (`云南`, `丽江`), or None if it is not clear.

        A name is the full one or its beginning, and for a county-level city also an alias.
        """
        provinces = [code for code in self._provinces if province and self._names[code].startswith(province)]
        if len(provinces) != 1 or not city:
            return None
        code = provinces[0]
        cities = [found for found, name in self._provinces[code].items() if name.startswith(city)]
        if len(cities) == 1:
            return Place(code, cities[0])
        alias = self._aliases.get((code, city))
        return None if alias is None else Place(code, alias)


def _province_of(code: int) -> int:
    return code // 10_000 * 10_000
