"""The audit: stock, ledger, events and promises must agree, and the chain must be unbroken."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.services.sealing import ChainReport, verify_chain
from inventory.store import auditing, sealing
from inventory.store.audit_sql import CHECKS
from inventory.store.auditing import CityFigures, Finding, StoredAudit

SUMS = "sums_differ"
CHAIN = "chain_broken"


async def audit(session: AsyncSession, *, now: datetime) -> StoredAudit:
    """Check every city at one moment, keep what was found and return it.

    `figures` has for each city what was loaded, the sums by state and by holder's level, how much of its events is
    sealed and how many are still unsealed (the newest ones; the sealer follows within a second). `head` is the end of
    its chain, which the next audit looks for: a chain that was cut off and sealed anew verifies, but has lost it.
    """
    findings: list[Finding] = []
    figures: dict[str, Any] = {}
    async with session.begin():
        await auditing.take_snapshot(session)
        before = await auditing.last(session)
        heads = {} if before is None else {city: found.get("head") for city, found in before.figures.items()}
        for city_id in await auditing.cities(session):
            for check in CHECKS:
                findings += await auditing.find(session, check, city_id)
            found = await auditing.figures(session, city_id)
            findings += _sums(city_id, found)
            chain = await verify_chain(session, city_id)
            if chain.fault is not None:
                findings.append(Finding(CHAIN, city_id, "chain", chain.fault))
            seen = heads.get(str(city_id))
            lost = seen is not None and await _lost(session, city_id, seen)
            if lost:
                findings.append(Finding(CHAIN, city_id, "chain", "the end that the last audit saw is gone"))
            figures[str(city_id)] = {
                "loaded": found.loaded,
                "states": {kind: _sum_by(found, kind, 1) for kind in found.loaded},
                "holders": {kind: _sum_by(found, kind, 2) for kind in found.loaded},
                "blocks": chain.blocks,
                "sealed": chain.events,
                "head": seen if lost or chain.fault else _head(chain),
                "unsealed": await sealing.count_unsealed(session, city_id),
            }
    done = StoredAudit(now, not findings, figures, [asdict(finding) for finding in findings])
    async with session.begin():
        await auditing.keep(session, done)
    return done


def _head(chain: ChainReport) -> dict[str, Any] | None:
    """Give number and hash of the chain's last good block, or None before the first."""
    return {"block": chain.blocks, "hash": chain.head.hex()} if chain.blocks else None


async def _lost(session: AsyncSession, city_id: int, head: dict[str, Any]) -> bool:
    """Whether the block that was once the end of the chain is gone or another."""
    blocks = await sealing.blocks_after(session, city_id, block_no=head["block"] - 1, limit=1)
    return [(block.block_no, block.hash.hex()) for block in blocks] != [(head["block"], head["hash"])]


def _sum_by(found: CityFigures, kind: str, column: int) -> dict[str, int]:
    """Give the number of items of the kind by state (1) or by level of the holder (2)."""
    sums: Counter[str] = Counter()
    for row in found.stock:
        if row[0] == kind:
            sums[str(row[column])] += row[3]
    return dict(sums)


def _sums(city_id: int, found: CityFigures) -> list[Finding]:
    """Compare, kind by kind, what was loaded with the sum over states and with the sum over holders that exist."""
    findings = []
    for kind in sorted({*found.loaded, *(row[0] for row in found.stock)} & {"number", "sim"}):
        loaded = found.loaded.get(kind, 0)
        states = sum(_sum_by(found, kind, 1).values())
        holders = sum(row[3] for row in found.stock if row[0] == kind and row[2] is not None)
        if not loaded == states == holders:
            detail = f"loaded {loaded}, in some state {states}, with some holder {holders}"
            findings.append(Finding(SUMS, city_id, kind, detail))
    return findings


async def last_audit(session: AsyncSession, caller: Caller) -> dict[str, Any] | None:
    """Return what the newest audit says of the caller's city, as JSON values, or None before the first."""
    async with session.begin():
        found = await auditing.last(session)
    if found is None:
        return None
    findings = [finding for finding in found.findings if finding["city_id"] == caller.city_id]
    return {
        "at": found.at.isoformat(),
        "ok": not findings,
        "figures": found.figures.get(str(caller.city_id), {}),
        "findings": findings,
    }
