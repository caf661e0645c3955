"""An acceptance system: a process of its own that sells one line through `/v1` and prints each call.

`python -m inventory.cli.demo.acceptance --result FILE` reads address, interface number, staff id and key as one JSON
object from standard input; a key never stands on a command line.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import textwrap
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

import httpx2

HOLD_KEY = "Haoka-Hold-Key"
_SEARCH = "/v1/numbers:search?limit=5"
_PLAIN = 9
"""The class of numbers that no rule makes more of."""
_WAIT_SECONDS = 120.0
"""For an answer, a card or a job: a machine with other work on it may need more than one expects."""
_LOOK_SECONDS = 0.3
_WIDTH, _LINES = 88, 2
"""Of a document that is shown, so that it stands well in 100 columns."""
_ENDED = frozenset({"verified", "nothing_written", "damaged", "unknown", "cancelled"})


class SaleFailed(Exception):
    """A call was refused, or something did not happen in time; the message says which."""


@dataclass
class Api:
    """Calls the service and prints each call with its answer, without keys."""

    http: httpx2.Client
    out: TextIO

    def call(
        self, method: str, path: str, body: Any = None, *, hold_key: str | None = None, quiet: bool = False
    ) -> httpx2.Response:
        """Send one request and return the answer.

        Raises
        ------
        SaleFailed
            The service refused it.
        """
        headers = {HOLD_KEY: hold_key} if hold_key else {}
        if method != "GET":
            headers["Idempotency-Key"] = secrets.token_hex(16)
        answer = self.http.request(method, path, json=body, headers=headers)
        if not quiet:
            self.out.write(f"   {method} {path}\n")
            self._show("→", body)
            self._show(f"← {answer.status_code}", answer.json())
        if answer.status_code >= httpx2.codes.BAD_REQUEST:
            problem = answer.json()
            raise SaleFailed(f"{method} {path}: {problem['code']}: {problem['detail']}")
        return answer

    def get(self, path: str, *, quiet: bool = False) -> Any:
        """Read a JSON document."""
        return self.call("GET", path, quiet=quiet).json()

    def say(self, text: str) -> None:
        """Print a remark below a call."""
        self.out.write(f"     {text}\n")

    def _show(self, mark: str, document: Any) -> None:
        """Print as much of a document as fits two lines."""
        if document is None:
            return
        text = json.dumps(document, ensure_ascii=False)
        lines = textwrap.wrap(text, _WIDTH, max_lines=_LINES, placeholder=" …", break_on_hyphens=False)
        self.say(f"{mark} " + f"\n     {' ' * len(mark)} ".join(lines))


@dataclass(frozen=True)
class Begun:
    """A sale whose card is being written: the hold and its key, number and card, the job, and a plain free number."""

    hold: dict[str, Any]
    key: str = field(repr=False)
    number: str
    iccid: str
    job: str
    spare_number: str


def sell(api: Api) -> dict[str, str]:
    """Sell one line: a free number and the blank in the reader, from search to confirm.

    Raises
    ------
    SaleFailed
        Any step was refused, or the card did not end verified.
    """
    begun = begin(api)
    verdict = follow(api, begun.job)
    if verdict["state"] != "verified":
        raise SaleFailed(f"the card ended {verdict['state']}: {verdict['failure']} {verdict['detail']}")
    api.say(f"verified: every file read back, AUTHENTICATE proven ({len(verdict['steps'])} steps)")
    confirm(api, begun)
    return {
        "number": begun.number,
        "iccid": begun.iccid,
        "hold": begun.hold["hold"],
        "job": begun.job,
        "spare_number": begun.spare_number,
    }


def begin(api: Api) -> Begun:
    """Hold a free number with the blank in the reader, lease its data and start to write.

    Raises
    ------
    SaleFailed
        A step was refused, or there is no number, blank or data.
    """
    station, reader = blank_in_reader(api)
    iccid = reader["card"]["iccid"]
    free = _free_numbers(api, f"{_SEARCH}&letters=AABB")
    if not free:
        free = _free_numbers(api, _SEARCH)
    spare = [number for number in _free_numbers(api, f"{_SEARCH}&classes={_PLAIN}") if number not in free]
    if not free or not spare:
        raise SaleFailed("no free number with card data left")
    wish = {"number": free[0], "iccid": iccid, "business": "activation", "order_ref": f"ORDER-{secrets.token_hex(4)}"}
    held = api.call("POST", "/v1/holds", {**wish, "minutes": 30})
    hold, key = held.json(), held.headers[HOLD_KEY]
    api.say(f"held until {hold['expires_at']}, to pay now {hold['quote']['due_now'] / 100:.2f} CNY")
    place = {"hold": hold["hold"], "station": station["id"], "reader": reader["name"]}
    job = api.call("POST", "/v1/write-jobs", place, hold_key=key).json()
    return Begun(hold=hold, key=key, number=free[0], iccid=iccid, job=job["id"], spare_number=spare[-1])


def _free_numbers(api: Api, search: str) -> list[str]:
    return [row["number"] for row in api.get(search)["numbers"] if row["data_available"]]


def blank_in_reader(api: Api) -> tuple[Any, Any]:
    """Return station and reader with an identified blank that is free to sell, as soon as there is one.

    Raises
    ------
    SaleFailed
        There is none after `_WAIT_SECONDS`.
    """
    until = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < until:
        for station in api.get("/v1/stations", quiet=True)["stations"]:
            for reader in station["readers"]:
                card, stock = reader["card"], reader["stock"]
                free = stock is not None and stock["state"] == "AVAILABLE"
                if station["online"] and free and card is not None and card["blank"] and not reader["looking"]:
                    api.get("/v1/stations")  # shown once, now that it has what a sale needs
                    return station, reader
        time.sleep(_LOOK_SECONDS)
    raise SaleFailed("no station with an identified blank card in its reader")


def follow(api: Api, job: str) -> Any:
    """Return the job when it has ended, printing each of its states once.

    Raises
    ------
    SaleFailed
        It has not ended after `_WAIT_SECONDS`.
    """
    until, last = time.monotonic() + _WAIT_SECONDS, ""
    while time.monotonic() < until:
        now = api.get(f"/v1/write-jobs/{job}", quiet=True)
        if now["state"] != last:
            last = now["state"]
            api.out.write(f"   GET /v1/write-jobs/{job}\n")
            api.say(f"← 200 {last}, steps {now['steps_done']}/{now['steps_total'] or '?'}")
        if last in _ENDED:
            return now
        time.sleep(_LOOK_SECONDS)
    raise SaleFailed(f"job {job} is still {last} after {_WAIT_SECONDS:.0f} s")


def confirm(api: Api, begun: Begun) -> None:
    """Confirm the hold of a written card: the line is sold.

    Raises
    ------
    SaleFailed
        The service refused.
    """
    accepted = {
        "quote_accepted": begun.hold["quote"]["rule_set_version"],
        "real_name": {"checked_at": datetime.now(UTC).isoformat(), "channel": "id_reader", "result": "passed"},
    }
    api.call("POST", f"/v1/holds/{begun.hold['hold']}:confirm", accepted, hold_key=begun.key)


def client(*, address: str, interface_no: str, staff_no: str, key: str) -> httpx2.Client:
    """Return a client that calls as this interface and staff id."""
    headers = {
        "Haoka-Interface": interface_no,
        "Haoka-Staff": staff_no,
        "Authorization": f"Bearer {key}",
        "Accept-Language": "en",
    }
    return httpx2.Client(base_url=address, headers=headers, timeout=_WAIT_SECONDS, trust_env=False)


def main() -> int:
    """Sell one line; 0 when it is confirmed."""
    parser = argparse.ArgumentParser(description="Sell one line through /v1, as an acceptance system does.")
    parser.add_argument("--result", type=Path, required=True, help="JSON of what was sold is written here")
    options = parser.parse_args()
    given = json.load(sys.stdin)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # each call shows when it is made, in a log too
    with client(**given) as http:
        try:
            sold = sell(Api(http, sys.stdout))
        except (SaleFailed, httpx2.HTTPError) as failure:
            sys.stderr.write(f"acceptance system: {failure}\n")
            return 1
    options.result.write_text(json.dumps(sold))
    return 0


if __name__ == "__main__":
    sys.exit(main())
