"""How a file is to be loaded: what it holds, whose it is, what becomes of its bad rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from inventory.domain.kinds import NUMBER, SIM

DATA = "data"
"""Resource name of subscription data: the IMSIs that halls write."""


class FileKind(StrEnum):
    """What a file holds."""

    SIM_VENDOR = "sim_vendor"
    IMSI_POOL = "imsi_pool"
    CARD_LIST = "card_list"
    NUMBER_LIST = "number_list"


_RESOURCES = {
    FileKind.SIM_VENDOR: SIM.name,
    FileKind.IMSI_POOL: DATA,
    FileKind.CARD_LIST: SIM.name,
    FileKind.NUMBER_LIST: NUMBER.name,
}


@dataclass(frozen=True, kw_only=True)
class LoadTerms:
    """How a file is to be loaded; `card_kind` is the product of its cards, `pool` the sale pool its items go to.

    `hlr` is the HLR of finished cards whose rows do not name one.

    `columns` says where the columns of a list are (`iccid=2,serial=卡片编号`) and is stronger than what is guessed.
    `keep_good` takes the good rows and lists the bad ones; without it one bad row refuses all. `dry_run` checks
    everything and takes nothing. `announced` cards are known, and on their way until each is scanned.
    """

    kind: FileKind
    card_kind: str | None = None
    hlr: str | None = None
    vendor: str | None = None
    pool: str | None = None
    columns: str = ""
    keep_good: bool = False
    dry_run: bool = False
    announced: bool = False

    @property
    def resource(self) -> str:
        """What the file brings: the name of a kind of stock, or of subscription data."""
        return _RESOURCES[self.kind]

    def as_json(self) -> dict[str, Any]:
        """Return the terms to be kept with the load."""
        return {name: asdict(self)[name] for name in LoadTerms.__dataclass_fields__}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """Read terms that were kept."""
        return cls(**{**kept, "kind": FileKind(kept["kind"])})
