from __future__ import annotations

from typing import Any

import pytest

from inventory.web.sale_view import sale_view
from tests.builders_stock import NOW

HOLD: dict[str, Any] = {
    "hold": "h-530700-1",
    "state": "ACTIVE",
    "business": "activation",
    "number": "13888810000",
    "iccid": "89860026000000000000",
    "chip_serial": None,
    "sim_state": "HELD",
    "sim_finished": False,
    "staff_no": "YN1",
    "quote": None,
    "expires_at": NOW.isoformat(),
    "close_reason": None,
    "replace_reason": None,
    "old_iccid": None,
}
QUOTE = {"number_class": 9, "rule_set_version": 1, "elements": [], "due_now": 1000}
REPLACEMENT = {"replace_reason": "broken", "old_iccid": "89860026000000000001", "quote": QUOTE}


@pytest.mark.parametrize(
    ("card", "next_step"),
    [
        ({}, "can_write"),
        ({"sim_state": "WRITTEN"}, "can_confirm"),
        ({"sim_finished": True}, "can_confirm"),
    ],
)
def test_blank_card_is_written_and_a_finished_one_is_sold(card: dict[str, Any], next_step: str) -> None:
    """REQ-RSV-19: the finished card of a dropped order is sold to the next customer."""
    shown = sale_view(HOLD | card, None, "en", own=True, now=NOW)
    assert [name for name in ("can_write", "can_confirm") if shown[name]] == [next_step]


@pytest.mark.parametrize(("reason", "words"), [("legal_hold", "An outside order"), ("no customer", "was released")])
def test_kit_that_an_order_has_ended_says_so(reason: str, words: str) -> None:
    """REQ-LGL-01: the clerk learns why, and what to do next; not whose order."""
    shown = sale_view(HOLD | {"state": "RELEASED", "close_reason": reason}, None, "en", own=True, now=NOW)
    assert words in shown["closed_text"]


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ({"state": "EXPIRED"}, "goes on working"),
        ({"state": "RELEASED", "close_reason": "legal_hold"}, "replacement was ended"),
        ({"state": "RELEASED", "close_reason": "no customer"}, "order was released"),
    ],
)
def test_ended_replacement_says_that_the_old_card_works_on(end: dict[str, Any], words: str) -> None:
    """REQ-LCK-01."""
    assert words in sale_view(HOLD | REPLACEMENT | end, None, "en", own=True, now=NOW)["closed_text"]


SECOND = {"business": "second_number", "sim_state": "IN_USE", "quote": QUOTE}


def test_second_number_is_confirmed_without_writing_and_its_end_leaves_the_card() -> None:
    """REQ-SIM-17."""
    seen = sale_view(HOLD | SECOND, None, "en", own=True, now=NOW)
    assert (seen["second"], seen["can_confirm"], seen["can_write"], seen["can_take_card"]) == (True, True, False, False)
    over = sale_view(HOLD | SECOND | {"state": "EXPIRED"}, None, "en", own=True, now=NOW)
    assert "card goes on working" in over["closed_text"]


@pytest.mark.parametrize(
    ("kit", "shown"), [({}, False), (REPLACEMENT, True), (REPLACEMENT | {"replace_reason": "lost"}, False)]
)
def test_old_card_is_asked_for_where_there_can_be_one(kit: dict[str, Any], *, shown: bool) -> None:
    seen = sale_view(HOLD | kit, None, "en", own=True, now=NOW)
    assert (seen["may_hand_in"], seen["replaces"]) == (shown, kit.get("old_iccid"))


@pytest.mark.parametrize(("number_class", "asked"), [(3, True), (4, False)])
def test_holder_of_a_good_number_proves_itself_again(number_class: int, *, asked: bool) -> None:
    kit = REPLACEMENT | {"quote": QUOTE | {"number_class": number_class}}
    assert sale_view(HOLD | kit, None, "en", own=True, now=NOW)["extra_check"] is asked


def job(
    state: str, failure: str | None = None, next_step: str = "swap_card", card: str = HOLD["iccid"]
) -> dict[str, Any]:
    return {
        "state": state, "failure": failure, "next_step": next_step, "card": card, "failed_step": None,
        "waits_for_operator": state == "identifying",
        "failed_sw": None, "steps": [], "steps_done": 0, "steps_total": 9,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("done", "swap_first", "says"),
    [
        (job("damaged", "wrong_key"), True, "spoiled cards"),
        (job("nothing_written", "not_blank", "take_another_card"), True, "stays in stock"),
        (job("nothing_written", "adm_refused", "take_another_card"), True, "tell the keeper"),
        (job("nothing_written", "reader_lost", "try_again"), False, ""),
        (job("unknown", "report_failed", "read_again"), False, "Keep it apart"),
    ],
)
def test_failed_card_is_named_with_what_to_do_with_it(done: dict[str, Any], says: str, *, swap_first: bool) -> None:
    """REQ-HW-06: each class with the next step; a new card is one key away where one is needed."""
    shown = sale_view(HOLD, done, "en", own=True, now=NOW)
    assert (shown["swap_first"], shown["job"]["card"]) == (swap_first, HOLD["iccid"])
    assert says in shown["job"]["handling"]
    assert bool(shown["job"]["handling"]) is bool(says)


def test_a_card_that_waits_for_the_operators_system_says_so() -> None:
    shown = sale_view(HOLD | {"card_busy": True}, job("identifying", None, "wait"), "en", own=True, now=NOW)
    assert "Waiting for the operator" in shown["job"]["headline"]


def test_after_the_swap_the_spoiled_card_is_still_named_and_the_new_one_is_written_next() -> None:
    shown = sale_view(HOLD, job("damaged", card="89860026000000000009"), "en", own=True, now=NOW)
    assert (shown["swap_first"], shown["can_write"], shown["job"]["left_kit"]) == (False, True, True)
