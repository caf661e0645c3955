"""Texts for people, by code, in the languages of the product; read once from `inventory/locale`.

The catalogue `errors` holds for each refusal a title (context `title`), what happened and what to do next (context
`detail`, filled with the refusal's `params`), and for each fault of a field its reason (context `reason`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

from babel.messages.pofile import read_po
from typing_extensions import override

from inventory.domain.calendar import SHANGHAI

Language = Literal["zh", "en"]
LOCALES: Mapping[Language, str] = {"zh": "zh_CN", "en": "en"}
FOLDER = Path(__file__).parent / "locale"


class _Params(dict[str, Any]):
    """Fills a text: times are shown as in the halls, what is not there as a dash."""

    @override
    def __getitem__(self, key: str) -> Any:
        value = self.get(key)
        if isinstance(value, datetime):
            return value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
        return "–" if value is None else value


@dataclass(frozen=True)
class Catalogue:
    """The texts of one language, by (context, code)."""

    language: Language
    texts: Mapping[tuple[str, str], str]

    def title(self, code: str) -> str:
        """Return the short name of a refusal."""
        return self.texts["title", code]

    def detail(self, code: str, params: Mapping[str, Any]) -> str:
        """Return what happened and what to do next; its `reason`, and the word for `what`, in this language too."""
        text = self.texts["detail", code]
        said = {name: params[name] for name in ("reason", "what") if isinstance(params.get(name), str)}
        params = {**params, **{name: translated(english, self.language) for name, english in said.items()}}
        return text.format_map(_Params(params))

    def reason(self, code: str) -> str:
        """Return why a field is refused; a code without a text of its own gets the general one."""
        return self.texts.get(("reason", code)) or self.texts["reason", "other"]


@cache
def texts(name: str, language: Language) -> Mapping[tuple[str, str], str]:
    """Return the texts of the file `name` by (context, code): `errors`, or `cards` for what happens to a card."""
    path = FOLDER / LOCALES[language] / "LC_MESSAGES" / f"{name}.po"
    with path.open("rb") as file:
        messages = read_po(file, locale=LOCALES[language])
    return {(str(message.context), str(message.id)): str(message.string) for message in messages if message.id}


@cache
def reason_texts(language: Language) -> Mapping[str, str]:
    """Return the reasons for refusing a value, by their English text; `{}` stands where something is filled in."""
    return {} if language == "en" else {said: text for (_, said), text in texts("reasons", language).items()}


@cache
def _reason_patterns(language: Language) -> Sequence[tuple[re.Pattern[str], str]]:
    """Return the reasons with something filled in, those with the most words of their own first."""
    found = [(said, text) for said, text in reason_texts(language).items() if "{}" in said]
    longest_first = sorted(found, key=lambda pair: -len(pair[0]))
    return [(re.compile(re.escape(said).replace(r"\{\}", "(.*)"), re.DOTALL), text) for said, text in longest_first]


def translated(reason: str, language: Language) -> str:
    """Return a reason, written in English in the code, in a language; one that is not known stays as it is."""
    known = reason_texts(language).get(reason)
    if known is not None:
        return known
    found = ((pattern.fullmatch(reason), text) for pattern, text in _reason_patterns(language))
    return next((text.format(*match.groups()) for match, text in found if match), reason)


@cache
def catalogue(language: Language) -> Catalogue:
    """Return the texts of refusals in a language."""
    return Catalogue(language, texts("errors", language))


def choose(accept_language: str | None, default: Language) -> Language:
    """Return the language that an `Accept-Language` header likes best (RFC 9110 section 12.5.4), or the default."""
    best, best_weight = default, 0.0
    for part in (accept_language or "").split(","):
        tag, _, weight_text = part.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        try:
            weight = float(weight_text.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if language in LOCALES and weight > best_weight:
            best, best_weight = ("zh" if language == "zh" else "en"), weight
    return best
