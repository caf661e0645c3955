"""How the demo can end before its end."""

from __future__ import annotations


class DemoFailed(Exception):
    """Something is not as it must be; the message says what and what to do."""


class DemoStopped(Exception):
    """A person asked us to stop (Ctrl-C, SIGTERM, a closed terminal)."""
