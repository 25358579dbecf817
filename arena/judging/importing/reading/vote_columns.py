"""The columns of a file of votes: what they mean, and what is missing or misspelt."""

import shlex
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from arena.events.importing.checking.checks import fold_column
from arena.events.importing.reading.columns import Columns, rename
from arena.events.importing.reading.rows import Row
from arena.judging.importing.options import VoteOptions

NEEDED = ("worker", "record", "model_a", "model_b")
FLAGS = ("winner_model_a", "winner_model_b", "winner_tie")
VERDICTS = ("winner", "outcome")
COLUMNS = (*NEEDED, *VERDICTS, *FLAGS, "left", "timestamp", "comment", "turn")
MEANINGS = {
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
# How much alike a misspelt column and the one that was meant are, 0 to 1.
SIMILAR = 0.8
# Columns of other projects, and what they are here.
ALIASES = {
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


class VoteColumns(Columns):
    """Columns of CSV or keys of JSON, under a mapping; our own names in any case, with blanks or
    hyphens."""

    __slots__ = ()

    def meaning(self, key: str) -> str:
        """What a column means; empty: it is left out."""
        return self.mapping[key] if key in self.mapping else canonical(key)

    def meant(self, row: Row) -> Mapping[str, Any]:
        """The row's values under their meaning. Raises `InvalidRowError`."""
        return rename(row.data, self.meaning)


def canonical(column: str) -> str:
    """Our own name for a column that is written otherwise; any other column as it is."""
    name = fold_column(column)
    return name if name in COLUMNS else column


def needed(options: VoteOptions) -> list[str]:
    """The columns that a file cannot be without."""
    return [column for column in NEEDED if column != "worker" or not options.worker]


def missing_columns(columns: Iterable[str], options: VoteOptions) -> str:
    """One sentence on what a file of these columns lacks to be votes; empty: nothing."""
    columns = list(columns)
    lacking = [f"{name} ({MEANINGS[name]})" for name in needed(options) if name not in columns]
    if not set(columns) & {*VERDICTS, "winner_model_a"}:
        lacking.append("winner or outcome (which model is better)")
    if not lacking:
        return ""
    meant = {column: alias_of(column, columns) for column in columns} | {
        column: name for column, name in split_columns(columns)[1].items() if name not in columns
    }
    hints = [f"{column}={name}" for column, name in meant.items() if name]
    hint = f" (probably --map {' --map '.join(map(shlex.quote, hints))})" if hints else ""
    if "worker" not in columns and "worker" in needed(options):
        hint += "; where nobody is named, say who voted (--worker NAME)"
    return (
        f"These are no votes yet: no column says {', '.join(lacking)}. Map columns to them{hint}."
    )


def alias_of(column: str, columns: Iterable[str]) -> str:
    """What a column probably is, where that is not there; empty: nothing known."""
    word = fold_column(column)
    if column in COLUMNS:
        return ""
    known = [
        name for name, words in ALIASES.items() if word == name or word in map(fold_column, words)
    ]
    return next((name for name in known if name not in columns), "")


def split_columns(columns: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Columns that mean nothing here and can be left out; and those that are probably misspelt,
    with the one that was probably meant."""
    foreign, misspelt = [], {}
    for column in columns:
        if column not in COLUMNS:
            close = get_close_matches(column.strip().casefold(), COLUMNS, n=1, cutoff=SIMILAR)
            if close:
                misspelt[column] = close[0]
            else:
                foreign.append(column)
    return foreign, misspelt
