"""What happened to the stock since one looked last, whichever process did it: the worker, the service, a command."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.store import figures as store
from inventory.store.completion import count_all_waiting
from inventory.store.figures import EndedLoad, WrittenDocuments
from inventory.store.issues import CallCount, count_calls


@dataclass
class Looked:
    """How far one has looked; it begins at a moment and is moved on by each look."""

    since: datetime
    xid: str | None = None
    """Documents of older transactions are counted."""
    loads: set[tuple[int, int, str]] = field(default_factory=set)
    """Loads that are counted, each with how it ended."""


@dataclass(frozen=True)
class News:
    """What is new: each load, document and answer is in one look's news only."""

    loads: list[EndedLoad]
    documents: list[WrittenDocuments]
    network: dict[str, int]
    """How many identities the network was told of, confirmed and refused, by what it then knew of them."""
    replacements: dict[str, int]
    """How many cards of lines were replaced, by reason."""
    rolled_back: int
    """How many sales that waited for the network were rolled back."""
    waiting: tuple[int, datetime | None]
    """How many sales wait for the network, as they stand, and since when the oldest one does."""
    calls: CallCount
    """Calls to the operator's card-data system as they stand, not what is new."""


async def look(session: AsyncSession, looked: Looked) -> News:
    """Return what is new and move `looked` on; the first look finds where the documents begin.

    A document is counted when no older transaction runs any more: so none is missed and none counted twice.
    """
    async with session.begin():
        until = await store.horizon(session)
        documents = [] if looked.xid is None else await store.documents_between(session, looked.xid, until)
        network = {} if looked.xid is None else await store.network_between(session, looked.xid, until)
        replaced = {} if looked.xid is None else await store.replaced_between(session, looked.xid, until)
        back = 0 if looked.xid is None else await store.rolled_back_between(session, looked.xid, until)
        ended = await store.loads_ended(session, looked.since)
        waiting = await count_all_waiting(session)
        calls = await count_calls(session)
    loads = [load for load in ended if (load.city_id, load.batch_id, load.state) not in looked.loads]
    looked.xid = until
    looked.loads |= {(load.city_id, load.batch_id, load.state) for load in loads}
    return News(loads, documents, network, replaced, back, waiting, calls)
