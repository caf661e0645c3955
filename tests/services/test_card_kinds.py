"""Cards that are no plain blanks: finished ones of an HLR (号段卡), and prepaid ones with a last day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from inventory.domain.errors import DomainError, LoadRejected, MovementRefused
from inventory.services.auditing import audit
from inventory.services.load_standing import read_faults
from inventory.services.load_undo import undo_load
from inventory.services.loading import FileKind
from inventory.services.moving import MoveWish, Verb, move
from inventory.store.selection import ByName
from tests.services.files import iccid, imsi, imsi_pool, vendor_file
from tests.services.town import CITY, HLR, NOW, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]

TODAY, YESTERDAY, TOMORROW = "2026-11-22", "2026-11-21", "2026-11-23"
WITH_IMSI = "ICCID/Ser_nb/IMSI/PIN1/PUK1/ADM1/KI/OPC"


async def listed(town: Town, text: str, **changes: Any) -> dict[str, Any]:
    return await town.load(text.encode(), FileKind.CARD_LIST, **changes)


async def faults_of(town: Town, text: str, **changes: Any) -> list[tuple[int, str, str, str]]:
    with pytest.raises(LoadRejected) as refusal:
        await listed(town, text, **changes)
    async with town.database.session() as session:
        load = refusal.value.params["batch"]
        found = await read_faults(session, town.admin, public_id=load, after=0, limit=100)
    return [(fault.row, fault.column, fault.value, fault.code) for _, fault in found]


async def moved(town: Town, verb: Verb, card: str, **later: float) -> None:
    giver, receiver = (str(CITY), f"{CITY}-D1") if verb is Verb.ISSUE else (f"{CITY}-D1", str(CITY))
    wish = MoveWish(verb=verb, resource="sim", selection=ByName((card,)), giver=giver, receiver=receiver)
    async with town.database.session() as session:
        await move(session, town.admin, fresh_key(), wish, now=NOW + timedelta(**later))


async def test_cards_with_an_imsi_come_finished_and_their_data_are_bound_from_the_first(town: Town) -> None:
    """REQ-SIM-15: the IMSI is assigned once. REQ-SIM-17: the card belongs to the HLR of its IMSI."""
    await listed(town, f"ICCID,IMSI,HLR\n{iccid(1)},{imsi(1)},{HLR}\n{iccid(2)},{imsi(2)},{HLR}\n")

    question = """SELECT iccid, i.imsi, i.hlr_code, sim.hlr_code AS of, i.state, auc
        FROM sim JOIN sim_identity i USING (city_id, item_no) ORDER BY 1"""
    on_card = await town.rows(question)
    assert [tuple(row) for row in on_card] == [(iccid(n), imsi(n), HLR, HLR, "VERIFIED", "none") for n in (1, 2)]
    bound = await town.rows("SELECT imsi, state, sim_item_no FROM subscription_data ORDER BY 1")
    assert [(row.imsi, row.state) for row in bound] == [(imsi(1), "BOUND"), (imsi(2), "BOUND")]
    async with town.database.session() as session:
        assert (await audit(session, now=NOW)).findings == []
    assert await faults_of(town, f"ICCID,IMSI,HLR\n{iccid(3)},{imsi(2)},{HLR}\n") == [
        (2, "imsi", f"{imsi(2)[:6]}*******{imsi(2)[-2:]}", "duplicate_in_stock")
    ]


async def test_finished_cards_and_pools_share_the_numbers_of_their_data(town: Town) -> None:
    await town.load(imsi_pool(range(10, 13)), FileKind.IMSI_POOL)
    await listed(town, f"ICCID,IMSI\n{iccid(1)},{imsi(1)}\n", hlr=HLR)
    await town.load(imsi_pool(range(20, 22)), FileKind.IMSI_POOL)
    numbers = [row.data_no for row in await town.rows("SELECT data_no FROM subscription_data ORDER BY imsi")]
    assert len(set(numbers)) == 6


async def test_a_finished_card_needs_an_hlr_of_the_city(town: Town) -> None:
    assert await faults_of(town, f"ICCID,IMSI\n{iccid(1)},{imsi(1)}\n") == [(2, "hlr", "", "finished_cards")]
    assert await faults_of(town, f"ICCID,IMSI,HLR\n{iccid(1)},{imsi(1)},X9\n") == [(2, "hlr", "X9", "unknown_hlr")]


async def test_a_vendors_finished_cards_keep_their_keys_and_take_the_hlr_that_is_said(town: Town) -> None:
    lines = vendor_file([1]).decode().replace("ICCID/Ser_nb/PIN1/PUK1/ADM1/KI/OPC", WITH_IMSI)
    content = lines.replace(f"{1:020X} ", f"{1:020X} {imsi(1)} ", 1).encode()
    with pytest.raises(LoadRejected):
        await town.load(content)
    await town.load(content, hlr=HLR)
    assert await town.value("SELECT hlr_code FROM sim JOIN card_secret USING (city_id, item_no)") == HLR


async def test_a_list_tells_face_value_last_day_and_area_of_its_cards(town: Town) -> None:
    """REQ-SIM-16: prepaid cards carry face value, expiry and area."""
    await listed(town, f"ICCID,面值,有效期,区域\n{iccid(1)},50,{TODAY},530000\n{iccid(2)},,,\n")
    rows = await town.rows("SELECT face_value, expires_on::text, area FROM sim ORDER BY iccid")
    assert [tuple(row) for row in rows] == [(5000, TODAY, "53"), (None, None, None)]


async def test_cards_whose_day_is_over_or_that_are_for_elsewhere_do_not_come_in(town: Town) -> None:
    """REQ-SIM-16: expired cards and those of another area are not for sale here."""
    found = await faults_of(town, f"ICCID,有效期,区域\n{iccid(1)},{YESTERDAY},53\n{iccid(2)},{TODAY},51\n")
    assert found == [(2, "expires_on", YESTERDAY, "expired"), (3, "area", "51", "other_area")]


async def test_a_card_goes_down_until_its_last_day_and_up_at_any_time(town: Town) -> None:
    """REQ-SIM-16: expired cards cannot be issued."""
    await listed(town, f"ICCID,有效期\n{iccid(1)},{TODAY}\n{iccid(2)},{TOMORROW}\n")
    await moved(town, Verb.ISSUE, iccid(1))
    with pytest.raises(MovementRefused) as refusal:
        await moved(town, Verb.ISSUE, iccid(2), days=2)
    assert refusal.value.params["items"] == [{"item": iccid(2), "code": "expired", "state": "AVAILABLE"}]
    await moved(town, Verb.RECALL, iccid(1), days=2)


async def test_the_hlr_of_a_load_is_one_that_the_city_has(town: Town) -> None:
    with pytest.raises(DomainError):
        await listed(town, f"ICCID,IMSI\n{iccid(1)},{imsi(1)}\n", hlr="X9")


async def test_a_load_of_finished_cards_is_undone_with_all_that_came_with_them(town: Town) -> None:
    text = f"ICCID,IMSI,HLR\n{iccid(1)},{imsi(1)},{HLR}\n"
    load = str((await listed(town, text))["id"])
    async with town.database.session() as session:
        await undo_load(session, town.admin, fresh_key(), public_id=load, reason="弄错了", now=NOW)
    for table in ("sim", "sim_identity", "subscription_data", "identifier"):
        assert await town.value(f"SELECT count(*) FROM {table}") == 0
    async with town.database.session() as session:
        assert (await audit(session, now=NOW)).findings == []
    await listed(town, text)
