"""The columns of the full record of a judgment.

Their names and their order are a promise to whoever reads a file: columns are added at the end of
`COLUMNS`, and none is renamed.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from arena.events.models import Event, Matchup
from arena.exports.formats.columns import (
    FLAG,
    INTEGER,
    MESSAGES,
    NUMBER,
    PREFERENCE,
    TEXT,
    TIME,
    ExportColumn,
    FeatureType,
)
from arena.exports.rows import JudgmentRow, Side
from arena.judging.models import Exclusion, Origin
from arena.questions import Value

TIE, BOTH_BAD = "tie", "both_bad"


@dataclass(frozen=True, slots=True)
class Asked:
    """What an event asks: names of its questions to their kinds in order, and its scale.

    The first preference and the first text have columns of their own.
    """

    kinds: dict[str, str]
    scale: int
    preference: str | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class JudgmentLine:
    """A judgment and what was asked; columns take their values from it."""

    row: JudgmentRow
    asked: Asked
    preference: Value | None
    comment: Value | None

    @property
    def first(self) -> Side:
        """The first response in canonical order."""
        return self.row.sides[0]

    @property
    def second(self) -> Side:
        """The second response in canonical order."""
        return self.row.sides[1]

    @property
    def others(self) -> dict[str, Value]:
        """The answers that have no column of their own."""
        own = {self.asked.preference, self.asked.comment}
        return {name: value for name, value in self.row.answers.items() if name not in own}


def ask_event(event: Event) -> Asked:
    """What an event asks."""
    kinds = dict(event.questions.values_list("name", "kind"))
    return Asked(kinds, event.scale, find_first(kinds, "preference"), find_first(kinds, "text"))


def find_first(kinds: dict[str, str], wanted: str) -> str | None:
    """The first question of a kind."""
    return next((name for name, kind in kinds.items() if kind == wanted), None)


def pair_up(row: JudgmentRow, asked: Asked) -> JudgmentLine:
    """A judgment with its answers to the questions that have columns of their own."""
    preference = row.answers.get(asked.preference) if asked.preference else None
    comment = row.answers.get(asked.comment) if asked.comment else None
    return JudgmentLine(row, asked, preference, comment)


def find_left(line: JudgmentLine) -> str | None:
    """Which response stood left; null where the source did not say."""
    order = line.row.order
    return None if order is None else "first" if order[0] < order[1] else "second"


def find_right(line: JudgmentLine) -> str | None:
    """Which response stood right; null where the source did not say."""
    left = find_left(line)
    return left and {"first": "second", "second": "first"}[left]


def find_winner(line: JudgmentLine) -> str | None:
    """The better response's competitor, "tie" or "both_bad".

    Null where nothing was preferred, or where a response that belongs to nobody was.
    """
    preference = line.preference
    if preference is None:
        return None
    if preference["both_bad"]:
        return BOTH_BAD
    if preference["outcome"] == 0:
        return TIE
    return (line.first if preference["outcome"] > 0 else line.second).competitor


def format_time(at: datetime | None) -> str | None:
    """ISO 8601 with the offset."""
    return at.isoformat() if at else None


def column(
    name: str,
    type: FeatureType,
    meaning: str,
    value: Callable[[JudgmentLine], Any],
    *,
    is_nullable: bool = False,
) -> ExportColumn:
    """A column that takes its value from a `JudgmentLine`."""
    return ExportColumn(name, type, meaning, is_nullable=is_nullable, value=value)


def list_values(values: Iterable[str]) -> str:
    """Values that a column can have."""
    return ", ".join(f"`{value}`" for value in values)


OTHER_ANSWERS = "other_answers"
# What the answers to further questions are, by the question's kind.
ANSWER_TYPES: dict[str, FeatureType] = {"preference": PREFERENCE, "text": {"text": TEXT}}
COLUMNS = (
    column("uuid", TEXT, "the judgment", lambda line: line.row.uuid),
    column(
        "ledger_seq",
        INTEGER,
        "its place in the event's ledger; null until it is sealed, a few seconds",
        lambda line: line.row.ledger_seq,
        is_nullable=True,
    ),
    column(
        "external_id",
        TEXT,
        "the record, as the organizer calls it",
        lambda line: line.row.record.external_id,
    ),
    column("prompt", MESSAGES, "the prompt as shown", lambda line: line.row.record.turns),
    column(
        "categories",
        [TEXT],
        "the record's categories, by name",
        lambda line: line.row.record.categories,
    ),
    column(
        "first_competitor",
        TEXT,
        "whose the first response in canonical order is; null: written for a control's record",
        lambda line: line.first.competitor,
        is_nullable=True,
    ),
    column("first_response", TEXT, "its text", lambda line: line.first.text),
    column(
        "second_competitor",
        TEXT,
        "whose the second response is",
        lambda line: line.second.competitor,
        is_nullable=True,
    ),
    column("second_response", TEXT, "its text", lambda line: line.second.text),
    column(
        "left",
        TEXT,
        "`first` or `second`: what stood left on the screen; null where the source did not say",
        find_left,
        is_nullable=True,
    ),
    column("right", TEXT, "the same of what stood right", find_right, is_nullable=True),
    column("scale", INTEGER, "2, 3, 5 or 7: the points of the scale", lambda ln: ln.asked.scale),
    column(
        "outcome",
        INTEGER,
        "−3 … 3; positive: the first response is better, by that much; 0: a tie; "
        "null: not answered",
        lambda line: line.preference["outcome"] if line.preference else None,
        is_nullable=True,
    ),
    column(
        "both_bad",
        FLAG,
        "a tie because both are bad",
        lambda line: line.preference["both_bad"] if line.preference else None,
        is_nullable=True,
    ),
    column(
        "winner",
        TEXT,
        "the better response's competitor, `tie` or `both_bad`; null where that response is "
        "nobody's",
        find_winner,
        is_nullable=True,
    ),
    column(
        "comment",
        TEXT,
        "what the contributor wrote",
        lambda line: line.comment["text"] if line.comment else None,
        is_nullable=True,
    ),
    column(
        OTHER_ANSWERS,
        {},
        "answers to further questions, by the question's name",
        lambda line: line.others,
    ),
    column("pseudonym", TEXT, "the contributor", lambda line: line.row.pseudonym),
    column(
        "contributor_kind", TEXT, "`human` or `machine`", lambda line: line.row.contributor_kind
    ),
    column(
        "guidelines_version",
        INTEGER,
        "the guidelines they had read",
        lambda line: line.row.guidelines_version,
        is_nullable=True,
    ),
    column(
        "assignment",
        TEXT,
        "the screen: `/judge/<assignment>/`; null for judgments from elsewhere",
        lambda line: line.row.assignment,
        is_nullable=True,
    ),
    column(
        "shown_at",
        TIME,
        "when the matchup was shown",
        lambda line: format_time(line.row.shown_at),
        is_nullable=True,
    ),
    column(
        "judged_at",
        TIME,
        "when it was answered",
        lambda line: format_time(line.row.judged_at),
        is_nullable=True,
    ),
    column(
        "revision",
        INTEGER,
        "how often the answer was changed before",
        lambda line: line.row.revision,
    ),
    column("origin", TEXT, list_values(Origin.values), lambda line: line.row.origin),
    column("role", TEXT, list_values(Matchup.Role.values), lambda line: line.row.role),
    column(
        "is_control",
        FLAG,
        "the same as `role` being `control`",
        lambda line: line.row.role == Matchup.Role.CONTROL,
    ),
    column(
        "exclusion",
        TEXT,
        f"why it does not count: {list_values(Exclusion.Reason.values)}",
        lambda line: line.row.exclusion,
        is_nullable=True,
    ),
    column(
        "counted",
        FLAG,
        "whether it counts; false also where the event does not count its origin",
        lambda line: line.row.counted,
    ),
    column(
        "metadata",
        TEXT,
        "the record's metadata, a JSON object as text",
        lambda line: json.dumps(line.row.record.metadata, ensure_ascii=False),
    ),
    column(
        "key",
        TEXT,
        "a control's right answer: `first`, `second` or `tie`; empty for other matchups",
        lambda line: line.row.key,
    ),
    column("key_reason", TEXT, "why it is right", lambda line: line.row.key_reason),
    column(
        "first_competitor_id",
        INTEGER,
        "ascending in the order in which the models came to the event; null: nobody's",
        lambda line: line.first.competitor_id,
        is_nullable=True,
    ),
    column(
        "second_competitor_id",
        INTEGER,
        "the same of the second response",
        lambda line: line.second.competitor_id,
        is_nullable=True,
    ),
    column("contributor_id", INTEGER, "the same of contributors", lambda ln: ln.row.contributor_id),
    column("matchup_id", INTEGER, "the same of matchups", lambda line: line.row.matchup_id),
    column(
        "weight",
        NUMBER,
        "what the vote weighs on the weighted board, 0 to 1; null for what rates no model, and "
        "before reliabilities are computed",
        lambda line: line.row.weight,
        is_nullable=True,
    ),
)


def describe_judgment(row: JudgmentRow, asked: Asked) -> dict[str, Any]:
    """A judgment under its published names."""
    line = pair_up(row, asked)
    return {each.name: each.value(line) for each in COLUMNS if each.value}


def type_others(asked: Asked) -> FeatureType:
    """The types of the answers that have no column of their own."""
    own = {asked.preference, asked.comment}
    return {name: ANSWER_TYPES[kind] for name, kind in asked.kinds.items() if name not in own}
