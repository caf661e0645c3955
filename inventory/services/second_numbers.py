"""A second number (副号) on a card in use: what stands against it when it is held and when it is confirmed."""

from __future__ import annotations

from inventory.domain.errors import (
    CardServesNoMore,
    DomainError,
    HlrMismatch,
    LegalHold,
    ServiceOrderOpen,
    SimNotInUse,
)
from inventory.domain.lifecycle import SimState
from inventory.store.second_numbers import ServingCard


def second_number_refusal(
    card: ServingCard, *, number_hlr: str | None, own_hold: int | None = None
) -> DomainError | None:
    """Give the refusal that stands against a number of this HLR on the card, or None (REQ-SIM-17, REQ-LCK-01).

    `own_hold` is the kit that has the card for it already. Any hall of the city may add to any customer's card: the
    real-name check guards it.
    """
    if card.state != SimState.IN_USE:
        return SimNotInUse(iccid=card.name, state=card.state)
    if card.legal_hold:
        return LegalHold(field="iccid", value=card.name)
    if card.hold_id != own_hold and card.order_until is not None:
        return ServiceOrderOpen(
            number=card.number,
            business=card.order_business,
            reason=card.order_reason or "-",
            until=card.order_until,
        )
    if card.numbers >= card.max_numbers:
        return CardServesNoMore(iccid=card.name, numbers=card.numbers, most=card.max_numbers)
    if card.hlr_code is None or card.hlr_code != number_hlr:
        return HlrMismatch(number_hlr=number_hlr or "-", sim_hlr=card.hlr_code or "-")
    return None
