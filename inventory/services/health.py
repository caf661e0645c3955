"""Can this process work with its database."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.store import versions


async def is_ready(session: AsyncSession) -> bool:
    """Whether the database answers and has this version's tables."""
    async with session.begin():
        return await versions.is_migrated(session)
