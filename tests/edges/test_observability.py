from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from cardwriter.crypto.secret import Secret
from inventory.observability import REDACTED, configure_logging, redact

KEY = "hk_" + "a" * 43


def line(**event: Any) -> dict[str, Any]:
    return dict(redact(None, "info", event))


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "new_password",
        "token",
        "Authorization",
        "hold_key",
        "api_key",
        "ki",
        "opc",
        "adm1",
        "pin1",
        "puk2",
        "K",
    ],
)
def test_field_named_like_a_secret_is_never_shown(name: str) -> None:
    """REQ-SEC-03: no secret in a log."""
    assert line(**{name: "00112233"}) == {name: REDACTED}


@pytest.mark.parametrize(
    "name", ["kind", "iccid", "opens", "number", "idempotency_key", "key_version", "keys_loaded_at"]
)
def test_field_that_only_looks_alike_is_shown(name: str) -> None:
    assert line(**{name: "x"}) == {name: "x"}


def test_secret_inside_other_things_is_found() -> None:
    shown = line(request={"headers": {"authorization": f"Bearer {KEY}"}}, parts=[{"pin1": "1234"}])
    assert shown == {"request": {"headers": {"authorization": REDACTED}}, "parts": [{"pin1": REDACTED}]}


@pytest.mark.parametrize(
    "text", [f"sent {KEY}", f"Authorization: Bearer {KEY}", "postgresql://haoka:hunter2@db/haoka", "bearer abc.def"]
)
def test_secret_inside_a_text_is_found(text: str) -> None:
    shown = line(event=text)["event"]
    assert REDACTED in shown
    assert not any(secret in shown for secret in (KEY, "hunter2", "abc.def"))


def test_secret_value_shows_its_length_only() -> None:
    assert line(found=Secret(bytes(16))) == {"found": "Secret(16 bytes)"}


@given(st.binary(max_size=64))
def test_bytes_are_never_shown(value: bytes) -> None:
    assert line(apdu=value) == {"apdu": f"{len(value)} bytes"}


@pytest.fixture
def _restored() -> Any:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("_restored")
@pytest.mark.parametrize("form", ["json", "console"])
def test_failure_is_logged_without_local_variables(form: Any, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(level="INFO", form=form)
    hidden = "very-secret-local"
    try:
        int(f"x{len(hidden)}")
    except ValueError:
        structlog.get_logger("test").exception("failed", hold_key=hidden)
        logging.getLogger("library").warning("connecting with %s", KEY)
    said = capsys.readouterr().err
    assert "ValueError: invalid literal" in said
    assert not any(secret in said for secret in (hidden, KEY))


@pytest.mark.usefixtures("_restored")
def test_line_is_json_with_level_time_and_logger(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(level="INFO", form="json")
    structlog.get_logger("inventory.test").info("loaded", rows=3)
    said = json.loads(capsys.readouterr().err)
    assert (said["event"], said["level"], said["logger"], said["rows"]) == ("loaded", "info", "inventory.test", 3)
