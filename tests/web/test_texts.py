"""The Chinese catalogue of the pages is complete and holds nothing that no page shows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from inventory.domain.loading import FaultCode
from inventory.i18n import FOLDER
from inventory.web import (
    approval_views,
    hold_time_page,
    holiday_page,
    intake_pages,
    kiosk_view,
    load_pages,
    names,
    navigation,
    network_page,
    place_pages,
    policy_page,
    port_page,
    problems,
    quota_page,
    reader_view,
    reason_page,
    rendering,
    sale_view,
    setup_pages,
    waiting_page,
    wording,
)

WEB = Path(rendering.__file__).parent
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")


def texts_in_tables() -> Iterator[str]:
    """Give the texts that are looked up in a table before they are translated."""
    for group in navigation.GROUPS:
        yield from (group.name, *(page.name for page in group.pages))
    yield from names._EVENTS.values()
    yield from names._FINDINGS.values()
    yield from names._WHY_REPLACED.values()
    yield from problems._AGAINST.values()
    yield from policy_page._TITLES.values()
    yield from policy_page._VALUES.values()
    yield from reason_page._PURPOSES.values()
    yield from hold_time_page._CHANNELS.values()
    yield from hold_time_page._FLOWS.values()
    yield from holiday_page._WEEKDAYS
    yield from approval_views._ACTS.values()
    yield from approval_views._LABELS.values()
    yield from approval_views._OUTCOMES.values()
    yield from intake_pages._KINDS.values()
    yield from intake_pages._CARRIERS.values()
    yield from load_pages._KINDS.values()
    yield from load_pages._FAULTS.values()
    yield from load_pages._PHASES.values()
    yield from wording._HEADS.values()
    yield from quota_page._PERIODS.values()
    yield from network_page._ADVICE.values()
    yield from (*network_page._NOT_TAKEN.values(), network_page._OUT_OF_TURN)
    yield from network_page._CALL_ADVICE.values()
    yield from waiting_page._ADVICE.values()
    yield from (waiting_page._KEPT, waiting_page._ORDERED)
    yield from port_page._STANDINGS.values()
    yield from setup_pages._CARRIERS.values()
    yield from place_pages._LEVELS.values()
    yield from sale_view._ELEMENTS.values()
    yield from sale_view._CLOSED.values()
    yield from sale_view._REPLACEMENT_CLOSED.values()
    yield from sale_view._SECOND_CLOSED.values()
    yield from sale_view._HANDLING.values()
    yield from (headline for _, headline in sale_view._JOB.values())
    yield from (kiosk_view._COUNTER, kiosk_view._UNSETTLED, kiosk_view._CUT_OFF)
    yield from (kiosk_view._TAKEN_BACK, kiosk_view._ASK_STAFF)
    for words in (kiosk_view._CLOSED, kiosk_view._STOPPED, kiosk_view._PHASES):
        yield from words.values()
    yield from reader_view._SUPPLY.values()
    for table in (reader_view._STATION, reader_view._READER, reader_view._CARD, reader_view._DISPENSER):
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


def repeated(source: str) -> list[str]:
    """Give the texts that a catalogue has twice: which translation counts would be nobody's choice."""
    ids = re.findall(r'^(?:msgctxt .*\n)?msgid ".+"$', source, re.MULTILINE)
    return [found for found, count in Counter(ids).items() if count > 1]


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.po")), ids=lambda path: f"{path.parts[-3]} {path.name}")
def test_no_text_stands_twice_in_a_catalogue(path: Path) -> None:
    assert repeated(path.read_text()) == []


def test_text_that_stands_twice_is_seen() -> None:
    assert repeated('msgid "a"\nmsgstr "1"\n\nmsgid "b"\nmsgstr ""\n\nmsgid "a"\nmsgstr "2"\n') == ['msgid "a"']


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
