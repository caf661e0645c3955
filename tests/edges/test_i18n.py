from __future__ import annotations

import importlib
import pkgutil
import re
import string
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from babel.messages.pofile import read_po

import inventory.domain
import inventory.services
from inventory.api.problems import EDGE_CODES
from inventory.domain.errors import DomainError
from inventory.i18n import FOLDER, LOCALES, Language, catalogue, choose

LANGUAGES: tuple[Language, ...] = ("zh", "en")
HAN = re.compile(r"[\u4e00-\u9fff]")


def refusals(base: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    """Give every refusal that the product can raise."""
    for package in (inventory.domain, inventory.services):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            importlib.import_module(module.name)
    for kind in base.__subclasses__():
        if kind.__module__.startswith("inventory."):
            yield kind
            yield from refusals(kind)


def codes() -> set[str]:
    return {kind.code for kind in refusals() if "code" in vars(kind)} | EDGE_CODES


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("context", ["title", "detail"])
def test_every_code_has_its_text_and_no_text_is_unused(language: Language, context: str) -> None:
    written = {code for kind, code in catalogue(language).texts if kind == context}
    assert written == codes()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_or_fuzzy(language: Language) -> None:
    with (FOLDER / LOCALES[language] / "LC_MESSAGES" / "errors.po").open("rb") as file:
        messages = [message for message in read_po(file) if message.id]
    assert [message.id for message in messages if not message.string or message.fuzzy] == []


def test_both_languages_say_the_same_things() -> None:
    zh, en = (catalogue(language).texts for language in LANGUAGES)
    assert zh.keys() == en.keys()
    assert {key for key in zh if placeholders(zh[key]) != placeholders(en[key])} == set()


def test_each_language_is_its_own() -> None:
    zh, en = (catalogue(language).texts for language in LANGUAGES)
    assert [key for key, text in zh.items() if not HAN.search(text)] == []
    assert [key for key, text in en.items() if HAN.search(text)] == []


def test_every_detail_says_what_to_do_next() -> None:
    """A detail is what happened and what to do: two sentences, or one that asks."""
    zh = catalogue("zh").texts
    assert [code for (kind, code), text in zh.items() if kind == "detail" and "请" not in text] == []


def test_texts_speak_only_of_parameters_that_the_refusal_names() -> None:
    en = catalogue("en").texts
    unknown = {
        kind.code: left
        for kind in refusals()
        if "code" in vars(kind) and (left := placeholders(en["detail", kind.code]) - named(kind))
    }
    assert unknown == {}


def named(kind: type[DomainError]) -> set[str]:
    """Give the parameters that a refusal's message or docstring names."""
    return placeholders(kind.message) | set(re.findall(r"`(\w+)`", kind.__doc__ or ""))


def test_missing_parameter_reads_as_a_dash_and_a_time_as_in_the_halls() -> None:
    texts = catalogue("en")
    shown = texts.detail("hold_expired", {"expired_at": datetime(2026, 11, 2, 2, 30, tzinfo=UTC)})
    assert shown == "Hold – ended at 2026-11-02 10:30. Hold again."


def test_unknown_reason_of_a_field_gets_the_general_text() -> None:
    assert catalogue("zh").reason("of_tomorrow") == catalogue("zh").reason("other")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "zh"),
        ("", "zh"),
        ("en", "en"),
        ("EN-us", "en"),
        ("de,en;q=0.2", "en"),
        ("en;q=0.2,zh;q=0.3", "zh"),
        ("en;q=0", "zh"),
    ],
)
def test_language_is_chosen_by_weight(header: str | None, expected: Language) -> None:
    assert choose(header, "zh") == expected
