from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from cardwriter.crypto.secret import Secret
from inventory.operator.adapter import (
    CardSaid,
    IssueWish,
    OperatorBroken,
    OperatorRefused,
    OperatorUnavailable,
    Receipt,
)
from inventory.operator.reference import ATTEMPTS, LARGEST_ANSWER, ReferenceAdapter
from tests.operator.card_system import KEY, CardSystem, mac

pytestmark = pytest.mark.anyio
SERIAL = "20260100000000000042"
WISH = IssueWish(request="j-530700-7", serial=SERIAL, product="OPERATOR-5G", number="13888810001")
GOOD: dict[str, Any] = {
    "transaction": "T-1",
    "serial": SERIAL,
    "iccid": "89860077000000000001",
    "imsi": "460007770000001",
    "issue_data": ["00aa"],
}

WRONG: list[dict[str, Any]] = [
    {"serial": "20260100000000000043"},
    {"transaction": ""},
    {"transaction": 7},
    {"transaction": "x" * 201},
    {"transaction": "交易-1"},
    {"transaction": " T-1"},
    {"transaction": "T-1 "},
    {"iccid": "123"},
    {"imsi": 460007770000001},
    {"issue_data": []},
    {"issue_data": "00aa"},
    {"issue_data": [7]},
    {"issue_data": ["no hex"]},
    {"issue_data": [""]},
    {"issue_data": ["00" * 256]},
    {"issue_data": ["00"] * 65},
]


def said(answer: bytes | None = None, transaction: str = "T-1") -> CardSaid:
    return CardSaid(transaction=transaction, serial=SERIAL, answer=answer, sw=0x9000)


async def test_issue_data_come_for_a_serial_under_our_own_key(system: CardSystem, adapter: ReferenceAdapter) -> None:
    issue = await adapter.request(WISH)
    assert (issue.transaction, issue.iccid, issue.imsi) == ("T-1", "89860077000000000001", "460007770000001")
    assert len(issue.parts) > 1
    ((path, key, body),) = system.asked
    assert (path, key) == ("/cards/issue-data", "j-530700-7")
    assert body == {"request": "j-530700-7", "serial": SERIAL, "product": "OPERATOR-5G", "number": "13888810001"}


async def test_the_same_request_again_brings_the_same_data(system: CardSystem, adapter: ReferenceAdapter) -> None:
    assert await adapter.request(WISH) == await adapter.request(WISH)
    assert len(system.issued) == 1


async def test_another_card_under_the_same_request_is_refused(adapter: ReferenceAdapter) -> None:
    await adapter.request(WISH)
    with pytest.raises(OperatorRefused, match="409"):
        await adapter.request(IssueWish(request=WISH.request, serial="2026010000000043", product="X"))


@pytest.mark.parametrize("status", [500, 502, 503, 408, 429])
async def test_what_passes_is_asked_again_with_the_same_key(
    system: CardSystem, adapter: ReferenceAdapter, status: int
) -> None:
    system.instead = lambda number, _: (status, b"") if number < ATTEMPTS else None
    assert (await adapter.request(WISH)).transaction == "T-1"
    assert {key for _, key, _ in system.asked} == {WISH.request}


async def test_a_lost_answer_does_not_use_up_a_second_set_of_data(
    system: CardSystem, adapter: ReferenceAdapter
) -> None:
    """The system had made the data when its answer was lost."""

    def lose_the_first(number: int, _: str) -> tuple[int, bytes] | None:
        if number == 1:
            system.issue(system.asked[0][1], system.asked[0][2])
            return 504, b""
        return None

    system.instead = lose_the_first
    assert (await adapter.request(WISH)).transaction == "T-1"
    assert len(system.issued) == 1


async def test_a_system_that_stays_away_is_asked_a_few_times_only(
    system: CardSystem, adapter: ReferenceAdapter
) -> None:
    system.instead = lambda _number, _path: (503, b"")
    with pytest.raises(OperatorUnavailable, match="503"):
        await adapter.request(WISH)
    assert len(system.asked) == ATTEMPTS


async def test_a_system_that_never_answers_ends_the_call_by_its_deadline(system: CardSystem) -> None:
    ended = threading.Event()

    def hang(_number: int, _path: str) -> tuple[int, bytes]:
        ended.wait()
        return 503, b""

    system.instead = hang
    with pytest.raises(OperatorUnavailable):
        await ReferenceAdapter(system.url, KEY, deadline=2).request(WISH)
    ended.set()
    assert len(system.asked) == 1


async def test_a_system_that_is_not_there_is_unavailable() -> None:
    async def at_once(_: int) -> None:
        """Wait for nothing."""

    with pytest.raises(OperatorUnavailable, match="ConnectError"):
        await ReferenceAdapter("http://127.0.0.1:1", KEY, pause=at_once).request(WISH)


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422])
async def test_a_no_is_not_asked_again(system: CardSystem, adapter: ReferenceAdapter, status: int) -> None:
    system.instead = lambda _number, _path: (status, b"")
    with pytest.raises(OperatorRefused, match=str(status)):
        await adapter.request(WISH)
    assert len(system.asked) == 1


async def test_a_redirect_is_not_followed(system: CardSystem, adapter: ReferenceAdapter) -> None:
    """The key would go wherever it says."""
    system.instead = lambda _number, _path: (307, b"")
    with pytest.raises(OperatorBroken, match="307"):
        await adapter.request(WISH)
    assert len(system.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"not json",
        b"[]",
        b"[" * 100_000,
        b'"' + b"x" * LARGEST_ANSWER + b'"',
        json.dumps({}).encode(),
        *(json.dumps({name: value for name, value in GOOD.items() if name != left}).encode() for left in GOOD),
        *(json.dumps({**GOOD, **wrong}).encode() for wrong in WRONG),
    ],
)
async def test_an_answer_that_is_none_is_broken_and_not_asked_again(
    system: CardSystem, adapter: ReferenceAdapter, answer: bytes
) -> None:
    system.instead = lambda _number, _path: (200, answer)
    with pytest.raises(OperatorBroken):
        await adapter.request(WISH)
    assert len(system.asked) == 1


async def test_the_cards_answer_goes_out_as_it_came_and_may_go_twice(
    system: CardSystem, adapter: ReferenceAdapter
) -> None:
    await adapter.request(WISH)
    for _ in range(2):
        assert await adapter.report(said(mac(SERIAL, "T-1"))) == Receipt(accepted=True)
    path, key, body = system.asked[-1]
    assert (path, key) == ("/cards/card-answers", "T-1")
    assert body == {"transaction": "T-1", "serial": SERIAL, "card_answer": mac(SERIAL, "T-1").hex(), "sw": "9000"}


@pytest.mark.parametrize("answer", [b"forged!!", None])
async def test_an_answer_without_the_cards_mac_is_not_accepted(adapter: ReferenceAdapter, answer: bytes | None) -> None:
    assert await adapter.report(said(answer)) == Receipt(accepted=False, reason="MAC")


async def test_a_failure_before_any_command_is_reported_without_a_status_word(
    system: CardSystem, adapter: ReferenceAdapter
) -> None:
    await adapter.report(CardSaid(transaction="T-1", serial=SERIAL, answer=None, sw=None))
    assert (system.asked[0][2]["card_answer"], system.asked[0][2]["sw"]) == (None, None)


@pytest.mark.parametrize("reason", ["bad\\u0000mac", "bad\\ud800mac", "bad\\nmac"])
async def test_a_reason_is_kept_without_what_no_database_takes(
    system: CardSystem, adapter: ReferenceAdapter, reason: str
) -> None:
    answer = f'{{"transaction": "T-1", "accepted": false, "reason": "{reason}"}}'
    system.instead = lambda _number, _path: (200, answer.encode())
    assert await adapter.report(said()) == Receipt(accepted=False, reason="bad mac")


@pytest.mark.parametrize(
    "answer",
    [{}, {"transaction": "T-2", "accepted": True}, {"transaction": "T-1", "accepted": "yes"}, {"transaction": "T-1"}],
)
async def test_a_receipt_for_something_else_is_none(
    system: CardSystem, adapter: ReferenceAdapter, answer: dict[str, Any]
) -> None:
    system.instead = lambda _number, _path: (200, json.dumps(answer).encode())
    with pytest.raises(OperatorBroken):
        await adapter.report(said())


async def test_neither_key_nor_issue_data_nor_answer_stand_in_any_text(
    system: CardSystem, adapter: ReferenceAdapter, caplog: pytest.LogCaptureFixture
) -> None:
    """REQ-HW-10: not in a repr, an error or a log line, the HTTP client's own included."""
    caplog.set_level("DEBUG")
    issue = await adapter.request(WISH)
    system.instead = lambda _number, _path: (422, json.dumps({"issue_data": issue.parts[0].hex()}).encode())
    with pytest.raises(OperatorRefused) as refused:
        await adapter.report(said(mac(SERIAL, "T-1")))
    text = "".join(map(repr, (adapter, issue, said(mac(SERIAL, "T-1")), refused.value))) + caplog.text
    for hidden in (KEY.reveal().decode(), issue.parts[0].hex(), mac(SERIAL, "T-1").hex()):
        assert hidden not in text
    assert repr(mac(SERIAL, "T-1"))[2:-1] not in text


@pytest.mark.parametrize("address", ["http://cards.example.cn", "ftp://127.0.0.1", "https://", "cards", ""])
def test_an_address_without_tls_beyond_this_machine_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="https"):
        ReferenceAdapter(address, Secret(b"k"))


@pytest.mark.parametrize("address", ["https://cards.example.cn/v1/", "http://localhost:8080", "http://[::1]:8080"])
def test_tls_or_this_machine_will_do(address: str) -> None:
    assert address.rstrip("/") in repr(ReferenceAdapter(address, Secret(b"k")))
