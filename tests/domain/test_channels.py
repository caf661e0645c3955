import pytest

from inventory.domain.channels import Channel, SaleChannel, is_sold_in, require_sold_in
from inventory.domain.errors import SaleChannelRefused

HALL, OTHERS = Channel.OWN_HALL, [channel for channel in Channel if channel is not Channel.OWN_HALL]


@pytest.mark.parametrize(
    ("sale_channel", "hall", "hall_approved", "others", "others_approved"),
    [
        (SaleChannel.ALL, True, True, True, True),
        (SaleChannel.OWN_HALL, True, True, False, False),
        (SaleChannel.OWN_HALL_APPROVAL, False, True, False, False),
        (SaleChannel.APPROVAL_ONLY, False, True, False, True),
    ],
)
def test_where_a_class_is_sold(
    sale_channel: SaleChannel, *, hall: bool, hall_approved: bool, others: bool, others_approved: bool
) -> None:
    assert is_sold_in(sale_channel, HALL) is hall
    assert is_sold_in(sale_channel, HALL, approved=True) is hall_approved
    for channel in OTHERS:
        assert is_sold_in(sale_channel, channel) is others
        assert is_sold_in(sale_channel, channel, approved=True) is others_approved


def test_a_sale_in_a_wrong_channel_names_class_and_channel() -> None:
    require_sold_in(3, SaleChannel.OWN_HALL, HALL)
    with pytest.raises(SaleChannelRefused) as refused:
        require_sold_in(3, SaleChannel.OWN_HALL, Channel.WEB)
    assert refused.value.params == {
        "number_class": 3, "channel": "web", "sold_in": "own_hall", "reason": "they are sold in own halls only",
    }  # fmt: skip


def test_a_sale_that_lacks_an_approval_says_so() -> None:
    with pytest.raises(SaleChannelRefused) as refused:
        require_sold_in(0, SaleChannel.APPROVAL_ONLY, Channel.WEB)
    assert refused.value.params["reason"] == "each of them needs an approval"
    require_sold_in(0, SaleChannel.APPROVAL_ONLY, Channel.WEB, approved=True)
