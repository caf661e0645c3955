"""Our own lint rules hold for the whole checkout, and each is shown broken cases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lint.checkout import text_files
from tests.lint.rules import LONGEST_FILE, RULES, is_python

PYTHON_RULES = {
    "transactions_belong_to_services",
    "time_is_a_parameter",
    "domain_knows_no_float",
    "sql_is_never_glued",
}


def complaints(rule: str) -> Iterator[str]:
    for path, text in text_files().items():
        if rule not in PYTHON_RULES or is_python(path):
            yield from RULES[rule](path, text)


@pytest.mark.parametrize("rule", RULES)
def test_checkout_keeps_the_rule(rule: str) -> None:
    assert list(complaints(rule)) == []


BROKEN = [
    ("transactions_belong_to_services", "inventory/store/x.py", "await session.commit()"),
    ("transactions_belong_to_services", "inventory/api/v1/x.py", "async with session.begin(): pass"),
    ("time_is_a_parameter", "inventory/services/x.py", "now = datetime.now(UTC)"),
    ("time_is_a_parameter", "inventory/store/x.py", "clock = datetime.datetime.now"),
    ("time_is_a_parameter", "cardwriter/usim/x.py", "time.time()"),
    ("domain_knows_no_float", "inventory/domain/x.py", "fee = 0.5"),
    ("domain_knows_no_float", "inventory/domain/x.py", "def f(x: float) -> None: ..."),
    ("domain_knows_no_float", "inventory/domain/x.py", "half = fee / 2"),
    ("sql_is_never_glued", "inventory/store/x.py", 'text(f"SELECT {name}")'),
    ("sql_is_never_glued", "inventory/store/x.py", 'text("SELECT %s" % name)'),
    ("sql_is_never_glued", "inventory/store/x.py", 'sa.text("SELECT {}".format(name))'),
    ("sql_is_never_glued", "inventory/store/x.py", 'conn.execute("SELECT " + name)'),
    ("files_stay_short", "inventory/x.py", "\n" * (LONGEST_FILE + 1)),
    ("nothing_names_a_machine", "README.md", "cd /home/clerk/haoka"),
    ("nothing_names_a_machine", "docs/x.md", "pip install --index-url https://example.org haoka"),
]

ALLOWED = [
    ("transactions_belong_to_services", "inventory/services/x.py", "async with session.begin(): pass"),
    ("time_is_a_parameter", "inventory/cli/x.py", "now = datetime.now(UTC)"),
    ("domain_knows_no_float", "inventory/domain/x.py", "half = fee // 2"),
    ("sql_is_never_glued", "inventory/store/x.py", 'text("SELECT 1")'),
    ("sql_is_never_glued", "inventory/store/x.py", 'text(f"SELECT 1 WHERE {hold_sql.SELLABLE}")'),
    ("sql_is_never_glued", "inventory/store/x.py", 'text(f"SELECT * FROM ({CHECKS[name]}) AS found")'),
    ("sql_is_never_glued", "inventory/store/x.py", 'conn.execute(sql.SQL("LISTEN {}").format(sql.Identifier(name)))'),
    ("files_stay_short", "inventory/web/static/vendor/x.js", "\n" * (LONGEST_FILE + 1)),
    ("nothing_names_a_machine", "docs/x.md", "GET /v1/home/orders/7"),
]


@pytest.mark.parametrize(("rule", "path", "text"), BROKEN)
def test_broken_case_is_named(rule: str, path: str, text: str) -> None:
    assert [complaint for complaint in RULES[rule](path, text) if complaint.startswith(path)]


@pytest.mark.parametrize(("rule", "path", "text"), ALLOWED)
def test_good_case_passes(rule: str, path: str, text: str) -> None:
    assert list(RULES[rule](path, text)) == []


def test_every_rule_is_shown_a_broken_case() -> None:
    assert {rule for rule, _, _ in BROKEN} == set(RULES)
