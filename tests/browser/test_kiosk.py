"""A customer at a self-service machine: its browser, the service, a real station, a dispenser emulated on a pty."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx2
import pytest
from playwright.sync_api import expect

from cardwriter.station.app import Station
from cardwriter.station.enrol import enrol, trust_of
from cardwriter.virtual.dispenser import Dispenser
from cardwriter.virtual.image import CardImage
from cardwriter.virtual.serial_bench import PtyBench
from cardwriter.virtual.uicc import VirtualUicc
from drivers.crt_device import CrtDevice, Patience
from drivers.dispenser import CrtDispenser
from inventory.access.permissions import Role
from inventory.cli.demo.vendor import VendorCard
from tests.api.live import wait_until
from tests.browser.cards import make_card
from tests.browser.clerk import Language, Screen
from tests.browser.stage import Stage
from tests.browser.test_accessible import findings
from tests.cards.hall import InSlot
from tests.patience import PATIENCE
from tests.web.stock import VENDOR

pytestmark = [pytest.mark.browser, pytest.mark.card]
CALM = Patience(card=PATIENCE, movement=PATIENCE, device=PATIENCE, acknowledgement=PATIENCE)
MOVE = 0x32


@dataclass
class Machine:
    """The dispenser in the hall and the station that has it."""

    device: Dispenser
    stage: Stage
    name: str

    def stack(self, *serials: int, spoiled: frozenset[int] = frozenset()) -> None:
        """Fill cards in; a spoiled one has other keys than its delivery says."""
        for serial in serials:
            path = make_card(self.stage.folder, serial, stranger=serial in spoiled)
            self.device.stacker.append(InSlot(VirtualUicc(CardImage.load(path))))


@pytest.fixture
def machine(stage: Stage) -> Iterator[Machine]:
    """Give a dispenser at a station of its own in the hall, with an empty stack."""
    keeper = stage.operator.hall_keeper
    code = httpx2.post(
        f"{stage.address}/v1/stations:code",
        json={"org_id": stage.operator.point},
        headers={**keeper.headers, "Idempotency-Key": uuid.uuid4().hex},
        timeout=PATIENCE,
        trust_env=False,
    ).json()["code"]
    name = f"crt-{uuid.uuid4().hex[:6]}"
    data = stage.folder / name
    device = Dispenser(stacker=[])
    with ExitStack() as ends:
        bench = PtyBench(device)
        ends.callback(bench.unplug)
        credential = enrol(stage.address, code, data, name=name)
        station = Station(
            CrtDispenser(name, CrtDevice(bench.url, patience=CALM), interval=0.1),
            service=stage.address,
            credential=credential.secret,
            trust=trust_of(credential, data),
            data=data,
            tell=lambda *_, **__: None,
            on_end=lambda: None,
        )
        station.start()
        ends.callback(station.stop)
        known = "SELECT count(*) FROM station_reader WHERE name = :name AND dispenser IS NOT NULL"
        wait_until(lambda: bool(stage.one(known, name=name)))
        yield Machine(device, stage, name)
    stage.change("UPDATE station SET revoked_at = now() WHERE name = :name", name=name)


WORDS = {"zh-CN": ("同意", "身份证"), "en": ("I agree", "identity card")}


def opened_at(screen: Callable[..., Screen], machine: Machine, language: Language = "zh-CN") -> Screen:
    """Let the keeper make a browser the machine's screen."""
    kiosk = screen(language, Role.HALL_KEEPER, axe=True)
    kiosk.go("/kiosks")
    kiosk.page.locator(f"section[aria-label='{machine.name}'] form[action='/kiosks/open'] button").click()
    expect(kiosk.page.locator("body.kiosk")).to_be_visible()
    return kiosk


def kept(kiosk: Screen, name: str) -> None:
    """Keep a picture of the screen, which everybody can use."""
    kiosk.keep(name)
    assert findings(kiosk.page) == []


def checked(kiosk: Screen) -> None:
    """Give the acceptance system's word on the customer before the machine."""
    operator = kiosk.stage.operator
    sale = (
        kiosk.stage.api(operator.clerk, "/v1/kiosk-sales")["sales"]
        or kiosk.stage.api(operator.hall_keeper, "/v1/kiosk-sales")["sales"]
    )
    answer = httpx2.post(
        f"{kiosk.stage.address}/v1/kiosk-sales/{sale[-1]['hold']}:check",
        json={"checked_at": "2026-01-05T02:00:00Z", "channel": "id_reader", "result": "passed"},
        headers={**operator.hall_keeper.headers, "Idempotency-Key": uuid.uuid4().hex},
        timeout=PATIENCE,
        trust_env=False,
    )
    answer.raise_for_status()


def chosen(kiosk: Screen, tail: str) -> str:
    """Choose a number by its tail and accept its terms; give the number."""
    for digit in tail:
        kiosk.page.locator(".keypad").get_by_role("link", name=digit, exact=True).click()
        expect(kiosk.page.locator(".tail")).to_contain_text(digit)
    number = kiosk.page.locator("button.number").first
    expect(number).to_be_visible()
    kept(kiosk, "kiosk-choose")
    number.click()
    expect(kiosk.page.locator("table.quote")).to_be_visible()
    kept(kiosk, "kiosk-terms")
    value = kiosk.page.locator("h1 .digits").inner_text()
    agree, document = WORDS[kiosk.language]
    kiosk.page.get_by_role("button", name=agree).click()
    expect(kiosk.page.locator("#kiosk")).to_contain_text(document)
    kept(kiosk, "kiosk-check")
    return value


def test_customer_buys_a_line_alone_and_a_spoiled_card_is_binned_on_the_way(
    screen: Callable[..., Screen], machine: Machine, hall_serials: Iterator[int]
) -> None:
    """REQ-HW-11, REQ-RSV-16, REQ-RSV-18: the kit wishes for a card, the first is bad, the second is handed out."""
    bad, good = next(hall_serials), next(hall_serials)
    machine.stack(bad, good, spoiled=frozenset({bad}))
    kiosk = opened_at(screen, machine)
    kiosk.go("/desk")
    expect(kiosk.page.locator("body.kiosk")).to_have_count(0)
    expect(kiosk.page.locator("main")).to_contain_text("permission_denied")
    kiosk.go("/kiosk")
    wait_until(lambda: bool(machine.stage.one(_STACKED, name=machine.name)))
    kiosk.go("/kiosk")
    number = chosen(kiosk, "5")
    checked(kiosk)
    kiosk.shows("请取走您的卡", "#kiosk")
    kept(kiosk, "kiosk-take")
    assert len(machine.device.bin) == 1
    states = "SELECT string_agg(state, ' ' ORDER BY iccid) FROM sim WHERE iccid IN (:bad, :good)"
    told = machine.stage.one(states, bad=VENDOR.card(bad).iccid, good=VENDOR.card(good).iccid)
    assert told == "DAMAGED IN_USE"
    assert machine.stage.one("SELECT state FROM number WHERE number = :n", n=number) == "IN_USE"
    machine.device.gate = None
    kiosk.shows("办理成功", "#kiosk")
    kiosk.shows(VENDOR.card(good).iccid[-6:], "#kiosk")
    kept(kiosk, "kiosk-done")
    on_paper(kiosk, number, VENDOR.card(good))
    kiosk.page.locator("nav a[lang=en]").click()
    kiosk.shows("Your line is ready to be used.", "#kiosk")
    assert findings(kiosk.page) == []
    kiosk.page.get_by_role("button", name="Finish").click()
    expect(kiosk.page.locator("body.kiosk")).to_be_visible()
    kiosk.shows("卡已用完", "#kiosk")
    kiosk.keep("kiosk-empty")


def on_paper(kiosk: Screen, number: str, card: VendorCard) -> None:
    """Look at the slip as it is printed: what the customer has, no button, no code and no key."""
    kiosk.page.emulate_media(media="print")
    words = kiosk.page.locator("body").inner_text()
    assert (number in words, card.iccid[-6:] in words) == (True, True)
    for part in ("header", ".acts", "button"):
        expect(kiosk.page.locator(part).first).to_be_hidden()
    assert not [code for code in (card.iccid, card.pin1, card.puk1, card.adm1.decode()) if code in words]
    kiosk.page.emulate_media(media="screen")


_STACKED = "SELECT dispenser ->> 'stacker' <> 'empty' FROM station_reader WHERE name = :name"


def test_stuck_card_sends_the_customer_to_the_counter_and_the_keeper_sees_why(
    screen: Callable[..., Screen], machine: Machine, hall_serials: Iterator[int]
) -> None:
    """REQ-HW-11: the number is free again; screen and hall say the same, each in its language."""
    machine.stack(next(hall_serials), next(hall_serials))
    kiosk = opened_at(screen, machine, "en")
    wait_until(lambda: bool(machine.stage.one(_STACKED, name=machine.name)))
    kiosk.go("/kiosk")
    number = chosen(kiosk, "4")
    machine.device.refuse[MOVE] = "10"
    checked(kiosk)
    kiosk.shows("A card is stuck in this machine.", "#kiosk")
    kept(kiosk, "kiosk-jam")
    wait_until(lambda: machine.stage.one("SELECT state FROM number WHERE number = :n", n=number) == "UNUSED")
    keeper = screen("zh-CN", Role.HALL_KEEPER)
    keeper.go("/kiosks")
    keeper.shows("卡在机内卡住", f"section:has-text('{machine.name}')")
    keeper.keep("kiosk-list")
    kiosk.page.get_by_role("button", name="Finish").click()
    kiosk.shows("A card is stuck in this machine.", "#kiosk")


def test_refused_word_of_the_hall_is_read_at_leisure_though_the_screen_looks_every_second(
    screen: Callable[..., Screen], machine: Machine, hall_serials: Iterator[int]
) -> None:
    machine.stack(next(hall_serials))
    kiosk = opened_at(screen, machine)
    wait_until(lambda: bool(machine.stage.one(_STACKED, name=machine.name)))
    kiosk.go("/kiosk")
    chosen(kiosk, "7")
    kiosk.page.locator("details summary").click()
    for field in ("#v-interface", "#v-staff", "#v-password"):
        kiosk.page.locator(field).fill("nobody")
    kiosk.page.locator("form.vouch button").click()
    kiosk.shows("接口编号", "#answer")
    for _ in range(2):
        kiosk.page.wait_for_event("response", lambda answer: answer.url.endswith("/kiosk/panel"))
    kiosk.shows("接口编号", "#answer")
    kept(kiosk, "kiosk-refused")
    kiosk.page.get_by_role("button", name="换一个号码").click()
    expect(kiosk.page.locator(".keypad")).to_be_visible()
    expect(kiosk.page.locator("#answer .notice")).to_have_count(0)


def test_card_that_nobody_takes_is_drawn_in_and_its_customer_gets_it_from_the_keeper(
    screen: Callable[..., Screen], machine: Machine, hall_serials: Iterator[int]
) -> None:
    """REQ-HW-11: the screen sends to the staff, the keeper's page names the card and lets go of it once it is given."""
    serial = next(hall_serials)
    machine.stack(serial)
    kiosk = opened_at(screen, machine)
    wait_until(lambda: bool(machine.stage.one(_STACKED, name=machine.name)))
    kiosk.go("/kiosk")
    number = chosen(kiosk, "6")
    checked(kiosk)
    kiosk.shows("秒后终端将收回卡", "#kiosk")
    for moment in _LONG_AGO:
        machine.stage.change(moment, name=machine.name)
    kiosk.shows("卡未及时取走", "#kiosk")
    kept(kiosk, "kiosk-taken-back")
    assert (len(machine.device.bin), machine.device.gate) == (1, None)
    keeper = screen("zh-CN", Role.HALL_KEEPER)
    keeper.go("/kiosks")
    row = keeper.page.locator("tr", has_text=number)
    expect(row).to_contain_text(VENDOR.card(serial).iccid)
    keeper.keep("kiosk-kept")
    row.get_by_role("button", name="已交客户").click()
    expect(row).to_have_count(0)


_LONG_AGO = (
    "UPDATE kiosk_sale SET moved_at = moved_at - interval '1 hour' WHERE reader = :name",
    "UPDATE station_reader SET seen_at = seen_at - interval '1 hour' WHERE name = :name",
    "UPDATE write_job SET finished_at = finished_at - interval '1 hour' WHERE reader = :name",
)
"""What happens at the machine happened long before."""


def test_machine_with_a_full_bin_serves_nobody_and_says_so(
    screen: Callable[..., Screen], machine: Machine, hall_serials: Iterator[int]
) -> None:
    machine.stack(next(hall_serials))
    machine.device.bin_size = 0
    kiosk = opened_at(screen, machine)
    wait_until(lambda: bool(machine.stage.one(_FULL, name=machine.name)))
    kiosk.go("/kiosk")
    kiosk.shows("废卡箱已满", "#kiosk")
    kept(kiosk, "kiosk-full")


_FULL = "SELECT (dispenser ->> 'bin_full')::boolean FROM station_reader WHERE name = :name"
