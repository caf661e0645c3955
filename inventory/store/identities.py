"""The identities of a card, as people may see them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.store.schema import SimIdentity

_SHOWN_HEAD, _SHOWN_TAIL = 6, 2
_DIGITS = 15  # 3GPP TS 23.003 clause 2.2


@dataclass(frozen=True)
class IdentityRow:
    """An identity in a slot and application; `imsi` is masked."""

    slot: int
    application: str
    imsi: str
    hlr_code: str
    state: str
    auc: str


async def identities_of(session: AsyncSession, *, city_id: int, item_no: int) -> list[IdentityRow]:
    """Return the card's identities by slot; of the IMSI the network and the last two digits (REQ-SEC-03)."""
    imsi = func.right(SimIdentity.imsi, _DIGITS)  # without the mark of a card that was given back
    masked = func.concat(func.left(imsi, _SHOWN_HEAD), "*******", func.right(imsi, _SHOWN_TAIL))
    query = (
        select(
            SimIdentity.slot,
            SimIdentity.application,
            masked,
            SimIdentity.hlr_code,
            SimIdentity.state,
            SimIdentity.auc,
        )
        .where(SimIdentity.city_id == city_id, SimIdentity.item_no == item_no)
        .order_by(SimIdentity.slot)
    )
    return [IdentityRow(*row) for row in await session.execute(query)]
