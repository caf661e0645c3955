"""Roll back (实占回滚) a sale that waits for the network: a fresh hold has its number and card again (N9, S10b)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.channels import Channel
from inventory.domain.errors import LegalHold, LineNotWaiting, OutsideScope, ReasonMissing
from inventory.domain.holds import Flow
from inventory.domain.kinds import NUMBER
from inventory.domain.lifecycle import HoldState, NumberState
from inventory.services.attempts import attempt, write_parameters
from inventory.services.holds import hold_number, open_hold
from inventory.services.once import Answer, WriteKey
from inventory.services.promises import require_record
from inventory.store import completion, holds
from inventory.store.holds import HoldRecord
from inventory.vault.hold_keys import HoldKeys

NOT_COMPLETED = "not completed by the network"
"""The reason of a caller that has the key and gives none."""


async def roll_back(
    connection: AsyncConnection,
    caller: Caller,
    write: WriteKey,
    hold: str,
    *,
    keys: HoldKeys,
    key: str | None,
    reason: str | None,
    now: datetime,
) -> Answer:
    """Take the sale of this hold back whose line waits for the network: by its key, or as a superior with a reason.

    Number and card are with who had them before the sale, held anew for the caller at the price of the sale, for the
    time that the policy gives; they can be sold again, with another card too. The answer names the fresh hold, whose
    key is derived from its id by whoever hands it out, and the original one, which is history. `network_has_it`: the
    fresh hold neither expires nor is released before the network has deleted what it was told of.

    Raises
    ------
    HoldKeyWrong, ReasonMissing, OutsideScope
        The caller has not the key, and is no superior of the hold's owner or gives no reason.
    NotFound
        There is no such hold.
    LineNotWaiting
        Its sale is complete, or it was never sold: also where the network's confirmation came at the same moment.
    LegalHold
        An outside order lies on number or card, which stay as they are.
    Busy
        Others kept changing the same rows.
    """
    if key is not None or not caller.may(Permission.HOLDS_RELEASE_OTHERS):
        hold_id = open_hold(keys, caller, hold, key)
    else:
        hold_id = hold_number(caller, hold)
        if not (reason or "").strip():
            raise ReasonMissing
        if (await require_record(connection, caller, hold_id)).org_id not in caller.scope:
            raise OutsideScope(what=hold)

    async def act() -> dict[str, Any] | None:
        record = await require_record(connection, caller, hold_id)
        lasts = _lasts(caller, record)
        until = now + lasts
        given = write_parameters(caller, write) | {
            "hold": hold_id,
            "now": now,
            "until": until,
            "seconds": int(lasts.total_seconds()),
            "org": caller.org_id,
            "reason": reason or NOT_COMPLETED,
            "answer": {
                "state": HoldState.ACTIVE,
                "original_hold": hold,
                "expires_at": until.isoformat(),
                "quote": record.quote,
            },
        }
        return await holds.roll_back(connection, given)

    async def explain() -> None:
        record = await require_record(connection, caller, hold_id)
        if record.state != HoldState.CONFIRMED or record.number_state != NumberState.COMPLETING:
            state = record.number_state if record.state == HoldState.CONFIRMED else record.state
            raise LineNotWaiting(hold=hold, state=state)
        if record.legal_hold:
            raise LegalHold(field="hold", value=hold)
        if not await completion.waits(
            connection, city_id=caller.city_id, number=record.number, sim_item=record.sim_item_no
        ):
            raise LineNotWaiting(hold=hold, state=record.sim_state)  # the number was sold again since

    return await attempt(connection, caller, write, act=act, explain=explain)


def _lasts(caller: Caller, record: HoldRecord) -> timedelta:
    """Give the time of the fresh hold: the policy's for who rolls back."""
    first = timedelta(seconds=record.first_seconds)
    number_class = record.quote.get("number_class")
    policy = caller.hold_policy
    return (
        policy.duration(kind=NUMBER.name, channel=Channel(caller.channel), flow=Flow.NORMAL, number_class=number_class)
        or first
    )
