"""Run `haoka demo --small` as a person does, and look at what it leaves running and lying about."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from inventory.store.cluster import places
from inventory.store.embedded import EmbeddedServer
from tests.conftest import ROOT
from tests.patience import PATIENCE

STAYS = "Ctrl-C"
COMMAND = (sys.executable, "-P", "-m", "inventory.cli")


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that is certain to come."""
    patience = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < patience, "waited in vain"
        time.sleep(0.05)


@dataclass(frozen=True)
class Demo:
    """A data folder, a folder for temporary files that only this demo has, and the file of what it says."""

    folder: Path
    temporary: Path

    @property
    def data(self) -> Path:
        """Where the demo keeps what it knows."""
        return self.folder / "demo"

    @property
    def said(self) -> str:
        """All that it printed, of all its runs."""
        return self._output.read_text(encoding="utf-8")

    @property
    def _output(self) -> Path:
        return self.folder.with_suffix(".out")

    def start(self, *options: str, **settings: str) -> subprocess.Popen[bytes]:
        """Start it in a terminal's process group of its own, with an environment that names nothing else."""
        with self._output.open("ab") as output:
            return subprocess.Popen(
                [*COMMAND, "demo", "--small", *options],
                env=dict(self.environment) | settings,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def environment(self) -> Mapping[str, str]:
        """Give what a shell with nothing but PATH would have, and where the data are."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "LC_ALL": "C.UTF-8",
            "TMPDIR": str(self.temporary),
            "HAOKA_DATA_DIR": str(self.folder),
            "HAOKA_DATABASE_POOL": "2",
        }

    def run(self, *options: str, **settings: str) -> int:
        """Run it to its end and give its exit status."""
        return self.start("--once", *options, **settings).wait(PATIENCE)

    @contextmanager
    def staying(self, *options: str) -> Iterator[subprocess.Popen[bytes]]:
        """Give the process when it has sold a line and stays up."""
        process = self.start(*options)
        try:
            until(lambda: STAYS in self.said or process.poll() is not None)
            assert process.poll() is None, self.said
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
                process.wait(PATIENCE)

    def processes(self) -> list[str]:
        """Give the command lines of all processes that work on this demo."""
        return [line for process in Path("/proc").iterdir() if process.name.isdecimal() for line in self._ours(process)]

    def _ours(self, process: Path) -> Iterator[str]:
        try:
            line = (process / "cmdline").read_bytes()
            seen = b"\0".join((line, (process / "environ").read_bytes(), os.fsencode((process / "cwd").readlink())))
        except OSError:
            return
        if any(os.fsencode(folder) in seen for folder in (self.folder, self.temporary, places(self.data)[1])):
            yield line.replace(b"\0", b" ").decode(errors="replace")

    def litter(self) -> list[Path]:
        """Give what lies in its folder for temporary files."""
        return list(self.temporary.iterdir())


@contextmanager
def demo_in(folder: Path, *, like: Demo | None = None) -> Iterator[Demo]:
    """Give a demo in the folder, with the data of another that does not run now; its database goes at the end."""
    temporary = Path(tempfile.mkdtemp(prefix="e2e-"))  # short: socket paths end at 107 bytes
    demo = Demo(folder, temporary)
    demo.folder.mkdir()
    if like is not None:
        shutil.copytree(like.data, demo.data, symlinks=True)
        refuge = places(like.data)[1]  # where the server's account cannot enter the data folder
        if refuge.exists():
            shutil.copytree(refuge, places(demo.data)[1])
    try:
        yield demo
    finally:
        if demo.data.exists():
            EmbeddedServer(demo.data).erase()
        shutil.rmtree(temporary)
