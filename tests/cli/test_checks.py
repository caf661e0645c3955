"""Each check of `haoka test` is content with a good tree and not with a broken one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import psycopg
import pytest

from inventory.cli import checks
from inventory.store import migrate
from tests.conftest import ROOT

PACKAGES = ("inventory", "cardwriter", "drivers")
MODULES = ("layers", "source_modules", "forbidden_modules")
WHERE = "tests/cli/test_requirements_doc.py"
TINY = '"""A package."""\n'


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lay a tiny checkout with this project's configuration and every module that an import contract names."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    named = {name for contract in contracts for kind in MODULES for name in contract.get(kind, [])}
    ours = {name for names in named for name in names.split(" | ") if name.partition(".")[0] in PACKAGES}
    for module in ours | {*PACKAGES, "migrations", "tests"}:
        for depth in range(1, module.count(".") + 2):
            package = tmp_path.joinpath(*module.split(".")[:depth])
            package.mkdir(exist_ok=True)
            (package / "__init__.py").write_text(TINY)
    monkeypatch.setattr(checks, "ROOT", tmp_path)
    return tmp_path


BROKEN = {
    "format": ("inventory/domain/money.py", TINY + "\nPRICES = { 'a' : 1 }\n"),
    "lint": ("inventory/domain/money.py", TINY + "\nimport datetime\n\nNOW = datetime.datetime.now()\n"),
    "types": ("inventory/domain/money.py", TINY + '\nFEN: int = "1"\n'),
    "imports": ("inventory/domain/money.py", TINY + "\nimport sqlalchemy as sqlalchemy\n"),
}


@pytest.mark.e2e
@pytest.mark.parametrize("name", BROKEN)
def test_check_is_content_with_a_good_tree_and_names_the_broken_file(name: str, tree: Path) -> None:
    assert checks.CHECKS[name]() is None

    path, content = BROKEN[name]
    (tree / path).write_text(content)

    assert "money" in (checks.CHECKS[name]() or "")


@pytest.mark.database
def test_migrations_build_what_the_code_declares() -> None:
    assert checks.CHECKS["migrations"]() is None


@pytest.mark.database
def test_column_that_no_table_in_the_code_declares_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def upgrade_and_stray(url: str) -> None:
        upgrade(url)
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as conn:
            conn.execute("ALTER TABLE sim ADD COLUMN stray int")

    upgrade = migrate.upgrade
    monkeypatch.setattr(migrate, "upgrade", upgrade_and_stray)

    assert "stray" in (checks.CHECKS["migrations"]() or "")


def test_every_check_is_shown_a_broken_case() -> None:
    assert {*BROKEN, "migrations"} == set(checks.CHECKS)


@pytest.mark.e2e
def test_one_test_by_name_runs_without_the_checks_and_ends_with_its_closing_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "inventory.cli", "test", "-k", "test_range_names_every_id_in_it", "--", WHERE],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0
    assert "1 passed" in done.stdout.splitlines()[-1]
    assert "lint" not in done.stdout.partition("pytest …")[0]
