"""Whatever is typed into a form, or sent without one, the page answers in words."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from tests.web.stock import SEGMENT, VENDOR

pytestmark = pytest.mark.database

NUMBER, CARD = f"{SEGMENT}0001", VENDOR.card(1).iccid
FORMS: dict[str, tuple[str, ...]] = {
    f"/items/number/{NUMBER}/fee": ("prepay", "return_months", "min_monthly", "commitment_months", "reason"),
    f"/items/number/{NUMBER}/release-status": ("to", "reason", "approver"),
    f"/items/sim/{CARD}/recall": ("returner", "reason"),
    "/moves/issue": ("resource", "place", "items", "person", "reason"),
    "/loads": ("kind", "card_kind", "vendor", "pool", "columns"),
    "/count": ("place", "items", "person"),
    "/moves/transfer": ("resource", "giver", "place", "items", "person", "reason"),
    "/moves/recall": ("resource", "place", "items", "person", "reason"),
    "/deliveries/m-530700-1/accept": ("items", "person", "reason"),
    "/deliveries/m-530700-1/refuse": ("items", "person", "reason"),
    "/desk/holds": ("number", "iccid"),
    "/desk/holds/h-530700-1/confirm": ("accepted", "checked", "channel"),
    "/desk/holds/h-530700-1/swap": ("iccid",),
    "/desk/holds/h-530700-1/release": ("reason",),
    "/desk/holds/h-530700-1/write": (),
    "/desk/reader": ("reader",),
    "/sign-in": ("interface_no", "staff_no", "password", "next"),
}
WORDS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", "0", "-1", "1e9", "9" * 30, "\x00", "ÿ", "١٢٣", "LI-P1", "sim", NUMBER, CARD, "a-b-c", "\ud83d"]
    ),
)


@pytest.mark.parametrize("path", FORMS)
def test_no_form_makes_the_service_fail(browser: Callable[..., TestClient], path: str) -> None:
    person = browser(Role.HALL_KEEPER)
    fields = (*FORMS[path], "idempotency_key")

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.dictionaries(st.sampled_from(fields), WORDS))
    @example(dict.fromkeys(fields, "\x00"))
    @example({})
    def sends(form: dict[str, str]) -> None:
        encodable = {name: value.encode(errors="replace").decode() for name, value in form.items()}
        answer = person.post(path, data=encodable)
        assert answer.status_code < 500, answer.text
        assert answer.headers["content-type"].startswith("text/html") or answer.status_code == 303

    sends()


@pytest.mark.parametrize(
    "path",
    [
        "/stock?node=%00",
        "/stock?node=nowhere",
        "/items?q=%00",
        "/items?q=%20",
        "/items/number/%00",
        "/items/sim/%F0%9F%98%80",
        "/items/sim/..%2F..%2Fetc",
        "/items/number/" + "1" * 400,
        "/desk?hold=h-530700-99999999999999999999",
        "/desk?hold=%00",
        "/desk/holds/h-530700-1",
        "/desk/numbers?q=%00&cls=99&without=x",
        "/desk/numbers?q=A%3FA8&cls=%C2%B2",
        "/sign-in?next=%00",
        "/language/%00",
    ],
)
def test_no_address_makes_the_service_fail(browser: Callable[..., TestClient], path: str) -> None:
    assert browser(Role.HALL_KEEPER).get(path).status_code < 500


def test_the_same_form_sent_twice_is_done_once(browser: Callable[..., TestClient]) -> None:
    keeper, iccid = browser(Role.HALL_KEEPER), VENDOR.card(32).iccid
    form = {"to": "DAMAGED", "reason": "scratched", "idempotency_key": "f" * 32}
    first = keeper.post(f"/items/sim/{iccid}/release-status", data=form)
    again = keeper.post(f"/items/sim/{iccid}/release-status", data=form)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.text.count("state set by hand") == 1
