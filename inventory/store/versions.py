"""Which migration a database has, asked over a connection that is already there."""

from __future__ import annotations

from functools import cache

from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.store.migrate import ROOT


@cache
def _outdated() -> frozenset[str]:
    """Return the migrations of this version that have a newer one."""
    directory = ScriptDirectory(str(ROOT / "migrations"))
    return frozenset(script.revision for script in directory.walk_revisions()) - frozenset(directory.get_heads())


async def is_migrated(session: AsyncSession) -> bool:
    """Whether the database has this version's tables; a newer version's count too, as the two run side by side."""
    try:
        found = set((await session.execute(text("SELECT version_num FROM alembic_version"))).scalars())
    except ProgrammingError:  # no such table: an empty database
        return False
    return bool(found) and not found & _outdated()
