from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from typing_extensions import override
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from cardwriter.station.enrol import EnrolmentError, enrol, load
from cardwriter.virtual.uicc import VirtualUicc
from inventory.vault.script_signers import ScriptSigners
from tests.api.desk import Desk
from tests.api.live import served, wait_until
from tests.builders import Operator
from tests.cards.hall import InSlot, adm_tries, card_of, imsi_on

pytestmark = [pytest.mark.database, pytest.mark.e2e]
BLANK = b"\xff" * 9


@pytest.fixture
def desk(app: FastAPI, operator: Operator, operator_url: str, tmp_path: Path) -> Iterator[Desk]:
    """Give a desk whose station has not been started yet."""
    with served(app) as service:
        desk = Desk(app, operator_url, operator, service, tmp_path)
        desk.bring_key()
        with ExitStack() as ends:
            ends.callback(desk.engine.dispose)
            ends.callback(desk.client.close)
            ends.callback(desk.stop_station)
            yield desk


class Waiting(InSlot):
    """A card that answers the write script's first update only after the event has been cleared."""

    def __init__(self, card: VirtualUicc, held: threading.Event) -> None:
        super().__init__(card)
        self.held = held

    @override
    def transmit(self, apdu: bytes) -> bytes:
        """Answer, an update only when it is let go."""
        if apdu[1] == 0xD6:
            wait_until(lambda: not self.held.is_set())
        return super().transmit(apdu)


def test_a_blank_card_is_written_over_the_real_link(desk: Desk) -> None:
    """REQ-HW-04, REQ-HW-12: from the API over the link to a card and back, with every step on record."""
    hold = desk.stock(1)
    card = card_of(1)
    desk.source.insert(InSlot(card))
    desk.start_station()
    wait_until(lambda: desk.reader()["card"] is not None)
    reader = desk.reader()
    assert (reader["card"]["iccid"], reader["card"]["blank"]) == ("89860026000000000001", True)
    names = {"iccid": "89860026000000000001", "chip_serial": None, "hlr": None}
    assert reader["stock"] == {"state": "HELD", "hold": hold, **names}
    started = desk.write(hold)
    assert (started["status_code"], started["state"]) == (201, "created")
    job = desk.ended(started["id"])
    assert (job["state"], job["next_step"], job["failure"]) == ("verified", "confirm_sale", None)
    assert {step["script"] for step in job["steps"]} == {"identify", "write", "verify"}
    assert imsi_on(card) != BLANK
    assert adm_tries(card) == 3
    wait_until(lambda: (desk.reader()["card"] or {}).get("blank") is False)
    assert desk.reader()["stock"]["state"] == "WRITTEN"
    shown = desk.client.get("/metrics").text
    assert 'haoka_write_jobs_total{verdict="verified"} 1.0' in shown
    assert "haoka_station_links 1.0" in shown


def raw(desk: Desk, credential: str | None) -> Any:
    """Open a link by hand."""
    headers = {} if credential is None else {"Authorization": f"Bearer {credential}"}
    return connect(desk.service.replace("http", "ws") + "/v1/station-link", additional_headers=headers, proxy=None)


def hear(link: Any, kind: str) -> dict[str, Any]:
    """Give the next message of this type."""
    while True:
        message: dict[str, Any] = json.loads(link.recv(20))
        if message["type"] == kind:
            return message


def hello(link: Any, **changes: Any) -> None:
    link.send(json.dumps({"type": "hello", "version": "1", "readers": [], "journal": [], **changes}))


def credential_of(desk: Desk) -> str:
    return enrol(desk.service, desk.code(), desk.folder / "other", name="二号台").secret


@pytest.mark.parametrize("credential", [None, "hst_invented", ""])
def test_a_link_without_a_good_credential_is_refused_and_kept(desk: Desk, credential: str | None) -> None:
    with pytest.raises(InvalidStatus) as refused:
        raw(desk, credential)
    assert refused.value.response.status_code == 403
    with desk.engine.connect() as conn:
        assert conn.execute(text("SELECT count(*) FROM security_event WHERE code = 'bad_credentials'")).scalar() == 1


def test_an_enrolment_with_a_wrong_code_is_refused(desk: Desk) -> None:
    with pytest.raises(EnrolmentError, match="410"):
        enrol(desk.service, "AAAA-BBBB-CCCC-DDDD", desk.folder / "other", name="x")


def test_a_station_is_welcomed_by_name_and_pinged(desk: Desk) -> None:
    with raw(desk, credential_of(desk)) as link:
        hello(link)
        assert hear(link, "welcome")["name"] == "二号台"
        assert hear(link, "ping") == {"type": "ping"}


def test_a_revoked_station_is_told_and_cut_off(desk: Desk) -> None:
    credential = credential_of(desk)
    with raw(desk, credential) as link:
        hello(link)
        name = hear(link, "welcome")["station"]
        ended = desk.call(desk.operator.hall_keeper, f"/v1/stations/{name}:revoke", {"reason": "撤柜"})
        assert ended["status_code"] == 200
        assert hear(link, "revoked") == {"type": "revoked"}
    with pytest.raises(InvalidStatus):
        raw(desk, credential)


def test_a_second_link_of_the_same_station_ends_the_first(desk: Desk) -> None:
    credential = credential_of(desk)
    with raw(desk, credential) as first, raw(desk, credential) as second:
        hello(first)
        hear(first, "welcome")
        hello(second)
        hear(second, "welcome")
        with pytest.raises(ConnectionClosed):
            hear(first, "nothing of this kind")
        second.send(json.dumps({"type": "pong"}))


@pytest.mark.parametrize(
    "nonsense",
    [
        "not json",
        "[]",
        '{"no": "type"}',
        '{"type": "unheard of"}',
        '{"type": "readers"}',
        '{"type": "readers", "readers": [{"name": 1}]}',
        '{"type": "step", "job": "x"}',
        '{"type": "report", "job": 5, "reader": "r", "report": {}}',
    ],
)
def test_a_message_without_sense_is_dropped_and_the_link_lives(desk: Desk, nonsense: str) -> None:
    with raw(desk, credential_of(desk)) as link:
        hello(link)
        hear(link, "welcome")
        link.send(nonsense)
        link.send(json.dumps({"type": "report", "job": None, "reader": "r", "report": {"script_id": "s-1"}}))
        assert hear(link, "ack") == {"type": "ack", "script": "s-1"}


def test_a_first_message_that_is_no_hello_ends_the_link(desk: Desk) -> None:
    with raw(desk, credential_of(desk)) as link:
        link.send(json.dumps({"type": "pong"}))
        with pytest.raises(ConnectionClosed):
            link.recv(20)


def test_a_card_put_in_later_is_looked_at_and_one_taken_out_is_gone(desk: Desk) -> None:
    """REQ-HW-01: the desk is live."""
    desk.stock(2)
    desk.start_station()
    desk.source.insert(InSlot(card_of(2)))
    wait_until(lambda: desk.reader()["card"] is not None)
    assert desk.reader()["card"]["iccid"] == "89860026000000000002"
    desk.source.remove()
    wait_until(lambda: desk.reader()["state"] == "no_card")
    assert desk.reader()["card"] is None


def test_a_station_that_lost_its_service_settles_with_the_next_one(desk: Desk) -> None:
    """The script runs on while the link is down; the card is read again and proven when it is back."""
    hold = desk.stock(3)
    card = card_of(3)
    held = threading.Event()
    desk.source.insert(Waiting(card, held))
    desk.start_station()
    wait_until(lambda: desk.reader()["card"] is not None)
    held.set()
    job = desk.write(hold)["id"]
    wait_until(lambda: desk.call(desk.operator.clerk, f"/v1/write-jobs/{job}")["state"] == "writing")
    desk.drop_links()
    held.clear()
    wait_until(lambda: desk.call(desk.operator.clerk, f"/v1/write-jobs/{job}")["state"] == "verified")
    assert imsi_on(card) != BLANK
    assert adm_tries(card) == 3


def test_the_job_api_refuses_with_named_codes_and_speaks_to_the_clerk(desk: Desk) -> None:
    """REQ-HW-06: refusals and next steps are codes and words."""
    hold = desk.stock(4)
    desk.start_station()
    wish = {"hold": hold, "station": desk.name, "reader": "virtual"}
    assert desk.call(desk.operator.clerk, "/v1/write-jobs", wish)["code"] == "hold_key_wrong"
    assert desk.call(desk.operator.clerk, "/v1/write-jobs/j-530700-999")["code"] == "not_found"
    assert desk.call(desk.operator.auditor, "/v1/write-jobs", wish)["code"] == "permission_denied"
    job = desk.ended(desk.write(hold)["id"])
    assert (job["failure"], job["next_step"]) == ("not_inserted", "insert_card")
    assert job["next_step_text"].startswith("请插入")
    english = desk.call(desk.operator.clerk, f"/v1/write-jobs/{job['id']}", **{"Accept-Language": "en"})
    assert english["failure_text"] == "No card in the reader"
    ended = desk.call(desk.operator.clerk, f"/v1/write-jobs/{job['id']}:cancel", {})
    assert (ended["status_code"], ended["code"]) == (409, "illegal_transition")


def test_scripts_are_signed_and_a_station_follows_when_the_key_rotates(desk: Desk) -> None:
    """The station runs nothing unsigned, so that a card is looked at proves the signature."""
    desk.stock(5)
    desk.start_station()
    enrolled = load(desk.folder / "station")
    desk.app.state.runtime.vault._provider.rotate(now=desk.app.state.runtime.clock())
    desk.source.insert(InSlot(card_of(5)))
    wait_until(lambda: desk.reader()["card"] is not None)
    followed = load(desk.folder / "station")
    assert enrolled is not None
    assert followed is not None
    assert enrolled.signer != followed.signer
    assert followed.signer == ScriptSigners(desk.app.state.runtime.vault).current().public.hex()


def test_a_station_whose_key_is_none_of_ours_is_told_so_before_its_first_script(desk: Desk) -> None:
    with raw(desk, credential_of(desk)) as link:
        hello(link, signer="ab" * 32, readers=[{"name": "r", "state": "card", "insertion": 1}])
        assert hear(link, "signer")["endorsement"] is None
        run = hear(link, "run")
        assert len(bytes.fromhex(run["signature"])) == 64
