"""A person at a screen: signs in, presses keys, reads what is shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, expect

from cardwriter.virtual.faults import Fault
from inventory.access.permissions import Role
from tests.browser.stage import Stage
from tests.patience import PATIENCE
from tests.web.stock import VENDOR

Language = Literal["zh-CN", "en"]
PATIENCE_MS = PATIENCE * 1000
LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")


@dataclass(frozen=True)
class Screen:
    """A browser window on the product."""

    page: Page
    stage: Stage
    output: Path
    language: Language

    def go(self, path: str) -> None:
        """Open a page."""
        self.page.goto(f"{self.stage.address}{path}")

    def sign_in(self, role: Role, password: str | None = None) -> None:
        """Sign in with the keyboard; the first field has the focus."""
        person = self.stage.people[role]
        self.go("/sign-in")
        for value in (person.interface_no, person.staff_no, password or person.password):
            self.page.keyboard.type(value)
            self.page.keyboard.press("Tab")
        self.page.keyboard.press("Enter")

    def insert(self, serial: int, *, faults: tuple[Fault, ...] = (), stranger: bool = False) -> Path:
        """Put a blank of the vendor into the reader and wait until the desk shows this one."""
        path = self.stage.insert(serial, faults=faults, stranger=stranger)
        expect(self.page.locator("#reader-card")).to_have_value(VENDOR.card(serial).iccid)
        return path

    def keep(self, name: str) -> None:
        """Keep a picture of the page."""
        self.page.screenshot(path=self.output / f"{name}-{self.language}.png", full_page=True)

    def look_again(self, part: str, news: str) -> None:
        """Let a part of the page fetch itself at this news, and wait until it has."""
        with self.page.expect_response(lambda answer: answer.request.method == "GET" and part in answer.url):
            self.page.evaluate("news => htmx.trigger(document.body, news)", news)
        self.page.evaluate("new Promise(done => setTimeout(done, 50))")

    def shows(self, words: str, part: str = "main") -> None:
        """Wait until a part of the page shows the words."""
        expect(self.page.locator(part)).to_contain_text(words)


def opened(
    chromium: Browser, stage: Stage, output: Path, language: Language, role: Role | None = None, *, axe: bool = False
) -> Screen:
    """Open a window in the language; `axe` lets a script be injected that the content policy would refuse."""
    context = chromium.new_context(
        locale=language, viewport={"width": 1400, "height": 900}, reduced_motion="reduce", bypass_csp=axe
    )
    context.set_default_timeout(PATIENCE_MS)
    screen = Screen(context.new_page(), stage, output, language)
    if role is not None:
        screen.sign_in(role)
        screen.page.wait_for_url(lambda url: "/sign-in" not in url)
    return screen
