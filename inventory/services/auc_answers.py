"""Take in what the network answered about the identities it was told of (REQ-AUC-01)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.auc import AucAnswer, answered
from inventory.domain.errors import IllegalTransition, InvalidField
from inventory.domain.lifecycle import AucState, DataState
from inventory.services.acting import acting
from inventory.services.auc_exports import whole_city
from inventory.services.once import Answer, WriteKey, once
from inventory.store import auc, completion, issues
from inventory.store.auc import KnownRow
from inventory.store.completion import WaitingLine
from inventory.store.events import EventDraft, record
from inventory.store.issues import CallCount, FailingCall

MOST = 10_000
"""Answers of one call."""
MOST_LISTED = 200
"""Waiting sales that are shown at once; the others follow when these are settled."""
_UNKNOWN = "unknown"
_SERVES = "serves_number"
_TOLD = (AucState.CONFIRMED, AucState.FAILED, AucState.DELETED)
_NAMES = {AucState.FAILED: "sim.network_refused", AucState.DELETED: "sim.network_deleted"}
"""What the life of a card says of it, where that is news."""


@dataclass(frozen=True)
class NetworkAnswer:
    """What the network said of one identity, and why if it refused."""

    imsi: str
    said: AucAnswer
    reason: str | None = None


async def take_answers(
    session: AsyncSession, caller: Caller, write: WriteKey, answers: Sequence[NetworkAnswer], *, now: datetime
) -> Answer:
    """Keep what was said, and answer how many it changed; what was said before changes nothing.

    An identity that the city does not have, or whose state does not allow the answer, is named by its row, from 1, and
    left as it is; the others are taken. The data of what is deleted are retired, which frees the IMSI for good; an
    identity that serves a number in use is not deleted; for one that a replacement ended the word ends its telling. A
    sale that waited for the confirmed is complete with it (N8b).

    Raises
    ------
    InvalidField
        There is no answer, or too many for one call.
    OutsideScope
        The caller belongs to a part of the city only.
    """
    if not 0 < len(answers) <= MOST:
        raise InvalidField(field="answers", value=f"{len(answers)} answers", reason=f"1 to {MOST}")

    async def work() -> dict[str, Any]:
        city = await whole_city(session, caller)
        known = await auc.lock_identities(
            session, city_id=caller.city_id, imsis=sorted({answer.imsi for answer in answers})
        )
        serving = await auc.serving(session, city_id=caller.city_id, imsis=sorted(known))
        found = _hear(answers, known, serving)
        for state in _TOLD:
            await auc.set_auc(session, found.now(state), state, city_id=caller.city_id)
        completed = await completion.complete_lines(session, found.now(AucState.CONFIRMED), **acting(caller, now))
        retired = await auc.retire_data(session, found.now(AucState.DELETED), city_id=caller.city_id, now=now)
        said = {
            **{state.value: len(found.now(state)) for state in _TOLD},
            "unchanged": found.unchanged,
            "completed": completed,
            "refused": found.refused,
        }
        told = EventDraft(
            name="auc.answered", kind="network", item_no=city.id, data={**said, "refused": len(found.refused)}
        )
        bad = [
            EventDraft(name=name, kind="sim", item_no=known[imsi].item_no, reason=found.reasons[imsi])
            for state, name in _NAMES.items()
            for imsi in found.now(state)
        ]
        gone = [
            EventDraft(
                name="data.retired", kind="data", item_no=data_no, version=version, from_state=DataState.BOUND,
                to_state=DataState.RETIRED, data={"sim_item": card},
            )
            for data_no, version, card in retired
        ]  # fmt: skip
        await record(session, [told, *bad, *gone], **acting(caller, now))
        return said

    return await once(session, caller, write, work, now=now)


async def read_waiting(session: AsyncSession, caller: Caller) -> tuple[list[WaitingLine], int]:
    """Return the sales that wait for the network's word, those to do something about first, and how many there are.

    Raises
    ------
    OutsideScope
        The caller belongs to a part of the city only.
    """
    async with session.begin():
        await whole_city(session, caller)
        lines = await completion.waiting_lines(session, city_id=caller.city_id, limit=MOST_LISTED)
        return lines, await completion.count_waiting(session, city_id=caller.city_id)


async def read_failing_calls(session: AsyncSession, caller: Caller) -> tuple[list[FailingCall], CallCount]:
    """Return the calls to the operator's card-data system that fail, the oldest first, and how many wait and fail.

    Raises
    ------
    OutsideScope
        The caller belongs to a part of the city only.
    """
    async with session.begin():
        await whole_city(session, caller)
        found = await issues.failing_calls(session, city_id=caller.city_id, limit=MOST_LISTED)
        return found, await issues.count_calls(session, city_id=caller.city_id)


@dataclass(frozen=True)
class _Heard:
    """What answers change: the new state of identities by IMSI, the network's reasons; and what was not taken."""

    changed: dict[str, AucState]
    reasons: dict[str, str | None]
    unchanged: int
    refused: list[dict[str, Any]]

    def now(self, state: AucState) -> list[str]:
        """Give the identities that are in this state from now on."""
        return [imsi for imsi, found in self.changed.items() if found is state]


def _hear(answers: Sequence[NetworkAnswer], known: Mapping[str, KnownRow], serving: Collection[str]) -> _Heard:
    """Follow the answers one after the other; of several on one identity the last counts."""
    states = {imsi: AucState(row.auc) for imsi, row in known.items()}
    reasons: dict[str, str | None] = {}
    refused: list[dict[str, Any]] = []
    for row, answer in enumerate(answers, start=1):
        state = states.get(answer.imsi)
        if state is None:
            refused.append({"row": row, "code": _UNKNOWN})
        elif answer.said is AucAnswer.DELETED and answer.imsi in serving:
            refused.append({"row": row, "code": _SERVES})
        else:
            try:
                states[answer.imsi] = answered(state, answer.said, serves=answer.imsi in serving)
            except IllegalTransition:
                refused.append({"row": row, "code": f"is_{state}"})
            else:
                reasons[answer.imsi] = answer.reason
    news = {imsi for imsi, row in known.items() if states[imsi] != row.auc or (row.to_delete and imsi in reasons)}
    changed = {imsi: state for imsi, state in sorted(states.items()) if imsi in news}
    return _Heard(changed, reasons, len(reasons.keys() - changed.keys()), refused)
