"""The station's command line where everything is missing that Windows lacks: `python -m tests.station.windows`.

The commands that know cards are there, too.

It stands for Windows as far as our own code goes; the standard library and pyserial are what they are here.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import serial

MODULES = ("fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty")
CALLS = {
    signal: ("SIGHUP", "SIGKILL", "pthread_kill", "pthread_sigmask", "sigtimedwait", "sigwait"),
    os: ("chown", "fchmod", "fork", "geteuid", "getuid", "killpg", "mkfifo", "sched_getaffinity", "setsid", "uname"),
}
LOADED = (asyncio, serial)
"""Have parts of their own for Windows, and must have found those of this system before it goes."""


def take_away() -> None:
    """Let this process be without POSIX from here on."""
    for name in MODULES:
        sys.modules[name] = None  # type: ignore[assignment]  # how Python notes that there is no such module
    for module, names in CALLS.items():
        for name in names:
            delattr(module, name)


if __name__ == "__main__":
    take_away()
    from cardwriter.workshop.cli import main

    main(["station", *sys.argv[1:]])
