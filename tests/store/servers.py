"""Talking to a server that a test has started itself."""

from __future__ import annotations

from pathlib import Path

import psycopg

from inventory.store.embedded import EmbeddedServer

QUICK = {"fsync": "off", "shared_buffers": "16MB"}
"""Settings of a server whose data do not matter."""


def cluster_of(server: EmbeddedServer) -> Path:
    """Give the folder of the data of a server that has been started."""
    assert server.cluster_dir is not None
    return server.cluster_dir


def ask(server: EmbeddedServer, question: str) -> str:
    """Give the first value that the server answers, as text."""
    with _connect(server) as conn:
        row = conn.execute(question.encode()).fetchone()
    assert row is not None
    return str(row[0])


def tell(server: EmbeddedServer, statement: str) -> None:
    """Execute a statement and commit."""
    with _connect(server) as conn:
        conn.execute(statement.encode())


def _connect(server: EmbeddedServer) -> psycopg.Connection[tuple[object, ...]]:
    """Open an autocommitting connection."""
    return psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True)
