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


@pytest.mark.parametrize(("lang", "word"), [("zh", "请改正 --readers"), ("en", "put --readers right")])
@pytest.mark.parametrize("readers", ["floppy:", "phoenix:/dev/ttyUSB0?speed=warp", "at:", "virtual:nowhere:card"])
def test_an_address_of_readers_that_opens_none_says_what_to_do(lang: str, word: str, readers: str) -> None:
    code, output = invoke("readers", "--readers", readers, "--lang", lang)
    assert (code, word in output, readers in output) == (2, True, True)


@pytest.mark.parametrize(("lang", "word"), [("zh", "“at:/dev/nowhere”处没有读卡器"), ("en", "at “at:/dev/nowhere”")])
def test_a_reader_that_is_not_there_is_named(lang: str, word: str) -> None:
    code, output = invoke("readers", "--readers", "at:/dev/nowhere", "--lang", lang)
    assert (code, word in output) == (1, True)


def refused_enrolment(tmp_path: Path, service: str, lang: str, code: str = "K7QX") -> str:
    status, output = invoke("enrol", "--service", service, "--data", str(tmp_path), "--code", code, "--lang", lang)
    assert status == 1
    return output


@pytest.mark.parametrize(
    ("service", "said"),
    [
        ("http://127.0.0.1:1", ("同一个登记码重试", "give the same code again")),
        ("haoka.example.cn", ("请改正 --service", "put --service right")),
        ("http://example.cn", ("以 https 开头", "begin with https")),
    ],
)
def test_an_enrolment_that_reaches_no_service_says_what_to_do(
    tmp_path: Path, service: str, said: tuple[str, str]
) -> None:
    for lang, words in zip(("zh", "en"), said, strict=True):
        output = refused_enrolment(tmp_path, service, lang)
        assert words in output
        assert "service" not in output.replace("--service", "") or lang == "en"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (HTTPStatus.GONE, ("向管理员要新的", "ask an administrator for a new one")),
        (HTTPStatus.UNPROCESSABLE_ENTITY, ("向管理员要新的", "ask an administrator for a new one")),
        (HTTPStatus.NOT_FOUND, ("检查地址和代理", "Check the address")),
        (HTTPStatus.SERVICE_UNAVAILABLE, ("同一个登记码重试", "give the same code again")),
    ],
)
def test_a_code_that_is_refused_is_told_from_a_server_in_trouble(
    desk: Desk, tmp_path: Path, status: HTTPStatus, said: tuple[str, str]
) -> None:
    desk.status = status
    for lang, words in zip(("zh", "en"), said, strict=True):
        assert words in refused_enrolment(tmp_path, desk.url, lang)


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


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("zh_CN.UTF-8", "zh"),
        ("ZH_TW", "zh"),
        ("Chinese (Simplified)_China", "zh"),
        ("en_US", "en"),
        ("English_United States", "en"),
        ("", "en"),
    ],
)
def test_a_locale_names_its_language(locale: str, language: str) -> None:
    assert language_of(locale) == language


def test_where_no_variable_tells_the_language_the_system_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a Windows PC of a hall."""
    monkeypatch.setattr("locale.getlocale", lambda: ("Chinese (Simplified)_China", "936"))
    assert "卡已插入" in invoke("readers", "--readers", TINY, LANG="")[1]
    assert "card is in" in invoke("readers", "--readers", TINY, LANG="", LC_ALL="en_US")[1]


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
