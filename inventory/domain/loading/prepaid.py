"""What a prepaid card carries beside its names: a face value, a last day, and the area it is for (REQ-SIM-16)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Self

from inventory.domain.errors import InvalidField
from inventory.domain.loading.faults import BadValueError, FaultCode
from inventory.domain.money import parse_yuan

_DAY: Final = re.compile(r"([0-9]{4})([-/.]?)([0-9]{2})\2([0-9]{2})", re.ASCII)
_AREA: Final = re.compile(r"[1-9][0-9](?:[0-9]{2}){0,2}", re.ASCII)


@dataclass(frozen=True)
class Prepaid:
    """Face value in fen, last day in Asia/Shanghai on which it may be sold, and area (GB/T 2260); None: not bound."""

    face_value: int | None = None
    expires_on: date | None = None
    area: str | None = None

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Self:
        """Take what a list says of a card, in the normal form that the readers of this module give."""
        face_value, last = values.get("face_value"), values.get("expires_on")
        return cls(
            None if face_value is None else int(face_value),
            None if last is None else date.fromisoformat(last),
            values.get("area"),
        )


NOT_PREPAID: Final = Prepaid()


def face_value(text: str) -> str:
    """Read an amount of yuan and give it in fen.

    Raises
    ------
    BadValueError
        It is none, or not above zero.
    """
    try:
        fen = parse_yuan(text)
    except InvalidField as error:
        raise BadValueError(FaultCode.MALFORMED, str(error.params["reason"])) from None
    if fen <= 0:
        raise BadValueError(FaultCode.MALFORMED, "a face value is above zero")
    return str(fen)


def expires_on(text: str) -> str:
    """Read a day as `2027-06-30`, `2027/06/30`, `2027.06.30` or `20270630` and give it in the first form.

    Raises
    ------
    BadValueError
        It is no day of the calendar.
    """
    found = _DAY.fullmatch(text)
    try:
        if found is not None:
            year, _, month, day = found.groups()
            return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        pass
    raise BadValueError(FaultCode.MALFORMED, "write a day as 2027-06-30")


def area(text: str) -> str:
    """Read the GB/T 2260 code of a province or city, with or without its closing zeros, and give the digits that count.

    Raises
    ------
    BadValueError
        It is none.
    """
    if _AREA.fullmatch(text) is None:
        raise BadValueError(FaultCode.MALFORMED, "write the GB/T 2260 code of the province or city, such as 530000")
    while text.endswith("00"):
        text = text[:-2]
    return text


def covers(prepaid: Prepaid, city_id: int) -> bool:
    """Tell whether a card may be sold in the city."""
    return prepaid.area is None or str(city_id).startswith(prepaid.area)
