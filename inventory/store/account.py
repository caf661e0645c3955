"""Which account runs the embedded server: PostgreSQL refuses root and any uid without a passwd entry."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path


class EmbeddedServerError(RuntimeError):
    """Base of what can keep the embedded server from running."""


class NoAccountForServer(EmbeddedServerError):
    """Neither a user namespace nor a switch to an unprivileged uid is possible here."""

    def __init__(self) -> None:
        super().__init__(
            "PostgreSQL refuses to run as this account, user namespaces are refused and switching to the account "
            "'nobody' is refused too; start ./haoka as a plain user, or set HAOKA_DATABASE_URL to a running server"
        )


@dataclass(frozen=True)
class Account:
    """How to start a program so that PostgreSQL accepts it, and whose the files are that it writes."""

    prefix: tuple[str, ...]
    owner: int
    group: int

    def command(self, *argv: str | Path) -> list[str]:
        """Give the arguments that run `argv` as this account."""
        return [*self.prefix, *map(str, argv)]

    def run(self, *argv: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program to its end in a clean environment and return its exit status and output."""
        return subprocess.run(  # noqa: S603 - fixed programs, no shell
            self.command(*argv),
            env=clean_environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def may_run(self, program: Path) -> bool:
        """Tell whether this account reaches and may execute the file `program`."""
        return self.run("test", "-x", program).returncode == 0

    def may_write(self, folder: Path) -> bool:
        """Tell whether this account reaches and may write the folder `folder`."""
        return self.run("test", "-w", folder).returncode == 0


def clean_environment() -> dict[str, str]:
    """Give the environment of the server's programs: no PG* variable of the caller's shell reaches them."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def choose_account(*, namespaces: bool = True) -> Account:
    """Give the account to run the server as.

    A plain user runs it directly. Root, or a uid that passwd does not know, runs it in a user namespace where it looks
    like `nobody` while its files stay the caller's. Where namespaces are refused (a chroot, many containers; or
    `namespaces=False`) root switches to `nobody` for good.

    Raises
    ------
    NoAccountForServer
        Nothing of this works here.
    """
    uid, gid = os.getuid(), os.getgid()
    if uid != 0 and _known(uid):
        return Account((), uid, gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise NoAccountForServer from None
    mapped = Account(
        ("unshare", "--user", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}", "--"), uid, gid
    )
    if namespaces and _works(mapped):
        return mapped
    switched = Account(
        ("setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", "--"),
        nobody.pw_uid,
        nobody.pw_gid,
    )
    if _works(switched):
        return switched
    raise NoAccountForServer


def _known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _works(account: Account) -> bool:
    try:
        return account.run("true").returncode == 0
    except OSError:
        return False
