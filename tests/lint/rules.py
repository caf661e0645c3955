"""Our own lint rules: each takes a file's path inside the checkout and its text, and gives its complaints."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath

LONGEST_FILE = 500
CLOCK_READERS = (
    "inventory/cli/",
    "inventory/api/",
    "inventory/web/",
    "inventory/worker/",
    "inventory/app.py",
    "inventory/runtime.py",
    "cardwriter/station/app.py",
    "cardwriter/station/cli.py",
    "cardwriter/station/technician.py",
    "cardwriter/workshop/cli.py",
)
"""The edges: everything behind them is given the time as `now`."""

CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
PLACES = re.compile(
    r"(?<![\w.])/(?:work|root|home/\w+)/"  # a machine's own folders
    r"|pypi\.org/simple|files\.pythonhosted|--(?:extra-)?index-url|--find-links|registry\.npmjs"  # package indexes
)

Rule = Callable[[str, str], Iterator[str]]


def transactions_belong_to_services(path: str, text: str) -> Iterator[str]:
    """Only services begin and commit: one public function, one transaction."""
    if path.startswith("inventory/") and not path.startswith("inventory/services/"):
        for call in _calls(text):
            if isinstance(call.func, ast.Attribute) and call.func.attr in {"commit", "begin", "begin_nested"}:
                yield f"{path}:{call.lineno}: .{call.func.attr}() outside inventory/services"


def time_is_a_parameter(path: str, text: str) -> Iterator[str]:
    """Only the edges read the clock."""
    if path.startswith(("inventory/", "cardwriter/", "drivers/")) and not path.startswith(CLOCK_READERS):
        for node in _nodes(text):
            if isinstance(node, ast.Attribute) and ".".join(ast.unparse(node).split(".")[-2:]) in CLOCKS:
                yield f"{path}:{node.lineno}: {ast.unparse(node)} behind the edges"


def domain_knows_no_float(path: str, text: str) -> Iterator[str]:
    """Money, quantities and times of the domain are whole numbers."""
    if path.startswith("inventory/domain/"):
        for node in _nodes(text):
            if (
                (isinstance(node, ast.Constant) and isinstance(node.value, float))
                or (isinstance(node, ast.Name) and node.id == "float")
                or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))
            ):
                yield f"{path}:{node.lineno}: {ast.unparse(node)} makes a float"


def sql_is_never_glued(path: str, text: str) -> Iterator[str]:
    """No value is formatted into the text of a statement at the call of text() or execute()."""
    if path.startswith(("inventory/", "migrations/")):
        for call in _calls(text):
            name = ast.unparse(call.func).rpartition(".")[2]
            if name in {"text", "execute", "exec_driver_sql", "copy"} and call.args and _is_glued(call.args[0]):
                yield f"{path}:{call.lineno}: {name}() of a formatted string"


def files_stay_short(path: str, text: str) -> Iterator[str]:
    """Split a file that grew over the limit: it holds more than one thing."""
    ours = path.endswith((".py", ".html", ".js", ".css", ".sh")) or path == "haoka"
    if ours and "/vendor/" not in path and (lines := text.count("\n")) > LONGEST_FILE:
        yield f"{path}: {lines} lines, at most {LONGEST_FILE}"


def nothing_names_a_machine(path: str, text: str) -> Iterator[str]:
    """No folder of one machine and no address of a package index is written down."""
    if "/vendor/" not in path and not path.startswith("tests/lint/"):
        for number, line in enumerate(text.split("\n"), 1):
            if found := PLACES.search(line):
                yield f"{path}:{number}: names {found[0]!r}"


RULES: Mapping[str, Rule] = {
    rule.__name__: rule
    for rule in (
        transactions_belong_to_services,
        time_is_a_parameter,
        domain_knows_no_float,
        sql_is_never_glued,
        files_stay_short,
        nothing_names_a_machine,
    )
}


def is_python(path: str) -> bool:
    """Tell whether a path is a Python file."""
    return PurePosixPath(path).suffix == ".py"


def _nodes(text: str) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(text))


def _calls(text: str) -> Iterator[ast.Call]:
    return (node for node in _nodes(text) if isinstance(node, ast.Call))


def _is_glued(node: ast.expr) -> bool:
    """Tell whether a statement is put together from more than ALL_CAPS constants or psycopg's SQL()."""
    match node:
        case ast.JoinedStr(values=parts):
            return not all(_is_constant(part.value) for part in parts if isinstance(part, ast.FormattedValue))
        case ast.BinOp(left=left, op=ast.Mod() | ast.Add(), right=right):
            return isinstance(left, ast.Constant | ast.JoinedStr) or isinstance(right, ast.Constant | ast.JoinedStr)
        case ast.Call(func=ast.Attribute(value=template, attr="format")):
            return not re.match(r"(psycopg\.)?(sql\.)?SQL\(", ast.unparse(template))
        case _:
            return False


def _is_constant(node: ast.expr) -> bool:
    """Tell an ALL_CAPS name, or what a table of that name holds."""
    if isinstance(node, ast.Subscript):
        return _is_constant(node.value)
    return isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node).rpartition(".")[2].lstrip("_").isupper()
