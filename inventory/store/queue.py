"""The job queue's connections: its tables lie in a schema of their own."""

from __future__ import annotations

from procrastinate import PsycopgConnector
from psycopg.conninfo import make_conninfo
from sqlalchemy import make_url

SCHEMA = "procrastinate"
_CONNECTIONS = 4


def queue_connector(url: str) -> PsycopgConnector:
    """Return the queue's connector to the database at the SQLAlchemy URL; nothing is opened yet."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    conninfo = make_conninfo(plain, options=f"-c search_path={SCHEMA}", application_name="haoka queue")
    return PsycopgConnector(conninfo=conninfo, min_size=1, max_size=_CONNECTIONS)
