from enum import StrEnum
from typing import Any

import pytest

from inventory.domain.errors import NotFound
from inventory.domain.identifiers import NumberKind
from inventory.domain.kinds import KINDS, NUMBER, SIM, ResourceKind, kind_named
from inventory.domain.lifecycle import NUMBER_LIFECYCLE, CodeState, Lifecycle, NumberState, PortState, SimState
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


@pytest.mark.parametrize(("kind", "states"), [(NUMBER, (NumberState, PortState, CodeState)), (SIM, (SimState,))])
def test_a_kind_carries_the_life_cycles_of_its_sorts(kind: ResourceKind, states: tuple[type[StrEnum], ...]) -> None:
    names: Any = kind.lifecycle.names
    assert set(names) == {state for some in states for state in some}


def test_a_state_of_a_number_tells_by_which_table_it_lives() -> None:
    """REQ-NUM-16: access codes have states of their own, and so have ports; only a final state is everyone's."""
    cycles: list[Lifecycle[Any, Any]] = [NUMBER_LIFECYCLE, *NUMBER.lives.values()]
    living = [state for cycle in cycles for state in {source for source, _ in cycle.table}]
    assert len(living) == len(set(living))
    assert all(NUMBER.lifecycle.table[move] == cycle.table[move] for cycle in cycles for move in cycle.table)


def test_what_no_hall_sells_is_never_unused_nor_goes_down() -> None:
    """REQ-NUM-15, REQ-NUM-16: searches, holds and issues look for what a hall can sell."""
    assert set(NUMBER.lives) == {NumberKind.SMS_PORT, NumberKind.ACCESS_CODE}
    for life in NUMBER.lives.values():
        assert NumberState.UNUSED not in life.names
        assert not set(life.names) & (NUMBER.movable_down | NUMBER.promised)


def test_cards_go_to_the_clerk_and_numbers_do_not() -> None:
    assert Level.CLERK in SIM.levels
    assert Level.CLERK not in NUMBER.levels


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(NotFound) as refused:
        kind_named("voucher")
    assert refused.value.params == {"what": "kind", "value": "voucher"}


@every_kind
def test_what_can_be_moved_or_is_promised_lies_with_its_holder(kind: ResourceKind) -> None:
    assert kind.movable_down | kind.promised <= kind.in_hand
