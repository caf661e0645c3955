"""A customer at the self-service machine of `haoka demo --kiosk`."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from inventory.cli.demo.memory import Memory
from tests.e2e.demos import Demo, until
from tests.patience import PATIENCE

pytestmark = [pytest.mark.e2e, pytest.mark.database, pytest.mark.card]


def opened(demo: Demo) -> httpx2.Client:
    """Sign in as the keeper and make this browser the machine's screen."""
    address = re.findall(r"console / 控制台 +(\S+)", demo.said)[-1]
    keeper = Memory.open(demo.data / "demo.json").logins["keeper"]
    browser = httpx2.Client(
        base_url=address, headers={"Accept-Language": "en"}, follow_redirects=True, timeout=PATIENCE, trust_env=False
    )
    login = {"interface_no": keeper.interface_no, "staff_no": keeper.staff_no, "password": keeper.password}
    browser.post("/sign-in", data=login).raise_for_status()
    until(lambda: 'name="reader"' in browser.get("/kiosks").text)
    machine = re.findall(r'name="reader" value="([^"]+)"', browser.get("/kiosks").text)[0]
    browser.post("/kiosks/open", data={"reader": machine, "card_kind": "4G-PRESET"}).raise_for_status()
    return browser


def shown(browser: httpx2.Client, words: str) -> str:
    """Wait until the screen says so; give the page."""
    pages: list[str] = []

    def says() -> bool:
        pages.append(browser.get("/kiosk").text)
        return words in pages[-1]

    until(says)
    return pages[-1]


def test_customer_buys_a_line_at_the_demos_machine_whose_first_card_is_spoiled(demo: Demo) -> None:
    """REQ-HW-11."""
    with demo.staying("--kiosk"):
        until(lambda: "Make this screen the machine's" in demo.said)  # its last words come one after the other
        with closing(opened(demo)) as browser:
            number = re.findall(r'name="number" value="(\d+)"', shown(browser, 'name="number"'))[0]
            terms = browser.post("/kiosk/number", data={"number": number}).text
            (hold,) = re.findall(r'action="/kiosk/([^/"]+)/accept"', terms)
            version = re.findall(r'name="version" value="(\d+)"', terms)[0]
            browser.post(f"/kiosk/{hold}/accept", data={"version": version}).raise_for_status()
            assert number in shown(browser, "Take your card.")
            assert number in shown(browser, "Your line is ready to be used.")
            assert in_bin(demo, browser) == [1]
    log = (demo.data / "log" / "payments.log").read_text()
    assert (f"checked {hold}" in log, demo.processes()) == (True, [])
    for path in sorted((demo.data / "log").glob("*.log")):
        assert not secrets_in(path, demo), path.name


def in_bin(demo: Demo, browser: httpx2.Client) -> list[int]:
    """Give how many cards lie in the bin of each dispenser, as the API tells the keeper."""
    keeper = Memory.open(demo.data / "demo.json").logins["keeper"]
    calls = {
        "Haoka-Interface": keeper.interface_no, "Haoka-Staff": keeper.staff_no, "Authorization": f"Bearer {keeper.key}",
    }  # fmt: skip
    answer = httpx2.get(
        f"{str(browser.base_url).rstrip('/')}/v1/stations", headers=calls, timeout=PATIENCE, trust_env=False
    )
    readers = [reader for station in answer.json()["stations"] for reader in station["readers"]]
    return [reader["dispenser"]["in_bin"] for reader in readers if reader["dispenser"] is not None]


def secrets_in(path: Path, demo: Demo) -> list[str]:
    """Give the names of the people whose key or password stands in a log."""
    said = path.read_text(errors="replace")
    logins = Memory.open(demo.data / "demo.json").logins
    return [name for name, login in logins.items() if login.password in said or (login.key or "?" * 9) in said]
