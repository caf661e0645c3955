"""Append to the code tables: HLRs and card products. Rows are closed, never changed or deleted (REQ-CFG-01)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import DuplicateIdentifier, InvalidField, NotFound
from inventory.services.once import Answer, WriteKey, once
from inventory.store import catalogue
from inventory.store.catalogue import CardKindRow, HlrRow

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}", re.ASCII)
_SMSC = re.compile(r"\+[1-9][0-9]{5,14}", re.ASCII)
_LARGEST_FEE_FEN = 100_000_00


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
    """

    async def work() -> dict[str, Any]:
        _require(_CODE, "code", code, "letters, digits, - _ . up to 40")
        _require(_SMSC, "smsc", smsc, "+ and 6 to 15 digits")
        if await catalogue.find_hlr(session, code) is not None:
            raise DuplicateIdentifier(kind="hlr", value=code, where="catalogue")
        await catalogue.add_hlr(session, HlrRow(code, caller.city_id, name, smsc))
        return {"code": code, "city": caller.city_id, "name": name, "smsc": smsc}

    return await once(session, caller, write, work, now=now)


async def add_card_kind(
    session: AsyncSession, caller: Caller, write: WriteKey, kind: CardKindRow, *, now: datetime
) -> Answer:
    """Append a card product.

    Raises
    ------
    DuplicateIdentifier
        The code is taken.
    InvalidField
        Code, capacity or price cannot be.
    """

    async def work() -> dict[str, Any]:
        _require(_CODE, "code", kind.code, "letters, digits, - _ . up to 40")
        if not 0 <= kind.fee_fen <= _LARGEST_FEE_FEN:
            raise InvalidField(field="fee_fen", value=kind.fee_fen, reason=f"0 to {_LARGEST_FEE_FEN} fen")
        if kind.capacity_kb < 1:
            raise InvalidField(field="capacity_kb", value=kind.capacity_kb, reason="at least 1")
        if await catalogue.find_card_kind(session, kind.code) is not None:
            raise DuplicateIdentifier(kind="card kind", value=kind.code, where="catalogue")
        await catalogue.add_card_kind(session, kind)
        return {"code": kind.code, "profile": kind.profile, "fee_fen": kind.fee_fen}

    return await once(session, caller, write, work, now=now)


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
