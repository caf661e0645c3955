"""Find the embedded server that another process of this installation runs."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL

from inventory.store.cluster import USER, places, postmaster
from inventory.store.embedded import DATABASE, PORT

_SOCKET_FOLDER_LINE = 4
"""Line of `postmaster.pid` that names the socket's folder (PostgreSQL: src/include/utils/pidfile.h)."""


def running_url(data_dir: Path) -> str | None:
    """Return the SQLAlchemy URL of the product's database on the server that runs for the data folder, or None."""
    for cluster in places(data_dir.absolute()):
        if postmaster(cluster) is not None:
            folder = (cluster / "postmaster.pid").read_text().splitlines()[_SOCKET_FOLDER_LINE]
            url = URL.create("postgresql+psycopg", USER, database=DATABASE, port=PORT, query={"host": folder})
            return url.render_as_string(hide_password=False)
    return None
