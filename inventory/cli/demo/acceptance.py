"""An acceptance system: a process of its own that sells one line through `/v1` and prints each call.

`python -m inventory.cli.demo.acceptance --result FILE` reads address, interface number, staff id and key as one JSON
object from standard input; a key never stands on a command line.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import httpx2

HOLD_KEY = "Haoka-Hold-Key"
_WAIT_SECONDS = 60.0
_LOOK_SECONDS = 0.3
_SHOWN = 150
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
    ) -> Any:
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
            self.out.write(f"      {method} {path}" + (f"  {_short(body)}\n" if body else "\n"))
            self.out.write(f"        {answer.status_code}  {_short(answer.json())}\n")
        if answer.status_code >= httpx2.codes.BAD_REQUEST:
            problem = answer.json()
            raise SaleFailed(f"{method} {path}: {problem['code']}: {problem['detail']}")
        return answer

    def get(self, path: str, *, quiet: bool = False) -> Any:
        """Read a JSON document."""
        return self.call("GET", path, quiet=quiet).json()


def _short(document: Any) -> str:
    text = json.dumps(document, ensure_ascii=False, separators=(", ", ": "))
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def sell(api: Api) -> dict[str, str]:
    """Sell one line: a free number and the blank in the reader, from search to confirm.

    Raises
    ------
    SaleFailed
        Any step was refused, or the card did not end verified.
    """
    station, reader = _blank_in_reader(api)
    iccid = reader["card"]["iccid"]
    found = api.get("/v1/numbers:search?letters=AABB&limit=5")["numbers"] or api.get("/v1/numbers:search")["numbers"]
    number = next((row["number"] for row in found if row["data_available"]), None)
    if number is None:
        raise SaleFailed("no free number with card data left")
    wish = {"number": number, "iccid": iccid, "business": "activation", "order_ref": f"ORDER-{secrets.token_hex(4)}"}
    held = api.call("POST", "/v1/holds", {**wish, "minutes": 30})
    hold, key = held.json(), held.headers[HOLD_KEY]
    api.out.write(f"        held until {hold['expires_at']}, to pay now {hold['quote']['due_now'] / 100:.2f} CNY\n")
    job = api.call(
        "POST", "/v1/write-jobs", {"hold": hold["hold"], "station": station["id"], "reader": reader["name"]},
        hold_key=key,
    ).json()  # fmt: skip
    verdict = _follow(api, job["id"])
    if verdict["state"] != "verified":
        raise SaleFailed(f"the card ended {verdict['state']}: {verdict['failure']} {verdict['detail']}")
    api.out.write(f"        verified: every file read back, AUTHENTICATE proven ({len(verdict['steps'])} steps)\n")
    accepted = {
        "quote_accepted": hold["quote"]["rule_set_version"],
        "real_name": {"checked_at": datetime.now(UTC).isoformat(), "channel": "id_reader", "result": "passed"},
    }
    api.call("POST", f"/v1/holds/{hold['hold']}:confirm", accepted, hold_key=key)
    return {"number": number, "iccid": iccid, "hold": hold["hold"], "job": job["id"]}


def _blank_in_reader(api: Api) -> tuple[Any, Any]:
    """Return station and reader with an identified blank that is free to sell."""
    until = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < until:
        for station in api.get("/v1/stations", quiet=True)["stations"]:
            for reader in station["readers"]:
                card, stock = reader["card"], reader["stock"]
                free = stock is not None and stock["state"] == "AVAILABLE"
                if station["online"] and free and card is not None and card["blank"] and not reader["looking"]:
                    api.get("/v1/stations")
                    return station, reader
        time.sleep(_LOOK_SECONDS)
    raise SaleFailed("no station with an identified blank card in its reader")


def _follow(api: Api, job: str) -> Any:
    """Return the job when it has ended, printing each of its states once."""
    until, last = time.monotonic() + _WAIT_SECONDS, ""
    while time.monotonic() < until:
        now = api.get(f"/v1/write-jobs/{job}", quiet=True)
        if now["state"] != last:
            last = now["state"]
            api.out.write(f"      GET /v1/write-jobs/{job}  {last} {now['steps_done']}/{now['steps_total'] or '?'}\n")
        if last in _ENDED:
            return now
        time.sleep(_LOOK_SECONDS)
    raise SaleFailed(f"job {job} is still {last} after {_WAIT_SECONDS:.0f} s")


def main() -> int:
    """Sell one line; 0 when it is confirmed."""
    parser = argparse.ArgumentParser(description="Sell one line through /v1, as an acceptance system does.")
    parser.add_argument("--result", type=Path, required=True, help="JSON of what was sold is written here")
    options = parser.parse_args()
    given = json.load(sys.stdin)
    headers = {
        "Haoka-Interface": given["interface_no"],
        "Haoka-Staff": given["staff_no"],
        "Authorization": f"Bearer {given['key']}",
        "Accept-Language": "en",
    }
    with httpx2.Client(base_url=given["address"], headers=headers, timeout=30, trust_env=False) as http:
        try:
            sold = sell(Api(http, sys.stdout))
        except (SaleFailed, httpx2.HTTPError) as failure:
            sys.stderr.write(f"acceptance system: {failure}\n")
            return 1
    options.result.write_text(json.dumps(sold))
    return 0


if __name__ == "__main__":
    sys.exit(main())
