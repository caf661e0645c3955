"""Is a new OpenAPI document safe for those who call the old one? Gives each reason why it is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]
_METHODS = ("get", "put", "post", "delete", "patch")


def breaking(old: Document, new: Document) -> list[str]:
    """Return what a caller of `old` would stumble over in `new`; empty if nothing."""
    return sorted(set(_Comparison(old, new).complaints()))


class _Comparison:
    def __init__(self, old: Document, new: Document) -> None:
        self._old, self._new = old, new

    def complaints(self) -> Iterator[str]:
        for path, item in self._old["paths"].items():
            for method in _METHODS:
                if method in item:
                    name = f"{method.upper()} {path}"
                    after = self._new["paths"].get(path, {}).get(method)
                    if after is None:
                        yield f"{name} is gone"
                    else:
                        yield from self._operation(name, item[method], after)

    def _operation(self, name: str, old: Document, new: Document) -> Iterator[str]:
        if old.get("x-permission") != new.get("x-permission"):
            yield f"{name} asks for another permission"
        before = {(one["in"], one["name"]): one for one in old.get("parameters", [])}
        for key, parameter in {(one["in"], one["name"]): one for one in new.get("parameters", [])}.items():
            if key in before:
                yield from self._taken(f"{name} {key[1]}", before[key]["schema"], parameter["schema"])
            if parameter.get("required") and not before.get(key, {}).get("required"):
                yield f"{name} now needs {key[1]}"
        yield from self._body(name, old, new)
        for status, answer in old["responses"].items():
            yield from self._answer(f"{name} {status}", answer, new["responses"].get(status))

    def _body(self, name: str, old: Document, new: Document) -> Iterator[str]:
        if "requestBody" not in new:
            if "requestBody" in old:
                yield f"{name} takes no body any more"
            return
        if "requestBody" not in old:
            if new["requestBody"].get("required"):
                yield f"{name} now needs a body"
            return
        taken = new["requestBody"]["content"]
        for media, content in old["requestBody"]["content"].items():
            if media not in taken:
                yield f"{name} takes no {media} any more"
            else:
                yield from self._taken(f"{name} body", content["schema"], taken[media]["schema"])

    def _answer(self, name: str, old: Document, new: Document | None) -> Iterator[str]:
        if new is None:
            if name.rpartition(" ")[2].startswith("2"):
                yield f"{name} is not answered any more"
            return
        for code in set(old.get("x-codes", [])) - set(new.get("x-codes", [])):
            yield f"{name} lost the code {code}"
        for media, content in old.get("content", {}).items():
            after = new.get("content", {}).get(media)
            if after is None:
                yield f"{name} is no {media} any more"
            elif "schema" in content:
                yield from self._given(name, content["schema"], after["schema"])

    def _taken(self, where: str, old: Document, new: Document) -> Iterator[str]:
        """Compare what callers send: nothing that was accepted may be refused."""
        old, new = self._resolve(self._old, old), self._resolve(self._new, new)
        yield from self._type(where, old, new)
        choices = set(old.get("enum", []))
        for value in choices - set(new.get("enum", choices)):
            yield f"{where} no longer takes {value!r}"
        for name in set(new.get("required", [])) - set(old.get("required", [])):
            yield f"{where}.{name} is now required"
        for name, schema in old.get("properties", {}).items():
            if name not in new.get("properties", {}):
                yield f"{where}.{name} is no longer taken"
            else:
                yield from self._taken(f"{where}.{name}", schema, new["properties"][name])
        if "items" in old and "items" in new:
            yield from self._taken(f"{where}[]", old["items"], new["items"])

    def _given(self, where: str, old: Document, new: Document) -> Iterator[str]:
        """Compare what callers read: nothing that was there may be missing."""
        old, new = self._resolve(self._old, old), self._resolve(self._new, new)
        yield from self._type(where, old, new)
        for name, schema in old.get("properties", {}).items():
            if name not in new.get("properties", {}):
                yield f"{where}.{name} is no longer given"
            else:
                yield from self._given(f"{where}.{name}", schema, new["properties"][name])
        if "items" in old and "items" in new:
            yield from self._given(f"{where}[]", old["items"], new["items"])

    def _type(self, where: str, old: Document, new: Document) -> Iterator[str]:
        if _types(old) != _types(new):
            yield f"{where} is {_types(new)}, was {_types(old)}"

    def _resolve(self, document: Document, schema: Document) -> Document:
        """Follow a reference, and the one branch of an optional one."""
        while True:
            branches = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
            if "$ref" in schema:
                schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            elif len(branches) == 1:
                schema = branches[0]
            else:
                return schema


def _types(schema: Document) -> str:
    """Return the type as text; of a choice, all of them."""
    branches = next((schema[kind] for kind in ("anyOf", "oneOf") if kind in schema), [schema])
    return "|".join(sorted(str(one.get("type", one.get("$ref", "anything"))) for one in branches))
