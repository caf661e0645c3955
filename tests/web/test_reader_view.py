"""Which reader a desk uses, and what it says of the card."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.domain.errors import SimNotFree
from inventory.store.holds import SimOffer
from inventory.web.reader_view import choose_reader, reader_view, scanned_view, seat_of


def reader(name: str = "R1", *, state: str = "card", stock: str | None = "AVAILABLE", **changes: Any) -> dict[str, Any]:
    hlr, seat = changes.pop("hlr", None), changes.pop("seat", None)
    card = {"readable": True, "iccid": "89860026000000000001", "blank": True, **changes}
    return {
        "name": name,
        "label": "7",
        "seat": None
        if seat is None
        else {"staff_no": "LJ102", "since": "2026-11-22T02:00:00+00:00", "mine": seat == "me"},
        "state": state,
        "looking": False,
        "card": card if state == "card" else None,
        "stock": None if stock is None else {"state": stock, "hold": None, "hlr": hlr},
    }


def station(number: int, *readers: dict[str, Any], online: bool = True) -> dict[str, Any]:
    return {"id": f"st-530700-{number}", "name": f"desk {number}", "online": online, "readers": list(readers)}


def test_only_station_is_taken_with_the_reader_that_has_a_card() -> None:
    found = choose_reader([station(1, reader("R1", state="no_card"), reader("R2"))])
    assert found is not None
    assert found.reader["name"] == "R2"


def test_among_several_stations_nobodys_card_is_taken_by_accident() -> None:
    desks = [station(1, reader()), station(2, reader())]
    assert choose_reader(desks) is None
    assert not reader_view(desks, "en")["ready"]


def test_reader_of_another_seat_is_never_offered_by_itself_and_its_user_is_named() -> None:
    desks = [station(1, reader("R1", seat="they"), reader("R2", state="no_card"))]
    found = choose_reader(desks)
    assert found is not None
    assert found.reader["name"] == "R2"
    assert reader_view(desks, "en")["taken"] == ["7 · desk 1 · R1 · LJ102"]
    assert choose_reader([station(1, reader(seat="they"))]) is None


def test_reader_bound_to_the_seat_stays_its_own_even_when_it_is_offline() -> None:
    desks = [station(1, reader(seat="me"), online=False), station(2, reader())]
    shown = reader_view(desks, "en")
    assert (shown["label"], shown["bound"], shown["online"], shown["ready"]) == ("7", True, False, False)
    assert shown["headline"] == "The station does not answer."


@pytest.mark.parametrize("value", [None, "", "x", "0" * 31, "g" * 32, "0" * 33])
def test_what_is_no_name_of_a_seat_is_not_believed(value: str | None) -> None:
    assert seat_of(value) is None
    assert seat_of("0a" * 16) == "0a" * 16


@pytest.mark.parametrize(
    ("stations", "headline", "sign"),
    [
        ([], "No station", "plug"),
        ([station(1)], "No card reader", "plug"),
        ([station(1, reader(state="no_card"))], "Put a card in.", "insert"),
        ([station(1, reader(state="mute"))], "The card does not answer.", "turn"),
        ([station(1, reader(stock=None))], "This card is not in stock here.", "no"),
        ([station(1, reader(blank=False))], "The card is not blank, but the stock says it is.", "no"),
        ([station(1, reader(hlr="LJ1"))], "The card is blank, but the stock says it is finished.", "no"),
        ([station(1, reader(readable=False))], "The card cannot be read.", "no"),
        ([station(1, reader(stock="DAMAGED"))], "This card is booked as damaged.", "bin"),
        ([station(1, reader(stock="WRITE_UNKNOWN"))], "It is not known what is on this card.", "ask"),
        ([station(1, reader(stock="IN_USE"))], "This card is a customer's line.", "person"),
        ([station(1, reader(stock="REPORTED_LOST"))], "A customer has reported this card lost.", "person"),
        ([station(1, reader(stock="REPLACED"))], "This card's line has another card or has ended.", "bin"),
        ([station(1, reader(stock="LOST"))], "This card is booked as lost.", "no"),
        ([station(1, reader(stock="SHIPPED"))], "This card cannot be sold now.", "no"),
        ([station(1, reader())], "A blank card, ready to be written.", "yes"),
        ([station(1, reader(blank=False, hlr="LJ1"))], "A finished card, ready to be sold.", "yes"),
    ],
)
def test_reader_panel_says_and_draws_what_is_and_what_to_do(
    stations: list[dict[str, Any]], headline: str, sign: str
) -> None:
    shown = reader_view(stations, "en")
    assert (shown["headline"], shown["sign"]) == (headline, sign)
    assert shown["advice"] or shown["ready"] or headline == "Put a card in."
    assert shown["ready"] is (shown["tone"] == "good")


def scanned(state: str = "AVAILABLE", hlr: str | None = "LJ1") -> SimOffer:
    return SimOffer(
        item_no=1, iccid="89860026000000000001", serial=None, state=state, hold_until=None, hold_id=None, kept=False,
        ours=True, pool="hall", transit_id=None, recall_id=None, legal_hold=False, hlr_code=hlr, kind_code="K",
        adm_refused=False, expires_on=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("card", "against", "headline", "ready"),
    [
        (scanned(), None, "A finished card, ready to be sold.", True),
        (scanned(hlr=None), None, "This card is blank.", False),
        (scanned(), "It is not on sale.", "This card cannot be sold now.", False),
        (scanned("IN_USE"), SimNotFree.code, "This card is a customer's line.", False),
    ],
)
def test_scanned_card_is_sold_only_if_it_is_finished_and_free(
    card: SimOffer, against: str | None, headline: str, *, ready: bool
) -> None:
    """REQ-SIM-17: with the HLR whose numbers it can serve."""
    shown = scanned_view(card, against, "en")
    assert (shown["headline"], shown["ready"]) == (headline, ready)
    assert (shown["hlr"], shown["scan"]) == (card.hlr_code or "", card.iccid)


def test_dispenser_says_what_stopped_it_and_how_stack_and_bin_stand() -> None:
    seen = {"card": "nowhere", "stacker": "empty", "bin_full": False, "in_bin": 3, "stop": "stacker_empty"}
    shown = reader_view([station(1, reader(state="no_card") | {"dispenser": seen})], "en")["dispenser"]
    assert (shown["headline"], shown["supply"], shown["in_bin"]) == ("The stack of cards is empty.", "none left", 3)
    mute = seen | {"stacker": None, "in_bin": None, "stop": "dispenser_failed"}
    shown = reader_view([station(1, reader(state="lost") | {"dispenser": mute})], "en")["dispenser"]
    assert (shown["headline"], shown["supply"], shown["in_bin"]) == ("The dispenser does not answer.", "–", "–")
    assert reader_view([station(1, reader())], "en")["dispenser"] is None
