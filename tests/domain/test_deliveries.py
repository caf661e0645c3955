from __future__ import annotations

import pytest

from inventory.domain.deliveries import DeliveryState, delivery_state


@pytest.mark.parametrize(
    ("accepted", "refused", "state"),
    [
        (0, 0, DeliveryState.IN_TRANSIT),
        (1, 0, DeliveryState.PARTLY_ANSWERED),
        (0, 9, DeliveryState.PARTLY_ANSWERED),
        (4, 5, DeliveryState.PARTLY_ANSWERED),
        (10, 0, DeliveryState.ACCEPTED),
        (0, 10, DeliveryState.REFUSED),
        (9, 1, DeliveryState.SETTLED),
    ],
)
def test_state_of_a_delivery_follows_from_what_is_answered(accepted: int, refused: int, state: DeliveryState) -> None:
    assert delivery_state(count=10, accepted=accepted, refused=refused) is state
