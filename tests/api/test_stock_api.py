"""Stock over HTTP: take segments, issue, recall, read, release, change a fee."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.api.calls import read, write
from tests.builders import Operator

pytestmark = pytest.mark.database


def test_segment_is_taken_and_read_back_with_its_class(stocked: TestClient, operator: Operator) -> None:
    number = read(stocked, operator.city_admin, "/v1/numbers/13888048888").body

    assert (number["state"], number["holder"], number["segment"]) == ("UNUSED", "530700", "1388804")
    assert (number["fee"]["number_class"], number["fee"]["prepay_fen"]) == (2, 3_000_000)


def test_issue_recall_and_the_life_of_a_number(stocked: TestClient, operator: Operator) -> None:
    """REQ-SIM-08: each item's path can be listed from intake to now."""
    item = {"items": ["13888047351"]}
    down = {"resource": "number", "giver": "530700", "receiver": "LI-D1", "selection": item, "receiver_name": "和丽"}
    up = {"resource": "number", "giver": "LI-D1", "receiver": "530700", "selection": item, "returner_name": "和丽"}

    issued = write(stocked, operator.city_admin, "/v1/movements:issue", down)
    recalled = write(stocked, operator.city_admin, "/v1/movements:recall", up)

    assert (issued.status, recalled.status) == (201, 201)
    page = read(stocked, operator.city_admin, f"/v1/movements/{issued.body['id']}").body
    assert page["movement"] == issued.body | {"parent": None, "accepted": 1, "refused": 0}
    assert [(line["item"], line["fee"]["number_class"]) for line in page["items"]] == [("13888047351", 9)]
    life = read(stocked, operator.city_admin, "/v1/numbers/13888047351/history").body
    assert [(entry["what"], entry["giver"], entry["receiver"], entry["person"]) for entry in life["entries"]] == [
        ("movement.intake", None, "530700", None),
        ("movement.issue", "530700", "LI-D1", "和丽"),
        ("movement.recall", "LI-D1", "530700", "和丽"),
    ]


def test_stock_shows_a_place_and_its_children(stocked: TestClient, operator: Operator) -> None:
    down = {"resource": "number", "giver": "530700", "receiver": "LI-D1", "selection": {"count": 100}}
    write(stocked, operator.city_admin, "/v1/movements:issue", down)

    counts = read(stocked, operator.city_admin, "/v1/stock").body["counts"]

    assert [(row["place"], row["state"], row["count"], row["own"]) for row in counts] == [
        ("530700", "UNUSED", 10_000, 9_900),
        ("LI-D1", "UNUSED", 100, 100),
    ]


def test_numbers_are_listed_by_conditions_page_by_page(stocked: TestClient, operator: Operator) -> None:
    """REQ-QRY-01: by range, state, class and segment."""
    conditions = {"first": "13888040000", "last": "13888040009", "state": "UNUSED", "segment": "1388804", "limit": 6}

    first = read(stocked, operator.city_admin, "/v1/numbers", **conditions).body
    second = read(stocked, operator.city_admin, "/v1/numbers", **conditions, after=first["next_after"]).body

    assert [line["item"][-1] for line in first["items"] + second["items"]] == list("0123456789")
    assert (first["items"][0]["batch"], first["items"][0]["holder"]) == ("b-530700-1", "530700")
    assert second["next_after"] is None
    assert read(stocked, operator.other_hall_keeper, "/v1/numbers").body["items"] == []
    assert read(stocked, operator.city_admin, "/v1/sims", number_class=2).refusal == (422, "invalid_field")


@pytest.mark.parametrize("asked", [{"params": {"format": "csv"}}, {"headers": {"Accept": "text/csv"}}])
def test_list_is_had_as_a_file_by_name_or_by_accept(
    stocked: TestClient, operator: Operator, asked: dict[str, dict[str, str]]
) -> None:
    headers = {**operator.city_admin.headers, **asked.get("headers", {})}
    answer = stocked.get("/v1/numbers", params={"name": "*8888"} | asked.get("params", {}), headers=headers)

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="numbers.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbfitem,")
    assert [line.partition(",")[0] for line in answer.text.splitlines()[1:]] == ["13888048888"]


@pytest.mark.parametrize(
    "path", ["/v1/stock", "/v1/movements", "/v1/movements:open", "/v1/movements/m-530700-1", "/v1/fee-changes",
             "/v1/stock/alerts", "/v1/loads/b-530700-1/faults", "/v1/sims", "/v1/numbers/13888048888/fee-changes"],
)  # fmt: skip
def test_every_list_is_had_as_a_workbook(stocked: TestClient, operator: Operator, path: str) -> None:
    answer = stocked.get(path, params={"format": "xlsx"}, headers=operator.city_admin.headers)
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"PK")


def test_refusal_of_a_file_is_told_before_anything_is_sent(stocked: TestClient, operator: Operator) -> None:
    answer = read(stocked, operator.other_hall_keeper, "/v1/numbers", place="530700", format="csv")
    assert answer.refusal == (403, "outside_scope")


def test_movement_of_a_place_is_told_day_by_day(stocked: TestClient, operator: Operator) -> None:
    down = {"resource": "number", "giver": "530700", "receiver": "LI-D1", "selection": {"count": 3}}
    write(stocked, operator.city_admin, "/v1/movements:issue", down)

    found = read(stocked, operator.city_admin, "/v1/stock/flow", resource="number", place="LI-D1", days=7).body

    assert (found["place"], len(found["days"])) == ("LI-D1", 7)
    assert [(day["came"], day["went"]) for day in found["days"]][-1] == (3, 0)
    assert read(stocked, operator.city_admin, "/v1/stock/flow", resource="number", days=8).refusal[1] == "invalid_field"


def test_threshold_is_set_shown_with_what_is_there_and_taken_away(stocked: TestClient, operator: Operator) -> None:
    body = {"place": "530700", "resource": "number", "sort": "2", "minimum": 3}

    done = write(stocked, operator.city_admin, "/v1/stock/thresholds", body)
    [alert] = read(stocked, operator.city_admin, "/v1/stock/alerts", low=True).body["alerts"]
    gone = write(stocked, operator.city_admin, "/v1/stock/thresholds", body | {"minimum": None})

    assert (done.status, done.body["before"], done.body["minimum"]) == (200, None, 3)
    assert (alert["place"], alert["free"], alert["low"], alert["days"], alert["giver"]) == (
        "530700",
        3,
        True,
        None,
        None,
    )
    assert (gone.body["before"], gone.body["minimum"]) == (3, None)
    assert read(stocked, operator.city_admin, "/v1/stock/alerts").body == {"alerts": []}
    refused = write(stocked, operator.other_hall_keeper, "/v1/stock/thresholds", body)
    assert refused.refusal == (403, "outside_scope")


def test_quota_is_set_told_with_each_issue_and_refuses_what_is_past_it(stocked: TestClient, operator: Operator) -> None:
    quota = {"place": "LI-D1", "resource": "number", "period": "MONTH", "most": 5}
    down = {"resource": "number", "giver": "530700", "receiver": "LI-D1", "selection": {"count": 3}}

    assert write(stocked, operator.city_admin, "/v1/quotas", quota).body["before"] is None
    issued = write(stocked, operator.city_admin, "/v1/movements:issue", down).body
    refused = write(stocked, operator.city_admin, "/v1/movements:issue", down)
    [left] = read(stocked, operator.city_admin, "/v1/quotas", place="LI-D1").body["quotas"]

    assert issued["quotas"] == [{"sort": "", "period": "MONTH", "most": 5, "left": 2}]
    assert refused.refusal == (409, "quota_exceeded")
    assert (refused.body["params"]["left"], left["left"]) == (2, 2)


def test_documents_of_a_place_are_listed_newest_first(stocked: TestClient, operator: Operator) -> None:
    down = {"resource": "number", "giver": "530700", "receiver": "LI-D1", "selection": {"count": 3}}
    issued = write(stocked, operator.city_admin, "/v1/movements:issue", down).body["id"]

    page = read(stocked, operator.city_admin, "/v1/movements", limit=1).body
    rest = read(stocked, operator.city_admin, "/v1/movements", before=page["next_before"]).body

    assert [document["id"] for document in page["documents"]] == [issued]
    assert [(document["kind"], document["giver"]) for document in rest["documents"]] == [("INTAKE", None)]
    assert read(stocked, operator.city_admin, "/v1/movements", place="LI-D1", kind="SALE").body["documents"] == []
    assert read(stocked, operator.city_admin, "/v1/movements", kind="GIFT").refusal == (422, "invalid_field")


def test_status_is_released_within_the_life_cycle_only(stocked: TestClient, operator: Operator) -> None:
    path = "/v1/numbers/13888047351:release-status"

    withdrawn = write(stocked, operator.city_admin, path, {"to_state": "RECYCLED", "reason": "重新定级"})
    used = write(stocked, operator.city_admin, path, {"to_state": "IN_USE", "reason": "试一试"})

    assert (withdrawn.body["to_state"], withdrawn.body["version"]) == ("RECYCLED", 1)
    assert used.refusal == (409, "illegal_transition")


def test_changed_fee_shows_on_the_number_and_in_its_changes(stocked: TestClient, operator: Operator) -> None:
    """REQ-FEE-03: the history can be listed per number and per operator."""
    body = {"number_class": 6, "reason": "朗朗上口"}

    changed = write(stocked, operator.city_admin, "/v1/numbers/13888047351:change-fee", body)

    assert (changed.body["before"]["number_class"], changed.body["after"]["number_class"]) == (9, 6)
    number = read(stocked, operator.city_admin, "/v1/numbers/13888047351").body
    assert (number["fee"]["number_class"], number["fee"]["changed"]) == (6, True)
    of_number = read(stocked, operator.city_admin, "/v1/numbers/13888047351/fee-changes").body
    by_staff = read(stocked, operator.city_admin, "/v1/fee-changes?staff=LI0002").body
    assert of_number == by_staff
    assert [(row["staff"], row["reason"]) for row in of_number["changes"]] == [("LI0002", "朗朗上口")]


def test_another_hall_does_not_see_what_it_does_not_hold(stocked: TestClient, operator: Operator) -> None:
    answer = read(stocked, operator.other_hall_keeper, "/v1/numbers/13888047351")

    assert answer.refusal == (404, "not_found")


def test_refused_document_names_the_items(stocked: TestClient, operator: Operator) -> None:
    body = {"resource": "number", "giver": "530700", "receiver": "LI-D1", "selection": {"items": ["13900000000"]}}

    answer = write(stocked, operator.city_admin, "/v1/movements:issue", body)

    assert answer.refusal == (409, "movement_refused")
    assert answer.body["params"]["items"] == [{"item": "13900000000", "code": "not_in_stock", "state": None}]


def test_delivery_is_open_until_its_receiver_answers(stocked: TestClient, operator: Operator) -> None:
    body = {"resource": "number", "giver": "530700", "receiver": "LI-D1", "selection": {"count": 3}}
    write(stocked, operator.city_admin, "/v1/movements:issue", body)
    up = {"resource": "number", "giver": "LI-D1", "receiver": "530700", "selection": {"count": 3}, "on_the_way": True}
    sent = write(stocked, operator.city_admin, "/v1/movements:recall", up)

    listed = read(stocked, operator.city_admin, "/v1/movements:open").body["deliveries"]
    answered = write(stocked, operator.city_admin, f"/v1/movements/{sent.body['id']}:accept", {"person": "和丽"})
    again = write(stocked, operator.city_admin, f"/v1/movements/{sent.body['id']}:refuse", {"reason": "迟"})

    assert [(entry["id"], entry["mine"]) for entry in listed] == [(sent.body["id"], True)]
    assert (answered.status, answered.body["parent_state"]) == (201, "ACCEPTED")
    assert (again.status, again.body["code"]) == (409, "delivery_answered")
    assert read(stocked, operator.city_admin, "/v1/movements:open").body == {"deliveries": []}
