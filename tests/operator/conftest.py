"""A card-data system to ask, and an adapter that asks it without waiting between attempts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from inventory.operator.reference import ReferenceAdapter
from tests.operator.card_system import KEY, CardSystem


@pytest.fixture
def system() -> Iterator[CardSystem]:
    """Serve an operator's card-data system."""
    with CardSystem() as system:
        yield system


@pytest.fixture
def adapter(system: CardSystem) -> ReferenceAdapter:
    """Give an adapter for it."""

    async def at_once(_: int) -> None:
        """Wait for nothing."""

    return ReferenceAdapter(system.url, KEY, pause=at_once)
