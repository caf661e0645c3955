from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from inventory.cli import main
from inventory.cli.interfaces import window_of
from inventory.domain.errors import InvalidField
from tests.api.live import served
from tests.builders import Login, Operator

pytestmark = pytest.mark.database


@pytest.fixture
def shell(app: FastAPI, operator: Operator, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Give the environment of the administrator's shell, with the service on a real socket."""
    with served(app) as address:
        monkeypatch.setenv("HAOKA_SERVICE_URL", address)
        become(monkeypatch, operator.admin)
        yield monkeypatch


def become(shell: pytest.MonkeyPatch, login: Login) -> None:
    shell.setenv("HAOKA_INTERFACE", login.interface_no)
    shell.setenv("HAOKA_STAFF", login.staff_no)
    shell.setenv("HAOKA_SECRET", login.key)
    shell.setenv("LC_ALL", "C.UTF-8")


@pytest.mark.usefixtures("shell")
def test_interface_is_granted_given_people_keys_hours_and_closed(
    operator: Operator, capsys: pytest.CaptureFixture[str]
) -> None:
    """REQ-IF-09, REQ-IF-10: the administrator's whole round, from the command line."""

    def run(*arguments: str) -> dict[str, object]:
        assert main(["interfaces", *arguments]) == 0
        answer: dict[str, object] = json.loads(capsys.readouterr().out)
        return answer

    org = str(operator.point)
    no = str(run("add", "partner", org, "--name-zh", "甲", "--name-en", "A", "--pool", "hall")["no"])
    run("staff", "PART01", "Partner", "acceptance", org)
    assert run("bind", no, "PART01") == {"interface_no": no, "staff_no": "PART01"}
    key = str(run("key", no, "PART01")["key"])
    assert run("window", no, "12345@09:00-18:00", "67@10:00-16:00+holidays")["windows"] == 2
    new = str(run("replace", no)["no"])
    assert run("key", new, "--revoke", key[:12])["prefix"] == key[:12]
    assert run("disable", new)["active"] is False


@pytest.mark.usefixtures("shell")
def test_holidays_are_added_listed_and_removed(capsys: pytest.CaptureFixture[str]) -> None:
    """REQ-IF-06."""
    assert main(["holidays", "add", "2027-10-01", "2027-10-02", "--name", "国庆节"]) == 0
    assert main(["holidays", "add", "2027-12-31", "--name", "跨年"]) == 0
    assert main(["holidays", "remove", "2027-10-02", "--reason", "调休"]) == 0
    capsys.readouterr()
    assert main(["holidays", "--json"]) == 0
    days = [row["day"] for row in json.loads(capsys.readouterr().out)["holidays"]]
    assert days == ["2027-10-01", "2027-12-31"]


def test_refusal_is_told_with_its_code_and_exit_status(
    shell: pytest.MonkeyPatch, operator: Operator, capsys: pytest.CaptureFixture[str]
) -> None:
    become(shell, operator.clerk)
    assert main(["interfaces", "list"]) == 77
    assert "access.read" in (told := capsys.readouterr().err)
    assert "[permission_denied]" in told
    assert operator.clerk.key not in told


@pytest.mark.usefixtures("shell")
def test_refused_fields_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["interfaces", "add", "bank", "0", "--name-zh", "甲", "--name-en", "A"]) == 2
    assert "body.org_id: the number is too small" in capsys.readouterr().err


def test_service_that_is_down_is_told(shell: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    shell.setenv("HAOKA_SERVICE_URL", "http://127.0.0.1:1")
    assert main(["interfaces", "list"]) == 75
    assert "haoka up" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "09:00-18:00", "8@09:00-18:00", "1@9-18", "1@09:00-18:00+never"])
def test_hours_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(InvalidField):
        window_of(text)
