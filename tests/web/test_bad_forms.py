"""Whatever is typed into a form, or sent without one, the page answers in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from tests.conftest import Databases
from tests.web.conftest import Stocked, serving, sign_in
from tests.web.stock import SEGMENT, VENDOR

pytestmark = pytest.mark.database

NUMBER, CARD = f"{SEGMENT}0001", VENDOR.card(1).iccid
FORMS: dict[str, tuple[str, ...]] = {
    f"/items/number/{NUMBER}/fee": ("prepay", "return_months", "min_monthly", "commitment_months", "reason"),
    f"/items/number/{NUMBER}/release-status": ("to", "reason"),
    f"/items/sim/{CARD}/recall": ("returner", "reason"),
    "/moves/issue": ("resource", "place", "items", "person", "reason"),
    "/loads": ("kind", "card_kind", "vendor", "pool", "columns"),
    "/loads/by-hand": ("kind", "items", "card_kind", "hlr", "vendor", "pool"),
    "/loads/segments": ("kind", "prefixes", "carrier", "hlr", "pool", "group"),
    "/orders": ("resource", "place", "below", "of", "number_class", "reason"),
    "/orders/r-530700-1/end": ("reason",),
    **{
        f"/ends/{way}": ("resource", "place", "items", "handed_in", "person", "reason", "reference")
        for way in ("scrap", "lose", "return_to_vendor")
    },
    "/policies/signing": ("value", "reason"),
    "/hold-times": ("kind", "channel", "flow", "number_class", "minutes", "reason"),
    "/approvals/a-530700-1/grant": ("reason",),
    "/approvals/a-530700-1/refuse": ("reason",),
    "/approvals/a-530700-1/withdraw": (),
    "/approvals/a-530700-1/do": (),
    "/approvals/a-530700-1/vouch": ("staff_no", "password"),
    "/boxes": ("place", "box", "seal", "items"),
    "/boxes/B1/open": ("reason",),
    "/quotas": ("place", "what", "period", "most"),
    "/alerts": ("place", "what", "hlr", "minimum"),
    "/setup/hlrs": ("code", "name", "smsc"),
    "/setup/plan": ("version", "dated"),
    "/places": ("parent", "code", "name_zh", "name_en"),
    "/transport-keys": ("index", "algorithm", "kcv", "purpose"),
    "/card-kinds": ("code", "name_zh", "profile", "algorithm", "capacity_kb", "fee_fen", "provider"),
    "/ports": ("act", "number", "tenant", "tenant_ref", "begins_on", "ends_on", "extension_digits", "until", "reason"),
    "/count": ("resource", "place", "of", "with_below"),
    "/count/c-530700-1/scan": ("items", "damaged"),
    "/count/c-530700-1/close": ("person",),
    "/count/c-530700-1/cancel": ("reason",),
    "/count/c-530700-1/post": (),
    "/count/c-530700-1/take-over": ("receiver", "person"),
    "/count/leave": ("leaver", "reason"),
    "/moves/transfer": ("resource", "giver", "place", "items", "person", "reason"),
    "/moves/recall": ("resource", "place", "items", "person", "reason"),
    "/deliveries/m-530700-1/accept": ("items", "person", "reason"),
    "/deliveries/m-530700-1/scan": ("items", "person"),
    "/deliveries/m-530700-1/refuse": ("items", "person", "reason"),
    "/deliveries/m-530700-1/dispute": ("items", "person", "reason"),
    "/deliveries/m-530700-1/settle": ("items", "outcome", "reason"),
    "/desk/holds": ("number", "iccid"),
    "/desk/holds/h-530700-1/confirm": ("accepted", "checked", "channel"),
    "/desk/holds/h-530700-1/swap": ("iccid",),
    "/desk/holds/h-530700-1/release": ("reason",),
    "/desk/holds/h-530700-1/write": (),
    "/desk/reader": ("reader",),
    "/desk/reader/leave": ("reader",),
    "/desk/reader/move": ("reader", "movement"),
    "/sign-in": ("interface_no", "staff_no", "password", "next"),
}
WORDS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", "0", "-1", "1e9", "9" * 30, "\x00", "ÿ", "١٢٣", "LI-P1", "sim", NUMBER, CARD, "a-b-c", "\ud83d"]
    ),
)


@pytest.fixture(scope="module")
def person(stocked: Stocked, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Give one hall keeper's browser for all forms and addresses: hardly anything of them changes the stock."""
    with (
        serving(stocked, databases, tmp_path_factory.mktemp("forms")) as app,
        TestClient(app, base_url="http://haoka.test", follow_redirects=False) as browser,
    ):
        sign_in(browser, stocked.people[Role.HALL_KEEPER])
        yield browser
        assert browser.get("/stock").status_code == HTTPStatus.OK, "all this was sent by somebody signed in"


@pytest.mark.parametrize("path", FORMS)
def test_no_form_makes_the_service_fail(person: TestClient, path: str) -> None:
    fields = (*FORMS[path], "idempotency_key")

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.dictionaries(st.sampled_from(fields), WORDS))
    @example(dict.fromkeys(fields, "\x00"))
    @example({})
    def sends(form: dict[str, str]) -> None:
        encodable = {name: value.encode(errors="replace").decode() for name, value in form.items()}
        answer = person.post(path, data=encodable)
        assert answer.status_code < 500, answer.text
        assert answer.status_code == 303 or answer.headers["content-type"].startswith("text/html")

    sends()


@pytest.mark.parametrize(
    "path",
    [
        "/stock?node=%00",
        "/stock?node=nowhere",
        "/items?q=%00",
        "/items?q=%20",
        "/items?q=%C2%B2%2A",
        "/items/sim?name=%00&after=99999999999999999999",
        "/items/number?number_class=%C2%B2&batch=x",
        "/items/car?place=nowhere",
        "/items/car?format=csv",
        "/items/sim?format=xls",
        "/documents?first=%00&before=0",
        "/stock/flow?days=8&kind=%00",
        "/stock/flow?days=x",
        "/quotas/left?place=%00&resource=%00",
        "/quotas/left?place=nowhere",
        "/deliveries?document=%00",
        "/documents?place=nowhere&format=csv",
        "/items/number/%00",
        "/items/sim/%F0%9F%98%80",
        "/items/sim/..%2F..%2Fetc",
        "/items/number/" + "1" * 400,
        "/desk?hold=h-530700-99999999999999999999",
        "/desk?hold=%00",
        "/waiting?back=%00",
        "/waiting/h-1/roll-back",
        "/desk/holds/h-530700-1",
        "/desk/numbers?q=%00&cls=99&without=x",
        "/desk/numbers?q=A%3FA8&cls=%C2%B2",
        "/approvals/a-530700-99999999999999999999",
        "/ends?way=%00",
        "/ends?way=scrap&place=%00",
        "/approvals/%00/state",
        "/sign-in?next=%00",
        "/language/%00",
    ],
)
def test_no_address_makes_the_service_fail(person: TestClient, path: str) -> None:
    assert person.get(path).status_code < 500


def test_the_same_form_sent_twice_is_done_once(browser: Callable[..., TestClient]) -> None:
    keeper, iccid = browser(Role.HALL_KEEPER), VENDOR.card(32).iccid
    form = {"to": "DAMAGED", "reason": "scratched", "idempotency_key": "f" * 32}
    first = keeper.post(f"/items/sim/{iccid}/release-status", data=form)
    again = keeper.post(f"/items/sim/{iccid}/release-status", data=form)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.text.count("state set by hand") == 1
