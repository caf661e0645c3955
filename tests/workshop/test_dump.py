"""`haoka card dump`: everything a card shows to anybody, nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner
from typing_extensions import override

from cardwriter.measure import CountedUicc
from cardwriter.usim import access, files
from cardwriter.usim.access import Access, Always, AnyOf, Key, Never, Rule
from cardwriter.usim.identity import encode_acc, encode_imsi
from cardwriter.usim.texts import Spn, encode_spn
from cardwriter.virtual.image import CardImage
from cardwriter.virtual.uicc import VirtualUicc
from cardwriter.workshop import cli
from cardwriter.workshop.decode import KEYS, decode, rights, words
from cardwriter.workshop.dump import ALL, dump, key_of
from drivers.errors import DriverError
from drivers.virtual import VirtualSource
from tests.cardwriter.samples import ADM1, ICCID, IMSI, OPC, K, a_blank
from tests.station.tiny_card import TinyCard
from tests.workshop.cards import personal_image, place

BLANK, PERSONAL = "virtual:tests.workshop.cards:blank", "virtual:tests.workshop.cards:personal"
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def invoke(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.cards, list(arguments), env={"COLUMNS": "200", "LANG": "C", "LC_ALL": ""})
    return result.exit_code, result.output


def dumped(card: CardImage | TinyCard, **options: bool) -> dict[str, Any]:
    source = VirtualSource(VirtualUicc(card) if isinstance(card, CardImage) else card)
    return dump(source.connect("virtual"), now=NOW, **options)


def file(found: dict[str, Any], ef: files.Ef) -> dict[str, Any]:
    one: dict[str, Any] = found["files"][key_of(ef)]
    return one


def test_a_file_is_told_by_name_shape_rights_and_words() -> None:
    assert file(dumped(a_blank()), files.ICCID) == {
        "name": "EF.ICCID",
        "select": "9000",
        "kind": "transparent",
        "size": 10,
        "record_length": 0,
        "records": 0,
        "sfi": 2,
        "life_cycle": 5,
        "rule": "2f06/4",
        "rights": {"READ": "ALW", "UPDATE": "NEV"},
        "content": place(a_blank(), files.ICCID).content.hex(),
        "value": ICCID,
    }


def test_records_are_told_one_by_one() -> None:
    found = file(dumped(a_blank()), files.SMSP)
    assert (found["kind"], found["size"], found["record_length"], found["records"]) == ("linear", 80, 40, 2)
    assert found["content"] == ["ff" * 40] * 2


def test_a_file_longer_than_an_answer_is_read_in_pieces() -> None:
    image = a_blank()
    content = bytes(range(256)) * 2
    place(image, files.PLMN_ACT).content = content
    assert file(dumped(image), files.PLMN_ACT)["content"] == content.hex()


class Hollow(VirtualUicc):
    """Says that EF.IMSI is a file of records, of which it has none."""

    said = bytes.fromhex("620b8205422100090083026f07")

    @override
    def transmit(self, apdu: bytes) -> bytes:
        """Answer as another card does, but for this file."""
        if apdu[1] == 0xA4 and apdu[5:].endswith(b"\x6f\x07"):
            super().transmit(apdu)
            return self.said + b"\x90\x00"
        return super().transmit(apdu)


def test_an_identity_without_a_record_is_told_as_unread() -> None:
    found = file(dump(VirtualSource(Hollow(a_blank())).connect("virtual"), now=NOW), files.IMSI)
    assert (found["records"], found["hidden"], found["value"]) == (0, "personal", None)


def test_a_name_on_a_card_is_printed_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    image = a_blank()
    place(image, files.SPN).content = encode_spn(Spn("[/b]:o:"))
    monkeypatch.setattr(cli, "open_readers", lambda *_: VirtualSource(VirtualUicc(image)))
    code, output = invoke("dump")
    assert (code, "name=[/b]:o:" in output) == (0, True)


def test_a_file_that_is_not_there_has_its_status_word_alone() -> None:
    assert file(dumped(a_blank()), files.GID1) == {"name": "EF.GID1", "select": "6a82"}
    assert "kind" not in file(dumped(a_blank()), files.ISIM_IMPI)


def test_applications_and_codes_are_told() -> None:
    found = dumped(a_blank())
    assert found["applications"] == [a_blank().aid.hex()]
    assert found["pins"] == {"01": False}


def test_who_the_subscriber_is_is_told_only_on_request() -> None:
    assert IMSI not in json.dumps(dumped(personal_image()))
    assert encode_imsi(IMSI).hex() not in json.dumps(dumped(personal_image()))
    assert file(dumped(personal_image()), files.IMSI)["value"] == "46000**********"
    assert file(dumped(personal_image(), full=True), files.IMSI)["value"] == IMSI


def test_no_code_is_presented_and_no_key_is_read() -> None:
    card = CountedUicc(personal_image())
    secrets = [place(card.image, ef) for ef in KEYS if card.image.file(ef.path.hex("/", 2))]
    for body in secrets:
        body.content = b"\xa5" * len(body.content)
    found = json.dumps(dump(VirtualSource(card).connect("virtual"), now=NOW, full=True))
    assert secrets
    assert {apdu[1] for apdu in card.seen} <= {0xA4, 0xB0, 0xB2, 0xC0}
    assert not any(secret in found for secret in ("a5a5a5", K.reveal().hex(), OPC.reveal().hex(), ADM1.reveal().hex()))


def test_what_a_code_protects_is_named_not_read() -> None:
    image = a_blank()
    image.codes[files.Pin.PIN1].enabled = True
    assert file(dumped(image), files.ACC)["hidden"] == "6982"


def test_a_card_of_another_world_is_dumped_as_far_as_it_goes() -> None:
    found = dumped(TinyCard())
    assert file(found, files.ICCID)["select"] == "6a81" or "kind" not in file(found, files.ICCID)


@pytest.mark.parametrize("answers", [0, 30])
def test_a_card_that_goes_away_under_way_is_not_dumped_in_part(answers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DriverError):
        dumped(TinyCard(torn_after=answers))
    monkeypatch.setattr(cli, "open_readers", lambda *_: VirtualSource(TinyCard(torn_after=answers)))
    code, output = invoke("dump", "--json", "--lang", "en")
    assert (code, "files" in output) == (1, False)


class Forgetful(VirtualUicc):
    """Fails the second selection of EF.PLMNwAcT, for no reason that it tells."""

    asked = 0

    @override
    def transmit(self, apdu: bytes) -> bytes:
        """Answer one command."""
        self.asked += apdu[5:7] == files.PLMN_ACT.fid.to_bytes(2, "big")
        return b"\x6f\x00" if apdu[1] == 0xA4 and self.asked == 2 else super().transmit(apdu)


def test_a_file_that_is_not_selected_does_not_show_the_bytes_of_another() -> None:
    found = dump(VirtualSource(Forgetful(a_blank())).connect("virtual"), now=NOW)
    assert file(found, files.PLMN_ACT)["hidden"] == "6f00"
    assert "content" not in file(found, files.PLMN_ACT)


@pytest.mark.parametrize("broken", [b"", b"\x62\x02\x80", b"\x62\x03\x82\x01\x07"])
def test_parameters_without_sense_make_no_file(broken: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cardwriter.virtual.uicc.fcp.encode", lambda _: broken)
    found = dumped(a_blank())
    assert all("kind" not in one for one in found["files"].values())
    assert (found["pins"], found["applications"]) == ({}, [])


@pytest.mark.parametrize("after_the_last", [0, 1], ids=["malformed", "missing"])
def test_a_rule_without_sense_gives_no_rights(after_the_last: int) -> None:
    image = a_blank()
    rules = place(image, files.MF_ARR)
    rules.content += b"\x81\x01\x01\x90\x00".ljust(32, b"\xff")
    rule = place(image, files.KEYS).rule = len(rules.content) // 32 + after_the_last
    found = file(dumped(image), files.KEYS)
    assert (found["rule"], found["rights"]) == (f"2f06/{rule}", None)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_table_hides_and_explains(lang: str) -> None:
    code, output = invoke("dump", "--reader", PERSONAL, "--lang", lang)
    assert code == 0
    assert ("(keys, not read)" if lang == "en" else "（密钥，不读取）") in output
    assert "46000**********" in output
    assert "READ ALW, UPDATE NEV" in output


def test_the_table_says_what_is_protected_and_what_was_never_written() -> None:
    protected = {"hidden": "6982"}
    assert cli._content(protected, "en") == "(protected, 6982)"
    assert cli._content({"value": None, "content": "ff" * 12}, "en") == "ff x 12"
    assert cli._content({"value": None, "content": "0102"}, "en") == "0102"


def test_a_dump_for_programs_is_one_line_of_json() -> None:
    code, output = invoke("dump", "--reader", BLANK, "--json")
    assert code == 0
    assert len(json.loads(output)["files"]) == len(ALL)


@pytest.mark.parametrize("arguments", [["card", "dump"], ["station", "identify"]])
def test_both_commands_are_one_program(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([*arguments, "--reader", BLANK, "--json"])
    assert end.value.code == 0
    assert ICCID in capsys.readouterr().out


def test_rights_are_in_the_standards_words() -> None:
    rules = (
        Rule(Access.READ, AnyOf((Key(0x01), Key(0x81), Key(0x8A)))),
        Rule(Access.UPDATE, access.AllOf((Key(0x0B), Key(0x11)))),
        Rule(Access.ACTIVATE | Access.DEACTIVATE, Never()),
        Rule(Access(0), Always(), b"\x32"),
    )
    assert rights(rules) == {
        "READ": "(PIN1 or PIN2 or ADM6)",
        "UPDATE": "(ADM2 and key 11)",
        "DEACTIVATE+ACTIVATE": "NEV",
        "32": "ALW",
    }


def test_words_for_every_sort_of_value() -> None:
    assert decode(files.ACC, encode_acc(IMSI)) == "0"
    assert decode(files.LOCI, b"") is None
    assert decode(files.IMSI, b"\x01\x02") is None
    assert words((None, b"\x01", Access.READ | Access.UPDATE)) == "01, READ+UPDATE"


@given(st.sampled_from(ALL), st.binary(max_size=64))
def test_no_content_breaks_the_words(ef: files.Ef, content: bytes) -> None:
    assert isinstance(decode(ef, content), str | None)
