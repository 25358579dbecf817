"""The columns of a file of votes: their meanings, aliases, and which are required.

The header is checked in arena/judging/importing/checking/vote_header.py.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from arena.events.importing.checking.checks import fold_column
from arena.events.importing.reading.columns import ImportColumns, rename_keys
from arena.events.importing.reading.rows import Row
from arena.judging.importing.options import VoteOptions

REQUIRED_COLUMNS = ("worker", "record", "model_a", "model_b")
FLAG_COLUMNS = ("winner_model_a", "winner_model_b", "winner_tie")
PREFERENCE_COLUMNS = ("winner", "outcome")
VOTE_COLUMNS = (
    *REQUIRED_COLUMNS,
    *PREFERENCE_COLUMNS,
    *FLAG_COLUMNS,
    "left",
    "timestamp",
    "comment",
    "turn",
)
COLUMN_HELP = {
    "worker": "who voted",
    "record": "the identifier of the record",
    "model_a": "one model's name",
    "model_b": "the other model's name",
    "winner": "which model is better",
    "outcome": "by how much, as a number",
    "winner_model_a": "1 where model_a is better",
    "winner_model_b": "1 where model_b is better",
    "winner_tie": "1 where neither is",
    "left": "which model stood left",
    "timestamp": "when",
    "comment": "why",
    "turn": "which turn of a conversation",
}
# Minimum similarity (0 to 1) of a column and a known name for it to count as misspelt.
MIN_SIMILARITY = 0.8
# Names that other projects use for our columns.
VOTE_COLUMN_ALIASES = {
    "worker": (
        *(
            "judge",
            "annotator",
            "annotator_id",
            "worker_id",
            "user",
            "user_id",
            "rater",
            "judge_hash",
        ),
        *("rater_id", "evaluator", "contributor", "completed_by", "username", "pseudonym"),
    ),
    "record": (
        *("external_id", "question_id", "prompt_id", "record_id", "item", "item_id", "task_id"),
        *("id", "uid", "idx", "instance_id", "example_id", "custom_id"),
    ),
    "model_a": ("model_1", "model1", "model a", "modela", "generator_1", "left_model", "system_a"),
    "model_b": ("model_2", "model2", "model b", "modelb", "generator_2", "right_model", "system_b"),
    "winner": ("preferred", "choice", "verdict", "vote", "selected", "better", "label", "answer"),
    "outcome": ("overall_preference", "preference", "score", "rating", "preference_score", "grade"),
    "left": ("left_side", "shown_left", "model_left"),
    "timestamp": (
        *("tstamp", "time", "date", "datetime", "judged_at", "created_at", "submitted_at"),
        *("updated_at", "completed_at", "when", "submission_time", "vote_time"),
    ),
    "comment": ("reason", "rationale", "explanation", "feedback", "note", "notes", "comments"),
}


class VoteColumns(ImportColumns):
    """The columns of a CSV file, or keys of JSON, under a mapping.

    Our own names are recognised in any case, with blanks or hyphens.
    """

    __slots__ = ()

    def meaning(self, key: str) -> str:
        """The meaning of a column; empty if it is ignored."""
        return self.mapping[key] if key in self.mapping else normalize_column(key)

    def renamed(self, row: Row) -> Mapping[str, Any]:
        """The row's values by meaning. Raises `InvalidRowError`."""
        return rename_keys(row.data, self.meaning)


def normalize_column(column: str) -> str:
    """Our own name for a column in another spelling; any other column unchanged."""
    name = fold_column(column)
    return name if name in VOTE_COLUMNS else column


def list_required_columns(options: VoteOptions) -> list[str]:
    """The columns that a file must have."""
    return [column for column in REQUIRED_COLUMNS if column != "worker" or not options.worker]


def resolve_vote_alias(column: str, columns: Iterable[str]) -> str:
    """The column that this one is an alias of, unless the file has that one; empty if unknown."""
    word = fold_column(column)
    if column in VOTE_COLUMNS:
        return ""
    known = [
        name
        for name, words in VOTE_COLUMN_ALIASES.items()
        if word == name or word in map(fold_column, words)
    ]
    return next((name for name in known if name not in columns), "")


def split_unknown_columns(columns: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Split unknown columns into those to ignore and those that are probably misspelt.

    The misspelt ones are mapped to the name that was probably meant.
    """
    foreign, misspelt = [], {}
    for column in columns:
        if column not in VOTE_COLUMNS:
            close = get_close_matches(
                column.strip().casefold(), VOTE_COLUMNS, n=1, cutoff=MIN_SIMILARITY
            )
            if close:
                misspelt[column] = close[0]
            else:
                foreign.append(column)
    return foreign, misspelt
