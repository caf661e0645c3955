"""A sale through `/v1` as an acceptance system makes it: search, quote, hold, release; the key is in a header only."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, insert, text
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
ICCID = "89860027000000000000"
SERIALS = ("2026010000000042", "20260100000000000043")
_SERIAL_BLANKS = f"""
INSERT INTO card_kind (code, name_zh, name_en, profile, capacity_kb, capabilities, network, fee_fen)
SELECT 'serial-4g', name_zh, name_en, 'serial_only', capacity_kb, capabilities, network, fee_fen FROM card_kind;
INSERT INTO sim (city_id, item_no, state, version, holder_id, pool, batch_id, updated_at, serial, kind_code, generation)
SELECT city_id, no, state, 0, holder_id, pool, 1, updated_at, blank.serial, 'serial-4g', 1 FROM sim,
       (VALUES (1, '{SERIALS[0]}'), (2, '{SERIALS[1]}')) AS blank (no, serial);
INSERT INTO subscription_data (city_id, data_no, hlr_code, imsi, iccid, state, version, batch_id, updated_at)
SELECT city_id, 1, hlr_code, '460000000000002', '{ICCID}', 'FREE', 0, 1, updated_at FROM subscription_data
"""

NEW_CARD = "89860026000000000009"
_FINISHED = f"""
INSERT INTO sim (city_id, item_no, state, version, holder_id, pool, batch_id, updated_at, iccid, kind_code, generation)
SELECT city_id, 9, state, 0, holder_id, pool, 1, updated_at, '{NEW_CARD}', kind_code, 1 FROM sim;
UPDATE sim SET hlr_code = '{HLR}';
INSERT INTO subscription_data (city_id, data_no, hlr_code, imsi, state, version, batch_id, updated_at, sim_item_no)
SELECT city_id, 10 + item_no, hlr_code, '46000000000001' || item_no, 'BOUND', 0, 1, updated_at, item_no FROM sim;
INSERT INTO sim_identity (city_id, item_no, slot, application, imsi, hlr_code, state, auc)
SELECT city_id, sim_item_no, 1, 'USIM', imsi, hlr_code, 'VERIFIED', 'none' FROM subscription_data WHERE state = 'BOUND'
"""
"""Both cards of stock come finished."""
_OTHER_NUMBER = """
INSERT INTO number (city_id, item_no, state, version, holder_id, pool, batch_id, updated_at, number, kind, hlr_code,
                    cls, outcome, rule_set_id, tail, mask, rev)
SELECT city_id, 9, state, 0, holder_id, pool, 1, updated_at, :number, kind, hlr_code, cls, outcome, rule_set_id, tail,
       mask, rev FROM number
"""


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


@pytest.mark.parametrize(
    ("serial", "code"), [("2026010000000099", "card_unknown"), ("2026", "invalid_identifier"), (None, "missing_field")]
)
def test_card_that_neither_iccid_nor_serial_names_is_refused(
    client: TestClient, stocked: Operator, serial: str | None, code: str
) -> None:
    number = None if serial is None else NUMBER
    assert hold(client, stocked.clerk, number=number, iccid=None, chip_serial=serial).json()["code"] == code


def test_blank_with_a_chip_serial_only_is_held_and_taken_by_it(
    client: TestClient, stocked: Operator, operator_url: str
) -> None:
    """REQ-RSV-16, REQ-RSV-17: with card data that bring an ICCID; without any the refusal says what to load."""
    engine = create_engine(operator_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        for statement in _SERIAL_BLANKS.split(";"):
            conn.execute(text(statement))
        held = hold(client, stocked.clerk, iccid=None, chip_serial=SERIALS[0])
        assert (held.status_code, held.json()["iccid"], held.json()["chip_serial"]) == (201, None, SERIALS[0])
        assert conn.execute(text("SELECT iccid FROM subscription_data WHERE state = 'RESERVED'")).all() == [(ICCID,)]
        taken = act(client, stocked.clerk, held, "take-card", {"chip_serial": SERIALS[1]})
        assert (taken.status_code, taken.json()["iccid"], taken.json()["chip_serial"]) == (200, None, SERIALS[1])
        act(client, stocked.clerk, held, "release")
        conn.execute(text("DELETE FROM subscription_data WHERE iccid IS NOT NULL"))
    engine.dispose()
    refused = hold(client, stocked.clerk, key="k-2", iccid=None, chip_serial=SERIALS[0])
    assert (refused.status_code, refused.json()["code"]) == (409, "no_numbered_data")
    assert hold(client, stocked.clerk, key="k-3").status_code == 201


def test_card_is_wished_for_where_it_can_be_taken_and_of_a_kind_that_there_is(
    client: TestClient, stocked: Operator
) -> None:
    """REQ-RSV-18: a place that is none, or of no card, is not promised, with a number or without."""
    for n, (number, kind, place, missing) in enumerate(
        [
            (NUMBER, KIND, stocked.customer, "organisation"),
            (NUMBER, KIND, 10**9, "organisation"),
            (None, KIND, 2**63 - 1, "organisation"),
            (None, "NOPE", stocked.point, "card kind"),
        ]
    ):
        wish = {"kind_code": kind, "org_id": place}
        refused = hold(client, stocked.clerk, key=f"k-{n}", number=number, iccid=None, sim_wish=wish)
        assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
        assert refused.json()["params"]["what"] == missing
    wish = {"kind_code": KIND, "org_id": stocked.other_point}
    assert hold(client, stocked.clerk, key="k-good", iccid=None, sim_wish=wish).status_code == 201


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
    """REQ-NUM-10: the refusal is named, its text tells the time of the halls."""
    held = hold(client, stocked.clerk).json()
    refused = hold(client, stocked.hall_keeper, key="k-2")
    assert (refused.status_code, refused.json()["code"]) == (409, "number_not_free")
    assert refused.json()["params"]["state"] == "HELD"
    assert refused.json()["params"]["held_until"] == held["expires_at"] == "2026-11-02T02:30:00Z"
    assert "2026-11-02 10:30" in refused.json()["detail"]


def test_city_sets_how_long_holds_last(client: TestClient, stocked: Operator, clock: Clock) -> None:
    """REQ-RSV-03: from the moment callers are looked up anew; by kind, channel, flow and class."""
    wish = {"kind": "number", "channel": "own_hall", "minutes": 45, "reason": "holiday"}
    assert write(client, stocked.city_admin, "/v1/hold-times:set", wish).body["after"] == 45
    rules = read(client, stocked.clerk, "/v1/hold-times").body["hold_times"]
    assert {
        "kind": "number",
        "channel": "own_hall",
        "flow": None,
        "number_class": None,
        "minutes": 45,
        "own": True,
    } in rules
    assert hold(client, stocked.clerk, minutes=46).json()["code"] == "invalid_field"
    held = hold(client, stocked.clerk, key="k-2").json()
    assert datetime.fromisoformat(held["expires_at"]) == clock.now + timedelta(minutes=45)


def test_expired_hold_cannot_be_confirmed(client: TestClient, stocked: Operator, clock: Clock) -> None:
    """REQ-RSV-05: 410, and nothing is sold."""
    held = hold(client, stocked.clerk)
    clock.advance(minutes=30)
    real_name = {"checked_at": "2026-11-02T02:00:00Z", "channel": "hall", "result": "passed"}
    refused = act(client, stocked.clerk, held, "confirm", {"quote_accepted": 1, "real_name": real_name})
    assert (refused.status_code, refused.json()["code"]) == (410, "hold_expired")
    assert "2026-11-02 10:30" in refused.json()["detail"]


def test_unwritten_card_cannot_be_confirmed(client: TestClient, stocked: Operator) -> None:
    held = hold(client, stocked.clerk)
    real_name = {"checked_at": "2026-11-02T02:00:00Z", "channel": "hall", "result": "passed"}
    refused = act(client, stocked.clerk, held, "confirm", {"quote_accepted": 1, "real_name": real_name})
    assert (refused.status_code, refused.json()["code"]) == (409, "card_not_verified")


def test_kit_without_a_number_cannot_be_confirmed_and_is_named_as_it_was_sent(
    client: TestClient, stocked: Operator
) -> None:
    held = hold(client, stocked.clerk, number=None)
    real_name = {"checked_at": "2026-11-02T02:00:00Z", "channel": "hall", "result": "passed"}
    refused = act(client, stocked.clerk, held, "confirm", {"quote_accepted": None, "real_name": real_name})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_field")
    assert refused.json()["params"]["value"] == held.json()["hold"]


def test_activation_names_card_and_number_and_needs_the_key_and_a_written_card(
    client: TestClient, stocked: Operator
) -> None:
    """REQ-SIM-18: the same refusals as a sale's, by card and number instead of the kit."""
    real_name = {"checked_at": "2026-11-02T02:00:00Z", "channel": "hall", "result": "passed"}
    body = {"number": NUMBER, "quote_accepted": 1, "real_name": real_name}
    path = f"/v1/sims/{CARD}:activate"
    assert write(client, stocked.clerk, path, body).refusal == (409, "not_held_together")
    held = hold(client, stocked.clerk)
    assert write(client, stocked.clerk, path, body).refusal == (403, "hold_key_wrong")
    headers = {**stocked.clerk.headers, "Idempotency-Key": uuid.uuid4().hex, HEADER: held.headers[HEADER]}
    unwritten = client.post(path, json=body, headers=headers)
    assert (unwritten.status_code, unwritten.json()["code"]) == (409, "card_not_verified")


def test_replacement_goes_from_order_to_working_card(client: TestClient, stocked: Operator, operator_url: str) -> None:
    """REQ-FLOW-03, REQ-LCK-01: by the number or the old card, with the same verbs and key as a sale."""
    replacement = {"business": "replace_sim", "replace_reason": "lost", "iccid": NEW_CARD}
    real_name = {"checked_at": "2026-11-02T02:00:00Z", "channel": "hall", "result": "passed"}
    accepted = {"quote_accepted": 1, "real_name": real_name}
    engine = create_engine(operator_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        for statement in _FINISHED.split(";"):
            conn.execute(text(statement))
    engine.dispose()
    assert hold(client, stocked.clerk, **replacement).json()["code"] == "number_not_in_use"
    held = hold(client, stocked.clerk, key="k-2")
    assert act(client, stocked.clerk, held, "confirm", accepted).status_code == 200

    order = hold(client, stocked.clerk, key="k-3", **replacement, number=None, old_card=CARD)
    assert (order.status_code, order.json()["number"], order.json()["old_iccid"]) == (201, NUMBER, CARD)
    second = hold(client, stocked.clerk, key="k-4", **replacement)
    assert (second.status_code, second.json()["code"]) == (409, "service_order_open")
    assert read(client, stocked.clerk, f"/v1/holds/{order.json()['hold']}").body["replace_reason"] == "lost"
    done = act(client, stocked.clerk, order, "confirm", {**accepted, "old_card_handed_in": True})
    assert (done.status_code, done.json()["iccid"]) == (200, NEW_CARD)


def test_second_number_goes_from_kit_to_line(client: TestClient, stocked: Operator, operator_url: str) -> None:
    """REQ-SIM-17: a free number and a card in use, with the same verbs and key as a sale."""
    real_name = {"checked_at": "2026-11-02T02:00:00Z", "channel": "hall", "result": "passed"}
    accepted = {"quote_accepted": 1, "real_name": real_name}
    other = NUMBER[:-1] + "9"
    wish = {"business": "second_number", "number": other}
    engine = create_engine(operator_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        conn.execute(text(_OTHER_NUMBER), {"number": other})
        assert hold(client, stocked.clerk, **wish).json()["code"] == "sim_not_in_use"
        for statement in _FINISHED.split(";"):
            conn.execute(text(statement))
        held = hold(client, stocked.clerk, key="k-2")
        assert act(client, stocked.clerk, held, "confirm", accepted).status_code == 200
        assert hold(client, stocked.clerk, key="k-3", **wish).json()["code"] == "card_serves_no_more"
        conn.execute(text("UPDATE card_kind SET max_numbers = 2"))
    engine.dispose()
    kit = hold(client, stocked.clerk, key="k-4", **wish)
    assert (kit.status_code, kit.json()["number"], kit.json()["iccid"]) == (201, other, CARD)
    done = act(client, stocked.clerk, kit, "confirm", accepted)
    assert (done.status_code, done.json()["number"], done.json()["iccid"], done.json()["line"]) == (
        200, other, CARD, "IN_USE",
    )  # fmt: skip


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
