"""`haoka auc`, through the service's API, to a file and back."""

from __future__ import annotations

import asyncio
import csv
from pathlib import Path

import pytest
from sqlalchemy import text

from cardwriter.crypto.secret import Secret
from inventory.cli import main
from inventory.settings import Settings
from inventory.store import kits
from inventory.store.engine import connect
from inventory.vault.envelope import Vault
from inventory.vault.keys import FileKeyProvider
from inventory.vault.transport import TransportAlgorithm, unwrap
from tests.cli.answers import answered
from tests.services.files import imsi, vendor_file
from tests.services.test_card_kinds import WITH_IMSI

pytestmark = pytest.mark.database

NETWORKS = Secret(bytes(range(16)))


def bring_keys(url: str, folder: Path) -> None:
    """Put a vendor's and a network's transport key into the vault, as two persons would."""
    vault = Vault(FileKeyProvider(Settings(data_dir=folder).vault_key_path))

    async def bring() -> None:
        database = connect(url, pool_size=1)
        async with database.session() as session, session.begin():
            for index, key, purpose in (("12", bytes(16), "vendor"), ("HSS1", NETWORKS.reveal(), "network")):
                wrapped = vault.seal(key, table="transport_key", row=index, field="wrapped")
                await kits.add_transport_key(
                    session, index=index, algorithm="aes-128-ecb", wrapped=wrapped, kcv=bytes(3), purpose=purpose
                )
            await session.execute(text("DELETE FROM transport_key WHERE index = '11'"))  # it is none
        await database.close()

    asyncio.run(bring())


def grant_all(url: str) -> None:
    """Let a second person give its word, behind the service's back."""

    async def grant() -> None:
        database = connect(url, pool_size=1)
        async with database.session() as session, session.begin():
            await session.execute(text("UPDATE approval SET state = 'GRANTED', answered_by = 'LJ0002'"))
        await database.close()

    asyncio.run(grant())


@pytest.mark.usefixtures("shell")
def test_cards_are_told_to_the_network_and_its_answers_taken_in(
    operator_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """REQ-AUC-01."""
    bring_keys(operator_url, tmp_path)
    lines = vendor_file([1, 2], key="12").decode().replace("ICCID/Ser_nb/PIN1/PUK1/ADM1/KI/OPC", WITH_IMSI)
    for serial in (1, 2):
        lines = lines.replace(f"{serial:020X} ", f"{serial:020X} {imsi(serial)} ", 1)
    (tmp_path / "out.txt").write_text(lines)
    answered(capsys, "load", str(tmp_path / "out.txt"), "--card-kind", "4G-P", "--pool", "hall", "--hlr", "LJ1")

    assert main(["auc", "export", "csv", "HSS1"]) != 0
    assert "approval_needed" in capsys.readouterr().err
    assert main(["auc", "export", "csv", "HSS1", "--ask"]) == 0
    approval = capsys.readouterr().out.strip()
    grant_all(operator_url)
    file = tmp_path / "told.csv"
    done = answered(capsys, "auc", "export", "csv", "HSS1", "--approval", approval, "--to", str(file))
    rows = list(csv.DictReader(file.read_text().splitlines()))

    assert (done["count"], [row["imsi"] for row in rows]) == (2, [imsi(1), imsi(2)])
    aes = TransportAlgorithm.AES_128_ECB
    inside = unwrap(aes, NETWORKS, bytes.fromhex(rows[0]["eki"])).reveal()
    assert inside == unwrap(aes, Secret(bytes(16)), bytes.fromhex(f"{1:032X}")).reveal()
    assert main(["auc", "fetch", done["id"], str(tmp_path / "again.csv")]) == 0
    assert (tmp_path / "again.csv").read_bytes() == file.read_bytes()

    said = tmp_path / "said.csv"
    said.write_text(f"imsi,result,reason\n{imsi(1)},confirmed,\n{imsi(2)},failed,no such HLR\n")
    assert answered(capsys, "auc", "confirm", str(said)) == {
        "confirmed": 1, "failed": 1, "deleted": 0, "unchanged": 0, "completed": 0, "refused": [],
    }  # fmt: skip
    assert main(["auc", "confirm", str(said)]) == 0
    said.write_text(f"imsi,result\n{imsi(7)},confirmed\n")
    assert main(["auc", "confirm", str(said)]) == 1
    assert "row 2: unknown" in capsys.readouterr().err
    said.write_text(f"imsi,result\n{imsi(7)},perhaps\n")
    assert main(["auc", "confirm", str(said)]) == 2
    [told] = answered(capsys, "auc")["exports"]
    assert told["states"] == {"confirmed": 1, "failed": 1}


@pytest.mark.usefixtures("shell")
def test_only_a_number_whose_sale_waits_is_rolled_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["auc", "roll-back", "13888810235", "--reason", "no answer"]) == 2
    assert "no sale of 13888810235 waits" in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.usefixtures("shell")
def test_identities_of_cards_that_are_gone_are_told_to_be_deleted(
    operator_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """REQ-AUC-01."""
    lines = vendor_file([1, 2]).decode().replace("ICCID/Ser_nb/PIN1/PUK1/ADM1/KI/OPC", WITH_IMSI)
    for serial in (1, 2):
        lines = lines.replace(f"{serial:020X} ", f"{serial:020X} {imsi(serial)} ", 1)
    (tmp_path / "out.txt").write_text(lines)
    answered(capsys, "load", str(tmp_path / "out.txt"), "--card-kind", "4G-P", "--pool", "hall", "--hlr", "LJ1")
    assert main(["auc", "delete", "csv"]) != 0
    assert "nothing_to_delete" in capsys.readouterr().err
    scrap_all(operator_url)

    assert main(["auc", "deletions"]) == 0
    assert "2 more to be told" in capsys.readouterr().err
    file = tmp_path / "gone.vty"
    done = answered(capsys, "auc", "delete", "osmo-hlr", "--to", str(file))

    assert done["count"] == 2
    assert file.read_text() == "".join(["enable\n", *(f"subscriber imsi {imsi(serial)} delete\n" for serial in (1, 2))])
    assert main(["auc", "fetch", done["id"], str(tmp_path / "again.vty")]) == 0
    assert (tmp_path / "again.vty").read_bytes() == file.read_bytes()
    [told] = answered(capsys, "auc", "deletions")["deletions"]
    assert (told["id"], told["count"], told["left"]) == (done["id"], 2, 2)


def scrap_all(url: str) -> None:
    """Let all cards be gone that the network knows, behind the service's back."""

    async def scrap() -> None:
        database = connect(url, pool_size=1)
        async with database.session() as session, session.begin():
            await session.execute(text("UPDATE sim_identity SET auc = 'confirmed'"))
            await session.execute(text("UPDATE sim SET state = 'SCRAPPED'"))
        await database.close()

    asyncio.run(scrap())
