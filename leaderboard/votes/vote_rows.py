"""Rows of the database as columns: an event's counted judgments, and its special matchups."""

from typing import Any

import numpy as np
from django.db.models import (
    BigIntegerField,
    Case,
    F,
    FilteredRelation,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from arena.events.models import Event, Matchup
from arena.judging.models import Judgment, JudgmentQuerySet, Origin
from leaderboard.votes.queries import (
    HoursSinceEpoch,
    IntegerTable,
    MillisecondsBetween,
    read_integer_rows,
    read_integers,
)
from leaderboard.votes.store import (
    COLUMN_TYPES,
    Column,
    Columns,
    StoreState,
    concatenate,
    empty_columns,
)

ORIGINS = list(Origin.values)
"""Where judgments come from, by the numbers in the column `origin`."""
MAX_MILLISECONDS = 3_600_000
"""An answer that took longer counts as one that took so long: a page may be left open."""


def read_columns(
    event: Event, wanted: StoreState, which: Q, among: JudgmentQuerySet | None = None
) -> Columns:
    """The rows of some judgments from the database, in no particular order; of counted ones,
    unless `among` says otherwise."""
    among = Judgment.objects.counted() if among is None else among
    # The connection is busy while rows come in: no other query inside.
    tables = read_integer_rows(judgment_rows(among.filter(which, event=event), wanted.questions))
    parts = [to_columns(table, wanted.competitors, wanted.questions) for table in tables]
    return concatenate([empty_columns(), *parts])


def judgment_rows(
    judgments: JudgmentQuerySet, questions: tuple[int, ...]
) -> QuerySet[Judgment, Any]:
    """The columns of `store.COLUMN_TYPES` of sealed judgments, with primary keys for indices and 0
    for "none"."""
    asked = Q(answers__question__in=questions)
    judgments = judgments.filter(ledger_seq__isnull=False)
    left = Case(
        When(vote__first_on_left=True, then=Value(1)),
        When(vote__first_on_left=False, then=Value(-1)),
        default=Value(0),
    )
    selected: dict[str, Combinable] = {
        "seq": F("ledger_seq"),
        "question": Coalesce("vote__question", 0),
        "first": Coalesce("vote__first__competitor", 0),
        "second": Coalesce("vote__second__competitor", 0),
        "outcome": Coalesce("vote__outcome", 0),
        "left": left,
        "contributor": F("enrollment"),
        "matchup": F("matchup"),
        "origin": origin_number(),
        "hour": Coalesce(HoursSinceEpoch("judged_at"), -1),
        "took": Coalesce(MillisecondsBetween(F("judged_at"), F("assignment__shown_at")), -1),
    }
    return judgments.annotate(vote=FilteredRelation("answers", condition=asked)).values_list(
        *(Cast(column, BigIntegerField()) for column in selected.values())
    )


def origin_number() -> Case:
    """An origin as its place in `ORIGINS`."""
    return Case(*(When(origin=name, then=Value(i)) for i, name in enumerate(ORIGINS)))


def read_late(event: Event, head: int) -> IntegerTable:
    """Late judgments up to a ledger head that public counts include while the event runs.

    int64 (n, 3): contributor, origin as its place in `ORIGINS`, hour; none once the event is over.
    """
    if not event.is_running():
        return np.empty((0, 3), dtype=np.int64)
    late = Judgment.objects.late().filter(event=event, ledger_seq__lte=head).order_by("ledger_seq")
    columns = (F("enrollment"), origin_number(), Coalesce(HoursSinceEpoch("judged_at"), -1))
    return read_integers(late.values_list(*(Cast(each, BigIntegerField()) for each in columns)))


def to_columns(
    rows: IntegerTable, competitors: tuple[int, ...], questions: tuple[int, ...]
) -> Columns:
    """Rows as columns of `COLUMN_TYPES`, with primary keys replaced by indices."""
    columns = dict(zip(COLUMN_TYPES, rows.T, strict=True))
    for name in ("first", "second"):
        columns[name] = to_indices(columns[name], competitors)
    columns["question"] = to_indices(columns["question"], questions)
    columns["took"] = columns["took"].clip(-1, MAX_MILLISECONDS)
    return {name: narrow(columns[name], kind) for name, kind in COLUMN_TYPES.items()}


def narrow(values: IntegerTable, kind: type[np.signedinteger[Any]]) -> Column:
    """Cast to a smaller integer type. Raises OverflowError."""
    column = values.astype(kind)
    if not np.array_equal(column, values):
        raise OverflowError(f"a number is too large for {np.dtype(kind)}")
    return column


def to_indices(keys: IntegerTable, known: tuple[int, ...]) -> IntegerTable:
    """Index of each key among the known ones (ascending), -1 for key 0. Raises LookupError."""
    if not known:
        return np.full(len(keys), -1)
    index = np.searchsorted(known, keys).clip(max=len(known) - 1)
    found = np.asarray(known)[index] == keys
    if not (found | (keys == 0)).all():
        raise LookupError("a vote names a competitor or a question that the event does not have")
    return np.where(found, index, -1)


def special_matchups(event: Event) -> IntegerTable:
    """The event's controls and anchors, by ascending key: their votes never enter a rating.

    int64 (n, 3): primary key; the question that a control in use has the key of, 0 without one;
    the key's sign.
    """
    special = Matchup.objects.filter(event=event).exclude(role=Matchup.Role.ORDINARY)
    sign = Cast(KeyTextTransform("sign", "control__key"), BigIntegerField())
    key = (
        Coalesce(Case(When(control__retired_at=None, then=part)), 0)
        for part in (F("control__question"), sign)
    )
    return read_integers(special.order_by("pk").values_list("pk", *key))
