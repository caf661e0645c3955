"""Activate (激活): a card that was written, or came with its identity, goes into service with its number (REQ-SIM-18).

Writing is over long before, perhaps in another hall or at the vendor's; the card may have travelled by post. Who has
the card in hand names it and its number, not the kit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from inventory.access.caller import Caller
from inventory.domain.errors import HoldNotActive, NotFound, NotHeldTogether
from inventory.domain.identifiers import Iccid, Number, format_public_id
from inventory.domain.lifecycle import SimState
from inventory.services.once import Answer, WriteKey, replay
from inventory.services.sales import ConfirmWish, confirm
from inventory.store.pairs import find_pair
from inventory.vault.hold_keys import HoldKeys


@dataclass(frozen=True, kw_only=True)
class ActivateWish:
    """The card and the number that are to be one line, with what a sale needs."""

    iccid: Iccid
    number: Number
    sale: ConfirmWish


async def activate(
    connection: AsyncConnection,
    caller: Caller,
    write: WriteKey,
    wish: ActivateWish,
    *,
    keys: HoldKeys,
    key: str | None,
    now: datetime,
) -> Answer:
    """Put the line into service; of one that is in service already say so, whoever asks and however often.

    In a city that waits for the network's word it is COMPLETING until then.

    Raises
    ------
    NotFound
        The city has no such card or number.
    NotHeldTogether
        Card and number are neither one line nor in one kit.
    IdempotencyMismatch
        The key was used for another request.
    DomainError
        As `sales.confirm`, whose guards and ledger it shares: `CardNotVerified` for a card that is neither written and
        proven nor came with its identity.
    """
    replayed = await replay(connection, caller, write) is not None
    if not replayed:
        hold_id = await _kit(connection, caller, wish)
        if hold_id is None:
            replayed = True
        else:
            hold = format_public_id("h", caller.city_id, hold_id)
            try:
                replayed = (
                    await confirm(connection, caller, write, hold, wish.sale, keys=keys, key=key, now=now)
                ).replayed
            except HoldNotActive:
                if await _line(connection, caller, wish) is None:
                    raise
                replayed = True  # somebody else was quicker
    state = await _line(connection, caller, wish) or SimState.IN_USE
    return Answer({"iccid": wish.iccid, "number": wish.number, "state": state}, replayed=replayed)


async def _line(connection: AsyncConnection, caller: Caller, wish: ActivateWish) -> SimState | None:
    """Give how far the line is that both are, or None if they are none."""
    pair = await find_pair(connection, city_id=caller.city_id, iccid=wish.iccid, number=wish.number)
    return None if pair is None else pair.state


async def _kit(connection: AsyncConnection, caller: Caller, wish: ActivateWish) -> int | None:
    """Give the kit that has both, or None if they are a line already.

    Raises
    ------
    NotFound, NotHeldTogether
        As `activate`.
    """
    pair = await find_pair(connection, city_id=caller.city_id, iccid=wish.iccid, number=wish.number)
    if pair is None:
        raise NotFound(what="card and number", value=f"{wish.iccid}, {wish.number}")
    if pair.state is not None:
        return None
    if pair.hold_id is None:
        raise NotHeldTogether(iccid=wish.iccid, number=wish.number)
    return pair.hold_id
