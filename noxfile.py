"""What is too slow for every change: all supported Pythons, other PostgreSQLs. `nox -l` lists it."""

from __future__ import annotations

from pathlib import Path

import nox

PYTHONS = ("3.11", "3.12", "3.13")

nox.options.sessions = ["tests"]


def _install(session: nox.Session) -> None:
    """Install what ./haoka test installs, in its order."""
    session.install("--require-hashes", "-r", "requirements/build.txt")
    session.install("--require-hashes", "--no-build-isolation", "-r", "requirements/main.txt")
    session.install("--require-hashes", "-r", "requirements/test.txt")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run all tests on one Python."""
    _install(session)
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(python=PYTHONS[0])
@nox.parametrize("major", ["15", "16", "17"])
def postgresql(session: nox.Session, major: str) -> None:
    """Run the database tests on the PostgreSQL that Debian or Ubuntu installed."""
    bin_dir = Path("/usr/lib/postgresql") / major / "bin"
    if not bin_dir.is_dir():
        session.error(f"install postgresql-{major} first")
    _install(session)
    session.run("python", "-m", "pytest", "-m", "database", *session.posargs, env={"HAOKA_TEST_PG": str(bin_dir)})


@nox.session(python=PYTHONS[0])
def seek(session: nox.Session) -> None:
    """Look for new examples where Hypothesis judges; `./haoka test` repeats the same ones."""
    _install(session)
    session.run("python", "-m", "pytest", "--hypothesis-profile=seek", *session.posargs)
