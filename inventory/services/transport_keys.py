"""Take in a vendor's transport key: combined from its custodians' parts, checked, and sealed by the vault."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from cardwriter.crypto.secret import Secret
from inventory.access.caller import Caller
from inventory.domain.errors import DuplicateIdentifier, InvalidField
from inventory.services.card_data import TRANSPORT_FIELD, TRANSPORT_TABLE
from inventory.services.once import Answer, WriteKey, once
from inventory.store import events, kits
from inventory.store.events import EventDraft
from inventory.vault.envelope import Vault
from inventory.vault.transport import TransportAlgorithm, TransportKeyUnusable, combine, key_check_value


@dataclass(frozen=True, kw_only=True)
class TransportKeyWish:
    """A transport key as its letters say: index, algorithm, check value (3 bytes), and one part per custodian."""

    index: str
    algorithm: TransportAlgorithm
    parts: tuple[Secret, ...] = field(repr=False)
    kcv: bytes


async def import_transport_key(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: TransportKeyWish, *, vault: Vault, now: datetime
) -> Answer:
    """Keep the key, wrapped; it opens only in memory while a card is written or judged.

    Raises
    ------
    InvalidField
        The parts do not make a key of this check value.
    DuplicateIdentifier
        Another key has this index; cards already point to it.
    """

    async def work() -> dict[str, Any]:
        try:
            key = combine(list(wish.parts))
            kcv = key_check_value(wish.algorithm, key)
        except TransportKeyUnusable as error:
            raise InvalidField(field="parts", value=f"{len(wish.parts)} parts", reason=str(error)) from None
        if kcv != wish.kcv:
            raise InvalidField(field="kcv", value=wish.kcv.hex(), reason="the parts make another key; type them again")
        wrapped = vault.seal(key.reveal(), table=TRANSPORT_TABLE, row=wish.index, field=TRANSPORT_FIELD)
        added = await kits.add_transport_key(
            session, index=wish.index, algorithm=wish.algorithm, wrapped=wrapped, kcv=kcv
        )
        if not added:
            raise DuplicateIdentifier(kind="transport key", value=wish.index, where="here")
        data = {"index": wish.index, "algorithm": wish.algorithm, "kcv": kcv.hex()}
        draft = EventDraft(name="transport_key.imported", kind="transport_key", item_no=0, data=data)
        await events.record(
            session, [draft], city_id=caller.city_id, staff_no=caller.staff_no, interface_no=caller.interface_no,
            now=now,
        )  # fmt: skip
        return data

    return await once(session, caller, write, work, now=now)
