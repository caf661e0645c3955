"""docs/requirements.md: which requirement is proven by which test, from the tests' docstrings."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

LIST = "docs/requirements-list.toml"
_ID = re.compile(r"REQ-([A-Z]+)-(\d\d)(?:\.\.(\d\d))?")


def page(root: Path) -> str:
    """Give the page: per area a table of id, requirement and the tests that name the id in their docstring.

    Raises
    ------
    ValueError
        A test names an id that the list does not have.
    """
    areas = tomllib.loads((root / LIST).read_text(encoding="utf-8"))
    known = {f"REQ-{area}-{number}" for area, lines in areas.items() for number in lines if number != "title"}
    proofs = proven(root)
    if unknown := sorted(set(proofs) - known):
        raise ValueError(f"{LIST} does not know {', '.join(unknown)}, named in {proofs[unknown[0]][0]}")
    parts = [
        "# Requirements and their proofs\n",
        f"Written by `./haoka docs` from {LIST} and the docstrings of the tests; do not edit.\n",
        f"{len(proofs)} of {len(known)} have a test that names them; *open* has none yet. A test may prove a part.\n",
    ]
    for area, lines in areas.items():
        parts.append(f"## {lines['title']}\n\n| id | requirement | tests |\n|---|---|---|")
        for number, text in lines.items():
            if number != "title":
                tests = "<br>".join(f"`{test}`" for test in proofs.get(f"REQ-{area}-{number}", [])) or "*open*"
                parts.append(f"| REQ-{area}-{number} | {text} | {tests} |")
        parts.append("")
    return "\n".join(parts)


def proven(root: Path) -> Mapping[str, list[str]]:
    """Give the tests by requirement id, each as `file::test`, in the order of the files."""
    tests: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted((root / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                for name in ids(ast.get_docstring(node) or ""):
                    tests[name].append(f"{path.relative_to(root / 'tests')}::{node.name}")
    return tests


def ids(text: str) -> Iterator[str]:
    """Give the ids that a text names, each once; `REQ-NUM-09..11` names three."""
    seen: dict[str, None] = {}
    for area, first, last in _ID.findall(text):
        for number in range(int(first), int(last or first) + 1):
            seen[f"REQ-{area}-{number:02}"] = None
    yield from seen
