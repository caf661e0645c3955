"""`haoka station identify`, as typed."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from cardwriter.usim.identity import encode_imsi
from cardwriter.workshop import cli
from cardwriter.workshop.identify import masked
from cardwriter.workshop.texts import TEXTS
from drivers.virtual import VirtualSource
from tests.cardwriter.samples import ICCID, IMSI, SERIAL
from tests.station.shown_readers import Shown, with_cards
from tests.station.tiny_card import TinyCard

BLANK, PERSONAL = "virtual:tests.workshop.cards:blank", "virtual:tests.workshop.cards:personal"
TINY = "virtual:tests.station.tiny_card:TinyCard"


def invoke(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.station, list(arguments), env={"COLUMNS": "200", "LANG": "C", "LC_ALL": ""})
    return result.exit_code, result.output


def test_a_blank_card_is_told_by_its_facts() -> None:
    code, output = invoke("identify", "--reader", BLANK, "--json")
    facts = json.loads(output)
    assert code == 0
    assert (facts["iccid"], facts["serial"], facts["imsi"], facts["blank"]) == (ICCID, SERIAL, "blank", True)
    assert (facts["adm1_tries"], facts["pin1_enabled"]) == (3, False)
    assert "preset_key" in facts["families"]


@pytest.mark.parametrize("options", [["--json"], ["--lang", "zh"], ["--lang", "en"]])
def test_the_subscriber_is_masked(options: list[str]) -> None:
    code, output = invoke("identify", "--reader", PERSONAL, *options)
    assert code == 0
    assert masked(IMSI) in output
    assert IMSI not in output
    assert encode_imsi(IMSI).hex() not in output


@pytest.mark.parametrize(("lang", "words"), [("zh", "空白卡: 是"), ("en", "is blank: yes")])
def test_facts_are_plain_words(lang: str, words: str) -> None:
    assert words in invoke("identify", "--reader", BLANK, "--lang", lang)[1]


@pytest.mark.parametrize(("lang", "words"), [("zh", "IMSI（USIM）: 空白"), ("en", "IMSI (USIM): blank")])
def test_an_imsi_that_is_not_there_is_told_in_the_language_asked_for(lang: str, words: str) -> None:
    assert words in invoke("identify", "--reader", BLANK, "--lang", lang)[1]


def test_a_card_of_another_world_is_told_as_far_as_it_goes() -> None:
    code, output = invoke("identify", "--reader", TINY, "--lang", "en")
    assert code == 0
    assert "has a USIM: no" in output
    assert "the card does not say" in output


def test_a_card_without_a_number_ends_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "open_readers", lambda *_: VirtualSource(TinyCard(files={0x3F00: bytearray()})))
    code, output = invoke("identify", "--lang", "en")
    assert (code, "clean it" in output) == (1, True)


def test_a_card_that_goes_away_under_way_is_not_told_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "open_readers", lambda *_: VirtualSource(TinyCard(torn_after=4)))
    code, output = invoke("identify", "--lang", "en")
    assert (code, "does not say" in output) == (1, False)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (with_cards("left", "right"), "left, right"),
        (Shown(), "no such card reader"),
        (VirtualSource(), "no card in the reader"),
    ],
)
def test_which_card_is_meant_must_be_clear(source: VirtualSource, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "open_readers", lambda *_: source)
    code, output = invoke("identify", "--lang", "en")
    assert (code, words in output) == (1, True)


@pytest.mark.parametrize("text", list(TEXTS))
def test_every_text_exists_in_both_languages(text: str) -> None:
    assert TEXTS[text]["zh"] != TEXTS[text]["en"]
