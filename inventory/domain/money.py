"""Money is integer fen (1/100 yuan). Terms are what the class of a number asks of its customer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from inventory.domain.channels import SaleChannel
from inventory.domain.errors import InvalidField

FEN_PER_YUAN = 100
_YUAN = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,2}))?", re.ASCII)


def format_yuan(fen: int) -> str:
    """Write an amount of fen as yuan with two decimals: 123450 is "1234.50"."""
    yuan, rest = divmod(abs(fen), FEN_PER_YUAN)
    return f"{'-' if fen < 0 else ''}{yuan}.{rest:02d}"


def parse_yuan(text: str, *, field: str = "amount") -> int:
    """Read yuan with at most two decimals ("1234.5") into fen. Thousands separators are refused: they differ by locale.

    Raises
    ------
    InvalidField
        The text is not such an amount.
    """
    found = _YUAN.fullmatch(text.strip())
    if found is None:
        raise InvalidField(field=field, value=text, reason="write yuan with at most two decimals, such as 198.00")
    sign, yuan, decimals = found.groups()
    fen = int(yuan) * FEN_PER_YUAN + int((decimals or "").ljust(2, "0"))
    return -fen if sign else fen


@dataclass(frozen=True)
class Terms:
    """What a number of one class asks: amounts in fen, periods in months.

    `cash_fee` is the cash selection fee (选号费), 0 wherever the CN compliance switch is closed (REQ-CMP-02);
    `prepay` is returned in equal parts over `return_months`; `waive_role` may waive or discount (None: nothing to
    waive).
    """

    cash_fee: int
    prepay: int
    return_months: int
    min_monthly: int
    commitment_months: int
    sale_channel: SaleChannel
    waive_role: str | None

    def __post_init__(self) -> None:
        for field in ("cash_fee", "prepay", "return_months", "min_monthly", "commitment_months"):
            value = getattr(self, field)
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise InvalidField(field=field, value=value, reason="a whole number from 0 up is needed")
        if self.prepay and not self.return_months:
            raise InvalidField(field="return_months", value=0, reason="a prepayment needs a return period")
