"""A running product and Chromium, shared by all browser tests; each test works with numbers and cards of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from pydantic import SecretStr

from inventory.access.permissions import Role
from inventory.settings import Settings
from tests.browser.clerk import PATIENCE_MS, Language, Screen, opened
from tests.browser.stage import MORE_CARDS, Stage, leave_words, running_stage
from tests.builders import found_operator
from tests.conftest import ROOT, Databases
from tests.operator.card_system import KEY, CardSystem
from tests.web.stock import CARDS, VENDOR

_CHROMIUM = "/usr/bin/chromium"
_QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_in_the_drawer = itertools.chain(range(1, 31), range(CARDS + 1, CARDS + MORE_CARDS // 2 + 1))
_in_the_hall = itertools.chain(range(31, 41), range(CARDS + MORE_CARDS // 2 + 1, CARDS + MORE_CARDS + 1))
"""Serials of cards that no test has taken yet, where `tests.web.stock.fill` put them; no more than there are."""


@pytest.fixture(scope="session")
def stage(
    databases: Databases, _migrated: str, tmp_path_factory: pytest.TempPathFactory, output_dir: Path
) -> Iterator[Stage]:
    """Give the running product with a stocked hall, and an operator's card-data system behind it."""
    url, folder = databases.create("browser", template=_migrated), tmp_path_factory.mktemp("browser")
    key = folder / "operator.key"
    key.write_bytes(KEY.reveal())
    with pytest.MonkeyPatch.context() as patch, CardSystem() as system:
        settings = Settings(
            database_url=SecretStr(url),
            data_dir=folder,
            database_pool=4,
            port=0,
            operator_url=system.url,
            operator_key_file=key,
        )
        patch.setenv("PYTHONPATH", str(ROOT))
        with running_stage(settings, found_operator(url)) as running:
            yield running
            leave_words(running, output_dir)
    databases.drop("browser")


@pytest.fixture(scope="package")
def chromium(stage: Stage) -> Iterator[Browser]:
    """Give Debian's Chromium, which talks to nobody but the service.

    Playwright keeps an event loop running in this thread while it is open, so it closes before other tests.
    """
    del stage  # it is made before that loop runs
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_QUIET)
        yield browser
        browser.close()


@pytest.fixture
def screen(chromium: Browser, stage: Stage, output_dir: Path) -> Iterator[Callable[..., Screen]]:
    """Give a function that opens a browser window in a language, signed in as a role if one is named."""
    contexts = []

    def open_screen(language: Language, role: Role | None = None, *, axe: bool = False) -> Screen:
        made = opened(chromium, stage, output_dir, language, role, axe=axe)
        contexts.append(made.page.context)
        return made

    yield open_screen
    for context in contexts:
        context.close()


@pytest.fixture
def card() -> int:
    """Give the serial of a blank card in the clerk's drawer that no other test uses."""
    return next(_in_the_drawer)


@pytest.fixture
def another_card() -> int:
    """Give the serial of a second blank card."""
    return next(_in_the_drawer)


@pytest.fixture
def drawer_cards() -> Iterator[str]:
    """Give ICCIDs of cards in the clerk's drawer that no other test uses, as many as are asked for."""
    return (VENDOR.card(serial).iccid for serial in _in_the_drawer)


@pytest.fixture
def hall_cards() -> Iterator[str]:
    """Give ICCIDs of cards with the hall that no other test uses, as many as are asked for."""
    return (VENDOR.card(serial).iccid for serial in _in_the_hall)


@pytest.fixture
def hall_serials() -> Iterator[int]:
    """Give serials of cards with the hall that no other test uses, as many as are asked for."""
    return iter(_in_the_hall)
