"""Importing votes collected elsewhere, so that an organizer brings an old event along.

The whole file is checked first. Then judgments are written in batches, in file order; each names
its import, and an import that has not come to its end is seen by nobody: neither `standing()` nor
the ledger takes its judgments. One row, the job's, makes all of them count at once, however many
they are; what a process that died has left behind was never sealed, so it can be taken away.
(One transaction for the file would hold up every other writer on SQLite; staging elsewhere would
write everything twice and land bit by bit.)

An export of another event brings its records along, which land before the votes on them.
"""

from arena.judging.importing.options import VoteOptions
from arena.judging.importing.vote_jobs import import_judgments, run_job

__all__ = ["VoteOptions", "import_judgments", "run_job"]
