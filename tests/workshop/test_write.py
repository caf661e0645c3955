"""`haoka station write`, as typed: a test card gets a test identity, and no other card gets anything."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from typing_extensions import override

from cardwriter.crypto.secret import Secret
from cardwriter.profiles import PROFILES
from cardwriter.station.app import lock
from cardwriter.station.journal import Journal
from cardwriter.usim import files
from cardwriter.usim.identity import decode_imsi, encode_imsi
from cardwriter.virtual.families import blank_of
from cardwriter.virtual.image import CardImage
from cardwriter.virtual.uicc import VirtualUicc
from cardwriter.workshop import cli
from cardwriter.workshop.writing import FAMILIES
from drivers.virtual import VirtualSource
from tests.station.scripts import WRITE
from tests.workshop.cards import place

ICCID, IMSI = "8988211000000123456", "001010000000017"
FILE: dict[str, Any] = {
    "iccid": ICCID,
    "imsi": IMSI,
    "smsc": "15550100",
    "spn": "TEST",
    "k": "465b5ce8b199b49faa5f0a2ee238a6bc",
    "opc": "cd63cb71954a9f4e48a5994e37a02baf",
    "adm1": "83726150",
}
SECRETS = [FILE["k"], FILE["opc"], FILE["adm1"], FILE["adm1"].encode().hex()]
FACTORY = Secret(bytes(range(16)))
UPDATE = 0xD6


class TornOut(VirtualUicc):
    """A card that is pulled with its third UPDATE."""

    updates = 0

    @override
    def transmit(self, apdu: bytes) -> bytes:
        """Answer, or lose power before the command is carried out."""
        self.updates += apdu[1] == UPDATE
        return b"" if self.updates >= 3 else super().transmit(apdu)


def a_card(family: str = "sysmo_isim_sja2", **changes: Any) -> CardImage:
    wish: dict[str, Any] = {"iccid": ICCID, "serial": "1", "adm1": Secret(b"83726150"), "k": FACTORY, "opc": FACTORY}
    return blank_of(family, **(wish | changes))


@dataclass
class Typed:
    """What a technician has before him, and what he gets to read."""

    folder: Path
    patch: pytest.MonkeyPatch

    def write(
        self, image: CardImage, *options: str, mode: int = 0o600, card: type[VirtualUicc] = VirtualUicc, **changes: Any
    ) -> tuple[int, str]:
        file = self.folder / "card.json"
        file.write_text(json.dumps({name: value for name, value in (FILE | changes).items() if value is not None}))
        file.chmod(mode)
        self.patch.setattr(cli, "open_readers", lambda *_: VirtualSource(card(image)))
        arguments = ["write", str(file), "--data", str(self.folder), "--lang", "en", *options]
        result = CliRunner().invoke(cli.station, arguments, env={"COLUMNS": "200"})
        assert not [secret for secret in SECRETS if secret in result.output]
        return result.exit_code, result.output


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typed:
    return Typed(tmp_path, monkeypatch)


def imsi_on(image: CardImage) -> str:
    return decode_imsi(bytes(place(image, files.IMSI).content))


@pytest.mark.parametrize("family", [one.name for one in FAMILIES])
def test_a_test_card_is_written_read_back_and_proven(typed: Typed, family: str) -> None:
    image = a_card(family)
    code, output = typed.write(image)
    assert (code, "keys are proven" in output) == (0, True)
    assert imsi_on(image) == IMSI


def test_a_program_reads_one_object(typed: Typed) -> None:
    code, output = typed.write(a_card(), "--json")
    assert (code, json.loads(output)["kind"]) == (0, "verified")


def test_a_test_identity_may_be_written_over(typed: Typed) -> None:
    image = a_card()
    assert typed.write(image)[0] == 0
    assert typed.write(image, imsi="001010000000099")[0] == 0
    assert imsi_on(image) == "001010000000099"


def test_the_identity_of_a_subscriber_is_never_written_over(typed: Typed) -> None:
    image = a_card()
    place(image, files.IMSI).content = encode_imsi("460001234567890")
    code, output = typed.write(image)
    assert (code, "another identity" in output, imsi_on(image)) == (1, True, "460001234567890")


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (a_card(iccid="8988211000000999999"), "not the card that the file names"),
        (a_card("preset_key"), "no test card"),
        (a_card("scp03"), "no test card"),
    ],
)
def test_a_card_that_is_not_the_one_or_no_test_card_is_left_as_it_is(
    typed: Typed, image: CardImage, words: str
) -> None:
    code, output = typed.write(image)
    assert (code, words in output, imsi_on(image)) == (1, True, "")


def test_no_card_that_a_hall_sells_is_a_a_card() -> None:
    assert {family.name for family in PROFILES} - {family.name for family in FAMILIES} >= {
        "preset_key",
        "preset_key_separate_gsm",
        "serial_only",
        "scp03",
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"imsi": "460001234567890"}, "begins so"),
        ({"iccid": "89860012345678901238"}, "may be in the stock"),
        ({"adm1": None}, "these fields"),
        ({"extra": "1"}, "these fields"),
        ({"k": "465b"}, "field k"),
        ({"adm1": 83726150}, "field adm1"),
        ({"smsc": "+15550100"}, "field smsc"),
    ],
)
def test_a_file_that_is_not_for_a_test_says_what_to_do(typed: Typed, changes: dict[str, Any], words: str) -> None:
    image = a_card()
    code, output = typed.write(image, **changes)
    assert (code, words in output, imsi_on(image)) == (2, True, "")


def test_keys_that_others_may_read_are_not_used(typed: Typed) -> None:
    code, output = typed.write(a_card(), mode=0o640)
    assert (code, "chmod 600" in output) == (2, True)


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "cannot be read"), ("{", "no JSON"), ("[" * 100_000, "no JSON"), ("[]", "these fields")],
)
def test_a_file_that_is_none_says_so(tmp_path: Path, content: str | None, words: str) -> None:
    file = tmp_path / "card.json"
    if content is not None:
        file.touch(mode=0o600)
        file.write_text(content)
    result = CliRunner().invoke(cli.station, ["write", str(file), "--lang", "en"])
    assert (result.exit_code, words in result.output) == (2, True)


def test_a_wrong_adm_costs_one_try_and_no_more(typed: Typed) -> None:
    image = a_card()
    for _ in range(2):
        code, output = typed.write(image, adm1="11111111")
        assert (code, "ADM1 is wrong" in output) == (1, True)
    assert image.codes[files.Pin.ADM1].tries == 2


def test_adm1_may_be_hex(typed: Typed) -> None:
    assert typed.write(a_card(), adm1=b"83726150".hex())[0] == 0


def test_a_card_torn_out_is_written_by_putting_it_in_again(typed: Typed) -> None:
    image = a_card()
    code, output = typed.write(image, card=TornOut)
    assert (code, "Put the same card in" in output, imsi_on(image)) == (1, True, "")
    assert typed.write(image)[0] == 0
    assert imsi_on(image) == IMSI


def test_a_writing_that_the_pc_did_not_outlive_is_told_at_the_next(typed: Typed) -> None:
    journal = Journal(typed.folder / "workbench")
    entry = journal.open(WRITE, job=None, reader="reader by the window", insertion=0)
    assert entry is not None
    entry.before_change(2)
    journal.close()
    code, output = typed.write(a_card())
    assert (code, "reader by the window was cut at write EF.AD" in output) == (0, True)
    assert "was cut" not in typed.write(a_card())[1]


@pytest.mark.parametrize("spoiled", ["journal.sqlite", ""])
def test_a_journal_that_cannot_be_kept_leaves_the_card_as_it_is(typed: Typed, spoiled: str) -> None:
    bench = typed.folder / "workbench"
    if spoiled:
        bench.mkdir()
        (bench / spoiled).write_text("no journal " * 100)
    else:
        bench.write_text("a file where the folder should be")
    image = a_card()
    code, output = typed.write(image)
    assert (code, "cannot be used" in output, str(bench) in output) == (1, True, True)
    assert imsi_on(image) == ""


def test_two_at_once_are_refused(typed: Typed) -> None:
    with lock(typed.folder / "workbench"):
        code, output = typed.write(a_card())
    assert (code, "wait for it" in output) == (1, True)


def test_the_journal_is_empty_in_the_end(typed: Typed) -> None:
    typed.write(a_card())
    journal = Journal(typed.folder / "workbench")
    assert journal.lines() == ()
    journal.close()
