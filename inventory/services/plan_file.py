"""Read a version of the number plan that somebody brings: the binary list of the package `phone`, or a table."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice, pairwise

from inventory.domain.errors import InvalidField, MissingField
from inventory.domain.loading import BadValueError, encoding_of, lines_of
from inventory.domain.loading.list_form import split_row
from inventory.domain.regions import Regions
from inventory.services.segment_list import (
    MOBILE,
    VIRTUAL,
    ListedSegment,
    Repairs,
    carrier_code,
    is_packed_list,
    list_version,
    read_list,
    repair,
)
from inventory.store.plan import PlanRow

_PREFIX = re.compile(r"1[0-9]{6}", re.ASCII)
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,39}", re.ASCII)
_DELIMITERS = "\t,;|"
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "prefix": ("prefix", "号段"),
    "province": ("province", "省份", "省"),
    "city": ("city", "城市", "地市", "市"),
    "carrier": ("carrier", "range_holder", "运营商"),
    "zip_code": ("zip_code", "zip", "邮编"),
    "area_code": ("area_code", "区号"),
    "kind": ("kind", "类型"),
}
"""Names of columns, the first one ours; the first four must be there, the others may be."""
_NEEDED = ("prefix", "province", "city", "carrier")
_CARRIERS: Mapping[str, str] = {
    "移动": "mobile",
    "中国移动": "mobile",
    "联通": "unicom",
    "中国联通": "unicom",
    "电信": "telecom",
    "中国电信": "telecom",
    "广电": "broadnet",
    "中国广电": "broadnet",
}
_KINDS: Mapping[str, str] = {"": MOBILE, "虚拟": VIRTUAL, "虚拟运营商": VIRTUAL}


@dataclass(frozen=True)
class PlanFile:
    """A version of the plan, read and repaired: its version and date, its rows, and what was done to them."""

    version: str
    dated: date
    rows: list[PlanRow]
    repairs: Repairs


def read_plan_file(content: bytes, regions: Regions, *, version: str = "", dated: date | None = None) -> PlanFile:
    """Read the whole list; a binary one knows its version and month, of a table they are said.

    Raises
    ------
    InvalidField
        It is neither, or a row or the version cannot be; the row is named.
    MissingField
        A table came without its version or date.
    """
    repairs = Repairs()
    if is_packed_list(content):
        version = list_version(content)
        dated = datetime.strptime(version, "%y%m").replace(tzinfo=UTC).date()
        listed = read_list(content)
    else:
        for field, said in (("version", version), ("dated", dated)):
            if not said:
                raise MissingField(field=field)
        listed = _read_table(content)
    if dated is None or _VERSION.fullmatch(version) is None:
        raise InvalidField(field="version", value=version, reason="1 to 40 letters, digits, dots, dashes, underscores")
    rows = sorted(repair(listed, regions, repairs))
    if not rows:
        raise InvalidField(field="file", value="", reason="it holds no segment")
    twice = next((row.prefix for row, after in pairwise(rows) if row.prefix == after.prefix), None)
    if twice is not None:
        raise InvalidField(field="prefix", value=twice, reason="it stands in the file twice")
    return PlanFile(version, dated, rows, repairs)


def _read_table(content: bytes) -> Iterator[ListedSegment]:
    """Give the segments of a table with a header, row by row."""
    try:
        encoding = encoding_of(lambda: io.BytesIO(content))
    except BadValueError as error:
        raise InvalidField(field="file", value="", reason=error.reason) from None
    lines = ((row, line) for row, line in enumerate(lines_of(io.BytesIO(content), encoding), start=1) if line.strip())
    header = next((line for _, line in islice(lines, 1)), "").rstrip("\r\n")
    delimiter = max(_DELIMITERS, key=header.count)
    names = [name.lower() for name in _split(1, header, delimiter)]
    places = {column: names.index(name) for column, known in _COLUMNS.items() for name in known if name in names}
    missing = [column for column in _NEEDED if column not in places]
    if missing:
        reason = f"the first row must name the columns {', '.join(_NEEDED)} (号段, 省份, 城市, 运营商)"
        raise InvalidField(field="file", value=", ".join(missing), reason=reason)
    for row, line in lines:
        fields = _split(row, line.rstrip("\r\n"), delimiter)
        if len(fields) != len(names):
            raise InvalidField(field=f"row {row}", value=len(fields), reason=f"{len(names)} values, as the first row")
        yield _segment(row, {column: fields[place] for column, place in places.items()})


def _segment(row: int, values: Mapping[str, str]) -> ListedSegment:
    """Return the segment of a row of a table."""
    if _PREFIX.fullmatch(values["prefix"]) is None:
        raise InvalidField(field=f"row {row}, prefix", value=values["prefix"], reason="7 digits that begin with 1")
    carrier = _CARRIERS.get(values["carrier"], values["carrier"])
    kind = _KINDS.get(values.get("kind", ""), values.get("kind", ""))
    code = carrier_code(carrier, kind)
    if code is None:
        raise InvalidField(
            field=f"row {row}, carrier",
            value=f"{values['carrier']} {values.get('kind', '')}".strip(),
            reason="mobile, unicom, telecom or broadnet (移动 联通 电信 广电); kind: mobile or virtual (虚拟)",
        )
    return ListedSegment(
        values["prefix"], values["province"], values["city"], values.get("zip_code", ""),
        values.get("area_code", ""), code,
    )  # fmt: skip


def _split(row: int, line: str, delimiter: str) -> list[str]:
    try:
        return split_row(line, delimiter)
    except BadValueError as error:
        raise InvalidField(field=f"row {row}", value="", reason=error.reason) from None
