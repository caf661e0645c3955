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


def reasons_in(*sources: str) -> set[str]:
    """Give the reasons in modules: in refusals, variables called `reason`, calls that hand one on, and as defaults."""
    trees = [ast.parse(source) for source in sources]
    by_name = {name for tree in trees for name, _ in _taking_a_reason(tree)}
    found: set[str] = set()
    for tree in trees:
        by_place = dict(_taking_a_reason(tree))
        for node in ast.walk(tree):
            found |= set(_in_node(node, by_place, by_name))
    return found


def _in_node(node: ast.AST, by_place: dict[str, int], by_name: set[str]) -> Iterator[str]:
    if isinstance(node, ast.Call):
        yield from _in_call(node, by_place, by_name)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in by_name:
        yield from _default(node)
    elif isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == "reason" for to in node.targets):
        yield from _texts(node.value)


def named_in(*sources: str) -> set[str]:
    """Give the words for what is not there or lies elsewhere, with `{}` where something is filled in."""
    calls = (node for source in sources for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    named = (
        keyword.value
        for call in calls
        if _name(call) in {"NotFound", "OutsideScope"}
        for keyword in call.keywords
        if keyword.arg == "what"
    )
    return {text for value in named for text in _texts(value)}


def _taking_a_reason(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Give each function that makes a refusal of its own `reason`, and the place of that parameter in a call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            names = [one.arg for one in given if one.arg != "self"]
            calls = (inner for inner in ast.walk(node) if isinstance(inner, ast.Call))
            if "reason" in names and any(_name(call) in REFUSALS for call in calls):
                yield node.name, names.index("reason")


def _default(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Give the reason that a function hands on when it is given none."""
    for argument, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        if argument.arg == "reason" and default is not None:
            yield from _texts(default)


def _in_call(call: ast.Call, by_place: dict[str, int], by_name: set[str]) -> Iterator[str]:
    name = _name(call)
    if name in REFUSALS or name in by_name:
        for keyword in call.keywords:
            if keyword.arg == "reason":
                yield from _texts(keyword.value)
    if name in by_place and len(call.args) > by_place[name]:
        yield from _texts(call.args[by_place[name]])


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
