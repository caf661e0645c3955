"""The network is told of finished cards by two persons, and answers."""

from __future__ import annotations

import csv
import io
from contextlib import aclosing
from typing import Any

import pytest
from sqlalchemy import text

from cardwriter.crypto.secret import Secret
from inventory.access.permissions import Role
from inventory.domain.auc import AucAnswer
from inventory.domain.errors import (
    ApprovalDiffers,
    ApprovalNeeded,
    DomainError,
    InvalidField,
    NotFound,
    NothingToExport,
    OutsideScope,
    TransportKeyNotOpened,
    TransportKeyUnfit,
)
from inventory.observability import Metrics
from inventory.services.approving import carry_out
from inventory.services.auc_answers import NetworkAnswer, take_answers
from inventory.services.auc_exports import EXPORT, ExportWish, export, export_file, read_exports
from inventory.services.auditing import audit
from inventory.services.transport_keys import TransportKeyWish, found_transport_key
from inventory.stock_metrics import StockMetrics
from inventory.vault.transport import KeyPurpose, TransportAlgorithm, key_check_value
from tests.enclosing import opened
from tests.services.files import imsi, vendor_file
from tests.services.test_card_kinds import WITH_IMSI
from tests.services.town import CITY, HLR, NOW, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]

AES_KEY = TransportAlgorithm.AES_128_ECB
VENDORS, NETWORKS = Secret(bytes(16)), Secret(bytes(range(16)))
WISH: dict[str, Any] = {"form": "csv", "transport_key": "HSS1"}


async def stocked(town: Town, *serials: int) -> None:
    """Take in finished cards with keys, and the network's transport key."""
    lines = vendor_file(serials).decode().replace("ICCID/Ser_nb/PIN1/PUK1/ADM1/KI/OPC", WITH_IMSI)
    for serial in serials:
        lines = lines.replace(f"{serial:020X} ", f"{serial:020X} {imsi(serial)} ", 1)
    await town.load(lines.encode(), hlr=HLR)
    letter = TransportKeyWish(
        index="HSS1",
        algorithm=AES_KEY,
        parts=(NETWORKS,),
        kcv=key_check_value(AES_KEY, NETWORKS),
        purpose=KeyPurpose.NETWORK,
    )
    async with town.database.session() as session:
        await found_transport_key(session, town.admin, fresh_key(), letter, vault=town.vault, now=NOW)


async def told(town: Town, **changes: Any) -> dict[str, Any]:
    """Tell the network with the word of the second one."""
    wish = {**vars(ExportWish(**{**WISH, **changes})), "approval": None}
    approval = await town.approved(EXPORT, **{name: wish[name] for name in wish if name != "approval"})
    async with town.database.session() as session:
        done = await export(
            session, town.admin, fresh_key(), ExportWish(**{**wish, "approval": approval}), vault=town.vault, now=NOW
        )
    return done.body


async def fetched(town: Town, export_id: str) -> list[dict[str, str]]:
    async with town.database.session() as session:
        file = await export_file(session, town.admin, export_id, vault=town.vault, now=NOW)
    async with town.database.session() as session, aclosing(file.open(session)) as pieces:
        content = b"".join([piece async for piece in pieces])
    return list(csv.DictReader(io.StringIO(content.decode())))


async def answered(town: Town, *answers: tuple[int, str]) -> dict[str, Any]:
    said = [
        NetworkAnswer(imsi(serial), AucAnswer(answer), None if answer == "confirmed" else "no such HLR")
        for serial, answer in answers
    ]
    async with town.database.session() as session:
        return (await take_answers(session, town.admin, fresh_key(), said, now=NOW)).body


async def states(town: Town) -> list[str]:
    return [row.auc for row in await town.rows("SELECT auc FROM sim_identity ORDER BY imsi")]


def inside(under: Secret, value: str) -> str:
    return opened(under, bytes.fromhex(value)).hex()


async def test_the_network_is_told_of_finished_cards_under_its_own_key(town: Town) -> None:
    """REQ-AUC-01: exporting marks what was told as sent; the keys change from the vendor's key to the network's."""
    await stocked(town, 1, 2)
    done = await told(town)
    rows = await fetched(town, done["id"])

    assert done["count"] == 2
    assert await states(town) == ["sent", "sent"]
    assert [row["imsi"] for row in rows] == [imsi(1), imsi(2)]
    assert [inside(NETWORKS, row["eki"]) for row in rows] == [inside(VENDORS, f"{serial:032X}") for serial in (1, 2)]
    assert [inside(NETWORKS, row["eopc"]) for row in rows] == [inside(VENDORS, f"{n:032X}") for n in (2, 3)]
    assert [row["sqn"] for row in rows] == ["", ""]
    data = await town.value("SELECT data FROM event WHERE name = 'auc.exported'")
    assert (data["count"], data["approver"], data["kcv"]) == (2, town.second.staff_no, rows[0]["transport_kcv"])
    assert await fetched(town, done["id"]) == rows
    assert await town.value("SELECT count(*) FROM event WHERE name = 'auc.fetched'") == 2
    async with town.database.session() as session:
        assert (await audit(session, now=NOW)).findings == []


async def test_what_was_told_is_not_told_again_but_what_was_refused_is(town: Town) -> None:
    """REQ-AUC-01."""
    await stocked(town, 1, 2, 3)
    first = await told(town, most=2)
    assert await answered(town, (1, "confirmed"), (2, "failed")) == {
        "confirmed": 1, "failed": 1, "deleted": 0, "unchanged": 0, "completed": 0, "refused": [],
    }  # fmt: skip
    second = await told(town)
    assert [row["imsi"] for row in await fetched(town, second["id"])] == [imsi(2), imsi(3)]
    assert [row["imsi"] for row in await fetched(town, first["id"])] == [imsi(1)]
    async with town.database.session() as session:
        found = await read_exports(session, town.admin)
    assert [(row.item_count, dict(row.states)) for row in found] == [(2, {"sent": 2}), (2, {"confirmed": 1})]
    with pytest.raises(NothingToExport):
        await told(town)


async def test_an_answer_again_changes_nothing_and_a_wrong_one_is_named_by_its_row(town: Town) -> None:
    """REQ-AUC-01."""
    await stocked(town, 1, 2, 3)
    await told(town, most=2)
    await answered(town, (1, "confirmed"), (2, "failed"))
    again = await answered(town, (1, "confirmed"), (2, "failed"), (3, "confirmed"), (9, "confirmed"), (1, "failed"))
    assert again == {
        "confirmed": 0,
        "failed": 0,
        "deleted": 0,
        "unchanged": 2,
        "completed": 0,
        "refused": [{"row": 3, "code": "is_none"}, {"row": 4, "code": "unknown"}, {"row": 5, "code": "is_confirmed"}],
    }
    assert await states(town) == ["confirmed", "failed", "none"]
    assert await town.value("SELECT reason FROM event WHERE name = 'sim.network_refused'") == "no such HLR"


async def test_what_the_network_has_deleted_is_retired_with_its_card(town: Town) -> None:
    """REQ-AUC-01: only then may the IMSI go to another card; a card that was never told of keeps its own."""
    await stocked(town, 1, 2, 3)
    await told(town, most=2)
    await answered(town, (1, "confirmed"))
    gone = await answered(town, (1, "deleted"), (2, "deleted"), (3, "deleted"))
    assert (gone["deleted"], gone["refused"]) == (2, [{"row": 3, "code": "is_none"}])
    assert await states(town) == ["deleted", "deleted", "none"]
    units = await town.rows("SELECT state FROM subscription_data ORDER BY imsi")
    assert [row.state for row in units] == ["RETIRED", "RETIRED", "BOUND"]
    assert await town.value("SELECT count(*) FROM event WHERE name = 'sim.network_deleted'") == 2
    async with town.database.session() as session:
        assert (await audit(session, now=NOW)).findings == []
    assert (await answered(town, (1, "deleted")))["unchanged"] == 1


async def test_one_person_alone_tells_nothing_and_the_word_is_for_what_was_asked(town: Town) -> None:
    await stocked(town, 1)
    approval = await town.approved(EXPORT, **WISH, hlr=None, most=10)
    for wish, refusal in (
        (ExportWish(**WISH), ApprovalNeeded),
        (ExportWish(**WISH, most=11, approval=approval), ApprovalDiffers),
    ):
        async with town.database.session() as session:
            with pytest.raises(refusal):
                await export(session, town.admin, fresh_key(), wish, vault=town.vault, now=NOW)
    assert await states(town) == ["none"]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"transport_key": "11"}, TransportKeyUnfit),
        ({"transport_key": "X"}, NotFound),
        ({"hlr": "X"}, NotFound),
        ({"form": "xml"}, InvalidField),
        ({"most": 0}, InvalidField),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value.__name__,
)
async def test_what_cannot_be_told_is_refused_before_anybody_is_asked(
    town: Town, changes: dict[str, Any], refusal: type[DomainError]
) -> None:
    await stocked(town, 1)
    with pytest.raises(refusal):
        await told(town, **changes)


async def test_cards_of_an_operators_own_constants_are_for_the_list_alone(town: Town) -> None:
    await stocked(town, 1)
    await town.execute("""UPDATE card_kind SET algorithm = '{"name": "milenage", "res_bits": 32}'""")
    with pytest.raises(NothingToExport):
        await told(town, form="open5gs")
    [row] = await fetched(town, (await told(town))["id"])
    assert row["parameters"] == '{"res_bits":32}'


async def test_a_damaged_card_and_one_without_keys_are_not_told_of(town: Town) -> None:
    await stocked(town, 1, 2, 3)
    await town.execute("UPDATE sim SET state = 'DAMAGED' WHERE item_no = (SELECT min(item_no) FROM sim)")
    await town.execute("DELETE FROM card_secret WHERE item_no = (SELECT max(item_no) FROM sim)")
    assert (await told(town))["count"] == 1
    assert await states(town) == ["none", "sent", "none"]


async def test_a_hall_neither_tells_the_network_nor_answers_for_it(town: Town) -> None:
    hall = town.at(f"{CITY}-H1", Role.ACCEPTANCE)
    async with town.database.session() as session:
        with pytest.raises(OutsideScope):
            await export(session, hall, fresh_key(), ExportWish(**WISH), vault=town.vault, now=NOW)
        with pytest.raises(OutsideScope):
            await take_answers(session, hall, fresh_key(), [NetworkAnswer(imsi(1), AucAnswer.CONFIRMED)], now=NOW)
        with pytest.raises(OutsideScope):
            await export_file(session, hall, f"x-{CITY}-1", vault=town.vault, now=NOW)


async def test_a_file_that_is_none_or_does_not_open_gives_not_one_byte(town: Town) -> None:
    await stocked(town, 1)
    with pytest.raises(NotFound):
        await fetched(town, f"x-{CITY}-77")
    done = await told(town)
    await town.execute("UPDATE transport_key SET wrapped = substr(wrapped, 1, 20) WHERE index = '11'")
    with pytest.raises(TransportKeyNotOpened):
        await fetched(town, done["id"])


async def test_a_vendors_key_that_does_not_open_hinders_only_the_cards_under_it(town: Town) -> None:
    await stocked(town, 1)
    await town.execute("""
        INSERT INTO transport_key (index, algorithm, wrapped, kcv, purpose)
        SELECT '12', algorithm, substr(wrapped, 1, 20), kcv, purpose FROM transport_key WHERE index = '11'
    """)
    done = await told(town)
    assert [row["imsi"] for row in await fetched(town, done["id"])] == [imsi(1)]


async def test_nothing_is_told_while_a_key_that_the_file_needs_does_not_open(town: Town) -> None:
    """The word of the second one stays good for when it opens again, by either way of doing what was granted."""
    await stocked(town, 1)
    wish = {**vars(ExportWish(**WISH))}
    del wish["approval"]
    approval = await town.approved(EXPORT, **wish)
    wrapped = await town.value("SELECT wrapped FROM transport_key WHERE index = '11'")
    await town.execute("UPDATE transport_key SET wrapped = substr(wrapped, 1, 20) WHERE index = '11'")
    granted = ExportWish(**wish, approval=approval)
    async with town.database.session() as session:
        with pytest.raises(TransportKeyNotOpened):
            await export(session, town.admin, fresh_key(), granted, vault=town.vault, now=NOW)
        with pytest.raises(TransportKeyNotOpened):
            await carry_out(session, town.admin, fresh_key(), approval=approval, vault=town.vault, now=NOW)
    assert await states(town) == ["none"]
    await town.execute("UPDATE transport_key SET wrapped = :wrapped WHERE index = '11'", wrapped=wrapped)
    async with town.database.session() as session:
        done = await carry_out(session, town.admin, fresh_key(), approval=approval, vault=town.vault, now=NOW)
    assert done.body["count"] == 1


async def test_an_export_that_finds_all_cards_in_other_hands_leaves_its_approval_unused(town: Town) -> None:
    await stocked(town, 1)
    async with town.database.session() as sale, sale.begin():
        await sale.execute(text("SELECT 1 FROM sim_identity FOR UPDATE"))
        with pytest.raises(NothingToExport):
            await told(town)
    assert await town.value("SELECT state FROM approval") == "GRANTED"
    assert await town.value("SELECT count(*) FROM auc_export") == 0


async def test_card_keys_do_not_come_in_under_a_networks_key(town: Town) -> None:
    await stocked(town, 1)
    with pytest.raises(NotFound):
        await town.load(vendor_file([5], key="HSS1"))


async def test_what_the_network_was_told_and_said_is_counted_once(town: Town) -> None:
    metrics = Metrics()
    stock = StockMetrics(metrics, town.database, now=NOW)
    await stock.refresh()
    await stocked(town, 1, 2, 3)
    await told(town)
    await answered(town, (1, "confirmed"), (2, "confirmed"), (3, "failed"))
    await stock.refresh()
    await stock.refresh()
    counted = {
        result: metrics.registry.get_sample_value("haoka_network_identities_total", {"result": result})
        for result in ("sent", "confirmed", "failed")
    }
    assert counted == {"sent": 3, "confirmed": 2, "failed": 1}
