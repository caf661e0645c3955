"""How a list is written: its delimiter, whether a header leads it, and which column holds what.

All of it is guessed from the first lines: columns by the names of the header, those without a known name by what their
values look like. What the caller says about a column is stronger than any guess.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from inventory.domain.errors import InvalidField, InvalidIdentifier
from inventory.domain.identifiers import NUMBER_FORMS, Number, parse_chip_serial, parse_iccid, parse_imsi, parse_number
from inventory.domain.loading.faults import BadValueError, FaultCode, RowFault, refuse_spreadsheet_number, shown

BLANKS: Final = " "
"""The delimiter of a list whose values stand apart by blanks, as many as there are."""
_MARKS: Final = (",", ";", "\t", "|")
SAMPLE: Final = 100
"""Lines that are looked at to find the form."""
SECRET: Final = "secret"  # noqa: S105 - the name of a sort of column
"""The name of a column of keys or codes, which no list may have."""

_NAMES: Final[Mapping[str, str]] = {
    "iccid": "iccid iccidno iccid号 iccid码 卡号 sim卡号 sim卡iccid 集成电路卡识别码",
    "serial": "serial serialno serialnumber sernb chipserial cardsn emptycardid 序列号 卡序列号 空卡序列号 芯片序列号",
    "imsi": "imsi imsino imsi号 imsi码",
    "number": "number msisdn phone phonenumber mobile 号码 手机号 手机号码 电话 电话号码 用户号码 业务号码 接入号",
    "card_kind": "cardkind cardtype kind product 卡品 卡种 卡类型 卡品类型",
    "hlr": "hlr hlrcode hlrid hlr编码 归属hlr 归属位置寄存器",
    "face_value": "facevalue denomination 面值 面额",
    "expires_on": "expireson expiry expirydate validuntil 有效期 有效期至 到期日 到期日期 失效日期",
    "area": "area region 区域 适用区域 适用地区 使用区域",
    "box": "box boxno boxcode boxid carton cartonno 箱 箱号 箱码 箱编号 盒号 纸箱号 包装箱号",
}
_COLUMN_OF: Final = {name: column for column, names in _NAMES.items() for name in names.split()}
_SECRET_NAME: Final = re.compile(
    r"e?(?:ki[cd]?|opc?|scp03(?:enc|mac|dek))|(?:adm|pin|puk)[0-9]*码?|.*(?:密钥|密码|key|secret).*"
)
_UNSAID: Final = re.compile(r"[\s_\-.()（）]")
_KEY: Final = re.compile(r"[0-9A-F]{32,}", re.ASCII | re.IGNORECASE)
"""Ki and OPc are 16 bytes or more; no identifier is that long."""


class ListSort(StrEnum):
    """What a list names."""

    CARDS = "cards"
    NUMBERS = "numbers"


IDENTIFIERS: Final[Mapping[ListSort, tuple[str, ...]]] = {
    ListSort.CARDS: ("iccid", "serial"),
    ListSort.NUMBERS: ("number",),
}
"""The columns of which a list needs at least one."""
READ: Final[Mapping[ListSort, tuple[str, ...]]] = {
    ListSort.CARDS: ("iccid", "serial", "imsi", "hlr", "card_kind", "face_value", "expires_on", "area", "box"),
    ListSort.NUMBERS: ("number", "hlr"),
}
"""The columns that are read; others are left alone."""


@dataclass(frozen=True)
class ListForm:
    """The form of a list; `columns` has a name per column ("" for one that is not read).

    `header` is the line with the columns' names as it stands there (None: the list has none), `ignored` names what is
    left alone, `width` is how many values a row has.
    """

    delimiter: str
    header: str | None
    columns: tuple[str, ...]
    ignored: tuple[str, ...]

    @property
    def width(self) -> int:
        """How many values each row has."""
        return len(self.columns)


def parse_columns(text: str) -> dict[str, str]:
    """Read what a caller says about columns: `iccid=2,serial=卡片编号` gives places from 1, or names in the header.

    Raises
    ------
    InvalidField
        It is not of this form, or a column is not one that lists have.
    """
    said: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        column, equals, place = (word.strip() for word in part.partition("="))
        if not equals or not place or column not in _NAMES or column in said:
            reason = f"write COLUMN=PLACE, each column once, of {', '.join(_NAMES)}"
            raise InvalidField(field="columns", value=shown(part), reason=reason)
        said[column] = place
    return said


def any_number(text: str) -> Number:
    """Read a number of any kind (REQ-NUM-01).

    Raises
    ------
    InvalidIdentifier
        It has the form of none.
    """
    for kind in NUMBER_FORMS:
        try:
            return parse_number(text, kind)
        except InvalidIdentifier:
            continue
    raise InvalidIdentifier(field="number", value=text, reason="it has the form of no kind of number")


def split_row(line: str, delimiter: str) -> list[str]:
    """Part a line into its trimmed values; quotes are read as in CSV, and end on their line.

    Raises
    ------
    BadValueError
        A quote is not closed or stands where none may.
    """
    if delimiter == BLANKS:
        return line.split()
    if '"' not in line:
        return [field.strip() for field in line.split(delimiter)]
    try:
        fields = next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise BadValueError(FaultCode.MALFORMED, f"quotes do not fit: {error}") from None
    return [field.strip() for field in fields]


def find_form(lines: Sequence[str], sort: ListSort, said: Mapping[str, str]) -> tuple[ListForm, list[RowFault]]:
    """Guess the form of a list and name what makes it unreadable; with faults, no row should be read."""
    first_row, sample = _sample(lines)
    delimiter = _delimiter(sample, sort)
    table = [_split_or_nothing(line, delimiter) for line in sample]
    names = table[0] if table else []
    named = [_column_named(name) for name in names]
    has_header = any(named) or not {place for place in said.values() if not place.isdecimal()}.isdisjoint(names)
    rows = table[1:] if has_header else table
    if not has_header:
        width = Counter(map(len, rows)).most_common(1)[0][0] if rows else 0
        names, named = [], [""] * width
    columns = _with_looks(named, rows, sort)
    faults = _override(columns, names, said, first_row)
    faults += _unfit(columns, sort, first_row)
    ignored = tuple(
        names[place] if names else str(place + 1) for place, name in enumerate(columns) if name not in READ[sort]
    )
    kept = tuple(column if column in READ[sort] else "" for column in columns)
    return ListForm(delimiter, sample[0] if has_header else None, kept, ignored), faults


def looks_secret(text: str) -> bool:
    """Tell whether the text holds what may be a key."""
    return _KEY.search(text) is not None


def _sample(lines: Sequence[str]) -> tuple[int, list[str]]:
    """Give the row of the first line that holds something, and the lines from there on to look at."""
    filled = ((row, line) for row, line in enumerate(lines, start=1) if line.strip())
    some = [pair for pair, _ in zip(filled, range(SAMPLE), strict=False)]
    return some[0][0] if some else 0, [line for _, line in some]


def _delimiter(sample: Sequence[str], sort: ListSort) -> str:
    """Give the mark that parts most lines alike, then into the most values; one value a line is a comma's list."""
    scores: dict[str, tuple[int, int]] = {}
    for mark in (*_MARKS, BLANKS):
        counts = Counter(_count(line, mark, sort) for line in sample)
        counts.pop(1, None)
        counts.pop(0, None)
        if counts:
            width, agreeing = counts.most_common(1)[0]
            if agreeing * 2 >= len(sample):
                scores[mark] = (agreeing, width)
    if set(scores) - {BLANKS}:
        scores.pop(BLANKS, None)
    return max(scores, key=lambda mark: scores[mark], default=_MARKS[0])


def _count(line: str, mark: str, sort: ListSort) -> int:
    # An identifier may be written in groups, with blanks between them.
    return 1 if mark == BLANKS and _look(line, sort) else len(_split_or_nothing(line, mark))


def _split_or_nothing(line: str, delimiter: str) -> list[str]:
    try:
        return split_row(line, delimiter)
    except BadValueError:
        return []


def _column_named(name: str) -> str:
    bare = _UNSAID.sub("", name).lower()
    return SECRET if _SECRET_NAME.fullmatch(bare) else _COLUMN_OF.get(bare, "")


_LOOKS: Final[Mapping[ListSort, Mapping[str, Callable[[str], object]]]] = {
    ListSort.CARDS: {"iccid": parse_iccid, "imsi": parse_imsi, "serial": parse_chip_serial},
    ListSort.NUMBERS: {"number": any_number},
}


def _look(text: str, sort: ListSort) -> str:
    """Give the column that a value looks to be of, or ""."""
    if looks_secret(text):
        return SECRET
    try:
        refuse_spreadsheet_number(text)
    except BadValueError:
        return IDENTIFIERS[sort][0]
    for column, parse in _LOOKS[sort].items():
        try:
            parse(text)
        except InvalidIdentifier:
            continue
        return column
    return ""


def _with_looks(named: Sequence[str], rows: Sequence[Sequence[str]], sort: ListSort) -> list[str]:
    """Name the columns that have no name yet by what most of their values look like, if no other has that name."""
    columns = list(named)
    for place, name in enumerate(named):
        values = [row[place] for row in rows if len(row) == len(named) and row[place]]
        looks = Counter(filter(None, (_look(value, sort) for value in values)))
        likely, count = looks.most_common(1)[0] if looks else ("", 0)
        if not name and likely not in named and count * 2 >= len(values):
            columns[place] = likely
    return columns


def _override(columns: list[str], names: Sequence[str], said: Mapping[str, str], row: int) -> list[RowFault]:
    """Put what the caller says over the guess; name places that the list does not have."""
    faults: list[RowFault] = []
    for column, place in said.items():
        index = int(place) - 1 if place.isdecimal() else names.index(place) if place in names else -1
        if not 0 <= index < len(columns):
            reason = f"the list has no column {shown(place)}"
            faults.append(RowFault(row, column, "", FaultCode.UNKNOWN_COLUMN, reason))
            continue
        columns[:] = ["" if name == column else name for name in columns]
        columns[index] = column
    return faults


def _unfit(columns: Sequence[str], sort: ListSort, row: int) -> list[RowFault]:
    faults: list[RowFault] = []
    if SECRET in columns:
        reason = "a list holds no keys or codes; take the column out"
        faults.append(RowFault(row, str(columns.index(SECRET) + 1), "", FaultCode.SECRET_COLUMN, reason))
    faults += [
        RowFault(row, column, "", FaultCode.DUPLICATE_COLUMN, "two columns look like it; say which one it is")
        for column in READ[sort]
        if columns.count(column) > 1
    ]
    if columns and set(columns).isdisjoint(IDENTIFIERS[sort]):
        reason = f"no column holds {' or '.join(IDENTIFIERS[sort])}; say which one does"
        faults.append(RowFault(row, IDENTIFIERS[sort][0], "", FaultCode.MISSING, reason))
    return faults
