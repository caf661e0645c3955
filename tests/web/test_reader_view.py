"""Which reader a desk uses, and what it says of the card."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.web.reader_view import choose_reader, places, reader_view, remembered


def reader(name: str = "R1", *, state: str = "card", stock: str | None = "AVAILABLE", **changes: Any) -> dict[str, Any]:
    card = {"readable": True, "iccid": "89860026000000000001", "blank": True, **changes}
    return {
        "name": name,
        "state": state,
        "looking": False,
        "card": card if state == "card" else None,
        "stock": None if stock is None else {"state": stock, "hold": None},
    }


def station(number: int, *readers: dict[str, Any], online: bool = True) -> dict[str, Any]:
    return {"id": f"st-530700-{number}", "name": f"desk {number}", "online": online, "readers": list(readers)}


def test_only_station_is_taken_with_the_reader_that_has_a_card() -> None:
    found = choose_reader([station(1, reader("R1", state="no_card"), reader("R2"))], None)
    assert found is not None
    assert found.reader["name"] == "R2"


def test_among_several_stations_nobodys_card_is_taken_by_accident() -> None:
    desks = [station(1, reader()), station(2, reader())]
    assert choose_reader(desks, None) is None
    assert not reader_view(desks, None, "en")["ready"]


def test_reader_once_chosen_stays_this_desks_even_when_it_is_offline() -> None:
    desks = [station(1, reader(), online=False), station(2, reader())]
    mine = places(desks)[0].name
    assert remembered(mine) == mine
    shown = reader_view(desks, mine, "en")
    assert (shown["label"], shown["online"], shown["ready"]) == ("R1", False, False)
    assert shown["headline"] == "The station does not answer."


@pytest.mark.parametrize("value", [None, "", "x", "st-" + "9" * 500])
def test_what_is_no_choice_is_not_remembered(value: str | None) -> None:
    assert remembered(value) is None


@pytest.mark.parametrize(
    ("stations", "headline"),
    [
        ([], "No station"),
        ([station(1)], "No card reader"),
        ([station(1, reader(state="no_card"))], "Put a card in."),
        ([station(1, reader(state="mute"))], "The card does not answer."),
        ([station(1, reader(stock=None))], "This card is not in stock here."),
        ([station(1, reader(blank=False))], "This card cannot be sold now."),
        ([station(1, reader(readable=False))], "The card cannot be read."),
        ([station(1, reader(stock="DAMAGED"))], "This card is booked as damaged."),
        ([station(1, reader(stock="WRITE_UNKNOWN"))], "It is not known what is on this card."),
        ([station(1, reader(stock="IN_USE"))], "This card is a customer's line."),
        ([station(1, reader())], "A blank card, ready to be written."),
    ],
)
def test_reader_panel_says_what_is_and_what_to_do(stations: list[dict[str, Any]], headline: str) -> None:
    shown = reader_view(stations, None, "en")
    assert shown["headline"] == headline
    assert shown["advice"] or shown["ready"] or headline == "Put a card in."
