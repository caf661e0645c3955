"""Whoever reads Chinese reads why a value was refused in Chinese."""

from __future__ import annotations

from inventory.domain.identifiers import NUMBER_FORMS
from inventory.domain.kinds import KINDS
from inventory.i18n import catalogue, reason_texts
from tests.conftest import ROOT
from tests.lint.reasons import named_in, reasons_in

SAME_EVERYWHERE = {"{}", "{} – {}"}
"""Lists of values that may be sent, which are named alike in every language."""


def given() -> set[str]:
    files = (path for path in (ROOT / "inventory").rglob("*.py") if "cli" not in path.parts)
    modules = [path.read_text(encoding="utf-8") for path in files]
    words = named_in(*modules) | {kind.name for kind in KINDS.values()}
    return (reasons_in(*modules) | words | {form.advice for form in NUMBER_FORMS.values()}) - SAME_EVERYWHERE


def test_every_reason_is_in_the_chinese_catalogue_and_no_other() -> None:
    assert set(reason_texts("zh")) == given()


def test_no_reason_is_short_of_what_is_filled_in() -> None:
    assert [said for said, text in reason_texts("zh").items() if said.count("{}") != text.count("{}")] == []


def test_reasons_are_found_wherever_they_are_given() -> None:
    source = """
reason = "in a variable" if one else f"with {value}"
raise InvalidField(field="x", value=1, reason="in a refusal")
def _refused(self, field, reason):
    return InvalidField(field=field, value=1, reason=reason)
raise self._refused("x", "handed " + "on")
log(reason="told to nobody")
def read(text, *, reason="by default"):
    raise InvalidField(field="x", value=text, reason=reason)
"""
    elsewhere = 'read("1", reason="from another module")'
    assert reasons_in(source, elsewhere) == {
        "in a variable", "with {}", "in a refusal", "handed {}", "by default", "from another module",
    }  # fmt: skip


def test_what_was_filled_in_stands_in_the_chinese_text() -> None:
    said = catalogue("zh").detail(
        "invalid_field", {"field": "f", "value": 1, "reason": "at most 64 printable characters"}
    )
    assert "最多 64 个可打印字符" in said
    assert "at most 64" in catalogue("en").detail(
        "invalid_field", {"field": "f", "value": 1, "reason": "at most 64 printable characters"}
    )


def test_a_reason_that_nobody_has_translated_is_still_told() -> None:
    assert "so be it" in catalogue("zh").detail("invalid_field", {"field": "f", "value": 1, "reason": "so be it"})


def test_what_is_not_there_is_named_in_chinese() -> None:
    said = catalogue("zh").detail("not_found", {"what": "bulk order", "value": "bo-530700-9"})
    assert said.startswith("批量写卡单 bo-530700-9 不存在")
    assert catalogue("zh").detail("outside_scope", {"what": "LJ-D1"}).startswith("LJ-D1 ")
    assert catalogue("en").detail("not_found", {"what": "bulk order", "value": "x"}).startswith("bulk order x")
