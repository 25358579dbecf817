"""One parser of a vote collected elsewhere, for files and the upload page alike.

A vote says who (`worker`), on which record, between which two models, and which of them won:
by word (`winner`), by degree (`outcome`, between two ends that the organizer names), or by three
columns of 0 and 1 (`winner_model_a`, `winner_model_b`, `winner_tie`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from arena.events.importing.checking.checks import Checker
from arena.events.importing.reading.records import EXTERNAL_ID, MODEL
from arena.judging.importing.options import VoteOptions
from arena.judging.importing.reading.preferences import (
    UNKNOWN_SIDE,
    Verdict,
    key_of,
    misfit,
    number_of,
    outcome_of_number,
    plain,
    squeezed,
    verdict_of_name,
    verdict_of_word,
)
from arena.judging.importing.reading.timestamps import parse_moment
from arena.judging.importing.reading.vote_columns import FLAGS, VERDICTS, needed

# Said of a word in the column of winners.
UNKNOWN_WORD = (
    "is not known: neither a model's name nor a, b, left, right, tie, both_bad and the like; say "
    "what it means (--values)"
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What an event's votes may say, and what the organizer has said of this file."""

    scale: int
    both_bad: bool
    takes_comments: bool
    zone: tzinfo
    now: datetime
    options: VoteOptions = field(default_factory=VoteOptions)


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
    # Whether "left" was taken for model A, because nothing says which model stood left.
    left_assumed: bool = False


class LeftOut(Exception):
    """The organizer has said that votes of this word are not wanted."""


class EndsNeeded(Exception):
    """A number is a degree, and nobody has said which end is which."""

    def __init__(self, value: str, model_a: str, model_b: str) -> None:
        super().__init__(value)
        self.value, self.model_a, self.model_b = value, model_a, model_b


def parse_vote(data: Mapping[str, Any], terms: Terms) -> Vote:
    """Check a vote's every field. Raises `InvalidRowError` naming all that are wrong, `EndsNeeded`
    and `LeftOut`."""
    check, options = Checker(), terms.options
    for column in needed(options):
        if data.get(column) in (None, ""):
            check.refuse(column, "is missing")
    check.raise_problems()
    worker = data.get("worker")
    model_a = check.check_name(worded(data["model_a"]), "model_a", MODEL)
    model_b = check.check_name(worded(data["model_b"]), "model_b", MODEL)
    side = left_of(data.get("left"), (model_a, model_b), terms, check)
    verdict = verdict_of(data, (model_a, model_b), terms, check)
    left_assumed = verdict.by_side and side is None
    if left_assumed and options.left == "unknown":
        check.refuse("winner", "names a side, and nobody knows which model stood left")
    side = True if left_assumed else side
    turned = verdict.by_side and side is False
    comment = data.get("comment")
    vote = Vote(
        worker=check.check_name(
            options.worker if worker in (None, "") else worded(worker), "worker", EXTERNAL_ID
        ),
        record=check.check_name(worded(data["record"]), "record", EXTERNAL_ID),
        model_a=model_a,
        model_b=model_b,
        outcome=-verdict.outcome if turned else verdict.outcome,
        both_bad=verdict.both_bad,
        a_on_left=side,
        judged_at=moment_of(data.get("timestamp"), terms, check),
        comment=check.check_text("" if comment is None else comment, "comment").strip(),
        left_assumed=left_assumed,
    )
    if vote.model_a == vote.model_b and not check.problems:
        check.refuse("model_b", "is the same model as model_a")
    if vote.comment and not terms.takes_comments:
        check.refuse("comment", "this event has no question that takes text")
    if data.get("turn") not in (None, "") and number_of(data["turn"]) != 1:
        message = (
            "is not 1: a vote on a later turn needs a record of its own, with its own identifier"
        )
        check.refuse("turn", message)
    check.raise_problems()
    return vote


def worded(value: object) -> object:
    """An identifier that a file gives as a whole number, as the text that it stands for."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def verdict_of(
    data: Mapping[str, Any], models: tuple[str, str], terms: Terms, check: Checker
) -> Verdict:
    """What the vote says of model A, from whichever columns say it."""
    winner, graded = data.get("winner"), data.get("outcome")
    flags = [flag for flag in FLAGS if data.get(flag) not in (None, "")]
    given = [name for name in VERDICTS if data.get(name) not in (None, "")] + (
        ["winner_model_a"] if flags else []
    )
    if len(given) != 1:
        message = "is missing" if not given else f"is given beside {given[-1]}; give one"
        check.refuse("winner" if not given else given[0], message)
        return Verdict(0)
    column = given[0]
    if column == "winner_model_a":
        verdict = verdict_of_flags(data, check)
    else:
        mapped = mapped_value(winner if column == "winner" else graded, terms)
        if mapped is not None:
            verdict = mapped
        elif column == "winner":
            verdict = verdict_of_winner(winner, models, terms, check)
        else:
            verdict = verdict_of_outcome(graded, models, terms, check)
    problem = misfit(verdict, terms.scale, both_bad=terms.both_bad)
    if problem and not check.has_problem(column):
        check.refuse(column, problem)
    return verdict


def mapped_value(value: object, terms: Terms) -> Verdict | None:
    """What the organizer has said that this value means. Raises `LeftOut`."""
    if not terms.options.values:
        return None
    answer = terms.options.values.get(key_of(value))
    if answer is None:
        return None
    if not answer:
        raise LeftOut
    return verdict_of_word(answer, terms.scale)


def verdict_of_winner(
    value: object, models: tuple[str, str], terms: Terms, check: Checker
) -> Verdict:
    """A word: a model's own name, or one that names a side, a tie, or both bad."""
    number = number_of(value)
    text = check.check_text(value if number is None else plain(number), "winner")
    by_name = verdict_of_name(text, *models)
    by_word = verdict_of_word(text, terms.scale)
    if by_name and by_word and by_name.outcome != by_word.outcome:
        message = f"“{text.strip()}” is a model's name and means the other one, too: ambiguous"
        check.refuse("winner", message)
    verdict = by_name or by_word
    if verdict is None and not check.has_problem("winner"):
        check.refuse("winner", f"“{text.strip()[:60]}” {UNKNOWN_WORD}")
    return verdict or Verdict(0)


def verdict_of_outcome(
    value: object, models: tuple[str, str], terms: Terms, check: Checker
) -> Verdict:
    """A degree, by the ends that the organizer has named. Raises `EndsNeeded`."""
    number = number_of(value)
    if number is None:
        check.refuse("outcome", "must be one of the scale's numbers")
        return Verdict(0)
    if terms.options.ends is None:
        raise EndsNeeded(plain(number), *models)
    try:
        return Verdict(outcome_of_number(number, terms.options.ends, terms.scale))
    except ValueError as error:
        check.refuse("outcome", str(error))
        return Verdict(0)


def verdict_of_flags(data: Mapping[str, Any], check: Checker) -> Verdict:
    """Three columns of 0 and 1, exactly one of them 1."""
    said = {flag: number_of_flag(data.get(flag)) for flag in FLAGS if flag in data}
    if set(said.values()) <= {0.0, 1.0} and sum(number or 0 for number in said.values()) == 1:
        chosen = next(flag for flag, number in said.items() if number)
        return {"winner_model_a": Verdict(1), "winner_model_b": Verdict(-1)}.get(chosen, Verdict(0))
    check.refuse("winner_model_a", f"exactly one of {', '.join(said)} must be 1, the others 0")
    return Verdict(0)


def number_of_flag(value: object) -> float | None:
    """A flag as 0 or 1, where it is one; programs write true and false, too."""
    word = str(value).strip().casefold()
    return {"true": 1.0, "false": 0.0}.get(word, number_of(value))


def left_of(value: object, models: tuple[str, str], terms: Terms, check: Checker) -> bool | None:
    """Whether model A stood left; None where nobody knows."""
    text = check.check_text("" if value is None else worded(value), "left")
    if not text.strip():
        text = terms.options.left
    if squeezed(text) in UNKNOWN_SIDE:
        return None
    verdict = verdict_of_name(text, *models) or verdict_of_word(text, terms.scale)
    if verdict is None or not verdict.outcome or verdict.by_side:
        if not check.has_problem("left"):
            check.refuse("left", "must be a, b, unknown, or the name of the model that stood left")
        return None
    return verdict.outcome > 0


def moment_of(value: object, terms: Terms, check: Checker) -> datetime | None:
    """When the vote was given; None where the source did not say."""
    if value in (None, ""):
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError("must be a date and time (ISO 8601), or seconds since 1970")
        moment = parse_moment(value, terms.zone)
    except (ValueError, OverflowError, OSError) as error:
        check.refuse("timestamp", str(error))
        return None
    if moment > terms.now or moment.year < 1990:
        check.refuse("timestamp", "is in the future" if moment > terms.now else "is before 1990")
    return moment
