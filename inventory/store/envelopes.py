"""Every envelope of the vault that lies in the database: counted by key version, walked, and replaced by comparison."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, LargeBinary, and_, func, literal, or_, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.store.schema import Base

_VERSION_AT = 2
"""Byte of an envelope, from 1, at which its key version stands (`inventory.vault.envelope`)."""
_VERSION_BYTES = 2

Row: TypeAlias = Mapping[str, Any]
"""A row of a sealed table by column: its key, what its envelopes are bound to, and the envelopes."""


@dataclass(frozen=True)
class SealedTable:
    """A table with envelopes in `fields`; `names` are the columns beside its key that say what they are bound to.

    So many `rows` are replaced in one transaction.
    """

    name: str
    fields: tuple[str, ...]
    names: tuple[str, ...] = ()
    rows: int = 500

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of its primary key, in their order."""
        return tuple(column.name for column in Base.metadata.tables[self.name].primary_key)


SEALED: Final = (
    SealedTable("transport_key", ("wrapped",)),
    SealedTable("card_secret", ("adm1", "pin1", "puk1", "pin2", "puk2"), ("batch_id", "row", "bound_to")),
    SealedTable("card_issue", ("parts",)),
    SealedTable("upload_part", ("sealed",), rows=8),
)
"""Every table that has envelopes; a new one is added here, or its key version is lost when that is retired."""


async def count_by_version(session: AsyncSession, sealed: SealedTable) -> Counter[int]:
    """Return how many envelopes of the table lie under each key version."""
    table = Base.metadata.tables[sealed.name]
    found: Counter[int] = Counter()
    for name in sealed.fields:
        version = _version(table.c[name])
        rows = await session.execute(select(version, func.count()).where(table.c[name].is_not(None)).group_by(version))
        for number, count in rows:
            found[int.from_bytes(number, "big")] += count
    return found


async def count_stale(session: AsyncSession, sealed: SealedTable, *, but: int) -> int:
    """Return in how many rows an envelope lies under another version."""
    table = Base.metadata.tables[sealed.name]
    query = select(func.count()).select_from(table).where(_stale(sealed, but))
    return (await session.execute(query)).scalar_one()


async def walk(
    session: AsyncSession, sealed: SealedTable, *, but: int, after: Sequence[Any] | None, rows: int
) -> Sequence[Row]:
    """Return the next rows, by key, in which an envelope lies under another version: key, names and fields."""
    table = Base.metadata.tables[sealed.name]
    key = tuple_(*(table.c[name] for name in sealed.key))
    query = (
        select(*(table.c[name] for name in (*sealed.key, *sealed.names, *sealed.fields)))
        .where(_stale(sealed, but))
        .order_by(*(table.c[name] for name in sealed.key))
        .limit(rows)
    )
    if after is not None:
        query = query.where(key > tuple_(*after))
    return [dict(row) for row in (await session.execute(query)).mappings()]


async def replace(
    session: AsyncSession,
    sealed: SealedTable,
    changes: Sequence[tuple[Row, Mapping[str, bytes | None]]],
) -> int:
    """Put new envelopes in the place of those that were read, each pair (row as `walk` gave it, envelopes by field).

    A row whose envelopes are no longer those that were read stays as it is. Return how many were replaced.
    """
    table = Base.metadata.tables[sealed.name]
    given = {
        **{name: [row[name] for row, _new in changes] for name in sealed.key},
        **{f"old_{name}": [row[name] for row, _new in changes] for name in sealed.fields},
        **{f"new_{name}": [new[name] for _row, new in changes] for name in sealed.fields},
    }
    sorts = {name: table.c[name].type if name in sealed.key else LargeBinary() for name in given}
    lists = (literal(values, ARRAY(sorts[name])) for name, values in given.items())
    fresh = func.unnest(*lists).table_valued(*given, name="fresh").render_derived()
    unchanged: list[ColumnElement[bool]] = [table.c[name] == fresh.c[name] for name in sealed.key]
    unchanged += [table.c[name].is_not_distinct_from(fresh.c[f"old_{name}"]) for name in sealed.fields]
    done = await session.execute(
        update(table)
        .where(and_(*unchanged))
        .values({name: fresh.c[f"new_{name}"] for name in sealed.fields})
        .returning(table.c[sealed.key[0]])
    )
    return len(done.all())


async def transactions_open(session: AsyncSession) -> set[tuple[int, Any]]:
    """Return every other transaction that runs on this database now: its process and when it began."""
    rows = await session.execute(
        text(
            "SELECT pid, xact_start FROM pg_stat_activity WHERE datname = current_database()"
            " AND xact_start IS NOT NULL AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
    )
    return {(pid, began) for pid, began in rows}


def _stale(sealed: SealedTable, but: int) -> ColumnElement[bool]:
    current = but.to_bytes(_VERSION_BYTES, "big")
    table = Base.metadata.tables[sealed.name]
    return or_(*(_version(table.c[name]) != current for name in sealed.fields))


def _version(column: ColumnElement[Any]) -> ColumnElement[bytes]:
    return func.substring(column, _VERSION_AT, _VERSION_BYTES)
