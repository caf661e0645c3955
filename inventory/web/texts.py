"""Texts of the pages: English in the templates, Chinese from the catalogue `pages`."""

from __future__ import annotations

import functools
import io
from gettext import GNUTranslations, NullTranslations

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from inventory.i18n import FOLDER, Language


@functools.cache
def translations(language: Language) -> NullTranslations:
    """Return the texts of the pages; in English the templates speak for themselves."""
    if language == "en":
        return NullTranslations()
    compiled = io.BytesIO()
    with (FOLDER / "zh_CN" / "LC_MESSAGES" / "pages.po").open("rb") as source:
        write_mo(compiled, read_po(source, locale="zh_CN"))
    compiled.seek(0)
    return GNUTranslations(compiled)
