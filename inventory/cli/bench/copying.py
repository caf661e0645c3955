"""Prepared stock for the benches, copied straight into its tables: nothing is checked, sealed or written down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.store.card_intake import CardTerms
from inventory.store.copying import copy_rows
from inventory.store.schema import Base

_TABLES = Base.metadata.tables


@dataclass(frozen=True, kw_only=True)
class SealedSecrets:
    """A card's secrets as they rest: Ki and OPc as delivered, the codes in envelopes of the vault."""

    transport_key_index: str
    ki: bytes = field(repr=False)
    opc: bytes = field(repr=False)
    adm1: bytes = field(repr=False)
    pin1: bytes | None = field(default=None, repr=False)
    puk1: bytes | None = field(default=None, repr=False)
    pin2: bytes | None = field(default=None, repr=False)
    puk2: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class StockedCard:
    """A card about to be stocked."""

    item_no: int
    iccid: str | None
    serial: str | None


async def copy_names(session: AsyncSession, names: Iterable[tuple[str, str]], city_id: int) -> None:
    """Enter (kind, value) names of the city in the registry of what is unique across cities.

    Raises
    ------
    psycopg.errors.UniqueViolation
        One of them exists already, in any city.
    """
    rows = ((kind, value, city_id) for kind, value in names)
    await copy_rows(session, _TABLES["identifier"], ("kind", "value", "city_id"), rows)


async def copy_cards(
    session: AsyncSession,
    cards: Iterable[StockedCard],
    secrets: Iterable[tuple[int, SealedSecrets]],
    terms: CardTerms,
    *,
    on_progress: Callable[[int], None] | None,
) -> None:
    """Put the cards and, by item number, their secrets into the tables.

    Secrets are taken one by one while the server writes those before, so a generator may seal them on the way.
    """
    columns = ("city_id", "item_no", "state", "version", "holder_id", "pool", "batch_id", "updated_at")
    same = (terms.state, 0, terms.holder_id, terms.pool, terms.batch_id, terms.now)
    await copy_rows(
        session,
        _TABLES["sim"],
        (*columns, "iccid", "serial", "kind_code", "generation"),
        ((terms.city_id, card.item_no, *same, card.iccid, card.serial, terms.kind_code, 1) for card in cards),
        on_progress=on_progress,
    )
    await copy_rows(
        session,
        _TABLES["card_secret"],
        ("city_id", "item_no", "generation", *SealedSecrets.__dataclass_fields__),
        ((terms.city_id, item_no, 1, *vars(sealed).values()) for item_no, sealed in secrets),
    )


async def copy_data_units(
    session: AsyncSession,
    units: Sequence[tuple[str, str]],
    *,
    first: int,
    city_id: int,
    batch_id: int,
    state: str,
    now: datetime,
    on_progress: Callable[[int], None] | None,
) -> None:
    """Put (IMSI, HLR) pairs into the pool of subscription data, numbered from `first`."""
    await copy_rows(
        session,
        _TABLES["subscription_data"],
        ("city_id", "data_no", "hlr_code", "imsi", "state", "version", "batch_id", "updated_at"),
        (
            (city_id, number, hlr_code, imsi, state, 0, batch_id, now)
            for number, (imsi, hlr_code) in enumerate(units, start=first)
        ),
        on_progress=on_progress,
    )
