"""The acceptance system beside the demo's self-service machine: it finds each customer checked and paid after a while.

`python -m inventory.cli.demo.payments` asks the service that the environment names (`HAOKA_SERVICE_URL` and who calls)
again and again for sales whose customer has accepted the terms.
"""

from __future__ import annotations

import os
import secrets
import time
from datetime import UTC, datetime

import httpx2

from inventory.cli.demo.acceptance import client

_TAKES_SECONDS = 5.0
"""For card reader and payment."""
_LOOK_SECONDS = 1.0


def check_customers(http: httpx2.Client, waiting: dict[str, float], moment: float) -> list[str]:
    """Look at a monotonic moment for customers to be checked; return the holds of those who are now.

    `waiting` keeps since when each waits.
    """
    sales = http.get("/v1/kiosk-sales").raise_for_status().json()["sales"]
    ready = [sale["hold"] for sale in sales if sale["state"] == "waiting" and sale["accepted"] and not sale["checked"]]
    for hold in waiting.keys() - set(ready):
        del waiting[hold]
    due = [hold for hold in ready if moment - waiting.setdefault(hold, moment) >= _TAKES_SECONDS]
    for hold in due:
        seen = {"checked_at": datetime.now(UTC).isoformat(), "channel": "id_reader", "result": "passed"}
        key = {"Idempotency-Key": secrets.token_hex(16)}
        http.post(f"/v1/kiosk-sales/{hold}:check", json=seen, headers=key)  # refused: its customer has just left
    return due


def main() -> None:
    """Check customers until the process is ended."""
    named = {"address": "SERVICE_URL", "interface_no": "INTERFACE", "staff_no": "STAFF", "key": "SECRET"}
    with client(**{name: os.environ[f"HAOKA_{variable}"] for name, variable in named.items()}) as http:
        waiting = dict[str, float]()
        while True:
            try:
                for hold in check_customers(http, waiting, time.monotonic()):
                    print(f"checked {hold}", flush=True)  # noqa: T201 - its log
            except httpx2.HTTPError as error:
                print(f"not now: {type(error).__name__}", flush=True)  # noqa: T201
            time.sleep(_LOOK_SECONDS)


if __name__ == "__main__":
    main()
