from __future__ import annotations

import base64
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cardwriter.crypto.secret import Secret
from cardwriter.script import Purpose, StepResult
from tests.cards.hall import PUK, TRANSPORT_KEY, CardKeys, Hall, card_of

pytestmark = [pytest.mark.database, pytest.mark.anyio]


def forms(value: bytes) -> set[bytes]:
    """Give the ways in which a secret could lie somewhere: raw, hex, nibble-swapped hex, base64."""
    digits = value.hex()
    swapped = "".join(digits[at + 1] + digits[at] for at in range(0, len(digits), 2))
    encoded = base64.b64encode(value).rstrip(b"=")
    return {value, digits.encode(), digits.upper().encode(), swapped.encode(), encoded[: len(encoded) // 4 * 4]}


def found(places: Iterable[tuple[str, bytes]], hidden: dict[str, bytes]) -> set[tuple[str, str]]:
    """Give where which secret lies."""
    return {
        (place, name)
        for place, content in places
        for name, value in hidden.items()
        if any(form in content for form in forms(value))
    }


def cells(dump: dict[str, list[tuple[Any, ...]]]) -> Iterator[tuple[str, bytes]]:
    for table, rows in dump.items():
        for row in rows:
            for value in row:
                yield table, value if isinstance(value, bytes) else str(value).encode()


def in_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "vault.key":
            yield path.name, path.read_bytes()


def hidden_of(item_no: int) -> dict[str, bytes]:
    keys = CardKeys.of(item_no)
    return {
        "K": keys.k.reveal(),
        "OPc": keys.opc.reveal(),
        "ADM1": keys.adm1.reveal(),
        "PUK": PUK.encode(),
        "transport key": TRANSPORT_KEY,
    }


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.mark.parametrize("inside", [0, 5], ids=["right keys", "wrong keys"])
async def test_no_key_or_code_is_stored_logged_or_shown(
    hall: Hall, logged: pytest.LogCaptureFixture, inside: int
) -> None:
    """REQ-HW-10, REQ-SEC-03: after whole runs, good and bad: every table, the journal, the log, every answer."""
    await hall.insert(card_of(0, CardKeys.of(inside)))
    job = await hall.job(await hall.sell(0))
    hidden = {**hidden_of(0), **one_time_values(hall)}
    hidden |= {f"{name} in the card": value for name, value in hidden_of(inside).items()}
    shown = [("api", repr(job).encode()), ("log", logged.text.encode()), ("repr", repr(hall).encode())]
    scripts = [("script", repr(hall.sent).encode()), ("reports", repr(hall.reports).encode())]
    hall.journal.close()
    places = [*cells(await hall.dump()), *in_files(hall.folder), *shown, *scripts]
    assert len(places) > 300
    assert found(places, hidden) == set()


def one_time_values(hall: Hall) -> dict[str, bytes]:
    """Give what the card answered to AUTHENTICATE: RES, CK and IK, or AUTS."""
    answers = [
        result.data
        for reported in hall.reports
        for result in reported.report.results
        if result.name == "authenticate" and result.data
    ]
    return {f"answer {index}": answer for index, answer in enumerate(answers)}


async def test_the_search_finds_a_secret_that_lies_about(hall: Hall) -> None:
    """The check can fail: an ADM1 as text, a K as hex, an OPc as bytes are each found in the dump."""
    keys = CardKeys.of(0)
    await hall.change("UPDATE station SET name = :lies", lies=keys.adm1.reveal().decode())
    await hall.change("UPDATE organisation SET name_en = :lies WHERE id = 1", lies=f"x{keys.k.reveal().hex()}y")
    await hall.change("UPDATE station SET credential_sha256 = :lies", lies=keys.opc.reveal())
    assert found(cells(await hall.dump()), hidden_of(0)) == {
        ("station", "ADM1"),
        ("organisation", "K"),
        ("station", "OPc"),
    }


async def test_the_proof_is_a_secret_step_and_its_answer_is_not_in_the_journal(hall: Hall) -> None:
    await hall.insert(card_of(0))
    await hall.sell(0)
    [verify] = [script for script in hall.sent if script.purpose is Purpose.VERIFY]
    [proof] = [step for step in verify.steps if step.name == "authenticate"]
    assert proof.secret
    assert repr(StepResult(name="authenticate", sw=0x9000, data=b"\xdb\x08")).count("db") == 0
    assert repr(Secret(b"1234")) == "Secret(4 bytes)"
