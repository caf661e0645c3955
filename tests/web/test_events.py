"""Whatever happens to an item has a name on its page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import inventory
from inventory.domain.kinds import KINDS
from inventory.store import movements
from inventory.store.schema import Base
from inventory.web.names import _EVENTS, event_name
from tests.conftest import ROOT

FOLDERS = [Path(inventory.__file__).parent / name for name in ("services", "store")]
WRITTEN = re.compile(r"""["']((?:number|sim)\.[a-z_]+)["']""")
COMPOSED = re.compile(r"""name=f["']([^"']+)["']""")
KNOWN_COMPOSED = {
    "{kind.events}.status_released": {f"{kind.events}.status_released" for kind in KINDS.values()},
    "{kind_named(draft.resource).events}.{happened}": set[str](),  # of documents, which items show
    "{kind.events}.{happened}": set[str](),  # of recall orders
    "{kind_named(order.resource).events}.{happened}": {
        f"{kind.events}.legal_hold_{happened}" for kind in KINDS.values() for happened in ("placed", "lifted")
    },
    "{kind.events}.counted": set[str](),  # of stocktakes, as the two below
    "{kind_named(row.resource).events}.count_cancelled": set[str](),
    "{posting.kind.events}.count_posted": set[str](),
    "{posting.kind.events}.{happened}": {"sim.damaged", "sim.posted"},
    "{case.kind.events}.posted": {"sim.posted"},
    "{step.kind.events}.posted": {f"{kind.events}.posted" for kind in KINDS.values()},
    "{resource}.loaded": set[str](),  # an event of the load
    "approval.{state.lower()}": set[str](),  # of approvals, which items' events name
    "bulk.{state.lower()}": set[str](),  # of bulk orders
    "kiosk.{state}": set[str](),  # of sales at self-service machines
    "job.{state}": set[str](),
    "data.{state.lower()}": set[str](),
}
"""Names that are put together, with those of them that are events of items."""
MOVEMENTS = (
    *(
        "HAND_IN",
        "ROLL_BACK",
        "INTAKE",
        "ISSUE",
        "RECALL",
        "TRANSFER",
        "SALE",
        "RECEIPT",
        "RETURN",
        "TAKEOVER",
        "DISPUTE",
        "WITHDRAWAL",
    ),
    *("SCRAP", "LOSS", "FIND", "WRITE_OFF", "VENDOR_RETURN", "VOID", "BLOCK", "UNBLOCK", "UNDO"),
    *("CITY_OUT", "CITY_IN"),
)
FREED = re.compile(r"(?:number|sim)\.(?:released|expired)")


def sources() -> Iterator[str]:
    for folder in FOLDERS:
        for path in folder.rglob("*.py"):
            yield path.read_text(encoding="utf-8")


def test_every_event_that_is_written_for_an_item_has_a_name() -> None:
    """REQ-SIM-08: the life of an item can be read."""
    columns = {f"{table.name}.{column.name}" for table in Base.metadata.tables.values() for column in table.columns}
    written = {name for text in sources() for name in WRITTEN.findall(text)} - columns
    written |= {name for names in KNOWN_COMPOSED.values() for name in names}
    written |= set(FREED.findall((ROOT / "docs" / "events.md").read_text(encoding="utf-8")))
    written |= {f"movement.{kind.lower()}" for kind in vars(movements).values() if kind in MOVEMENTS}
    assert written - set(_EVENTS) == set()
    assert set(_EVENTS) - written == set()


def test_no_event_name_is_put_together_in_a_way_this_test_does_not_know() -> None:
    composed = {form for text in sources() for form in COMPOSED.findall(text)}
    assert composed <= set(KNOWN_COMPOSED)


def test_an_event_of_a_later_version_is_shown_as_it_is() -> None:
    assert event_name("number.teleported", "zh") == "number.teleported"
