from enum import StrEnum
from typing import Any

import pytest

from inventory.domain.errors import NotFound
from inventory.domain.kinds import KINDS, NUMBER, SIM, ResourceKind, kind_named
from inventory.domain.lifecycle import NumberState, SimState
from inventory.domain.organisation import Level

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@every_kind
def test_a_kind_is_found_by_its_name(kind: ResourceKind) -> None:
    assert kind_named(kind.name) is kind


@every_kind
def test_what_moves_down_can_move_up_again(kind: ResourceKind) -> None:
    assert kind.movable_down <= kind.movable_up <= set(kind.lifecycle.names)


@every_kind
def test_stock_begins_where_it_can_be_moved(kind: ResourceKind) -> None:
    assert kind.lifecycle.initial in kind.movable_down


@pytest.mark.parametrize(("kind", "states"), [(NUMBER, NumberState), (SIM, SimState)])
def test_a_kind_carries_its_own_life_cycle(kind: ResourceKind, states: type[StrEnum]) -> None:
    names: Any = kind.lifecycle.names
    assert set(names) == set(states)


def test_cards_go_to_the_clerk_and_numbers_do_not() -> None:
    assert Level.CLERK in SIM.levels
    assert Level.CLERK not in NUMBER.levels


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(NotFound) as refused:
        kind_named("voucher")
    assert refused.value.params == {"what": "kind", "value": "voucher"}
