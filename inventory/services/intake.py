"""What every intake does: rows are staged as they are read, checked against all that exists, and taken in one go."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.errors import NotFound
from inventory.domain.kinds import ResourceKind
from inventory.domain.loading import BadRow
from inventory.services.acting import Acting
from inventory.services.load_terms import LoadTerms
from inventory.store import movements, organisation, staging
from inventory.store.loads import IMSI, FaultRow
from inventory.store.movements import LedgerRange, MovementDraft
from inventory.store.staging import Stage
from inventory.vault.envelope import Vault

AT_ONCE = 20_000
"""Rows that are put into stock by one statement: between two of them progress is told."""

Row = TypeVar("Row")


class Progress(NamedTuple):
    """How far a load is: `done` of `total` bytes while it is `reading`, of rows while it is `taking`."""

    phase: str
    done: int
    total: int


Tell = Callable[[Progress], Awaitable[None]]
"""Called now and then with the progress; raises to end the load."""


@dataclass(frozen=True)
class Taken:
    """What an intake did: its document, if stock came of it, and what the load and its event keep of it."""

    movement_id: int | None
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """Which load brings the rows, who asked for it, and how it is to be taken."""

    batch_id: int
    terms: LoadTerms
    who: Acting
    vault: Vault


class Intake(ABC, Generic[Row]):
    """The intake of one kind of rows; made anew for each load."""

    stage: ClassVar[Stage]

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.ascent = self.stage.ascent()

    @property
    def city_id(self) -> int:
        """The city whose stock grows."""
        return self.delivery.who["city_id"]

    @property
    def names(self) -> tuple[str, ...]:
        """The kinds of names that the rows staged until now have; where they rise, all have the same."""
        if not self.ascent.rising:
            return self.stage.names
        given = zip(self.stage.names, self.ascent.last, strict=False)
        return tuple(name for name, value in given if value is not None)

    @abstractmethod
    async def staged(
        self, session: AsyncSession, rows: Sequence[Row]
    ) -> tuple[Iterator[Sequence[Any]], list[FaultRow]]:
        """Return rows as they are staged, and the faults that show only beside what exists."""

    @abstractmethod
    async def find_taken(self, session: AsyncSession) -> None:
        """Note every staged row whose name exists already, here or in another city."""

    @abstractmethod
    async def take(self, session: AsyncSession, count: int, tell: Tell) -> Taken:
        """Put the `count` staged rows without a fault into stock."""

    async def put_aside(self, session: AsyncSession, rows: Sequence[Row | BadRow]) -> None:
        """Keep what rows say beside the columns of the stage, where few files do; called with each chunk as read."""

    def staged_names(self, row: BadRow) -> Sequence[Any]:
        """Return what is staged of a row with faults: its names, for another row may have them too."""
        rest = len(self.stage.rows.columns) - 3 - len(self.stage.names)
        return (row.row, row.line, *(row.names.get(name) for name in self.stage.names), *(None,) * rest)


async def city_of(session: AsyncSession, city_id: int) -> int:
    """Return the organisation that holds what comes into the city.

    Raises
    ------
    NotFound
        There is no such city.
    """
    city = await organisation.city_node(session, city_id)
    if city is None:
        raise NotFound(what="organisation", value=city_id)
    return city.id


async def in_slices(count: int, tell: Tell, put: Callable[[range], Awaitable[None]]) -> None:
    """Put `count` staged items into stock slice by slice, telling how far it is."""
    await tell(Progress("taking", 0, count))
    for start in range(0, count, AT_ONCE):
        places = range(start, min(start + AT_ONCE, count))
        await put(places)
        await tell(Progress("taking", places.stop, count))


async def find_registered(session: AsyncSession, intake: Intake[Any]) -> None:
    """Note every staged row one of whose names is registered, for this city or another (REQ-SIM-04).

    An IMSI is registered also for the card that was given back with it.
    """
    for name in intake.names:
        await staging.find_registered(session, intake.stage, name, city_id=intake.city_id)
    if IMSI in intake.names:
        await staging.find_kept(session, intake.stage, city_id=intake.city_id)


async def write_intake(
    session: AsyncSession,
    kind: ResourceKind,
    delivery: Delivery,
    holder_id: int,
    ranges: Sequence[LedgerRange],
    *,
    way: int | None = None,
) -> int:
    """Write the document that brings the items into the city's hands and return its number.

    With `way`, its number, they are on their way under it.
    """
    draft = MovementDraft(
        kind=movements.INTAKE,
        resource=kind.name,
        from_holder=None,
        to_holder=holder_id,
        batch_id=delivery.batch_id,
    )
    return await movements.record_movement(session, draft, ranges, **delivery.who, on_the_way_as=way)
