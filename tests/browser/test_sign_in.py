from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from inventory.access.permissions import Role
from tests.browser.clerk import Language, Screen

pytestmark = pytest.mark.browser

WORDS: dict[Language, tuple[str, str]] = {
    "zh-CN": ("身份验证失败", "营业台"),
    "en": ("Not authenticated", "Hall desk"),
}


@pytest.mark.parametrize("language", WORDS)
def test_wrong_password_says_why_and_the_right_one_opens_the_desk(
    screen: Callable[..., Screen], language: Language
) -> None:
    """REQ-IF-03: interface number, staff id and password together open a session."""
    desk, (refusal, page) = screen(language), WORDS[language]
    desk.sign_in(Role.CLERK, "wrong password")
    expect(desk.page.get_by_role("alert").filter(has_text="bad_credentials")).to_be_visible()
    desk.keep("sign-in-refused")
    desk.shows(refusal)
    desk.sign_in(Role.CLERK)
    desk.page.wait_for_url("**/desk")
    expect(desk.page).to_have_title(f"{page} · {'号卡' if language == 'zh-CN' else 'Haoka'}")


def test_language_is_changed_in_place_and_kept(screen: Callable[..., Screen]) -> None:
    keeper = screen("en", Role.HALL_KEEPER)
    keeper.go("/stock?node=LI-P1")
    keeper.page.get_by_role("link", name="中文").click()
    expect(keeper.page.locator("html")).to_have_attribute("lang", "zh-CN")
    assert keeper.page.url.endswith("/stock?node=LI-P1")
    keeper.go("/moves")
    expect(keeper.page.get_by_role("heading", level=1)).to_have_text("发放回收调拨")


def test_session_that_has_ended_leads_to_the_sign_in_and_back(screen: Callable[..., Screen]) -> None:
    desk = screen("zh-CN", Role.CLERK)
    desk.go("/desk")
    staff_no = desk.stage.people[Role.CLERK].staff_no
    desk.stage.change(
        "UPDATE sign_in_session SET revoked_at = now()"
        " WHERE staff_id = (SELECT id FROM staff WHERE staff_no = :staff_no)",
        staff_no=staff_no,
    )
    desk.page.wait_for_url("**/sign-in?next=%2Fdesk")
