"""Keep what each city calls the kinds of numbers, and which of them it takes in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.identifiers import NUMBER_FORMS, NumberKind
from inventory.store.schema import NumberKindRow


@dataclass(frozen=True)
class CityKind:
    """A kind of numbers as it is in a city; with `intake` such numbers may be taken in."""

    kind: NumberKind
    name_zh: str
    name_en: str
    intake: bool = True


async def kinds_of(session: AsyncSession, city_id: int) -> list[CityKind]:
    """Return every kind of numbers as it is in the city, in the product's order."""
    columns = [getattr(NumberKindRow, name) for name in CityKind.__dataclass_fields__]
    rows = await session.execute(select(*columns).where(NumberKindRow.city_id == city_id))
    own = {kind: CityKind(NumberKind(kind), *rest) for kind, *rest in rows if kind in set(NumberKind)}
    return [own.get(kind, CityKind(kind, form.zh, form.en)) for kind, form in NUMBER_FORMS.items()]


async def closed_kinds(session: AsyncSession, city_id: int) -> frozenset[str]:
    """Return the kinds that the city takes in no more."""
    query = select(NumberKindRow.kind).where(NumberKindRow.city_id == city_id, ~NumberKindRow.intake)
    return frozenset(await session.scalars(query))


async def keep(session: AsyncSession, kind: CityKind, *, city_id: int, changed_by: str, now: datetime) -> None:
    """Write how a kind is in the city, in the place of what it was."""
    values = {**vars(kind), "changed_at": now, "changed_by": changed_by}
    statement = insert(NumberKindRow).values(city_id=city_id, **values)
    await session.execute(
        statement.on_conflict_do_update(index_elements=[NumberKindRow.city_id, NumberKindRow.kind], set_=values)
    )
