"""The station's memory across a power cut: which scripts ran, how far, and what they ended with.

Each card-changing step is written before it is sent, and the first of a card is on disk: the journal outlives the
process line by line, and a power cut in what a job's end rests on (docs/adr/0034). An entry stays until the service
says that it has the report. Answers of secret steps are never written.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cardwriter.script import Outcome, Purpose, Report, Script, StepResult

FILE_NAME: Final = "journal.sqlite"
KILLED: Final = "station_killed"
"""`Report.error` of a script that was under way when the station ended."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS script (
    id          TEXT PRIMARY KEY,
    job         TEXT,
    reader      TEXT NOT NULL,
    insertion   INTEGER NOT NULL,
    purpose     TEXT NOT NULL,
    card        TEXT,
    steps       INTEGER NOT NULL,
    started_at  TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    next_index  INTEGER NOT NULL DEFAULT 0,
    next_name   TEXT,
    changed     INTEGER NOT NULL DEFAULT 0,
    outcome     TEXT,
    error       TEXT,
    atr         TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE IF NOT EXISTS result (
    script      TEXT NOT NULL REFERENCES script (id) ON DELETE CASCADE,
    position    INTEGER NOT NULL,
    name        TEXT NOT NULL,
    sw          INTEGER NOT NULL,
    data        BLOB NOT NULL,
    PRIMARY KEY (script, position)
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Filed:
    """A report with its address: what the service gets about one script. `job` is the service's own reference."""

    job: str | None
    reader: str
    insertion: int
    report: Report

    def to_wire(self) -> dict[str, Any]:
        """Return the link message of type `report`."""
        return {
            "type": "report",
            "job": self.job,
            "reader": self.reader,
            "insertion": self.insertion,
            "report": self.report.to_wire(),
        }


@dataclass(frozen=True)
class Line:
    """One script for a person's eyes: nothing that was sent to a card or read from it.

    `done` of `steps` steps have answered, the last one with `sw` (four hex digits); `step` is the name of the step that
    was about to change the card, or of the last one that answered. `outcome` is None while the script runs.
    """

    script: str
    job: str | None
    purpose: str
    reader: str
    started_at: str
    done: int
    steps: int
    step: str | None
    sw: str | None
    outcome: str | None
    error: str | None
    changed: bool


class Journal:
    """All scripts that the service has not acknowledged; safe to use from several threads.

    Reports of this process are kept whole in memory until acknowledged; what the disk gives back after a restart lacks
    the answers of secret steps.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._fresh: dict[str, Filed] = {}
        self._synced = True
        self._db = sqlite3.connect(folder / FILE_NAME, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        try:
            # A page goes into the log whole for each step, however little of it has changed.
            for setting in ("page_size = 1024", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                self._db.execute(f"PRAGMA {setting}")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error:
            self._db.close()
            raise

    def settle(self) -> int:
        """End every entry that a former process left open as lost; call once per process, before the first script.

        Returns how many processes have called this on the folder, this one included.
        """
        with self._transaction(synced=True):
            self._db.execute(
                "UPDATE script SET outcome = ?, error = ? WHERE outcome IS NULL", (Outcome.LOST.value, KILLED)
            )
            starts = int(self._db.execute("PRAGMA user_version").fetchone()[0]) + 1
            self._db.execute(f"PRAGMA user_version = {starts}")
            return starts

    def open(self, script: Script, *, job: str | None, reader: str, insertion: int) -> Entry | None:
        """Start an entry; None when the script has one already and must not run again.

        One that may change its card is on disk when this returns. One that only reads may be read again.
        """
        with self._transaction(synced=script.purpose is Purpose.WRITE):
            cursor = self._db.execute(
                "INSERT INTO script (id, job, reader, insertion, purpose, card, steps) VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (script.id, job, reader, insertion, script.purpose.value, script.card, len(script.steps)),
            )
            return Entry(self, script, job=job, reader=reader, insertion=insertion) if cursor.rowcount else None

    def find(self, script_id: str) -> Filed | None:
        """Return the report of a script that has ended, or None."""
        return next((filed for filed in self.unacknowledged() if filed.report.script_id == script_id), None)

    def unacknowledged(self) -> tuple[Filed, ...]:
        """Return the reports that the service has not acknowledged, oldest first."""
        with self._lock:
            rows = self._db.execute("SELECT * FROM script WHERE outcome IS NOT NULL ORDER BY rowid").fetchall()
            return tuple(self._fresh.get(row["id"]) or self._file(row) for row in rows)

    def lines(self) -> tuple[Line, ...]:
        """Return every script in the journal, oldest first, as a person may see it."""
        with self._lock:
            rows = self._db.execute(
                "SELECT s.*, r.name AS last_name, printf('%04x', r.sw) AS last_sw FROM script AS s"
                " LEFT JOIN result AS r ON r.script = s.id"
                " AND r.position = (SELECT max(position) FROM result WHERE script = s.id)"
                " ORDER BY s.rowid"
            ).fetchall()
        return tuple(
            Line(
                script=row["id"],
                job=row["job"],
                purpose=row["purpose"],
                reader=row["reader"],
                started_at=row["started_at"],
                done=row["next_index"],
                steps=row["steps"],
                step=row["next_name"] or row["last_name"],
                sw=row["last_sw"] if row["last_name"] else None,
                outcome=row["outcome"],
                error=row["error"],
                changed=bool(row["changed"]),
            )
            for row in rows
        )

    def acknowledge(self, script_id: str) -> None:
        """Forget an ended script: the service has its report, and knows it again should a power cut bring it back."""
        with self._transaction(synced=False):
            self._db.execute("DELETE FROM script WHERE id = ? AND outcome IS NOT NULL", (script_id,))
            self._fresh.pop(script_id, None)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def write(
        self, statement: str, values: tuple[Any, ...], results: Iterable[tuple[Any, ...]], *, synced: bool
    ) -> None:
        """Change one entry and add results to it, in one transaction; for `Entry`."""
        with self._transaction(synced=synced):
            self._db.execute(statement, values)
            self._db.executemany(
                "INSERT INTO result (script, position, name, sw, data) VALUES (?, ?, ?, ?, ?)", results
            )

    def end(self, filed: Filed, values: tuple[Any, ...], results: Iterable[tuple[Any, ...]]) -> None:
        """File a report, and hold it whole in memory until acknowledged; for `Entry`. One of a changed card is on disk.

        Both at once: between the two the link would see it without the answers of secret steps.
        """
        with self._lock:
            self.write(
                "UPDATE script SET outcome = ?, error = ?, atr = ?, next_index = ?, next_name = NULL WHERE id = ?",
                values,
                results,
                synced=filed.report.changed,
            )
            self._fresh[filed.report.script_id] = filed

    @contextmanager
    def _transaction(self, *, synced: bool) -> Iterator[None]:
        """Hold the journal for one transaction; not `synced`, it outlives this process, but perhaps no power cut."""
        with self._lock, self._db:
            if synced is not self._synced:
                self._db.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
                self._synced = synced
            self._db.execute("BEGIN IMMEDIATE")
            yield

    def _file(self, row: sqlite3.Row) -> Filed:
        found = self._db.execute("SELECT name, sw, data FROM result WHERE script = ? ORDER BY position", (row["id"],))
        report = Report(
            script_id=row["id"],
            outcome=Outcome(row["outcome"]),
            results=tuple(StepResult(name=name, sw=sw, data=data) for name, sw, data in found),
            atr=bytes.fromhex(row["atr"]),
            error=row["error"],
            changed=bool(row["changed"]),
        )
        return Filed(job=row["job"], reader=row["reader"], insertion=row["insertion"], report=report)


class Entry:
    """One script's line in the journal, while it runs."""

    def __init__(self, journal: Journal, script: Script, *, job: str | None, reader: str, insertion: int) -> None:
        self.job = job
        self._reader = reader
        self.insertion = insertion
        self._journal = journal
        self._script = script
        self._pending: list[tuple[Any, ...]] = []
        self._count = 0
        self.changed = False
        """Whether a card-changing step was about to be sent: from then on the card counts as changed."""

    def before_change(self, index: int, *, synced: bool = True) -> None:
        """Write that the step at this position is about to change the card; `synced`: on disk when this returns."""
        self._journal.write(
            "UPDATE script SET changed = 1, next_index = ?, next_name = ? WHERE id = ?",
            (index, self._script.steps[index].name, self._script.id),
            self._pending,
            synced=synced,
        )
        self._pending = []
        self.changed = True

    def after(self, result: StepResult, *, secret: bool) -> None:
        """Note a result; it reaches the disk with the next change or the end. A secret answer never does."""
        data = b"" if secret else result.data
        self._pending.append((self._script.id, self._count, result.name, result.sw, data))
        self._count += 1

    def close(self, report: Report) -> None:
        """End the entry with its report."""
        values = (report.outcome.value, report.error, report.atr.hex(), self._count, self._script.id)
        filed = Filed(job=self.job, reader=self._reader, insertion=self.insertion, report=report)
        self._journal.end(filed, values, self._pending)
        self._pending = []
