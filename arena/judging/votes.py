"""One parser of a vote collected elsewhere, for files and the API alike.

A vote says who (`worker`), on which record, between which two models, and which of them won:
by word (`winner`) or by degree (`outcome`, positive where model A is better).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from arena.events.importing.checks import Checker
from arena.events.importing.records import EXTERNAL_ID, MODEL
from arena.questions.preference import SCALES

COLUMNS = (
    *("worker", "record", "model_a", "model_b"),
    *("winner", "outcome", "left", "timestamp", "comment"),
)
NEEDED = ("worker", "record", "model_a", "model_b")
VERDICTS = ("winner", "outcome")
# Outcome for model A; "both are bad" is a tie that says so.
WINNERS = {"a": 1, "model_a": 1, "b": -1, "model_b": -1, "tie": 0}
BOTH_BAD = {"both_bad", "bothbad", "tie (bothbad)"}
LEFT = {"a": True, "model_a": True, "b": False, "model_b": False, "unknown": None, "": None}
EPOCH = re.compile(r"\d{9,11}(\.\d+)?|\d{12,14}")


@dataclass(frozen=True, slots=True)
class Terms:
    """What an event's votes may say."""

    scale: int
    both_bad: bool
    takes_comments: bool
    zone: tzinfo
    now: datetime
    # Where the vote does not say which model stood left: a, b or unknown.
    left: str = "unknown"


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote as a file gives it."""

    worker: str
    record: str
    model_a: str
    model_b: str
    # -3 … 3; positive: model A is better.
    outcome: int
    both_bad: bool
    # Null where nobody knows.
    a_on_left: bool | None
    judged_at: datetime | None
    comment: str


def check_columns(columns: Iterable[str]) -> None:
    """Refuse columns that mean nothing, once for the whole file. Raises `InvalidRow`."""
    check, columns = Checker(), list(columns)
    check.keys(dict.fromkeys(columns), COLUMNS)
    for column in NEEDED:
        if column not in columns:
            check.refuse(column, "this column is missing")
    if not set(columns) & set(VERDICTS):
        check.refuse("winner", "this column is missing, and outcome, too; give one")
    check.finish()


def parse_vote(data: Mapping[str, Any], terms: Terms) -> Vote:
    """Check a vote's every field. Raises `InvalidRow` naming all that are wrong."""
    check = Checker()
    check.keys(data, COLUMNS)
    for column in NEEDED:
        if data.get(column) in (None, ""):
            check.refuse(column, "is missing")
    check.finish()
    outcome, both_bad = outcome_of(data, terms, check)
    comment = data.get("comment") or ""
    vote = Vote(
        worker=check.name(worded(data["worker"]), "worker", EXTERNAL_ID),
        record=check.name(worded(data["record"]), "record", EXTERNAL_ID),
        model_a=check.name(data["model_a"], "model_a", MODEL),
        model_b=check.name(data["model_b"], "model_b", MODEL),
        outcome=outcome,
        both_bad=both_bad,
        a_on_left=left_of(data.get("left"), terms, check),
        judged_at=moment_of(data.get("timestamp"), terms, check),
        comment=check.text(comment, "comment").strip(),
    )
    if vote.model_a == vote.model_b and not check.problems:
        check.refuse("model_b", "is the same model as model_a")
    if vote.comment and not terms.takes_comments:
        check.refuse("comment", "this event has no question that takes text")
    check.finish()
    return vote


def worded(value: object) -> object:
    """An identifier that a file gives as a whole number, as the text that it stands for."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def outcome_of(data: Mapping[str, Any], terms: Terms, check: Checker) -> tuple[int, bool]:
    """Outcome for model A, and whether both were bad; from `winner` or from `outcome`."""
    winner, graded = data.get("winner"), data.get("outcome")
    if (winner in (None, "")) == (graded in (None, "")):
        message = "is missing" if winner in (None, "") else "is given beside outcome; give one"
        check.refuse("winner", message)
        return 0, False
    if winner in (None, ""):
        return graded_outcome(graded, terms, check), False
    word = check.text(winner, "winner").strip().casefold()
    if word in BOTH_BAD and terms.both_bad:
        return 0, True
    if word in BOTH_BAD:
        check.refuse("winner", "this event does not offer “both are bad”")
    elif word not in WINNERS:
        check.refuse("winner", "must be one of a, b, tie, both_bad, model_a, model_b")
    elif WINNERS[word] not in SCALES[terms.scale]:
        check.refuse("winner", "this event's scale has no tie")
    return WINNERS.get(word, 0), False


def graded_outcome(value: object, terms: Terms, check: Checker) -> int:
    """A degree, which must be one of the event's scale; 2.0 is 2, as tables write it that have
    a gap somewhere in the column."""
    points = sorted(SCALES[terms.scale])
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d(\.0*)?", value.strip()):
        value = float(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value not in points:
        check.refuse("outcome", f"must be one of {', '.join(map(str, points))}")
        return 0
    return value


def left_of(value: object, terms: Terms, check: Checker) -> bool | None:
    """Whether model A stood left; None where nobody knows."""
    word = check.text("" if value is None else value, "left").strip().casefold() or terms.left
    if word not in LEFT:
        check.refuse("left", "must be a, b or unknown")
    return LEFT.get(word)


def moment_of(value: object, terms: Terms, check: Checker) -> datetime | None:
    """A moment as ISO 8601 (in the event's zone where it names none), or as seconds or
    milliseconds since 1970; None where the source did not say."""
    if value in (None, ""):
        return None
    text = str(value).strip() if isinstance(value, str | int | float) else ""
    try:
        if EPOCH.fullmatch(text):
            seconds = float(text) / (1000 if len(text.partition(".")[0]) > 11 else 1)
            moment = datetime.fromtimestamp(seconds, UTC)
        else:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=terms.zone)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        check.refuse("timestamp", "must be ISO 8601, or seconds since 1970")
        return None
    if moment > terms.now or moment.year < 1990:
        check.refuse("timestamp", "is in the future" if moment > terms.now else "is before 1990")
    return moment
