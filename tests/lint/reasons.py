"""The reasons that the code gives a person for refusing a value, as texts with `{}` where something is filled in."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from inventory.domain import errors
from inventory.i18n import catalogue

REFUSALS = {
    name
    for name, value in vars(errors).items()
    if "{reason}" in catalogue("en").texts.get(("detail", getattr(value, "code", "")), "")
}
"""The refusals whose text tells a reason that the code has given."""


def reasons_in(source: str) -> set[str]:
    """Give the reasons in a module: in refusals, in variables called `reason`, in calls that hand one on."""
    tree = ast.parse(source)
    handed_on = dict(_taking_a_reason(tree))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            found |= set(_in_call(node, handed_on))
        elif isinstance(node, ast.Assign) and any(
            isinstance(to, ast.Name) and to.id == "reason" for to in node.targets
        ):
            found |= set(_texts(node.value))
    return found


def _taking_a_reason(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Give each function that makes a refusal of its own `reason`, and the place of that parameter in a call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names = [one.arg for one in (*node.args.posonlyargs, *node.args.args) if one.arg != "self"]
            calls = (inner for inner in ast.walk(node) if isinstance(inner, ast.Call))
            if "reason" in names and any(_name(call) in REFUSALS for call in calls):
                yield node.name, names.index("reason")


def _in_call(call: ast.Call, handed_on: dict[str, int]) -> Iterator[str]:
    name = _name(call)
    if name not in REFUSALS and name not in handed_on:
        return
    for keyword in call.keywords:
        if keyword.arg == "reason":
            yield from _texts(keyword.value)
    if name in handed_on and len(call.args) > handed_on[name]:
        yield from _texts(call.args[handed_on[name]])


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _texts(value: ast.expr) -> Iterator[str]:
    match value:
        case ast.Constant(str(text)):
            yield text
        case ast.JoinedStr(parts):
            yield _filled(parts)
        case ast.IfExp(_, one, other):
            yield from (*_texts(one), *_texts(other))
        case ast.BinOp(left, ast.Add(), _):
            yield from (f"{text}{{}}" for text in _texts(left))
        case _:
            """A reason that came from elsewhere was found there."""


def _filled(parts: Iterable[ast.expr]) -> str:
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
