from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from string import Formatter

import pytest
from typer.testing import CliRunner

from cardwriter.station.cli import app, main
from cardwriter.station.enrol import load
from cardwriter.station.texts import TEXTS, language_of, say
from drivers.base import Presence
from tests.station.enrolment_desk import Desk

TINY = "virtual:tests.station.tiny_card:TinyCard"


def invoke(*arguments: str, **environment: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200", "LANG": "C", "LC_ALL": ""} | environment)
    return result.exit_code, result.output


def test_readers_are_listed_with_a_plain_sentence() -> None:
    assert invoke("readers", "--readers", TINY, "--lang", "en") == (
        0,
        "virtual: a card is in.\n  ATR 3B 9F 96 80 1F C7 80 31 A0 73 BE 21 13 67 43 20 07 18 00 00 01 A5\n",
    )


def test_a_readers_name_is_printed_as_it_is() -> None:
    assert invoke("readers", "--readers", "phoenix:loop://", "--lang", "en") == (
        0,
        "phoenix:loop://: no card; insert one.\n",
    )


@pytest.mark.parametrize(
    ("environment", "word"), [({"LANG": "zh_CN.UTF-8"}, "卡已插入"), ({"LC_ALL": "en_US"}, "card is in")]
)
def test_the_language_follows_the_locale(environment: dict[str, str], word: str) -> None:
    assert word in invoke("readers", "--readers", TINY, **environment)[1]


@pytest.mark.parametrize("command", [["readers"], ["run", "--service", "http://127.0.0.1:1", "--code", ""]])
def test_an_unknown_kind_of_reader_is_a_usage_error(command: list[str], tmp_path: Path) -> None:
    data = ["--data", str(tmp_path)] if command[0] == "run" else []
    code, output = invoke(*command, *data, "--readers", "floppy:")
    assert code == 2
    assert "known: at:, crt:, pcsc:, phoenix:, virtual:" in output


def test_a_failed_enrolment_ends_with_a_sentence(tmp_path: Path) -> None:
    code, output = invoke("enrol", "--service", "http://127.0.0.1:1", "--data", str(tmp_path), "--code", "K7QX")
    assert code == 1
    assert "cannot be reached" in output
    assert "K7QX" not in output


def test_a_good_code_enrols_and_the_credential_is_not_printed(desk: Desk, tmp_path: Path) -> None:
    code, output = invoke("enrol", "--service", desk.url, "--data", str(tmp_path), "--code", "K7QX", "--lang", "en")
    assert (code, output) == (0, "Station enrolled: Hall desk 1\n")
    assert load(tmp_path) is not None


def test_enrolment_beyond_this_machine_needs_tls(tmp_path: Path) -> None:
    code, output = invoke("enrol", "--service", "http://example.cn", "--data", str(tmp_path), "--code", "K7QX")
    assert (code, "https" in output) == (1, True)


def test_every_sentence_exists_in_both_languages_with_the_same_blanks() -> None:
    for code, sentences in TEXTS.items():
        assert sentences.keys() == {"zh", "en"}
        used = [
            {field for _, field, _, _ in Formatter().parse(sentences[language]) if field} for language in ("zh", "en")
        ]
        assert used[0] == used[1], code
        assert "{" not in say(code, "zh", **dict.fromkeys(used[0], "X"))


@pytest.mark.parametrize("presence", list(Presence))
def test_every_reader_state_has_a_sentence(presence: Presence) -> None:
    assert say(presence.value, "zh", reader="ACR39U") != say(presence.value, "en", reader="ACR39U")


@pytest.mark.parametrize(("locale", "language"), [("zh_CN.UTF-8", "zh"), ("ZH_TW", "zh"), ("en_US", "en"), ("", "en")])
def test_a_locale_names_its_language(locale: str, language: str) -> None:
    assert language_of(locale) == language


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("credential.json", "{", "credential"),
        ("credential.json", "[" * 100_000, "credential"),
        ("journal.sqlite", "no journal " * 100, "cannot be used"),
    ],
)
def test_a_data_folder_that_is_spoiled_is_named(
    desk: Desk, tmp_path: Path, file: str, content: str, words: str
) -> None:
    invoke("enrol", "--service", desk.url, "--data", str(tmp_path), "--code", "K7QX")
    (tmp_path / file).write_text(content)
    run = ("run", "--service", desk.url, "--data", str(tmp_path), "--readers", TINY, "--lang", "en")
    code, output = invoke(*run)
    assert (code, words in output, str(tmp_path) in output) == (1, True, True)


def test_a_station_from_before_scripts_were_signed_is_told_to_enrol_again(desk: Desk, tmp_path: Path) -> None:
    invoke("enrol", "--service", desk.url, "--data", str(tmp_path), "--code", "K7QX")
    kept = json.loads((tmp_path / "credential.json").read_text())
    del kept["signer"]
    (tmp_path / "credential.json").write_text(json.dumps(kept))
    run = ("run", "--service", desk.url, "--data", str(tmp_path), "--readers", TINY, "--lang", "en")
    code, output = invoke(*run)
    assert (code, "enrol again with --code" in output) == (1, True)
    desk.status = HTTPStatus.GONE
    code, output = invoke(*run, "--code", "USED-ONE")
    assert (code, "410" in output) == (1, True), "a code is used rather than the old credential"


def test_options_alone_run_the_station(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--service", "http://127.0.0.1:1", "--data", str(tmp_path), "--readers", TINY, "--lang", "en"])
    assert end.value.code == 1
    assert "not enrolled yet" in capsys.readouterr().err
