"""What the service wants a station to do; the link sends orders after the transaction that made them has committed."""

from __future__ import annotations

from dataclasses import dataclass

from cardwriter.script import Script


@dataclass(frozen=True)
class Run:
    """Run the script in the reader; `job` is the public id of the write job, None for a look at a new card."""

    job: str | None
    reader: str
    script: Script


@dataclass(frozen=True)
class Ack:
    """The report of the script has been taken: the station may forget it."""

    script_id: str


@dataclass(frozen=True)
class Cancel:
    """Do not begin the script, or stop it before it has changed its card."""

    script_id: str


@dataclass(frozen=True)
class Move:
    """Let the dispenser move its card; `movement` is a value of `inventory.domain.dispensers.Movement`."""

    reader: str
    movement: str
    name: str | None = None
    """By which the station tells that this one is over."""


Order = Run | Ack | Cancel | Move
