"""Metrics of the stock tell each load and document once, whichever process did it."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from inventory.domain.errors import LoadRejected
from inventory.observability import Metrics
from inventory.services.load_undo import undo_load
from inventory.services.moving import MoveWish, Verb, move
from inventory.stock_metrics import StockMetrics
from inventory.store.engine import connect
from inventory.store.selection import ByCount
from tests.services.files import iccid, vendor_file
from tests.services.town import CITY, NOW, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]


def told(metrics: Metrics) -> dict[str, float]:
    """Give the counts of stock that are not null, each with the values of its labels."""
    names = ("haoka_load", "haoka_document")
    samples = [sample for metric in metrics.registry.collect() for sample in metric.samples]
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for sample in samples
        if sample.name.startswith(names) and sample.value
    }


async def issue(town: Town, count: int) -> None:
    wish = MoveWish(
        verb=Verb.ISSUE, resource="sim", giver=str(CITY), receiver=f"{CITY}-D1", selection=ByCount(count)
    )  # fmt: skip
    async with town.database.session() as session:
        await move(session, town.admin, fresh_key(), wish, now=NOW)


async def test_loads_are_counted_by_how_they_ended_and_the_rows_that_were_taken(town: Town) -> None:
    metrics = Metrics()
    stock = StockMetrics(metrics, town.database, now=NOW)
    await stock.refresh()
    await town.load(vendor_file(range(20)))
    with pytest.raises(LoadRejected):
        await town.load(vendor_file(range(30, 33)).replace(iccid(31).encode(), b"77"))
    await stock.refresh()
    await stock.refresh()
    assert told(metrics) == {
        "haoka_loads_total sim COMMITTED": 1,
        "haoka_loads_total sim REJECTED": 1,
        "haoka_load_rows_total sim": 20,
    }
    async with town.database.session() as session:
        await undo_load(session, town.admin, fresh_key(), public_id=f"b-{CITY}-1", reason="wrong", now=NOW)
    await stock.refresh()
    assert told(metrics)["haoka_loads_total sim UNDONE"] == 1


async def test_document_is_counted_once_even_if_an_older_transaction_still_runs(town: Town) -> None:
    metrics = Metrics()
    stock = StockMetrics(metrics, town.database, now=NOW)
    await town.load(vendor_file(range(20)))
    await stock.refresh()
    await issue(town, 3)
    async with town.database.session() as session, session.begin():
        await session.execute(text("SELECT pg_current_xact_id()"))
        await issue(town, 4)
        await stock.refresh()
        assert told(metrics)["haoka_documents_total ISSUE sim"] == 1
    await stock.refresh()
    await stock.refresh()
    counts = told(metrics)
    assert (counts["haoka_documents_total ISSUE sim"], counts["haoka_document_items_total ISSUE sim"]) == (2, 7)


async def test_metrics_are_shown_without_a_database_too() -> None:
    metrics = Metrics()
    database = connect("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    await StockMetrics(metrics, database, now=NOW).refresh()
    await database.close()
    assert told(metrics) == {}
