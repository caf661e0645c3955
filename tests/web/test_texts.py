"""The Chinese catalogue of the pages is complete and holds nothing that no page shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract
from babel.messages.pofile import read_po

from inventory.domain.loading import FaultCode
from inventory.i18n import FOLDER
from inventory.web import load_pages, names, problems, reader_view, rendering, sale_view

WEB = Path(rendering.__file__).parent
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")


def texts_in_tables() -> Iterator[str]:
    """Give the texts that are looked up in a table before they are translated."""
    yield from (label for _, label, _ in rendering.PAGES)
    yield from names._EVENTS.values()
    yield from problems._AGAINST.values()
    yield from load_pages._KINDS.values()
    yield from load_pages._FAULTS.values()
    yield from sale_view._ELEMENTS.values()
    yield from sale_view._CLOSED.values()
    yield from (headline for _, headline in sale_view._JOB.values())
    for table in (reader_view._STATION, reader_view._READER, reader_view._CARD):
        for _, headline, advice in table.values():
            yield from (headline, advice)


def texts_in_code() -> Iterator[str | tuple[str, ...]]:
    """Give the texts in templates and modules, plurals as a pair."""
    for path in sorted(WEB.rglob("*")):
        method = {".html": "jinja2.ext:babel_extract", ".py": "python"}.get(path.suffix)
        if method is not None:
            with path.open("rb") as source:
                for _, message, _, _ in extract(method, source, keywords=KEYWORDS):
                    yield message if isinstance(message, str) else tuple(message)


def shown_texts() -> set[str | tuple[str, ...]]:
    return {text for text in (*texts_in_tables(), *texts_in_code()) if text}


def test_every_text_of_the_pages_is_in_the_chinese_catalogue_and_no_other() -> None:
    with (FOLDER / "zh_CN" / "LC_MESSAGES" / "pages.po").open("rb") as source:
        catalogue = read_po(source, locale="zh_CN")
    known = {message.id if isinstance(message.id, str) else tuple(message.id) for message in catalogue if message.id}
    assert known == shown_texts()


def test_no_translation_is_missing_fuzzy_or_short_of_a_placeholder() -> None:
    with (FOLDER / "zh_CN" / "LC_MESSAGES" / "pages.po").open("rb") as source:
        messages = [message for message in read_po(source, locale="zh_CN") if message.id]
    for message in messages:
        original = message.id if isinstance(message.id, str) else message.id[-1]
        translated = message.string if isinstance(message.string, str) else (message.string or ("",))[0]
        assert translated, original
        assert not message.fuzzy, original
        assert set(PLACEHOLDER.findall(translated)) == set(PLACEHOLDER.findall(original)), original


def test_every_fault_of_a_file_has_a_sentence() -> None:
    assert {code.value for code in FaultCode} <= set(load_pages._FAULTS)
