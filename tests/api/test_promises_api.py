"""A sale through `/v1` as an acceptance system makes it: search, quote, hold, release; the key is in a header only."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from sqlalchemy import insert, text
from starlette.testclient import TestClient

from inventory.services.sealing import seal_all
from inventory.store.engine import connect
from inventory.store.schema import CardKind, Hlr, Number, RuleSetRow, Sim, SubscriptionData
from inventory.vault.hold_keys import HEADER
from tests.api.calls import read, write
from tests.api.conftest import Clock
from tests.builders import FOUNDED, Login, Operator
from tests.builders_stock import HLR, KIND, POOL, RULES, number_row

pytestmark = pytest.mark.database
NUMBER = "13888810235"
CARD = "89860026000000000000"


@pytest.fixture
def stocked(operator_url: str, operator: Operator) -> Operator:
    """Put one number in the hall, one blank in a clerk's drawer and one data unit into the operator's stock."""
    common = {"city_id": operator.city_id, "version": 0, "batch_id": 1, "updated_at": FOUNDED}
    item = {**common, "item_no": 0, "pool": POOL}

    async def stock() -> None:
        database = connect(operator_url, pool_size=1)
        async with database.session() as session, session.begin():
            await session.execute(text("DELETE FROM rule_set"))
            rules = {"scope": "default", "version": 1, "status": "APPROVED", "valid_from": FOUNDED, "author": "t"}
            await session.execute(insert(RuleSetRow).values(id=1, **rules, document=RULES.to_dict()))
            await session.execute(
                insert(Hlr).values(code=HLR, city_id=operator.city_id, name=HLR, smsc="+8613800888500")
            )
            kind = {"code": KIND, "name_zh": KIND, "name_en": KIND, "profile": "preset", "capacity_kb": 128}
            await session.execute(insert(CardKind).values(**kind, capabilities=[], network={}, fee_fen=1000))
            await session.execute(insert(Number).values(**number_row(NUMBER, 0, holder_id=operator.point)))
            card = {"state": "AVAILABLE", "holder_id": operator.clerk_node, "iccid": CARD, "kind_code": KIND}
            await session.execute(insert(Sim).values(**item, **card, generation=1, adm_refused=False))
            data = {"data_no": 0, "hlr_code": HLR, "imsi": "460000000000001", "state": "FREE"}
            await session.execute(insert(SubscriptionData).values(**common, **data))
        await database.close()

    asyncio.run(stock())
    return operator


def hold(client: TestClient, login: Login, *, key: str = "k-1", **wish: Any) -> Any:
    """Hold the number and the card and give the whole answer."""
    body = {"number": NUMBER, "iccid": CARD, **wish}
    return client.post("/v1/holds", json=body, headers={**login.headers, "Idempotency-Key": key})


def act(client: TestClient, login: Login, held: Any, verb: str, body: Any = None, key: str | None = None) -> Any:
    """Do something to the hold with its key, or another one, and give the whole answer."""
    headers = {**login.headers, "Idempotency-Key": uuid.uuid4().hex, HEADER: key or held.headers[HEADER]}
    return client.post(f"/v1/holds/{held.json()['hold']}:{verb}", json=body or {}, headers=headers)


def test_search_quote_hold_and_release(client: TestClient, stocked: Operator) -> None:
    """REQ-FEE-04: the hold freezes the quote that was asked for."""
    found = read(client, stocked.clerk, "/v1/numbers:search", ends="0235").body["numbers"]
    assert [(row["number"], row["data_available"]) for row in found] == [(NUMBER, True)]
    quote = read(client, stocked.clerk, "/v1/quotes", number=NUMBER, card_kind=KIND).body
    held = hold(client, stocked.clerk)
    assert (held.status_code, held.json()["quote"]) == (201, quote)
    assert read(client, stocked.clerk, "/v1/numbers:search", ends="0235").body["numbers"] == []
    released = act(client, stocked.clerk, held, "release")
    assert (released.status_code, released.json()["state"]) == (200, "RELEASED")


def test_hold_key_is_in_a_header_and_nowhere_else(client: TestClient, stocked: Operator) -> None:
    """REQ-RSV-06: a replay gives it again, a read never shows it."""
    held = hold(client, stocked.clerk)
    again = hold(client, stocked.clerk)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers[HEADER] == held.headers[HEADER]
    seen = client.get(f"/v1/holds/{held.json()['hold']}", headers=stocked.clerk.headers)
    assert held.headers[HEADER] not in seen.text + held.text + str(seen.headers)


def test_wrong_key_is_refused_by_name(client: TestClient, stocked: Operator) -> None:
    held = hold(client, stocked.clerk)
    for verb in ("extend", "book", "release", "confirm"):
        refused = act(client, stocked.clerk, held, verb, key="0" * 64)
        assert (refused.status_code, refused.json()["code"]) == (403, "hold_key_wrong")


def test_second_caller_is_told_state_and_end(client: TestClient, stocked: Operator) -> None:
    """REQ-NUM-10: the refusal is named."""
    held = hold(client, stocked.clerk).json()
    refused = hold(client, stocked.hall_keeper, key="k-2")
    assert (refused.status_code, refused.json()["code"]) == (409, "number_not_free")
    assert refused.json()["params"]["state"] == "HELD"
    assert held["expires_at"][:19] == refused.json()["params"]["held_until"][:19]


def test_expired_hold_cannot_be_confirmed(client: TestClient, stocked: Operator, clock: Clock) -> None:
    """REQ-RSV-05: 410, and nothing is sold."""
    held = hold(client, stocked.clerk)
    clock.advance(minutes=30)
    real_name = {"checked_at": "2026-11-02T02:00:00Z", "channel": "hall", "result": "passed"}
    refused = act(client, stocked.clerk, held, "confirm", {"quote_accepted": 1, "real_name": real_name})
    assert (refused.status_code, refused.json()["code"]) == (410, "hold_expired")


def test_unwritten_card_cannot_be_confirmed(client: TestClient, stocked: Operator) -> None:
    held = hold(client, stocked.clerk)
    real_name = {"checked_at": "2026-11-02T02:00:00Z", "channel": "hall", "result": "passed"}
    refused = act(client, stocked.clerk, held, "confirm", {"quote_accepted": 1, "real_name": real_name})
    assert (refused.status_code, refused.json()["code"]) == (409, "card_not_verified")


def test_extension_and_booking_answer_with_the_new_end(client: TestClient, stocked: Operator) -> None:
    held = hold(client, stocked.clerk)
    longer = act(client, stocked.clerk, held, "extend").json()
    assert (longer["expires_at"], longer["extensions"]) == ("2026-11-02T03:00:00Z", 1)
    booked = act(client, stocked.clerk, held, "book", {"customer_ref": "C-1"}).json()
    assert (booked["state"], booked["expires_at"]) == ("BOOKED", "2026-11-09T02:00:00Z")


def test_superior_releases_with_a_reason(client: TestClient, stocked: Operator) -> None:
    held = hold(client, stocked.clerk).json()["hold"]
    path = f"/v1/holds/{held}:release"
    assert write(client, stocked.hall_keeper, path).refusal == (422, "reason_missing")
    assert write(client, stocked.hall_keeper, path, {"reason": "shop closed"}).status == 200


def test_feed_and_audit_can_be_read_by_those_who_may(client: TestClient, stocked: Operator, operator_url: str) -> None:
    hold(client, stocked.clerk)

    async def seal() -> None:
        database = connect(operator_url, pool_size=1)
        async with database.session() as session:
            await seal_all(session, now=FOUNDED)
        await database.close()

    asyncio.run(seal())
    feed = read(client, stocked.auditor, "/v1/events", limit=1000).body
    assert {"hold.created", "number.held", "sim.held"} <= {event["name"] for event in feed["events"]}
    assert read(client, stocked.clerk, "/v1/events").refusal == (403, "permission_denied")
    assert read(client, stocked.auditor, "/v1/invariants").refusal == (404, "not_found")
