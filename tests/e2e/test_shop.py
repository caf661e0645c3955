from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from cardwriter.station.enrol import FILE_NAME
from inventory.cli.demo import closing
from tests.conftest import ROOT
from tests.e2e.shop import Shop

pytestmark = [pytest.mark.e2e, pytest.mark.database, pytest.mark.card]


def test_two_callers_who_hold_a_number_at_once_get_it_once_and_a_refusal_by_name(shop: Shop) -> None:
    numbers = [row["number"] for row in shop.api("keeper").get("/v1/numbers:search?limit=8")["numbers"]]
    together = Barrier(2)

    def hold(who: str, number: str) -> Any:
        together.wait()
        headers = {"Idempotency-Key": f"{who} {number}"}
        body = {"number": number, "business": "activation", "minutes": 5}
        return shop.api(who).http.post("/v1/holds", json=body, headers=headers)

    with ThreadPoolExecutor(2) as callers:
        for number in numbers:
            answers = list(callers.map(hold, ("acceptance", "keeper"), (number, number)))
            refused = [answer.json()["code"] for answer in answers if answer.status_code != 201]
            assert refused == ["number_not_free"], [answer.text for answer in answers]


def test_a_station_from_before_scripts_were_signed_is_enrolled_anew(shop: Shop) -> None:
    """The demo goes on with a data folder of an older version."""
    kept = shop.settings.data_dir / "station" / FILE_NAME
    shop.kill("station")
    before = json.loads(kept.read_text())
    kept.write_text(json.dumps({name: value for name, value in before.items() if name != "signer"}))
    shop.start_station()
    shop.insert()  # returns when the service sees the card
    assert json.loads(kept.read_text())["signer"] == before["signer"]


def test_every_command_that_the_demo_prints_works(shop: Shop) -> None:
    """REQ-FEE-02: a fee is changed with both values, operator and reason; recall and status release by command."""
    data = shop.settings.data_dir
    folder = closing.write_logins(shop.memory, data / "logins", shop.address)
    lines = closing.commands(shop.memory, folder, shop.settings, json.loads((data / "sold.json").read_text()))
    shop.memory.cards += 10  # the commands took some of them
    program = f"'{sys.executable}' -P -m inventory.cli"
    script = "\n".join(["set -eu", f'haoka() {{ {program} "$@"; }}', *lines]).replace("./haoka", "haoka")
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", "COLUMNS": "160"}
    done = subprocess.run(["/bin/sh", "-c", script], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "agreed with the district" in done.stdout
    assert "haoka audit: ok" in done.stdout
