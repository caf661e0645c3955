"""A station's reader in which a blank of the operator's own system lies."""

from __future__ import annotations

import os

from tests.cards.hall import InSlot
from tests.operator.card_system import OperatorsCard

SERIAL = "HAOKA_TEST_SERIAL"


def slot() -> InSlot:
    """Give the blank whose serial the environment names."""
    return InSlot(OperatorsCard(os.environ[SERIAL]))
