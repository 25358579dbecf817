"""Parsing a vote collected elsewhere, for files and the upload page alike.

A vote names the voter (`worker`), the record, two models, and the better one: by a word (`winner`),
by a grade (`outcome`, on a scale whose ends the organizer names), or by three 0/1 columns
(`winner_model_a`, `winner_model_b`, `winner_tie`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from arena.events.importing.checking.checks import Checker
from arena.events.importing.reading.records import MAX_EXTERNAL_ID, MAX_MODEL_NAME
from arena.judging.importing.options import VoteOptions
from arena.judging.importing.reading.preferences import (
    UNKNOWN_SIDE_WORDS,
    VotePreference,
    convert_grade,
    explain_not_offered,
    format_number,
    match_model_name,
    normalize_value,
    normalize_word,
    parse_number,
    parse_word,
)
from arena.judging.importing.reading.timestamps import parse_timestamp
from arena.judging.importing.reading.vote_columns import (
    FLAG_COLUMNS,
    PREFERENCE_COLUMNS,
    list_required_columns,
)

# The error for an unknown word in the winner column.
UNKNOWN_WORD_MESSAGE = (
    "is not known: neither a model's name nor a, b, left, right, tie, both_bad and the like; say "
    "what it means (--values)"
)


@dataclass(frozen=True, slots=True)
class VoteRules:
    """What votes may contain: the event's settings and the options of the import."""

    scale: int
    both_bad: bool
    takes_comments: bool
    zone: tzinfo
    now: datetime
    options: VoteOptions = field(default_factory=VoteOptions)


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote as the file gives it."""

    worker: str
    record: str
    model_a: str
    model_b: str
    # −3 to 3; positive: model A is better.
    outcome: int
    both_bad: bool
    # None if unknown.
    a_on_left: bool | None
    judged_at: datetime | None
    comment: str
    # Whether "left" was assumed to be model A, because the file does not say.
    left_assumed: bool = False


class VoteLeftOut(Exception):
    """The organizer chose to leave out votes with this word."""


class ScaleEndsNeeded(Exception):
    """A grade was found, but the ends of its scale are unknown."""

    def __init__(self, value: str, model_a: str, model_b: str) -> None:
        super().__init__(value)
        self.value, self.model_a, self.model_b = value, model_a, model_b


def parse_vote(data: Mapping[str, Any], rules: VoteRules) -> Vote:
    """Parse all fields of a vote.

    Raises `InvalidRowError` naming every wrong field, `ScaleEndsNeeded` and `VoteLeftOut`.
    """
    check, options = Checker(), rules.options
    for column in list_required_columns(options):
        if data.get(column) in (None, ""):
            check.refuse(column, "is missing")
    check.raise_problems()
    worker = data.get("worker")
    model_a = check.check_name(convert_identifier(data["model_a"]), "model_a", MAX_MODEL_NAME)
    model_b = check.check_name(convert_identifier(data["model_b"]), "model_b", MAX_MODEL_NAME)
    side = parse_left(data.get("left"), (model_a, model_b), rules, check)
    preference = parse_preference(data, (model_a, model_b), rules, check)
    left_assumed = preference.by_side and side is None
    if left_assumed and options.left == "unknown":
        check.refuse("winner", "names a side, and nobody knows which model stood left")
    side = True if left_assumed else side
    turned = preference.by_side and side is False
    comment = data.get("comment")
    vote = Vote(
        worker=check.check_name(
            options.worker if worker in (None, "") else convert_identifier(worker),
            "worker",
            MAX_EXTERNAL_ID,
        ),
        record=check.check_name(convert_identifier(data["record"]), "record", MAX_EXTERNAL_ID),
        model_a=model_a,
        model_b=model_b,
        outcome=-preference.outcome if turned else preference.outcome,
        both_bad=preference.both_bad,
        a_on_left=side,
        judged_at=parse_vote_time(data.get("timestamp"), rules, check),
        comment=check.check_text("" if comment is None else comment, "comment").strip(),
        left_assumed=left_assumed,
    )
    if vote.model_a == vote.model_b and not check.problems:
        check.refuse("model_b", "is the same model as model_a")
    if vote.comment and not rules.takes_comments:
        check.refuse("comment", "this event has no question that takes text")
    if data.get("turn") not in (None, "") and parse_number(data["turn"]) != 1:
        message = (
            "is not 1: a vote on a later turn needs a record of its own, with its own identifier"
        )
        check.refuse("turn", message)
    check.raise_problems()
    return vote


def convert_identifier(value: object) -> object:
    """Convert an identifier that the file gives as a whole number to text."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def parse_preference(
    data: Mapping[str, Any], models: tuple[str, str], rules: VoteRules, check: Checker
) -> VotePreference:
    """The preference, from whichever column holds it."""
    winner, graded = data.get("winner"), data.get("outcome")
    flags = [flag for flag in FLAG_COLUMNS if data.get(flag) not in (None, "")]
    given = [name for name in PREFERENCE_COLUMNS if data.get(name) not in (None, "")] + (
        ["winner_model_a"] if flags else []
    )
    if len(given) != 1:
        message = "is missing" if not given else f"is given beside {given[-1]}; give one"
        check.refuse("winner" if not given else given[0], message)
        return VotePreference(0)
    column = given[0]
    if column == "winner_model_a":
        preference = parse_winner_flags(data, check)
    else:
        mapped = apply_value_answers(winner if column == "winner" else graded, rules)
        if mapped is not None:
            preference = mapped
        elif column == "winner":
            preference = parse_winner(winner, models, rules, check)
        else:
            preference = parse_grade(graded, models, rules, check)
    problem = explain_not_offered(preference, rules.scale, both_bad=rules.both_bad)
    if problem and not check.has_problem(column):
        check.refuse(column, problem)
    return preference


def apply_value_answers(value: object, rules: VoteRules) -> VotePreference | None:
    """The preference that the organizer assigned to this value, if any. Raises `VoteLeftOut`."""
    if not rules.options.values:
        return None
    answer = rules.options.values.get(normalize_value(value))
    if answer is None:
        return None
    if not answer:
        raise VoteLeftOut
    return parse_word(answer, rules.scale)


def parse_winner(
    value: object, models: tuple[str, str], rules: VoteRules, check: Checker
) -> VotePreference:
    """The preference from a word: a model's name, a side, a tie, or both bad."""
    number = parse_number(value)
    text = check.check_text(value if number is None else format_number(number), "winner")
    by_name = match_model_name(text, *models)
    by_word = parse_word(text, rules.scale)
    if by_name and by_word and by_name.outcome != by_word.outcome:
        message = f"“{text.strip()}” is a model's name and means the other one, too: ambiguous"
        check.refuse("winner", message)
    preference = by_name or by_word
    if preference is None and not check.has_problem("winner"):
        check.refuse("winner", f"“{text.strip()[:60]}” {UNKNOWN_WORD_MESSAGE}")
    return preference or VotePreference(0)


def parse_grade(
    value: object, models: tuple[str, str], rules: VoteRules, check: Checker
) -> VotePreference:
    """The preference from a grade on the organizer's scale. Raises `ScaleEndsNeeded`."""
    number = parse_number(value)
    if number is None:
        check.refuse("outcome", "must be one of the scale's numbers")
        return VotePreference(0)
    if rules.options.ends is None:
        raise ScaleEndsNeeded(format_number(number), *models)
    try:
        return VotePreference(convert_grade(number, rules.options.ends, rules.scale))
    except ValueError as error:
        check.refuse("outcome", str(error))
        return VotePreference(0)


def parse_winner_flags(data: Mapping[str, Any], check: Checker) -> VotePreference:
    """The preference from three 0/1 columns, exactly one of them 1."""
    said = {flag: parse_flag(data.get(flag)) for flag in FLAG_COLUMNS if flag in data}
    if set(said.values()) <= {0.0, 1.0} and sum(number or 0 for number in said.values()) == 1:
        chosen = next(flag for flag, number in said.items() if number)
        return {"winner_model_a": VotePreference(1), "winner_model_b": VotePreference(-1)}.get(
            chosen, VotePreference(0)
        )
    check.refuse("winner_model_a", f"exactly one of {', '.join(said)} must be 1, the others 0")
    return VotePreference(0)


def parse_flag(value: object) -> float | None:
    """Parse a flag as 0 or 1, including "true" and "false"; None if it is neither number nor
    word."""
    word = str(value).strip().casefold()
    return {"true": 1.0, "false": 0.0}.get(word, parse_number(value))


def parse_left(
    value: object, models: tuple[str, str], rules: VoteRules, check: Checker
) -> bool | None:
    """Whether model A was shown on the left; None if unknown."""
    text = check.check_text("" if value is None else convert_identifier(value), "left")
    if not text.strip():
        text = rules.options.left
    if normalize_word(text) in UNKNOWN_SIDE_WORDS:
        return None
    preference = match_model_name(text, *models) or parse_word(text, rules.scale)
    if preference is None or not preference.outcome or preference.by_side:
        if not check.has_problem("left"):
            check.refuse("left", "must be a, b, unknown, or the name of the model that stood left")
        return None
    return preference.outcome > 0


def parse_vote_time(value: object, rules: VoteRules, check: Checker) -> datetime | None:
    """When the vote was given; None if the file does not say."""
    if value in (None, ""):
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError("must be a date and time (ISO 8601), or seconds since 1970")
        moment = parse_timestamp(value, rules.zone)
    except (ValueError, OverflowError, OSError) as error:
        check.refuse("timestamp", str(error))
        return None
    if moment > rules.now or moment.year < 1990:
        check.refuse("timestamp", "is in the future" if moment > rules.now else "is before 1990")
    return moment
