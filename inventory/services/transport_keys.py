"""Take in a transport key, from a vendor or for a network: made of its parts, checked, agreed to, and sealed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from cardwriter.crypto.secret import Secret
from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.approvals import Demand
from inventory.domain.errors import DuplicateIdentifier, InvalidField
from inventory.services.acting import acting
from inventory.services.approval import require_second_person
from inventory.services.card_data import TRANSPORT_FIELD, TRANSPORT_TABLE
from inventory.services.once import Answer, WriteKey, once
from inventory.store import events, kits
from inventory.store.events import EventDraft
from inventory.vault.envelope import Vault
from inventory.vault.transport import KeyPurpose, TransportAlgorithm, TransportKeyUnusable, combine, key_check_value

IMPORT_KEY = "import_transport_key"
"""Name of the act, which always needs an approval."""
KCV = re.compile("[0-9A-Fa-f]{6}", re.ASCII)
"""A check value as letters write it: the first three bytes of the encryption of zeros."""
_LETTER = ("index", "algorithm", "kcv", "purpose")


@dataclass(frozen=True, kw_only=True)
class TransportKeyWish:
    """A transport key as its letters say: index, algorithm, check value (3 bytes), and one part per custodian.

    `purpose` says whether card keys come in under it or go out; what it is said to be now, it is for good.
    `approval` is the id of the second person's word on a key of this index, algorithm and check value.
    """

    index: str
    algorithm: TransportAlgorithm
    parts: tuple[Secret, ...] = field(repr=False)
    kcv: bytes
    purpose: KeyPurpose = KeyPurpose.VENDOR
    approval: str | None = None


async def read_transport_keys(session: AsyncSession) -> list[dict[str, str]]:
    """Return what the letter of each key said beside the key, by index: index, algorithm, kcv (hex), purpose."""
    async with session.begin():
        letters = await kits.transport_key_letters(session)
    return [{**vars(letter), "kcv": letter.kcv.hex()} for letter in letters]


async def import_transport_key(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: TransportKeyWish, *, vault: Vault, now: datetime
) -> Answer:
    """Keep the key, wrapped, if a second person agrees; it opens only in memory while a card is written or judged.

    Raises
    ------
    ApprovalNeeded, ApprovalNotGranted, ApprovalDiffers
        A second person's word is needed, or was given for another key.
    InvalidField
        The parts do not make a key of this check value.
    DuplicateIdentifier
        Another key has this index; cards already point to it.
    """

    async def work() -> dict[str, Any]:
        key = _combined(wish)
        await _require_free(session, wish.index)
        demand = _demand(caller, _letter(wish))
        approver = await require_second_person(session, caller, wish.approval, demand, now=now)
        return await _keep(session, caller, wish, key, {"approver": approver, "approval": wish.approval}, vault, now)

    return await once(session, caller, write, work, now=now)


async def found_transport_key(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: TransportKeyWish, *, vault: Vault, now: datetime
) -> Answer:
    """Keep a key without a second person: for who founds an installation and has all its keys anyway.

    Raises
    ------
    InvalidField, DuplicateIdentifier
        As `import_transport_key`.
    """

    async def work() -> dict[str, Any]:
        key = _combined(wish)
        await _require_free(session, wish.index)
        return await _keep(session, caller, wish, key, {}, vault, now)

    return await once(session, caller, write, work, now=now)


async def perform_import(
    session: AsyncSession, caller: Caller, letter: Mapping[str, Any], *, now: datetime
) -> dict[str, Any]:
    """Ask for the word of a second person on a key of this index, algorithm and check value.

    The parts are no business of an approval, which is kept: who has its word sends them with it.

    Raises
    ------
    ApprovalNeeded
        There is no key of this index yet.
    DuplicateIdentifier
        There is one.
    InvalidField
        An approval is there already: it cannot bring the parts.
    """
    if letter["approval"] is not None:
        reason = "an approval does not keep them; send them with its id to /v1/transport-keys"
        raise InvalidField(field="parts", value="0 parts", reason=reason)
    await _require_free(session, letter["index"])
    demand = _demand(caller, {name: str(letter[name]) for name in _LETTER})
    await require_second_person(session, caller, None, demand, now=now)
    return {}


def _combined(wish: TransportKeyWish) -> Secret:
    """Return the key that the parts make, if it is the one of the letter."""
    try:
        key = combine(list(wish.parts))
        kcv = key_check_value(wish.algorithm, key)
    except TransportKeyUnusable as error:
        raise InvalidField(field="parts", value=f"{len(wish.parts)} parts", reason=str(error)) from None
    if kcv != wish.kcv:
        raise InvalidField(field="kcv", value=wish.kcv.hex(), reason="the parts make another key; type them again")
    return key


async def _require_free(session: AsyncSession, index: str) -> None:
    """Let pass an index that can be written on a line, which no key has yet."""
    if not index.isprintable() or index != index.strip():
        raise InvalidField(field="index", value=index, reason="only printable characters, no blank at an end")
    if await kits.has_transport_key(session, index):
        raise DuplicateIdentifier(kind="transport key", value=index, where="here")


def _letter(wish: TransportKeyWish) -> dict[str, str]:
    """Give what the letters say of the key, for anybody to read."""
    said = (wish.index, wish.algorithm.value, wish.kcv.hex(), wish.purpose.value)
    return dict(zip(_LETTER, said, strict=True))


def _demand(caller: Caller, said: Mapping[str, str]) -> Demand:
    """Give what a second person is asked for: the key as its letter names it, never the key."""
    letter = {**said, "kcv": said["kcv"].lower()}
    return Demand(
        act=IMPORT_KEY,
        permission=Permission.LOADS_WRITE,
        place=caller.org_id,
        wish=letter,
        summary={**letter, "count": 1},
    )


async def _keep(
    session: AsyncSession,
    caller: Caller,
    wish: TransportKeyWish,
    key: Secret,
    agreed: Mapping[str, Any],
    vault: Vault,
    now: datetime,
) -> dict[str, Any]:
    wrapped = vault.seal(key.reveal(), table=TRANSPORT_TABLE, row=wish.index, field=TRANSPORT_FIELD)
    added = await kits.add_transport_key(
        session,
        index=wish.index,
        algorithm=wish.algorithm,
        wrapped=wrapped,
        kcv=wish.kcv,
        purpose=wish.purpose,
    )
    if not added:
        raise DuplicateIdentifier(kind="transport key", value=wish.index, where="here")
    data = _letter(wish)
    draft = EventDraft(name="transport_key.imported", kind="transport_key", item_no=0, data={**data, **agreed})
    await events.record(session, [draft], **acting(caller, now))
    return data
