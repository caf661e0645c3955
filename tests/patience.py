"""How long a test waits for what is certain to come."""

PATIENCE = 120.0
"""Seconds; no machine at work needs them, so that only a failure waits to the end."""
