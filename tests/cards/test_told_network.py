"""What the network is told is what the card holds, and no key of it stands anywhere in clear."""

from __future__ import annotations

import csv
import io
import json
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest

from cardwriter.crypto.secret import Secret
from cardwriter.script import Purpose, Script
from inventory.access.permissions import Role
from inventory.services.approving import Question, ask, grant
from inventory.services.auc_exports import EXPORT, ExportWish, export, export_file
from inventory.services.transport_keys import TransportKeyWish, found_transport_key
from inventory.vault.transport import KeyPurpose, TransportAlgorithm, key_check_value
from tests.builders_stock import NOW, TOWN
from tests.cards.hall import CardKeys, Hall, card_of, fresh
from tests.cards.test_secrets import cells, found, hidden_of
from tests.enclosing import opened

pytestmark = [pytest.mark.database, pytest.mark.anyio]

NETWORKS = Secret(bytes.fromhex("8899aabbccddeeff0011223344556677"))
ADMIN = TOWN.caller(TOWN.city, role=Role.CITY_ADMIN)
SECOND = TOWN.caller(TOWN.city, role=Role.CITY_ADMIN, staff_no="LJ0002")


async def with_network_key(hall: Hall) -> None:
    wish = TransportKeyWish(
        index="HSS1",
        algorithm=TransportAlgorithm.AES_128_ECB,
        parts=(NETWORKS,),
        kcv=key_check_value(TransportAlgorithm.AES_128_ECB, NETWORKS),
        purpose=KeyPurpose.NETWORK,
    )
    async with hall.database.session() as session:
        await found_transport_key(session, ADMIN, fresh(), wish, vault=hall.bench.vault, now=NOW)


async def told(hall: Hall, form: str) -> bytes:
    """Tell the network in this form and give the file."""
    wish: dict[str, Any] = {"form": form, "transport_key": "HSS1", "hlr": None, "most": 10}
    async with hall.database.session() as session:
        asked = await ask(session, ADMIN, fresh(), Question(EXPORT, wish), lasts=timedelta(hours=1), now=NOW)
        approval = str(asked.body["approval"])
        await grant(session, SECOND, fresh(), approval=approval, now=NOW)
        done = await export(
            session, ADMIN, fresh(), ExportWish(**wish, approval=approval), vault=hall.bench.vault, now=NOW
        )
    async with hall.database.session() as session:
        file = await export_file(session, ADMIN, str(done.body["id"]), vault=hall.bench.vault, now=NOW)
    async with hall.database.session() as session, aclosing(file.open(session)) as pieces:
        return b"".join([piece async for piece in pieces])


@pytest.mark.parametrize("form", ["open5gs", "osmo-hlr", "csv"])
async def test_the_file_opens_to_what_the_card_holds_and_has_no_key_in_clear(hall: Hall, form: str) -> None:
    """REQ-AUC-01, REQ-SEC-03: one card written and proven, its file opened with the transport key."""
    card = card_of(0)
    card.image.seqs[3] = 7
    await hall.insert(card)
    await hall.sell(0)
    await with_network_key(hall)
    file = await told(hall, form)

    match form:
        case "open5gs":
            said = json.loads(file)
            security = said["security"]
            number, imsi, keys = said["msisdn"], said["imsi"], (security["k"], security["opc"])
            assert security["sqn"] == {"$numberLong": str((7 << 5 | 3) + 32)}
        case "osmo-hlr":
            words = file.decode().splitlines()[-1].split()
            assert words[3:6] == ["update", "aud3g", "milenage"]
            imsi, keys = words[2], (words[7], words[9])
            number = [file.decode().splitlines()[-2].split()[-1]]
            assert f"SQN {7 << 5 | 3}\n" in file.decode()
        case _:
            [row] = csv.DictReader(io.StringIO(file.decode()))
            number, imsi, keys = [row["msisdn"]], row["imsi"], (row["eki"], row["eopc"])
            assert (row["sqn"], row["algorithm"], row["amf"]) == (str(7 << 5 | 3), "milenage", "8000")
            assert row["iccid"] == await hall_iccid(hall)
    inside = CardKeys.of(0)
    assert [opened(NETWORKS, bytes.fromhex(key)) for key in keys] == [inside.k.reveal(), inside.opc.reveal()]
    assert imsi == await imsi_of_card(hall)
    assert number == ["8613888810000"]

    hidden = {**hidden_of(0), "network key": NETWORKS.reveal()}
    assert found([("file", file), *cells(await hall.dump())], hidden) == set()


async def test_the_search_for_clear_keys_finds_one_in_a_file() -> None:
    """The check can fail."""
    assert found([("file", b'{"k":"' + CardKeys.of(0).k.reveal().hex().encode())], hidden_of(0)) == {("file", "K")}


async def test_a_card_that_is_not_proven_is_not_told_of(hall: Hall) -> None:
    """REQ-AUC-01: the file has the cards that proved themselves, and no others."""
    await hall.insert(card_of(0))
    await hall.sell(0)
    await hall.insert(card_of(1))

    def pulled_out(script: Script) -> None:
        if script.purpose is Purpose.WRITE:
            hall.source.remove()

    hall.before_run = pulled_out
    await hall.sell(1)
    await with_network_key(hall)
    rows = list(csv.DictReader(io.StringIO((await told(hall, "csv")).decode())))
    assert len(rows) == 1


async def hall_iccid(hall: Hall) -> str:
    row = await hall.one("SELECT iccid FROM sim WHERE city_id = :city AND item_no = 0")
    return str(row[0])


async def imsi_of_card(hall: Hall) -> str:
    row = await hall.one("SELECT imsi FROM sim_identity WHERE city_id = :city AND item_no = 0")
    return str(row[0])
