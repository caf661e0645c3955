"""./haoka, in a tiny checkout: what it installs, what it says, and that a second start installs nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

SPEAKING_CLI = 'import sys\n\nprint("cli:", *sys.argv[1:])\n'
SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Checkout:
    """A checkout with the real ./haoka, requirement files that ask for nothing, and a machine of fake system tools."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "co 号卡 x"
        self.tools = folder / "tools"
        self.said = folder / "said"
        self.tools.mkdir()
        (self.folder / "inventory/cli").mkdir(parents=True)
        (self.folder / "requirements").mkdir()
        shutil.copy(ROOT / "haoka", self.folder)
        for name in ("build", "main", "hsm", "test"):
            (self.folder / f"requirements/{name}.txt").write_text("# nothing\n")
        for package in ("inventory", "inventory/cli"):
            (self.folder / package / "__init__.py").touch()
        (self.folder / "inventory/cli/__main__.py").write_text(SPEAKING_CLI)
        self.tool("dpkg-query", "echo installed")
        self.tool("apt-get")
        self.tool("sudo", "exit 1")
        (self.tools / "python3").symlink_to(getattr(sys, "_base_executable", sys.executable))

    def tool(self, name: str, script: str = "") -> None:
        """Put a program on PATH that notes how it was called, then does what the script says."""
        path = self.tools / name
        path.unlink(missing_ok=True)
        path.write_text(f'#!/bin/sh\necho {name} "$@" >>"{self.said}"\n{script}\n')
        path.chmod(0o755)

    def start(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run ./haoka as from an empty environment."""
        with self.popen(*arguments, **environment) as process:
            out, err = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def popen(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start ./haoka as from an empty environment, in a session of its own."""
        return subprocess.Popen(
            [self.folder / "haoka", *arguments],
            env={"PATH": f"{self.tools}:{SYSTEM}", "HOME": str(self.tools.parent)} | environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def calls(self, name: str) -> list[str]:
        """Give how a fake tool was called so far."""
        lines = self.said.read_text().splitlines() if self.said.exists() else []
        return [line for line in lines if line.startswith(name + " ")]


pytestmark = pytest.mark.e2e


def killed_in_the_middle(checkout: Checkout) -> str:
    """Kill a start when it has said what it does first, and give that."""
    with checkout.popen() as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        os.killpg(process.pid, signal.SIGKILL)
    return said


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Give a checkout as git clones it."""
    return Checkout(tmp_path)


@pytest.fixture(scope="session")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkout, subprocess.CompletedProcess[str]]:
    made = Checkout(tmp_path_factory.mktemp("made"))
    return made, made.start("demo", "--once", "a b")


@pytest.fixture
def ready(checkout: Checkout, first_start: tuple[Checkout, object]) -> Checkout:
    """Give a checkout whose environment is already made."""
    shutil.copytree(first_start[0].folder / ".venv", checkout.folder / ".venv", symlinks=True)
    return checkout


def test_first_start_makes_the_environment_and_the_second_runs_no_installer(
    first_start: tuple[Checkout, subprocess.CompletedProcess[str]],
) -> None:
    checkout, first = first_start
    made = {path: path.stat().st_mtime_ns for path in (checkout.folder / ".venv").rglob("*")}
    second = checkout.start("demo", "--once", "a b")

    assert "making the Python environment" in first.stderr
    assert (second.returncode, second.stdout, second.stderr) == (0, "cli: demo --once a b\n", "")
    assert {path: path.stat().st_mtime_ns for path in (checkout.folder / ".venv").rglob("*")} == made
    assert checkout.calls("apt-get") == []


def test_only_the_tests_install_test_tools(ready: Checkout) -> None:
    assert "test tools" not in ready.start("demo").stderr
    assert "installing test tools" in ready.start("test").stderr
    assert ready.start("test").stderr == ""


def test_only_a_start_with_a_token_installs_what_talks_to_tokens(ready: Checkout) -> None:
    assert "tokens" not in ready.start("up").stderr
    assert "installing what talks to tokens" in ready.start("up", HAOKA_KEY_TOKEN="pkcs11:…").stderr
    assert ready.start("up", HAOKA_KEY_TOKEN="pkcs11:…").stderr == ""


def test_changed_requirements_make_the_environment_anew(ready: Checkout) -> None:
    (ready.folder / "requirements/main.txt").write_text("# something else\n")

    assert "making the Python environment" in killed_in_the_middle(ready)


def test_start_killed_in_the_middle_is_made_good_by_the_next(checkout: Checkout) -> None:
    killed_in_the_middle(checkout)

    assert checkout.start().stdout == "cli:\n"


def test_two_starts_at_once_make_one_environment(checkout: Checkout) -> None:
    with checkout.popen("one") as one, checkout.popen("two") as two:
        outs = [one.communicate(), two.communicate()]

    assert [out for out, _ in outs] == ["cli: one\n", "cli: two\n"]
    assert sum("making the Python environment" in err for _, err in outs) == 1


def test_station_is_a_program_of_the_card_side(ready: Checkout) -> None:
    (ready.folder / "cardwriter/workshop").mkdir(parents=True)
    (ready.folder / "cardwriter/workshop/__init__.py").touch()
    (ready.folder / "cardwriter/workshop/__main__.py").write_text(SPEAKING_CLI.replace("cli", "workshop"))

    assert ready.start("station", "--service", "ws://[::1]").stdout == "workshop: station --service ws://[::1]\n"


def test_folder_that_the_user_stands_in_does_not_shadow_ours(ready: Checkout, tmp_path: Path) -> None:
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory/__init__.py").write_text("raise SystemExit('a stranger')\n")
    link = tmp_path / "link to haoka"
    link.symlink_to(ready.folder / "haoka")
    started = subprocess.run([link], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert started.stdout == "cli:\n"


def test_missing_packages_are_named_in_one_command_where_they_may_not_be_installed(checkout: Checkout) -> None:
    checkout.tool("dpkg-query", '[ "$4" != chromium ] && [ "$4" != gcc ] && echo installed')
    checkout.tool("id", "echo 1000")
    started = checkout.start("test")

    assert started.returncode == 2
    assert "sudo apt-get update && sudo apt-get install -y --no-install-recommends chromium gcc\n" in started.stderr
    assert checkout.calls("apt-get") == []


@pytest.mark.parametrize("uid", [0, 1000], ids=["root", "plain user whom sudo obeys"])
def test_missing_packages_are_installed_where_that_is_allowed(ready: Checkout, uid: int) -> None:
    ready.tool("dpkg-query", '[ "$4" != pcscd ] && echo installed')
    ready.tool("id", f"echo {uid}")
    ready.tool("sudo", 'shift; exec "$@"')
    started = ready.start("station")

    assert "installing system packages: pcscd" in started.stderr
    assert ready.calls("apt-get") == [
        "apt-get update -q",
        "apt-get install -y --no-install-recommends pcscd",
    ]
    assert (ready.calls("sudo") != []) == (uid != 0)


def test_failing_installation_ends_with_the_installers_words(checkout: Checkout) -> None:
    checkout.tool("dpkg-query", '[ "$4" != pcscd ] && echo installed')
    checkout.tool("id", "echo 0")
    checkout.tool("apt-get", 'echo "E: no such package" >&2; exit 100')
    started = checkout.start("demo")

    assert started.returncode == 2
    assert "E: no such package" in started.stderr


def test_older_python_alone_is_told_plainly(checkout: Checkout) -> None:
    checkout.tool("old python", 'case "$2" in *"< (3, 11)"*) exit 1 ;; *) echo 3.10 ;; esac')
    started = checkout.start(HAOKA_PYTHON=str(checkout.tools / "old python"))

    assert (started.returncode, started.stdout) == (2, "")
    assert "needs Python 3.11 or newer; this machine has only 3.10" in started.stderr


def test_machine_without_python_is_told_plainly(checkout: Checkout) -> None:
    started = checkout.start(HAOKA_PYTHON="/nowhere/python3")

    assert "needs Python 3.11 or newer; this machine has none" in started.stderr


def test_script_is_plain_posix_sh() -> None:
    for shell in ("dash", "sh"):
        subprocess.run([shell, "-n", ROOT / "haoka"], check=True)
    if linter := shutil.which("shellcheck"):
        subprocess.run([linter, ROOT / "haoka", ROOT / ".ci/run"], check=True)
