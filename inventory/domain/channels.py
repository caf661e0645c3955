"""Where things are sold: the channel of a caller, and the channels a class of numbers is open to."""

from __future__ import annotations

from enum import StrEnum

from inventory.domain.errors import SaleChannelRefused


class Channel(StrEnum):
    """Where a caller sells."""

    OWN_HALL = "own_hall"
    AGENT = "agent"
    CALL_CENTRE = "call_centre"
    SELF_SERVICE = "self_service"
    WEB = "web"


class SaleChannel(StrEnum):
    """Where numbers of a class may be sold, from the narrowest to the widest."""

    APPROVAL_ONLY = "approval_only"
    """Anywhere, but every single number needs an approval."""
    OWN_HALL_APPROVAL = "own_hall_approval"
    OWN_HALL = "own_hall"
    ALL = "all"


def is_sold_in(sale_channel: SaleChannel, channel: Channel, *, approved: bool = False) -> bool:
    """Tell whether numbers open to `sale_channel` may be sold in `channel`; `approved`: this number has an approval."""
    in_place = sale_channel in {SaleChannel.ALL, SaleChannel.APPROVAL_ONLY} or channel is Channel.OWN_HALL
    needs_approval = sale_channel in {SaleChannel.APPROVAL_ONLY, SaleChannel.OWN_HALL_APPROVAL}
    return in_place and (approved or not needs_approval)


def why_not_sold_in(sale_channel: SaleChannel, channel: Channel) -> str | None:
    """Return why numbers open to `sale_channel` are not sold in `channel` (English; `i18n.translated`), None if so."""
    if is_sold_in(sale_channel, channel):
        return None
    if is_sold_in(sale_channel, channel, approved=True):
        reason = "each of them needs an approval"
    else:
        reason = "they are sold in own halls only"
    return reason


def require_sold_in(number_class: int, sale_channel: SaleChannel, channel: Channel, *, approved: bool = False) -> None:
    """Let pass a sale in a channel that the number's class is open to.

    Raises
    ------
    SaleChannelRefused
        The class is not sold there, or not without an approval.
    """
    reason = why_not_sold_in(sale_channel, channel)
    if reason is not None and not is_sold_in(sale_channel, channel, approved=approved):
        raise SaleChannelRefused(
            number_class=number_class, channel=str(channel), sold_in=str(sale_channel), reason=reason
        )
