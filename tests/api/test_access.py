from __future__ import annotations

from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url
from starlette.testclient import TestClient

from inventory.domain.calendar import business_day
from tests.api.calls import read, write
from tests.api.conftest import Clock
from tests.builders import PASSWORD, Login, Operator

pytestmark = pytest.mark.database

OFFICE = [{"weekdays": [1, 2, 3, 4, 5], "opens": "09:00:00", "closes": "18:00:00"}]


def ask(client: TestClient, login: Login, **changes: str) -> tuple[int, str]:
    """Read the tree as `login`, with some headers changed or left out, and give status and code."""
    headers = {**login.headers, **{name.replace("_", "-"): value for name, value in changes.items()}}
    answer = client.get("/v1/organisations", headers={name: value for name, value in headers.items() if value})
    return answer.status_code, answer.json().get("code", "")


def set_hours(client: TestClient, operator: Operator, interface_no: str, windows: list[dict[str, Any]]) -> None:
    path = f"/v1/interfaces/{interface_no}/windows"
    assert write(client, operator.admin, path, {"windows": windows}, method="PUT")[0] == 200


def new_node(operator: Operator) -> dict[str, Any]:
    return {"parent_id": operator.district, "code": "LJ-P9", "name_zh": "新厅", "name_en": "New hall"}


def connected(url: str) -> psycopg.Connection[Any]:
    """Open a connection beside the service."""
    return psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))


def refusals(url: str) -> list[tuple[str, str | None, str | None]]:
    """Give what was kept of refused callers: code, interface, staff."""
    with connected(url) as conn:
        return conn.execute("SELECT code, interface_no, staff_no FROM security_event ORDER BY id").fetchall()


def test_interface_staff_and_key_together_open_the_door(client: TestClient, operator: Operator) -> None:
    """REQ-IF-03: interface number, staff id and secret."""
    assert ask(client, operator.clerk) == (200, "")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Haoka_Interface", "unknown_interface"),
        ("Haoka_Staff", "bad_credentials"),
        ("Authorization", "bad_credentials"),
    ],
)
def test_each_missing_part_is_refused_and_kept(
    client: TestClient, operator: Operator, operator_url: str, header: str, code: str
) -> None:
    """REQ-IF-04: a request without its origin is refused and leaves a trace."""
    assert ask(client, operator.clerk, **{header: ""}) == (401, code)
    assert [kept for kept, _, _ in refusals(operator_url)] == [code]


def test_unknown_interface_number_is_refused_and_kept(
    client: TestClient, operator: Operator, operator_url: str
) -> None:
    """REQ-IF-04: the interface number must be a valid one."""
    assert ask(client, operator.clerk, Haoka_Interface="HALL-530700-999") == (401, "unknown_interface")
    assert refusals(operator_url) == [("unknown_interface", "HALL-530700-999", operator.clerk.staff_no)]


def test_key_of_another_staff_id_is_refused(client: TestClient, operator: Operator) -> None:
    """REQ-IF-03: the key is bound to its staff id."""
    assert ask(client, operator.clerk, Haoka_Staff=operator.hall_keeper.staff_no) == (401, "bad_credentials")


def test_staff_id_works_only_through_its_own_interfaces(client: TestClient, operator: Operator) -> None:
    """REQ-IF-03: a staff id works only through interfaces it is bound to."""
    assert ask(client, operator.clerk, Haoka_Interface=operator.direct) == (401, "bad_credentials")


def test_refused_write_has_no_effect(client: TestClient, operator: Operator) -> None:
    """REQ-IF-04: refused before any effect."""
    stranger = Login(operator.direct, operator.city_admin.staff_no, "hk_wrong")
    assert write(client, stranger, "/v1/organisations", new_node(operator))[0] == 401
    nodes = read(client, operator.auditor, "/v1/organisations").body["nodes"]
    assert "LJ-P9" not in {node["code"] for node in nodes}


def test_hostile_header_is_kept_short_and_printable(client: TestClient, operator: Operator, operator_url: str) -> None:
    assert ask(client, operator.clerk, Haoka_Interface="x" * 5000)[0] == 401
    assert [len(interface or "") for _, interface, _ in refusals(operator_url)] == [64]


def test_role_without_the_permission_is_refused_and_kept(
    client: TestClient, operator: Operator, operator_url: str
) -> None:
    """REQ-IF-10: only the interface administrator grants numbers."""
    wish = {"kind": "partner", "name_zh": "甲", "name_en": "A", "org_id": operator.point}
    for login in (operator.clerk, operator.hall_keeper, operator.city_admin, operator.acceptance):
        assert write(client, login, "/v1/interfaces", wish).refusal == (403, "permission_denied")
    assert {code for code, _, _ in refusals(operator_url)} == {"permission_denied"}
    assert write(client, operator.admin, "/v1/interfaces", wish)[0] == 201


def test_granted_number_names_kind_and_place_and_counts_up(client: TestClient, operator: Operator) -> None:
    """REQ-IF-01, REQ-IF-02: uniform numbers by kind and place."""
    wish = {"kind": "bank", "name_zh": "银行", "name_en": "Bank", "org_id": operator.city}
    granted = [write(client, operator.admin, "/v1/interfaces", wish, key=key)[1]["no"] for key in "ab"]
    assert granted == ["BANK-530700-001", "BANK-530700-002"]


@pytest.mark.parametrize("kind", ["bank", "agent_1", "agent_2", "own_hall", "web", "call_centre", "direct", "partner"])
def test_interface_of_every_kind_can_be_granted_and_used(client: TestClient, operator: Operator, kind: str) -> None:
    """REQ-IF-02: bank, agents of two levels, own hall, web, call centre, direct, partner."""
    wish = {"kind": kind, "name_zh": "甲", "name_en": "A", "org_id": operator.point, "pools": ["hall"]}
    no = write(client, operator.admin, "/v1/interfaces", wish)[1]["no"]
    staff_no = operator.clerk.staff_no
    assert write(client, operator.admin, f"/v1/interfaces/{no}/staff/{staff_no}", method="PUT")[0] == 200
    key = write(client, operator.admin, f"/v1/interfaces/{no}/keys", {"staff_no": staff_no})[1]["key"]
    assert ask(client, Login(no, staff_no, key)) == (200, "")


def test_number_of_another_city_or_kind_cannot_be_chosen(client: TestClient, operator: Operator) -> None:
    """REQ-IF-01: the number says where it is."""
    wish = {"kind": "bank", "name_zh": "银行", "name_en": "Bank", "org_id": operator.city}
    for no in ("BANK-530100-001", "WEB-530700-001", "bank-1"):
        refused = write(client, operator.admin, "/v1/interfaces", {**wish, "no": no})
        assert refused.refusal == (422, "invalid_identifier")


def test_same_number_is_granted_once(client: TestClient, operator: Operator) -> None:
    wish = {"kind": "bank", "name_zh": "甲", "name_en": "A", "org_id": operator.city, "no": "BANK-530700-007"}
    assert write(client, operator.admin, "/v1/interfaces", wish, key="a")[0] == 201
    assert write(client, operator.admin, "/v1/interfaces", wish, key="b").refusal == (409, "duplicate_identifier")


def test_built_in_interface_can_be_neither_closed_nor_renumbered(client: TestClient, operator: Operator) -> None:
    """REQ-IF-05: the interface of direct users is there from the start and stays."""
    for path, body in (
        (f"/v1/interfaces/{operator.direct}:disable", None),
        (f"/v1/interfaces/{operator.direct}:replace", {}),
    ):
        assert write(client, operator.admin, path, body).refusal == (409, "built_in_interface")


def test_disabled_interface_lets_nobody_in_at_once(client: TestClient, operator: Operator) -> None:
    """REQ-IF-09: deleting is disabling."""
    assert ask(client, operator.clerk) == (200, "")  # now the process remembers the caller
    assert write(client, operator.admin, f"/v1/interfaces/{operator.hall}:disable")[1]["active"] is False
    assert ask(client, operator.clerk) == (401, "unknown_interface")


def test_replaced_number_stays_on_record_and_points_to_the_new_one(client: TestClient, operator: Operator) -> None:
    """REQ-IF-09: old records keep the old number and stay linked; the key works with the new number."""
    new = write(client, operator.admin, f"/v1/interfaces/{operator.hall}:replace", {})[1]["no"]
    listed = read(client, operator.admin, "/v1/interfaces").body["interfaces"]
    old = next(interface for interface in listed if interface["no"] == operator.hall)
    assert (old["active"], old["replaced_by"]) == (False, new)
    assert ask(client, operator.clerk) == (401, "unknown_interface")
    assert ask(client, operator.clerk, Haoka_Interface=new) == (200, "")


def test_revoked_key_ends_at_once(client: TestClient, operator: Operator) -> None:
    assert ask(client, operator.clerk) == (200, "")
    prefix = operator.clerk.key[:12]
    assert write(client, operator.admin, f"/v1/interfaces/{operator.hall}/keys/{prefix}:revoke")[0] == 200
    assert ask(client, operator.clerk) == (401, "bad_credentials")


def test_revocation_by_another_process_is_noticed_within_seconds(
    client: TestClient, operator: Operator, operator_url: str, clock: Clock
) -> None:
    assert ask(client, operator.clerk) == (200, "")
    with psycopg.connect(
        make_url(operator_url).set(drivername="postgresql").render_as_string(hide_password=False)
    ) as conn:
        conn.execute("UPDATE api_key SET revoked_at = now()")
    assert ask(client, operator.clerk) == (200, "")
    clock.advance(seconds=2)
    assert ask(client, operator.clerk) == (401, "bad_credentials")


def test_leaver_is_shut_out_everywhere(client: TestClient, operator: Operator) -> None:
    token = sign_in(client, operator)[1]["token"]
    assert write(client, operator.admin, f"/v1/staff/{operator.clerk.staff_no}:end")[0] == 200
    for secret in (operator.clerk.key, token):
        assert ask(client, Login(operator.hall, operator.clerk.staff_no, secret)) == (401, "bad_credentials")


def test_key_is_shown_once(client: TestClient, operator: Operator) -> None:
    path, body = f"/v1/interfaces/{operator.hall}/keys", {"staff_no": operator.clerk.staff_no}
    first, again = (write(client, operator.admin, path, body, key="same")[1] for _ in range(2))
    assert first["key"].startswith(first["prefix"])
    assert (again["prefix"], again["key"]) == (first["prefix"], None)


def sign_in(client: TestClient, operator: Operator, password: str = PASSWORD) -> tuple[int, dict[str, Any]]:
    body = {"interface_no": operator.hall, "staff_no": operator.clerk.staff_no, "password": password}
    answer = client.post("/v1/sessions", json=body)
    return answer.status_code, answer.json()


def test_password_opens_a_session_that_signing_out_ends(client: TestClient, operator: Operator) -> None:
    """REQ-IF-03: staff id and password, through the interface."""
    status, answer = sign_in(client, operator)
    session = Login(operator.hall, operator.clerk.staff_no, answer["token"])
    assert (status, ask(client, session)) == (201, (200, ""))
    assert client.delete("/v1/sessions/current", headers=session.headers).status_code == 204
    assert ask(client, session) == (401, "bad_credentials")


def test_session_ends_by_itself(client: TestClient, operator: Operator, clock: Clock) -> None:
    session = Login(operator.hall, operator.clerk.staff_no, sign_in(client, operator)[1]["token"])
    clock.advance(hours=12)
    assert ask(client, session) == (401, "bad_credentials")


@pytest.mark.parametrize(
    "change", [{"password": "wrong wrong"}, {"staff_no": "nobody"}, {"staff_no": "LJ0007"}], ids=str
)
def test_wrong_password_unknown_id_and_unbound_id_read_alike(
    client: TestClient, operator: Operator, change: dict[str, str]
) -> None:
    body = {"interface_no": operator.hall, "staff_no": operator.clerk.staff_no, "password": PASSWORD, **change}
    answer = client.post("/v1/sessions", json=body)
    assert (answer.status_code, answer.json()["code"], answer.json()["params"]) == (401, "bad_credentials", {})


def test_staff_id_that_failed_too_often_waits_even_with_the_right_password(
    client: TestClient, operator: Operator, clock: Clock
) -> None:
    for _ in range(5):
        assert sign_in(client, operator, "wrong wrong")[0] == 401
    answer = client.post(
        "/v1/sessions",
        json={"interface_no": operator.hall, "staff_no": operator.clerk.staff_no, "password": PASSWORD},
    )
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (
        429,
        "too_many_sign_ins",
        "300",
    )
    clock.advance(minutes=6)
    assert sign_in(client, operator)[0] == 201


def test_write_outside_the_hours_is_refused_and_kept_and_reading_goes_on(
    client: TestClient, operator: Operator, operator_url: str, clock: Clock
) -> None:
    """REQ-IF-06, REQ-IF-08: outside the window writing is refused with a security event."""
    set_hours(client, operator, operator.direct, OFFICE)
    clock.advance(hours=12)
    answer = write(client, operator.city_admin, "/v1/organisations", new_node(operator))
    assert answer.refusal == (403, "outside_working_hours")
    assert answer.body["params"] == {"opens": "2026-11-03T01:00:00Z", "closes": "2026-11-03T10:00:00Z"}
    assert refusals(operator_url) == [("outside_working_hours", operator.direct, operator.city_admin.staff_no)]
    assert ask(client, operator.city_admin) == (200, "")


def test_hours_are_closed_on_a_holiday_until_it_is_none(client: TestClient, operator: Operator, clock: Clock) -> None:
    """REQ-IF-06: holidays; REQ-IF-10: whoever grants interfaces says which."""
    assert write(client, operator.admin, "/v1/roles/city_admin/windows", {"windows": OFFICE}, method="PUT")[0] == 200
    today = business_day(clock()).isoformat()
    holiday = {"first": today, "last": today, "name": "元旦"}
    assert write(client, operator.city_admin, "/v1/holidays", holiday).refusal == (403, "permission_denied")
    assert write(client, operator.admin, "/v1/holidays", holiday)[0] == 201
    closed = write(client, operator.city_admin, "/v1/organisations", new_node(operator))
    assert closed.refusal == (403, "outside_working_hours")
    assert [row["day"] for row in read(client, operator.city_admin, "/v1/holidays").body["holidays"]] == [today]
    assert write(client, operator.admin, f"/v1/holidays/{today}:remove", {"reason": "调休"})[0] == 200
    assert write(client, operator.city_admin, "/v1/organisations", new_node(operator))[0] == 201


def test_windows_of_a_role_bind_its_people_only(client: TestClient, operator: Operator, clock: Clock) -> None:
    """REQ-IF-06: windows per role."""
    hours = {"windows": OFFICE}
    assert write(client, operator.admin, "/v1/roles/city_admin/windows", hours, method="PUT")[0] == 200
    clock.advance(hours=12)
    assert write(client, operator.city_admin, "/v1/organisations", new_node(operator))[0] == 403
    assert write(client, operator.admin, "/v1/organisations", new_node(operator))[0] == 201


def test_reading_outside_the_hours_is_a_setting(client: TestClient, operator: Operator, clock: Clock) -> None:
    """REQ-IF-06: reading is a setting."""
    set_hours(client, operator, operator.hall, [{**OFFICE[0], "reading_outside": False}])
    assert ask(client, operator.clerk) == (200, "")
    clock.advance(hours=12)
    assert ask(client, operator.clerk) == (403, "outside_working_hours")


def test_window_that_never_opens_is_refused(client: TestClient, operator: Operator) -> None:
    path = f"/v1/interfaces/{operator.hall}/windows"
    wish = {"windows": [{"weekdays": [1], "opens": "18:00:00", "closes": "09:00:00"}]}
    assert write(client, operator.admin, path, wish, method="PUT").refusal == (422, "invalid_field")


@pytest.mark.parametrize(
    ("opens", "closes", "field"),
    [("09:00:00Z", "18:00:00Z", "opens"), ("09:00:00", "10:00:00Z", "closes"), ("01:00:00-10:00", "18:00:00", "opens")],
)
def test_window_in_the_time_of_elsewhere_is_refused_not_misread(
    client: TestClient, operator: Operator, opens: str, closes: str, field: str
) -> None:
    """REQ-IF-06: a window is of Asia/Shanghai; nine o'clock of UTC is not nine o'clock in the halls."""
    path = f"/v1/interfaces/{operator.hall}/windows"
    answer = write(
        client, operator.admin, path, {"windows": [{**OFFICE[0], "opens": opens, "closes": closes}]}, method="PUT"
    )
    assert answer.refusal == (422, "invalid_field")
    assert answer.body["params"]["field"] == field


def test_window_may_say_that_it_is_in_the_time_of_the_halls(
    client: TestClient, operator: Operator, clock: Clock
) -> None:
    window = {**OFFICE[0], "opens": "09:00:00+08:00", "closes": "18:00+08:00", "reading_outside": False}
    set_hours(client, operator, operator.hall, [window])
    assert ask(client, operator.clerk) == (200, "")
    clock.advance(hours=8)
    assert ask(client, operator.clerk) == (403, "outside_working_hours")


def test_stranger_of_another_city_sees_no_interface_here(client: TestClient, operator: Operator) -> None:
    assert write(client, operator.admin, "/v1/interfaces/HALL-530100-001:disable").refusal == (404, "not_found")


def test_own_password_is_changed_with_the_old_one_and_ends_sign_ins(client: TestClient, operator: Operator) -> None:
    session = Login(operator.hall, operator.clerk.staff_no, sign_in(client, operator)[1]["token"])
    path, fresh = "/v1/staff/current/password", "another long passphrase"
    wrong = client.put(path, json={"old": "wrong wrong", "new": fresh}, headers=session.headers)
    assert (wrong.status_code, wrong.json()["code"]) == (401, "bad_credentials")
    changed = client.put(path, json={"old": PASSWORD, "new": fresh}, headers=session.headers)
    assert (changed.status_code, ask(client, session)) == (204, (401, "bad_credentials"))
    assert [sign_in(client, operator, password)[0] for password in (PASSWORD, fresh)] == [401, 201]


def test_begun_work_is_finished_after_closing_and_none_is_begun(
    client: TestClient, operator: Operator, clock: Clock
) -> None:
    """REQ-IF-11: what was begun within the hours may be ended for half an hour after them."""
    set_hours(client, operator, operator.hall, OFFICE)
    release = "/v1/holds/h-530700-1:release"
    clock.advance(hours=8, minutes=29)
    assert write(client, operator.clerk, "/v1/holds", {}).refusal == (403, "outside_working_hours")
    assert write(client, operator.clerk, release, {}).refusal == (403, "hold_key_wrong")  # past the hours' check
    clock.advance(minutes=1)
    assert write(client, operator.clerk, release, {}).refusal == (403, "outside_working_hours")
