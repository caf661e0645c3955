"""The city rule: every stock table can be distributed by city (docs/adr/0002-city-is-the-tenant.md)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Column, ForeignKeyConstraint, Integer, MetaData, PrimaryKeyConstraint, Table, UniqueConstraint

from inventory.store.schema import CITY_FREE_TABLES, Base


def broken_rules(metadata: MetaData) -> Iterator[str]:
    """Give a sentence for each key of a stock table that does not begin with the city."""
    for table in metadata.tables.values():
        if table.name in CITY_FREE_TABLES:
            continue
        for constraint in table.constraints:
            if isinstance(constraint, (PrimaryKeyConstraint, UniqueConstraint)):
                columns = [column.name for column in constraint.columns]
            elif isinstance(constraint, ForeignKeyConstraint):
                if constraint.referred_table.name in CITY_FREE_TABLES:
                    continue
                columns = [element.parent.name for element in constraint.elements]
            else:
                continue
            if columns[:1] != ["city_id"]:
                yield f"{table.name}: {type(constraint).__name__} {columns} does not begin with city_id"
        yield from (
            f"{table.name}: index {index.name} does not begin with city_id"
            for index in table.indexes
            if index.unique and [column.name for column in index.columns][:1] != ["city_id"]
        )


def test_every_key_of_a_stock_table_begins_with_the_city() -> None:
    assert list(broken_rules(Base.metadata)) == []


def test_exceptions_are_tables_that_exist() -> None:
    assert set(CITY_FREE_TABLES) <= set(Base.metadata.tables)


def test_no_reference_table_points_into_the_stock() -> None:
    pointing = [
        f"{table.name} -> {constraint.referred_table.name}"
        for table in Base.metadata.tables.values()
        if table.name in CITY_FREE_TABLES
        for constraint in table.foreign_key_constraints
        if constraint.referred_table.name not in CITY_FREE_TABLES
    ]

    assert pointing == []


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        (PrimaryKeyConstraint("item_no", "city_id"), "PrimaryKeyConstraint ['item_no', 'city_id']"),
        (UniqueConstraint("item_no"), "UniqueConstraint ['item_no']"),
        (ForeignKeyConstraint(["item_no"], ["stocked.item_no"]), "ForeignKeyConstraint ['item_no']"),
    ],
    ids=["primary key", "unique key", "foreign key"],
)
def test_key_without_the_city_is_found(keys: PrimaryKeyConstraint | UniqueConstraint, fault: str) -> None:
    metadata = MetaData()
    Table(
        "stocked",
        metadata,
        Column("city_id", Integer, primary_key=True),
        Column("item_no", Integer, primary_key=True),
    )
    Table("broken", metadata, Column("city_id", Integer), Column("item_no", Integer), keys)

    assert any(fault in broken for broken in broken_rules(metadata))
