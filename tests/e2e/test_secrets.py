"""After a whole run no secret stands where it may be read: logs, database, journal, what was printed."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from inventory.cli.demo.memory import Memory
from inventory.cli.demo.vendor import SCP03_CARDS, SERIAL_CARDS, DemoVendor
from inventory.store.embedded import EmbeddedServer
from inventory.vault.envelope import Vault
from inventory.vault.hold_keys import HoldKeys
from inventory.vault.keys import FileKeyProvider
from tests.e2e.demos import Demo

pytestmark = [pytest.mark.e2e, pytest.mark.database, pytest.mark.card]
CARDS = (*range(1, 51), *SERIAL_CARDS, *SCP03_CARDS)


def coded(secret: bytes) -> list[bytes]:
    """Give the forms in which bytes might be written as text."""
    plain, url = base64.b64encode(secret).rstrip(b"="), base64.urlsafe_b64encode(secret).rstrip(b"=")
    return [secret.hex().encode(), secret.hex().upper().encode(), plain, url]


def spellings(secret: bytes) -> list[bytes]:
    """Give the forms in which a secret might be written, as patterns: it may stand as it is, or coded."""
    return [re.escape(form) for form in (secret, *coded(secret))]


def code_spellings(digits: str) -> list[bytes]:
    """Give the forms of a PUK or ADM1: eight digits may stand by chance inside of longer numbers."""
    return [rb"(?<![0-9A-Za-z])%s(?![0-9A-Za-z])" % digits.encode(), *map(re.escape, coded(digits.encode()))]


def pin_spellings(pin: str) -> list[bytes]:
    """Give the forms of a PIN, whose four digits by themselves stand everywhere: as a value, or as VERIFY PIN has it.

    ETSI TS 102 221 §9.5.1: a PIN is eight bytes, padded with FF.
    """
    return [f'"{pin}"'.encode(), *spellings(pin.encode().ljust(8, b"\xff"))]


def found(secrets: dict[str, list[bytes]], text: bytes) -> set[str]:
    """Give the names of the secrets that stand in the text."""
    return {name for name, forms in secrets.items() if re.search(b"|".join(forms), text)}


def secrets_of(demo: Demo) -> dict[str, list[bytes]]:
    """Give every secret of the demo by name, in all spellings."""
    memory = Memory.open(demo.data / "demo.json")
    vendor = DemoVendor(bytes.fromhex(memory.seed))
    secrets = {"transport key": spellings(vendor.transport_key), "seed": spellings(vendor.seed)}
    for number in CARDS:
        card = vendor.card(number)
        secrets |= {f"k of card {number}": spellings(card.k), f"opc of card {number}": spellings(card.opc)}
    for number in SCP03_CARDS:
        card = vendor.card(number)
        secrets |= {f"channel of card {number}": spellings(card.scp_enc) + spellings(card.scp_mac)}
    card = vendor.card(1)  # the one that was written
    codes = {"adm1": card.adm1.decode(), "puk1": card.puk1, "puk2": card.puk2}
    secrets |= {name: code_spellings(code) for name, code in codes.items()}
    secrets |= {"pin1": pin_spellings(card.pin1), "pin2": pin_spellings(card.pin2)}
    for name, login in memory.logins.items():
        assert login.key is not None
        secrets[f"key of {name}"] = spellings(login.key.encode())
        secrets[f"password of {name}"] = spellings(login.password.encode())
    keys = HoldKeys(Vault(FileKeyProvider(demo.data / "vault.key")).derive("hold-key"))
    secrets["hold key"] = spellings(keys.key(530700, _hold(demo)).encode())
    credential = json.loads((demo.data / "station" / "credential.json").read_text())
    secrets["station credential"] = spellings(credential["secret"].encode())
    return secrets


def _hold(demo: Demo) -> int:
    sold = json.loads((demo.data / "sold.json").read_text())
    return int(sold["hold"].rpartition("-")[2])


def dump(url: str) -> Iterator[tuple[str, bytes]]:
    """Give every table of the database as COPY writes it; bytea is written as hex."""
    named = sql.SQL("SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog')")
    with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(False)) as conn:
        for schema, table in conn.execute(named).fetchall():
            with conn.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(schema, table))) as rows:
                yield f"{schema}.{table}", b"".join(bytes(row) for row in rows)


def test_no_secret_stands_in_a_log_the_journal_or_what_was_printed(sold: Demo) -> None:
    """REQ-HW-10: keys are never logged."""
    secrets = secrets_of(sold)
    logs = [*(sold.data / "log").glob("*.log"), *sold.data.glob("station/journal*"), *sold.data.rglob("server.log*")]
    assert {path.name for path in logs} >= {"service.log", "worker.log", "reader.log", "station.log", "journal.sqlite"}
    assert {path.name: found(secrets, path.read_bytes()) for path in logs} == {path.name: set() for path in logs}
    printed = {name: forms for name, forms in secrets.items() if not name.startswith("password of")}
    assert found(printed, sold.said.encode()) == set()


def test_no_secret_stands_in_the_database(demo: Demo) -> None:
    secrets = secrets_of(demo)
    with EmbeddedServer(demo.data) as server:
        tables = dict(dump(server.url))
    assert tables["public.card_secret"].count(b"\n") == len(CARDS)
    assert {name: found(secrets, text) for name, text in tables.items()} == {name: set() for name in tables}


@pytest.mark.parametrize("spelling", range(5))
def test_search_finds_a_secret_that_leaked_in_any_spelling(spelling: int) -> None:
    secret = bytes(range(240, 256))
    line = b'{"event": "took ' + [secret, *coded(secret)][spelling] + b'"}'
    assert found({"k": spellings(secret)}, line) == {"k"}


def test_search_finds_a_leaked_code_and_no_number_that_has_its_digits() -> None:
    secrets = {"adm1": code_spellings("88833552")}
    assert found(secrets, b"VERIFY 88833552;") == {"adm1"}
    assert found(secrets, b"VERIFY 3838383333353532") == {"adm1"}
    assert found(secrets, b"13908883355 20888335521") == set()


def test_search_finds_a_leaked_pin_and_no_year() -> None:
    secrets = {"pin1": pin_spellings("2026")}
    assert found(secrets, b'{"pin1": "2026"}') == {"pin1"}
    assert found(secrets, b"00200001 08 32303236ffffffff") == {"pin1"}
    assert found(secrets, b"2026-11-22T03:10:55Z port 52026") == set()
