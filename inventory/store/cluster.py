"""The embedded server's data on disk: where they are kept, made by initdb, freed of a server that was killed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from inventory.store.account import Account, EmbeddedServerError

USER = "haoka"
PRIVATE_PREFIX = "haoka-pg-"
SOCKET_DIR_LINE = 4  # of postmaster.pid, from 0 (miscadmin.h: LOCK_FILE_LINE_SOCKET_DIR)


class DataFolderOfOtherVersion(EmbeddedServerError):
    """The data were written by another major version of PostgreSQL."""

    def __init__(self, folder: Path, found: str, wanted: str) -> None:
        super().__init__(
            f"the database in {folder} was made by PostgreSQL {found}, this server is PostgreSQL {wanted}; "
            f"dump it with version {found}'s pg_dump and restore it, or start over with --fresh"
        )


class ServerFailed(EmbeddedServerError):
    """A program of the server failed; the message ends with its own words."""

    def __init__(self, what: str, output: str) -> None:
        super().__init__(f"{what} failed: {output.strip()[-2000:] or 'no output'}")


@dataclass(frozen=True)
class Tools:
    """The server's programs, and the account that runs them."""

    bin_dir: Path
    account: Account

    def end_leftover(self, cluster: Path) -> None:
        """End a server whose process and guard were both killed, and remove what it left."""
        pid_file = cluster / "postmaster.pid"
        try:
            socket_dir = Path(pid_file.read_text().split("\n")[SOCKET_DIR_LINE])
        except (OSError, IndexError):
            return
        if postmaster(cluster) is not None:
            self.account.run(self.bin_dir / "pg_ctl", "stop", "-D", cluster, "-m", "fast", "-w")
        if postmaster(cluster) is None:
            # PostgreSQL takes any live process with the recorded pid for itself; after a reboot that is a stranger
            pid_file.unlink(missing_ok=True)
            if socket_dir.name.startswith(PRIVATE_PREFIX):
                shutil.rmtree(socket_dir, ignore_errors=True)

    def make_cluster(self, data_dir: Path, *, durable: bool) -> Path:
        """Give the folder of a cluster that is initialised and that the account may write.

        It is the first of `places` that the account reaches; with `durable=False` initdb does not wait for the disk.

        Raises
        ------
        DataFolderOfOtherVersion
            What is there was made by another major version.
        ServerFailed
            initdb failed, or the account can write nowhere.
        """
        home, refuge = places(data_dir)
        if self._claim(home, durable=durable):
            return home
        _own_folder(refuge.parent)
        if self._claim(refuge, durable=durable):
            return refuge
        raise ServerFailed("finding a data folder", f"the server's account can write neither {home} nor {refuge}")

    def _claim(self, cluster: Path, *, durable: bool) -> bool:
        """Make the cluster ready; False if the account cannot reach it."""
        if (cluster / "PG_VERSION").exists():
            self._check_version(cluster)
            give(cluster, self.account)
            return self.account.may_write(cluster)
        fresh = _half_made(cluster)
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        give(fresh, self.account)
        if not self.account.may_write(fresh):
            fresh.rmdir()
            return False
        argv = ["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", *([] if durable else ["--no-sync"])]
        made = self.account.run(self.bin_dir / "initdb", "-D", fresh, *argv)
        if made.returncode != 0:
            raise ServerFailed("initdb", made.stderr or made.stdout)
        fresh.rename(cluster)
        return True

    def _check_version(self, cluster: Path) -> None:
        found = (cluster / "PG_VERSION").read_text().strip()
        said = self.account.run(self.bin_dir / "postgres", "--version").stdout  # postgres (PostgreSQL) 18.6
        wanted = said.split()[2].partition(".")[0]
        if found != wanted:
            raise DataFolderOfOtherVersion(cluster, found, wanted)


def places(data_dir: Path) -> tuple[Path, Path]:
    """Give where this uid's cluster belongs, and its refuge where the server's account cannot enter that folder."""
    mark = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    uid = os.getuid()
    return data_dir / f"postgresql-{uid}", Path("/var/tmp") / f"haoka-{uid}" / mark  # noqa: S108 - see _own_folder


def erase(data_dir: Path) -> None:
    """Remove this uid's cluster, wherever it is."""
    for cluster in places(data_dir):
        for folder in (cluster, _half_made(cluster)):
            shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):  # not there, or other data folders have theirs in it
        places(data_dir)[1].parent.rmdir()


def postmaster(cluster: Path) -> int | None:
    """Pid of the server that really runs on this cluster: its working directory is the cluster."""
    try:
        pid = int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        return pid if Path(f"/proc/{pid}/cwd").samefile(cluster) else None
    except (OSError, ValueError):
        return None


def give(folder: Path, account: Account) -> None:
    """Hand the folder and what is in it to the account, where it is not its own yet."""
    if folder.stat().st_uid == account.owner:
        return
    for parent, _, files in os.walk(folder):
        for path in (parent, *(os.path.join(parent, name) for name in files)):  # noqa: PTH118 - os.walk gives str
            os.chown(path, account.owner, account.group, follow_symlinks=False)


def tail(log: Path) -> str:
    """Give the last words of a log; empty where there is none."""
    try:
        return log.read_text(errors="replace")[-2000:]
    except OSError:
        return ""


def _half_made(cluster: Path) -> Path:
    """Where initdb works, so that a killed one leaves no half-made cluster."""
    return cluster.with_name(cluster.name + ".new")


def _own_folder(folder: Path) -> None:
    """Make a folder in a place that everybody writes, or take it only if it is truly ours."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir()
    if folder.is_symlink() or not folder.is_dir() or folder.stat().st_uid != os.getuid():
        raise ServerFailed("finding a data folder", f"{folder} belongs to somebody else")
    folder.chmod(0o711)
