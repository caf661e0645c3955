"""Labels of places: printed from the stock page, and scanned among the items of a move."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from tests.web.stock import VENDOR

pytestmark = pytest.mark.database
Browser = Callable[..., TestClient]


def test_labels_of_a_place_and_of_those_right_below_it_are_on_one_sheet(browser: Browser) -> None:
    keeper = browser(Role.HALL_KEEPER)
    (way,) = re.findall(r'href="(/stock/labels[^"]+)"', keeper.get("/stock").text)
    told = re.findall(r'<svg class="barcode"[^>]* aria-label="([^"]+)"', keeper.get(way).text)
    assert told == ["PLACE:LI-P1", "PLACE:LI-C1"]
    assert keeper.get("/stock/labels?node=LI-D1").status_code == 404


def test_scanned_label_names_the_place_of_a_move_whatever_was_chosen(browser: Browser) -> None:
    """The card lies with the clerk: nothing of it could be recalled from the hall that is chosen."""
    keeper = browser(Role.HALL_KEEPER)
    card = VENDOR.card(5).iccid
    form = {"resource": "sim", "place": "LI-P1", "person": "He", "items": f"place:LI-C1\nplace:LI-C1\n{card}"}
    assert "m-530700-" in keeper.post("/moves/recall", data=form).text


def test_of_two_labels_on_a_transfer_the_first_is_the_giver(browser: Browser) -> None:
    keeper = browser(Role.HALL_KEEPER)
    card = VENDOR.card(6).iccid
    form = {"resource": "sim", "giver": "LI-P1", "place": "LI-P1", "person": "He"}
    refused = keeper.post("/moves/transfer", data=form | {"items": f"PLACE:LI-C1\n{card}\nPLACE:LI-P1"})
    assert "not_siblings" in refused.text
    assert re.search(r'<option value="LI-C1" selected>', refused.text)


def test_more_labels_than_a_move_has_places_are_refused(browser: Browser) -> None:
    keeper = browser(Role.HALL_KEEPER)
    form = {"resource": "sim", "place": "LI-C1", "person": "He", "items": "PLACE:LI-C1\nPLACE:LI-P1"}
    answer = keeper.post("/moves/recall", data=form)
    assert (answer.status_code, "invalid_field" in answer.text) == (422, True)
