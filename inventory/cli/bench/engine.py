"""The raw engine: the server's own programs, `psql` for COPY and `pgbench` for statements.

What stands here in SQL is the other side of each comparison, so it belongs to the bench and not to the store.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from inventory.cli.bench.report import BenchFailed


@dataclass(frozen=True)
class Engine:
    """Runs the programs in `tools` on the database at the SQLAlchemy URL; a failing one raises `BenchFailed`."""

    url: str
    tools: Path

    def sql(self, *statements: str) -> str:
        """Run statements, each a transaction of its own, and give the rows of the last one, tab-separated."""
        return self._run("psql", *(part for statement in statements for part in ("--command", statement)))

    def copy_in(self, *files: tuple[str, Path]) -> float:
        """Copy binary files into tables such as `sim (city_id, item_no)`; return the seconds it took."""
        began = time.perf_counter()
        self.sql(*(f"\\copy {table} FROM '{path}' (FORMAT binary)" for table, path in files))
        return time.perf_counter() - began

    def copy_out(self, table: str, path: Path) -> None:
        """Copy a table into a binary file, its rows in the order they lie in."""
        self.sql(f"\\copy {table} TO '{path}' (FORMAT binary)")

    def rate(self, script: str, variables: Mapping[str, object], *, clients: int, transactions: int) -> float:
        """Run a script `transactions` times on each of `clients` connections; return transactions per second.

        A `:name` of the script without a variable is NULL. `client_id` is the number of the connection, from 0.
        """
        with tempfile.NamedTemporaryFile("w", suffix=".sql", encoding="utf-8") as file:
            file.write(script)
            file.flush()
            given = (part for name, value in variables.items() for part in ("--define", f"{name}={value}"))
            said = self._run(
                "pgbench",
                "--no-vacuum",
                "--protocol=prepared",
                f"--client={clients}",
                f"--jobs={min(clients, os.cpu_count() or 1)}",
                f"--transactions={transactions}",
                f"--file={file.name}",
                *given,
            )
        found = re.search(r"^tps = ([0-9.]+)", said, re.MULTILINE)
        if found is None:
            raise BenchFailed(f"pgbench gave no rate: {said}")
        return float(found[1])

    def version(self) -> str:
        """Return the server's version."""
        return self.sql("SHOW server_version").strip()

    def _run(self, program: str, *arguments: str) -> str:
        command = [str(self.tools / program), *_options(program), *arguments]
        done = subprocess.run(  # noqa: S603 - the server's own programs, no shell
            command, env=self._environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise BenchFailed(f"{program} failed: {done.stderr.strip()}")
        return done.stdout

    def _environment(self) -> dict[str, str]:
        """Name the database in the environment: a password in the arguments could be seen by all."""
        url = make_url(self.url)
        host = url.host or url.query.get("host")
        port = url.port or url.query.get("port")
        named = {
            "PGHOST": host,
            "PGPORT": port,
            "PGUSER": url.username,
            "PGPASSWORD": url.password,
            "PGDATABASE": url.database,
        }
        return {**os.environ, **{name: str(value) for name, value in named.items() if value is not None}}


def _options(program: str) -> Sequence[str]:
    if program == "psql":
        return ("--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1")
    return ()
