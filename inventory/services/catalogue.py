"""Append to the code tables: HLRs and card products. Rows are closed, never changed or deleted (REQ-CFG-01)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from cardwriter.crypto.aka import AlgorithmError
from cardwriter.crypto.algorithms import check_config
from cardwriter.profiles import PROFILES, relay, unknown_files
from inventory.access.caller import Caller
from inventory.domain.errors import DuplicateIdentifier, InvalidField, MissingField, NotFound
from inventory.services.acting import acting
from inventory.services.card_json import check_network, product_of
from inventory.services.once import Answer, WriteKey, once
from inventory.services.policies import city_to_decide_for
from inventory.store import catalogue
from inventory.store.catalogue import CardKindRow, HlrRow
from inventory.store.events import EventDraft, record

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}", re.ASCII)
_SMSC = re.compile(r"\+[1-9][0-9]{5,14}", re.ASCII)
_LARGEST_FEE_FEN = 100_000_00
NUMBERS_OF_A_CARD = (1, 2)
"""How many numbers a card of a product may serve: one, or a main and a second one (一卡双号)."""
WRITTEN_BY = (*(one.name for one in PROFILES), relay.FAMILY)
"""The card families that a product may name as its profile."""


async def add_hlr(
    session: AsyncSession, caller: Caller, write: WriteKey, *, code: str, name: str, smsc: str, now: datetime
) -> Answer:
    """Append an HLR of the caller's city; `smsc` is its short message centre, international digits with `+`.

    Raises
    ------
    DuplicateIdentifier
        The code is taken.
    InvalidField
        Code or SMSC are not well formed.
    MissingField
        It has no name.
    OutsideScope
        The caller belongs to a part of the city only.
    """

    async def work() -> dict[str, Any]:
        _require(_CODE, "code", code, "letters, digits, - _ . up to 40")
        _require(_SMSC, "smsc", smsc, "+ and 6 to 15 digits")
        if not name.strip():
            raise MissingField(field="name")
        city = await city_to_decide_for(session, caller)
        if not await catalogue.add_hlr(session, HlrRow(code, caller.city_id, name, smsc)):
            raise DuplicateIdentifier(kind="hlr", value=code, where="catalogue")
        added = {"code": code, "name": name, "smsc": smsc}
        await record(
            session, [EventDraft(name="hlr.added", kind="hlr", item_no=city.id, data=added)], **acting(caller, now)
        )
        return {**added, "city": caller.city_id, "active": True}

    return await once(session, caller, write, work, now=now)


async def close_hlr(session: AsyncSession, caller: Caller, write: WriteKey, *, code: str, now: datetime) -> Answer:
    """Let nothing new come for an HLR: no segment, no card data, no finished card; what is in stock stays and sells.

    Raises
    ------
    NotFound
        The city has no such HLR.
    OutsideScope
        The caller belongs to a part of the city only.
    """

    async def work() -> dict[str, Any]:
        hlr = await catalogue.find_hlr(session, code)
        if hlr is None or hlr.city_id != caller.city_id:
            raise NotFound(what="hlr", value=code)
        city = await city_to_decide_for(session, caller)
        if hlr.active:
            await catalogue.close_hlr(session, code)
            draft = EventDraft(name="hlr.closed", kind="hlr", item_no=city.id, data={"code": code})
            await record(session, [draft], **acting(caller, now))
        return {"code": code, "active": False}

    return await once(session, caller, write, work, now=now)


async def add_card_kind(
    session: AsyncSession, caller: Caller, write: WriteKey, kind: CardKindRow, *, now: datetime
) -> Answer:
    """Append a card product (REQ-SIM-17: how many numbers its cards may serve).

    Raises
    ------
    DuplicateIdentifier
        The code is taken.
    InvalidField
        Code, capacity, price, numbers, algorithm, profile, network or the product's files cannot be.
    """

    async def work() -> dict[str, Any]:
        _require(_CODE, "code", kind.code, "letters, digits, - _ . up to 40")
        if not 0 <= kind.fee_fen <= _LARGEST_FEE_FEN:
            raise InvalidField(field="fee_fen", value=kind.fee_fen, reason=f"0 to {_LARGEST_FEE_FEN} fen")
        if kind.capacity_kb < 1:
            raise InvalidField(field="capacity_kb", value=kind.capacity_kb, reason="at least 1")
        if kind.max_numbers not in NUMBERS_OF_A_CARD:
            raise InvalidField(field="max_numbers", value=kind.max_numbers, reason="1 or 2")
        try:
            check_config(kind.algorithm)
        except AlgorithmError as error:
            raise InvalidField(field="algorithm", value=kind.algorithm, reason=str(error)) from None
        _require_product(kind)
        if not await catalogue.add_card_kind(session, kind):
            raise DuplicateIdentifier(kind="card kind", value=kind.code, where="catalogue")
        return {"code": kind.code, "profile": kind.profile, "fee_fen": kind.fee_fen, "max_numbers": kind.max_numbers}

    return await once(session, caller, write, work, now=now)


def _require_product(kind: CardKindRow) -> None:
    """Refuse a kind whose cards nobody could write: better here than at a counter."""
    if kind.profile not in WRITTEN_BY:
        raise InvalidField(field="profile", value=kind.profile, reason=f"one of {', '.join(WRITTEN_BY)}")
    try:
        unknown = unknown_files(product_of(kind.network))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f"not as docs/card-families.md describes it: {error}"
        raise InvalidField(field="network.product", value=kind.network.get("product"), reason=reason) from None
    if unknown:
        raise InvalidField(field="network.product", value=", ".join(unknown), reason="no file is named so")
    try:
        check_network(kind.network)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidField(field="network", value=kind.network, reason=str(error)) from None


@dataclass(frozen=True)
class CodeTables:
    """The HLRs of a city, and every card product, closed ones too."""

    hlrs: list[HlrRow]
    card_kinds: list[CardKindRow]


async def read_code_tables(session: AsyncSession, caller: Caller) -> CodeTables:
    """Return what items of the caller's city may be of."""
    async with session.begin():
        hlrs = await catalogue.hlrs_of(session, caller.city_id)
        return CodeTables(hlrs, await catalogue.all_card_kinds(session))


async def read_card_kinds(session: AsyncSession) -> list[CardKindRow]:
    """Return the card products that may be loaded, by code."""
    async with session.begin():
        return await catalogue.open_card_kinds(session)


async def close_card_kind(
    session: AsyncSession, caller: Caller, write: WriteKey, *, code: str, now: datetime
) -> Answer:
    """Take a card product off the list of what may be loaded; cards in stock stay as they are.

    Raises
    ------
    NotFound
        There is no such product.
    """

    async def work() -> dict[str, Any]:
        if await catalogue.find_card_kind(session, code) is None:
            raise NotFound(what="card kind", value=code)
        await catalogue.close_card_kind(session, code)
        return {"code": code, "active": False}

    return await once(session, caller, write, work, now=now)


def _require(pattern: re.Pattern[str], field: str, value: str, reason: str) -> None:
    if pattern.fullmatch(value) is None:
        raise InvalidField(field=field, value=value, reason=reason)
