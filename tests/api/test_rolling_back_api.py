"""A sale that waits for the network is rolled back through `/v1`: a fresh hold, its key in a header only."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from starlette.testclient import TestClient

from inventory.vault.hold_keys import HEADER
from tests.api.calls import read, write
from tests.api.test_promises_api import _FINISHED, CARD, NUMBER, act, hold, stocked
from tests.builders import Operator

pytestmark = pytest.mark.database
__all__ = ["stocked"]
_WAITS = """;
INSERT INTO city_policy (city_id, name, value, changed_at, changed_by)
SELECT DISTINCT city_id, 'completion', 'by_network', now(), 'T' FROM organisation;
UPDATE sim_identity SET auc = 'sent'
"""


@pytest.fixture
def sold(client: TestClient, stocked: Operator, operator_url: str) -> Any:
    """Sell a finished card in a city that waits for the network, and give the answer that had the hold's key."""
    engine = create_engine(operator_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        for statement in (_FINISHED + _WAITS).split(";"):
            conn.execute(text(statement))
    engine.dispose()
    held = hold(client, stocked.clerk, order_ref="O-1")
    real_name = {"checked_at": "2026-11-02T02:00:00Z", "channel": "hall", "result": "passed"}
    done = act(client, stocked.clerk, held, "confirm", {"quote_accepted": 1, "real_name": real_name})
    assert (done.status_code, done.json()["line"]) == (200, "COMPLETING")
    return held


def test_acceptance_system_takes_a_sale_back_and_releases_it_once_the_network_has_let_go(
    client: TestClient, stocked: Operator, sold: Any
) -> None:
    """REQ-RSV-06, REQ-AUC-01: the same key of the request gives the same fresh hold, with its key."""
    path = f"/v1/holds/{sold.json()['hold']}:roll-back"
    headers = {**stocked.clerk.headers, "Idempotency-Key": uuid.uuid4().hex, HEADER: sold.headers[HEADER]}
    back, again = (client.post(path, json={"reason": "no answer"}, headers=headers) for _ in range(2))
    assert (back.status_code, back.json()["number"], back.json()["iccid"]) == (201, NUMBER, CARD)
    assert (back.json()["original_hold"], back.json()["order_ref"]) == (sold.json()["hold"], "O-1")
    assert (back.json()["network_has_it"], back.json()["quote"]) == (True, sold.json()["quote"])
    assert (again.json(), again.headers[HEADER]) == (back.json(), back.headers[HEADER])
    assert back.headers[HEADER] != sold.headers[HEADER]
    assert back.headers["Cache-Control"] == "no-store"
    seen = read(client, stocked.clerk, f"/v1/holds/{back.json()['hold']}").body
    assert (seen["state"], seen["original_hold"], seen["network_has_it"]) == ("ACTIVE", sold.json()["hold"], True)
    assert read(client, stocked.clerk, f"/v1/holds/{sold.json()['hold']}").body["state"] == "ROLLED_BACK"
    refused = act(client, stocked.clerk, back, "release")
    assert (refused.status_code, refused.json()["code"]) == (409, "network_has_identity")
    answer = {"answers": [{"imsi": "460000000000010", "result": "deleted"}]}
    assert write(client, stocked.city_admin, "/v1/network-answers", answer).body["deleted"] == 1
    assert act(client, stocked.clerk, back, "release").status_code == 200


def test_a_wrong_key_is_refused_and_a_superior_says_why(client: TestClient, stocked: Operator, sold: Any) -> None:
    refused = act(client, stocked.clerk, sold, "roll-back", key="0" * 64)
    assert (refused.status_code, refused.json()["code"]) == (403, "hold_key_wrong")
    path = f"/v1/holds/{sold.json()['hold']}:roll-back"
    assert write(client, stocked.hall_keeper, path).refusal == (422, "reason_missing")
    assert write(client, stocked.hall_keeper, path, {"reason": "customer left"}).status == 201
    assert write(client, stocked.hall_keeper, path, {"reason": "customer left"}).refusal == (409, "line_not_waiting")


def test_what_waits_is_listed_for_those_who_sold_it(client: TestClient, stocked: Operator, sold: Any) -> None:
    """REQ-AUC-01: before the roll back the sale, afterwards what is to be deleted in the network."""
    [sale] = read(client, stocked.clerk, "/v1/waiting-sales").body["sales"]
    assert (sale["hold"], sale["state"], sale["auc"]) == (sold.json()["hold"], "COMPLETING", "sent")
    assert (sale["number"], sale["card"], sale["order_ref"]) == (NUMBER, CARD, "O-1")
    back = act(client, stocked.clerk, sold, "roll-back").json()
    found = read(client, stocked.city_admin, "/v1/waiting-sales").body
    assert (found["count"], found["sales"][0]["hold"], found["sales"][0]["state"]) == (1, back["hold"], "HELD")
