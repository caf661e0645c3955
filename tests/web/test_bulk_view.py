"""What the bulk board says of an order and its readers."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.domain.bulk import NotTaken
from inventory.domain.lifecycle import BulkOrderState
from inventory.web.bulk_view import board_view

ORDER = {
    "id": "bo-530700-1", "state": BulkOrderState.RUNNING, "online": True, "opened_at": "2026-11-22T02:00:00+00:00",
    "wanted": 9, "written": 4, "damaged": 1, "unknown": 2,
}  # fmt: skip
READER = {
    "name": "A",
    "label": None,
    "state": "card",
    "looking": False,
    "card": "8986",
    "readable": True,
    "not_taken": None,
    "job": None,
}
JOB = {
    "state": "verified",
    "next_step": "take_out",
    "failure": None,
    "failed_sw": None,
    "steps_done": 3,
    "steps_total": 9,
}
SPOILED = {**JOB, "state": "damaged", "next_step": "put_aside", "failure": "wrong_key", "failed_sw": "9862"}
AT_WORK = {**JOB, "state": "writing", "next_step": "wait"}


def board(reader: dict[str, Any] | None = None, **order: Any) -> dict[str, Any]:
    shown = {**ORDER, **order, "readers": [] if reader is None else [{**READER, **reader}]}
    return board_view(shown, "en", may_act=True)


def tile(reader: dict[str, Any], **order: Any) -> tuple[str, str, str]:
    [found] = board(reader, **order)["readers"]
    return found["tone"], found["headline"], found["advice"]


@pytest.mark.parametrize(
    ("reader", "tone", "headline", "advice"),
    [
        ({"job": JOB}, "good", "Done: take the card out.", "written and proven"),
        ({"job": SPOILED}, "bad", "put it aside", "9862"),
        ({"job": AT_WORK}, "busy", "Writing.", ""),
        ({"not_taken": NotTaken.WRONG_KIND}, "bad", "another product", ""),
        ({"not_taken": NotTaken.FINISHED}, "empty", "take it out", ""),
        ({"state": "no_card"}, "empty", "Put a card in.", ""),
        ({"state": "mute"}, "bad", "does not answer", "Turn it round"),
        ({"readable": False}, "bad", "cannot be read", ""),
        ({}, "busy", "Reading the card", ""),
    ],
)
def test_each_reader_says_what_to_do_now(reader: dict[str, Any], tone: str, headline: str, advice: str) -> None:
    """REQ-HW-06: what to do in large, why below it."""
    found = tile(reader)
    assert found[0] == tone
    assert headline in found[1]
    assert advice in found[2]


def test_of_a_station_that_is_offline_nothing_is_believed() -> None:
    assert tile({"job": JOB}, online=False)[:2] == ("bad", "The station does not answer.")


def test_a_card_that_waits_for_a_paused_order_is_not_said_to_be_read() -> None:
    assert tile({}, state=BulkOrderState.PAUSED)[1:] == ("A card lies in the reader.", "The order does not run.")


def test_only_a_card_at_work_has_a_bar() -> None:
    assert [one["total"] for job in (AT_WORK, JOB) for one in board({"job": job})["readers"]] == [9, None]


def test_one_line_tells_the_count_and_the_readers_that_need_a_hand() -> None:
    assert board()["said"] == "4 of 9 written, 1 spoiled, 2 unknown"
    assert board({"job": SPOILED})["said"].endswith("A: Take this card out, put it aside and go on with the next one.")


@pytest.mark.parametrize(
    ("order", "reason", "asks"),
    [
        ({}, NotTaken.ADM_IN_DOUBT, True),
        ({"online": False}, NotTaken.ADM_IN_DOUBT, False),
        ({"state": BulkOrderState.CANCELLED}, NotTaken.ADM_IN_DOUBT, False),
        ({}, NotTaken.DAMAGED, False),
    ],
)
def test_a_person_is_asked_only_about_a_card_whose_key_is_in_doubt_in_an_order_that_would_take_it(
    order: dict[str, Any], reason: NotTaken, *, asks: bool
) -> None:
    shown = board_view(ORDER | order | {"readers": [READER | {"not_taken": reason}]}, "en", may_act=True)
    assert [reader["in_doubt"] for reader in shown["readers"]] == [asks]
