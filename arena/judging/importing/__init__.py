"""Importing votes collected elsewhere, so that an organizer can bring an old event along.

The whole file is checked first. Then judgments are written in batches, in file order. Each names
its import, and an unfinished import is invisible: `standing()` and the ledger skip its judgments.
Updating one row, the job's, makes all of them count at once; what a crashed import left behind was
never sealed, so it can be deleted. (One transaction for the whole file would block every other
writer on SQLite; a staging table would write everything twice and publish it bit by bit.)

An export of another event brings its records along, which are written before the votes.
"""

from arena.judging.importing.options import VoteOptions
from arena.judging.importing.vote_jobs import import_judgments, run_vote_job

__all__ = ["VoteOptions", "import_judgments", "run_vote_job"]
