"""Importing records: one act with two passes.

The whole file is checked first; then what is new is written in batches that nobody sees, and one
UPDATE makes all of it visible. Changes of what was there before are staged and applied last. So a
wrong line leaves the database as it was, and whoever judges waits for one batch at most.
"""

from arena.events.importing.jobs import ImportBusyError
from arena.events.importing.reading.name_index import CompetitorRow
from arena.events.importing.report import (
    ImportReport,
    LineError,
    ProgressCallback,
    UnreadableFileError,
)
from arena.events.importing.running import import_records, run_job

__all__ = [
    "CompetitorRow",
    "ImportBusyError",
    "ImportReport",
    "LineError",
    "ProgressCallback",
    "UnreadableFileError",
    "import_records",
    "run_job",
]
