from __future__ import annotations

import importlib

import pytest
import typer

from inventory.cli import CARD_SIDE, COMMANDS, main
from inventory.cli.refusals import exit_status, language
from inventory.domain.errors import BadCredentials, DomainError, MissingField, NotFound
from inventory.store.account import NoAccountForServer


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Clear what the caller's shell says about the language."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def command_that_raises(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    app = typer.Typer()

    @app.command()
    def fail() -> None:
        """Fail."""
        raise error

    monkeypatch.setattr("inventory.cli.checks.app", app)


def test_help_names_every_command_and_the_station(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    said = capsys.readouterr().out
    assert all(f"  {name} " in said for name in [*COMMANDS, *CARD_SIDE])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(importlib.import_module(COMMANDS[name].module).app, typer.Typer)
    assert main([name, "--help"]) == 0
    assert f"haoka {name}" in capsys.readouterr().out


def test_unknown_command_is_a_wrong_request() -> None:
    with pytest.raises(SystemExit) as end:
        main(["no-such-command"])
    assert end.value.code == 2


@pytest.mark.parametrize(
    ("refusal", "status"), [(MissingField(field="x"), 2), (BadCredentials(), 77), (NotFound(kind="sim", name="x"), 1)]
)
def test_refusal_ends_with_its_status_and_code(
    refusal: DomainError, status: int, shell: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command_that_raises(shell, refusal)

    assert main(["test"]) == status == exit_status(refusal.refusal)
    assert f"[{refusal.code}]" in capsys.readouterr().err


def test_refusal_speaks_the_language_asked_for(shell: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    command_that_raises(shell, MissingField(field="reason"))
    main(["--lang", "zh", "test"])
    chinese = capsys.readouterr().err
    main(["--lang", "en", "test"])

    assert not chinese.isascii()
    assert capsys.readouterr().err.isascii()


@pytest.mark.parametrize(
    ("variables", "expected"),
    [({}, "en"), ({"LANG": "zh_CN.UTF-8"}, "zh"), ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en")],
)
def test_language_is_that_of_the_shell(variables: dict[str, str], expected: str, shell: pytest.MonkeyPatch) -> None:
    for name, value in variables.items():
        shell.setenv(name, value)

    assert language(None) == expected


def test_server_that_cannot_run_is_one_line_and_status_1(
    shell: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command_that_raises(shell, NoAccountForServer())

    assert main(["test"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
