"""The demo: one command from an empty folder to a sold line, on real parts (README, docs/demo.md)."""

from inventory.cli.demo.command import app

__all__ = ["app"]
