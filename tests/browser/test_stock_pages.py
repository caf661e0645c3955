"""Stock on pages: counts, recall, status release, the fee of one number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from inventory.access.permissions import Role
from tests.browser.clerk import Screen
from tests.browser.stage import paused_worker
from tests.builders import PASSWORD
from tests.web.stock import SECOND

pytestmark = pytest.mark.browser

HALL_NUMBER = "13888880511"


def counts_on(keeper: Screen, kind: str) -> Counter[str]:
    """Give the sum of each column of a stock table, by its head."""
    table = keeper.page.locator(f"#table-{kind}")
    heads = table.locator("thead th").all_inner_texts()[1:-1]
    rows = [row.locator("td").all_inner_texts() for row in table.locator("tbody tr").all()]
    found: Counter[str] = Counter()
    for row in rows:
        for head, cell in zip(heads, row, strict=False):
            found[head] += int(cell.replace(",", "") or 0)
    return found


def test_stock_overview_shows_what_the_api_counts(screen: Callable[..., Screen]) -> None:
    """REQ-NUM-10: counts per state; the page, its chart and the API agree."""
    keeper = screen("en", Role.CITY_ADMIN)
    keeper.go("/stock")
    expect(keeper.page.locator("svg").first).to_be_visible()
    names = {"UNUSED": "Unused", "AVAILABLE": "Available", "IN_USE": "In use"}
    for kind in ("number", "sim"):
        told = keeper.stage.api(keeper.stage.operator.city_admin, "/v1/stock", resource=kind)["counts"]
        wanted: Counter[str] = Counter()
        for row in told:
            if row["place"] == "530700":
                wanted[names.get(row["state"], row["state"])] += row["count"]
        shown = counts_on(keeper, kind)
        assert {name: shown[name] for name in names.values()} == {name: wanted[name] for name in names.values()}
    keeper.keep("stock")
    keeper.page.get_by_role("link", name="Gucheng district").first.click()
    keeper.page.get_by_role("link", name="Gucheng hall").first.click()
    expect(keeper.page.locator("[aria-current=page]").last).to_have_text("Gucheng hall")
    keeper.keep("stock-hall")


def test_unused_cards_are_recalled_one_level_up_by_list_and_by_page(
    screen: Callable[..., Screen], drawer_cards: Iterator[str], hall_cards: Iterator[str]
) -> None:
    """REQ-SIM-09: back to the direct parent, with a document."""
    keeper, first, second = screen("zh-CN", Role.HALL_KEEPER), next(drawer_cards), next(drawer_cards)
    keeper.go("/moves/recall")
    keeper.page.locator("#recall-resource").select_option("sim")
    keeper.page.locator("#recall-place").select_option("LI-C1")
    keeper.page.locator("#recall-items").fill(f"{first}\n{next(hall_cards)}")
    keeper.page.locator("#recall-person").fill("和某")
    keeper.page.get_by_role("button", name="回收").click()
    expect(keeper.page.get_by_role("alert").filter(has_text="movement_refused")).to_be_visible()
    keeper.keep("recall-refused")
    keeper.page.locator("#recall-items").fill(first)
    keeper.page.get_by_role("button", name="回收").click()
    expect(keeper.page.get_by_role("status").filter(has_text="m-530700-")).to_be_visible()
    keeper.keep("recall-done")
    keeper.go(f"/items?q={second}")
    keeper.page.locator("#returner").fill("和某")
    keeper.page.get_by_role("button", name="回收").click()
    keeper.shows("LI-P1", "dl.facts")
    keeper.keep("card-recalled")


def test_cards_on_their_way_are_signed_for_in_part_and_the_rest_is_sent_back(
    screen: Callable[..., Screen], drawer_cards: Iterator[str]
) -> None:
    """REQ-SIM-09: what is handed back counts once the receiver has signed."""
    keeper, cards = screen("en", Role.HALL_KEEPER), list(islice(drawer_cards, 2))
    keeper.go("/moves/recall")
    keeper.page.locator("#recall-resource").select_option("sim")
    keeper.page.locator("#recall-place").select_option("LI-C1")
    keeper.page.locator("#recall-items").fill("\n".join(cards))
    keeper.page.locator("#recall-person").fill("He")
    keeper.page.locator("#recall-way").check()
    keeper.page.get_by_role("button", name="Recall").click()
    expect(keeper.page.get_by_role("status").filter(has_text="m-530700-")).to_be_visible()
    keeper.page.get_by_role("link", name="Deliveries").click()
    keeper.shows("2 of 2 items are on their way", "main")
    keeper.keep("deliveries")
    answer(keeper, cards[0], "Sign for it")
    keeper.shows("1 of 2 items are on their way", "main")
    answer(keeper, "", "Send back")
    expect(keeper.page.get_by_role("alert").filter(has_text="reason_missing")).to_be_visible()
    keeper.page.get_by_label("Reason").fill("bent")
    answer(keeper, "", "Send back")
    keeper.shows("sent back", "main")
    keeper.go(f"/items/sim/{cards[0]}")
    keeper.shows("signed for", ".timeline")
    keeper.page.locator(".timeline a").first.click()
    keeper.shows("It answers", "main")
    keeper.page.locator("section.panel p a.mono").click()
    keeper.shows("sent back", "main")
    expect(keeper.page.locator("[aria-labelledby=lines-title] tbody tr")).to_have_count(2)
    keeper.keep("document")


def test_cards_are_transferred_to_the_next_hall(screen: Callable[..., Screen], hall_cards: Iterator[str]) -> None:
    keeper, card = screen("zh-CN", Role.HALL_KEEPER), next(hall_cards)
    keeper.go("/moves/transfer")
    keeper.page.locator("#transfer-resource").select_option("sim")
    keeper.page.locator("#transfer-giver").select_option("LI-P1")
    keeper.page.locator("#transfer-place").select_option("LI-P2")
    keeper.page.locator("#transfer-items").fill(card)
    keeper.page.locator("#transfer-person").fill("木某")
    keeper.page.get_by_role("button", name="调拨").click()
    expect(keeper.page.get_by_role("status").filter(has_text="m-530700-")).to_be_visible()
    keeper.keep("transferred")
    assert keeper.stage.one("SELECT kind FROM movement ORDER BY movement_id DESC LIMIT 1") == "TRANSFER"


def answer(keeper: Screen, items: str, button: str) -> None:
    """Answer the one delivery on the page."""
    keeper.page.get_by_label("Items that this is about").fill(items)
    keeper.page.get_by_label("Signed by").fill("Li")
    keeper.page.get_by_role("button", name=button).click()
    keeper.page.wait_for_load_state()


def test_sold_number_cannot_be_recalled(screen: Callable[..., Screen]) -> None:
    """REQ-NUM-07: only what is unused moves up."""
    keeper = screen("en", Role.HALL_KEEPER)
    number = "13888880444"
    keeper.stage.change("UPDATE number SET state = 'IN_USE' WHERE number = :number", number=number)
    keeper.go(f"/items/number/{number}")
    expect(keeper.page.locator("#recall-title")).to_have_count(0)
    keeper.stage.change("UPDATE number SET state = 'UNUSED' WHERE number = :number", number=number)


def test_card_is_set_damaged_by_the_hall_and_available_again_by_the_city_and_a_second_person(
    screen: Callable[..., Screen], hall_cards: Iterator[str]
) -> None:
    """REQ-SIM-11: the state is set by hand, with a reason kept."""
    keeper, iccid = screen("en", Role.HALL_KEEPER), next(hall_cards)
    keeper.go(f"/items/sim/{iccid}")
    keeper.page.locator("#release-reason").fill("contacts scratched")
    keeper.page.get_by_role("button", name="Set the state").click()
    expect(keeper.page.locator("h1 .state")).to_have_text("Damaged")
    keeper.shows("contacts scratched", ".timeline")
    set_free(keeper)
    expect(keeper.page.get_by_role("alert").filter(has_text="permission_denied")).to_be_visible()
    city = screen("en", Role.CITY_ADMIN)
    city.go(f"/items/sim/{iccid}")
    set_free(city)
    city.shows("cleaned and tested", "dl.facts")
    city.keep("approval-waiting")
    keeper.go("/approvals")
    expect(keeper.page.locator("[data-focus]").first).to_be_focused()
    keeper.page.keyboard.press("Enter")
    expect(keeper.page.get_by_role("button", name="Grant")).to_be_focused()
    keeper.keep("approval-to-answer")
    keeper.page.keyboard.press("Enter")
    expect(city.page.get_by_role("button", name="Set a state by hand")).to_be_focused()
    city.page.keyboard.press("Enter")
    expect(city.page.get_by_role("link", name="See what it brought about")).to_be_focused()
    city.page.keyboard.press("Enter")
    expect(city.page.locator("h1 .state")).to_have_text("Available")
    city.keep("card-released")


def set_free(person: Screen) -> None:
    """Set the damaged card on the page available again."""
    person.page.locator("#release-reason").fill("cleaned and tested")
    person.page.get_by_role("button", name="Set the state").click()


def test_number_is_withdrawn_disabled_and_set_free_at_the_city(screen: Callable[..., Screen]) -> None:
    """REQ-NUM-10: the states that a person may set, each with its reason."""
    city, number = screen("zh-CN", Role.CITY_ADMIN), "13888889999"
    city.go(f"/items/number/{number}")
    for state, shown, two in (
        ("RECYCLED", "回收", False),
        ("DISABLED", "禁用", False),
        ("RECYCLED", "回收", True),
        ("UNUSED", "未用", False),
    ):
        city.page.locator("#to").select_option(state)
        city.page.locator("#release-reason").fill(f"设为{shown}")
        city.page.get_by_role("button", name="设置状态").click()
        if two:
            sign_here(city, SECOND)
        city.shows(f"设为{shown}", ".timeline")
        expect(city.page.locator("h1 .state")).to_contain_text(shown)
    city.keep("number-released")


def sign_here(first: Screen, second: str) -> None:
    """Let the second person give its word at the first one's screen, and do what was granted."""
    expect(first.page.locator("#staff_no")).to_be_focused()
    first.page.keyboard.type(second)
    first.page.keyboard.press("Tab")
    first.page.keyboard.type(PASSWORD)
    first.keep("approval-signed-here")
    first.page.keyboard.press("Enter")
    first.page.get_by_role("button", name="Alt D").press("Enter")
    first.page.locator(".notice.good a").press("Enter")


def test_fee_of_one_number_is_changed_with_both_values_kept(screen: Callable[..., Screen]) -> None:
    """REQ-FEE-02: old and new value, operator and reason."""
    keeper = screen("en", Role.CITY_ADMIN)
    keeper.go(f"/items/number/{HALL_NUMBER}")
    keeper.page.locator("summary").click()
    keeper.page.locator("#fee-prepay").fill("1e5")
    keeper.page.locator("#fee-reason").fill("regular customer")
    keeper.page.get_by_role("button", name="Change the fee").click()
    expect(keeper.page.locator("main [role=alert] .mono")).to_be_visible()
    expect(keeper.page.locator("#fee-prepay")).to_have_value("1e5")
    keeper.page.locator("#fee-prepay").fill("66.50")
    keeper.page.get_by_role("button", name="Change the fee").click()
    changes = keeper.page.locator("table.dense tbody tr").first
    expect(changes).to_contain_text("¥66.50")
    expect(changes).to_contain_text("regular customer")
    expect(changes).to_contain_text(keeper.stage.people[Role.CITY_ADMIN].staff_no)
    keeper.keep("fee-changed")


def test_list_is_tried_its_good_rows_taken_and_the_rest_mended(screen: Callable[..., Screen], tmp_path: Path) -> None:
    """REQ-SIM-02: each line is accepted or rejected with its number and reason."""
    city = screen("en", Role.CITY_ADMIN)
    file = tmp_path / "cards.csv"
    good = [f"898600A32530990009{serial:02d}" for serial in range(5)]
    file.write_text("\n".join(["卡号", *good, "8.986E+19", good[0]]), encoding="utf-8")
    city.go("/loads")
    send(city, file, "Try")
    city.shows("5 rows are good, 2 are not.", "main")
    city.shows("a spreadsheet has cut digits off", "main")
    city.keep("load-tried")
    city.go("/loads")
    city.page.locator("#keep_good").check()
    send(city, file, "Take in")
    city.shows("5 rows taken, 2 refused.", "main")
    city.keep("load-taken")
    with city.page.expect_download() as download:
        city.page.get_by_role("link", name="The bad rows as a file").click()
    assert "8.986E+19" in download.value.path().read_text(encoding="utf-8-sig")
    city.page.get_by_label("Row 7").fill("898600A3253099000907")
    city.keep("load-mend")
    city.page.get_by_role("button", name="Run the mended rows again").click()
    city.shows("1 rows taken, 1 refused.", "main")
    city.go(f"/items/sim/{good[1]}")
    city.shows("taken into stock", ".timeline")


def send(city: Screen, file: Path, button: str) -> None:
    """Send the file as a list of cards."""
    city.page.locator("#file").set_input_files(file)
    city.page.locator("#kind").select_option("card_list")
    city.page.locator("#card_kind").select_option(index=1)
    city.page.get_by_role("button", name=button).click()
    city.page.wait_for_load_state()


def test_large_file_is_sent_in_pieces_and_taken_with_its_progress_on_the_page(
    screen: Callable[..., Screen], tmp_path: Path
) -> None:
    city = screen("zh", Role.CITY_ADMIN)
    file = tmp_path / "many.csv"
    lines = (f"898600A32530{serial:08d},{'x' * 4000}" for serial in range(1100))
    file.write_text("\n".join(["卡号,备注", *lines]), encoding="utf-8")
    city.go("/loads")
    city.page.route("**/loads/uploads/*", lose_the_first_answer())
    city.page.locator("#file").set_input_files(file)
    city.page.locator("#kind").select_option("card_list")
    city.page.locator("#card_kind").select_option(index=1)
    with paused_worker(city.stage):
        city.page.get_by_role("button", name="入库", exact=True).click()
        city.page.wait_for_url("**/loads/b-*")
        city.shows("等待后台处理", "main")
        city.keep("load-runs")
        city.page.get_by_role("button", name="取消本次入库").click()
        city.shows("已取消", "main")
    city.page.get_by_role("button", name="整体入库").click()
    city.shows("已入库。", "main")


def lose_the_first_answer() -> Callable[[Route], None]:
    """Give a network that loses one answer: the piece has arrived, the page does not know."""
    lost: list[bool] = []

    def pass_on(route: Route) -> None:
        if lost or route.request.method != "PATCH":
            route.fallback()
            return
        lost.append(True)
        route.fetch()
        route.abort("connectionreset")

    return pass_on
