"""The only bridge from the database to arrays: an event's counted, sealed votes as columns.

Only what has changed since the last time is read. A judgment's row can change for four reasons
alone: it is newly sealed, a revision took its place, an exclusion of it or of its contributor was
made, or one was lifted. For each of them the rows concerned are dropped and read again through
`Judgment.objects.counted()`, so that what counts is said there and nowhere else.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db.models import (
    BigIntegerField,
    Case,
    F,
    FilteredRelation,
    Func,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce

from arena.events.models import Event, Matchup
from arena.judging.ledger import ledger_head
from arena.judging.models import Exclusion, Judgment, LedgerBatch, Origin
from leaderboard.arrays import Table, integer_rows, integers
from leaderboard.columns import KINDS, Column, Columns, State, Store, empty
from leaderboard.ratings import Votes

FORMAT = 1
"""Raised whenever the meaning of a kept column changes."""
ORIGINS = list(Origin.values)
Mask = npt.NDArray[np.bool_]
Ids = npt.NDArray[np.int32]


class HoursSinceEpoch(Func):
    """Whole hours since 1970 of a moment."""

    output_field = BigIntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "floor(date_part('epoch', %(expressions)s) / 3600)"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "CAST(strftime('%%%%s', %(expressions)s) AS integer) / 3600"
        return self.as_sql(compiler, connection, template=template, **context)


@dataclass(frozen=True, eq=False)
class Comparisons:
    """An event's counted answers up to a ledger head: a row per judgment and preference question.

    columns: see `columns.KINDS`, in ledger order, but that contributor and matchup are indices;
    competitors, questions, enrollments, matchups: primary keys in index order, ascending;
    ordinary: bool per row, whether it is of an ordinary matchup and may enter a rating; special:
    a digest of the matchups that are not.
    """

    event: Event
    head: int
    competitors: tuple[int, ...]
    questions: tuple[int, ...]
    columns: Columns
    enrollments: Table
    matchups: Table
    ordinary: Mask
    special: str
    store: Store
    state: State

    @cached_property
    def judgments(self) -> Mask:
        """Bool per row, true in one row per judgment: what to count judgments by."""
        return np.diff(self.columns["seq"], prepend=0) > 0

    def votes(self, question: int, where: Mask | None = None) -> Votes:
        """The ordinary votes on a question (where a further mask holds), in ledger order."""
        chosen = self.ordinary & (self.columns["question"] == self.questions.index(question))
        if where is not None:
            chosen &= where
        rows = slice(None) if chosen.all() else np.flatnonzero(chosen)
        return Votes(
            len(self.competitors),
            self.columns["first"][rows],
            self.columns["second"][rows],
            self.columns["outcome"][rows],
            contributor=self.columns["contributor"][rows],
            matchup=self.columns["matchup"][rows],
        )

    def keep(self, checkpoints: dict[str, Any]) -> None:
        """Remember what was computed from these rows, for as long as none of them changes."""
        self.store.write_state(replace(self.state, checkpoints=checkpoints))


def load(event: Event) -> Comparisons:
    """Bring the kept columns up to the ledger's head and hand them over."""
    # Read before the rows: whatever changes in between is then seen as a change next time.
    wanted = wanted_state(event)
    store = store_of(event)
    kept = store.state()
    columns = store.read(kept) if kept and follows(event, kept, wanted) else None
    if kept is None or columns is None:
        kept, columns = replace(wanted, head=0), empty()
        columns, unchanged = merged(columns, read(event, wanted, Q(ledger_seq__lte=wanted.head)))
    else:
        columns, unchanged = updated(event, kept, wanted, columns)
    state = replace(wanted, blocks=kept.blocks)
    if unchanged == kept.rows:
        state = replace(state, checkpoints=kept.checkpoints)
    if state != kept:
        state = store.write(columns, state, unchanged)
    return assembled(event, store, state, columns)


def store_of(event: Event) -> Store:
    """The event's files, under a name that no other event of any database has."""
    name = sha256(f"columns of {event.secret}".encode()).hexdigest()[:32]
    return Store(Path(settings.VAR) / "columns" / name)


def wanted_state(event: Event) -> State:
    """What the columns should be read from, as the database stands."""
    head = ledger_head(event.pk)
    batch = LedgerBatch.objects.filter(event=event, last_seq=head).first()
    exclusions = Exclusion.objects.in_force().filter(event=event).order_by("pk")
    return State(
        key=json.dumps([FORMAT, event.counted_origins()]),
        head=head,
        digest=batch.digest if batch else "",
        exclusions=tuple(exclusions.values_list("pk", flat=True)),
        competitors=tuple(event.competitors.order_by("pk").values_list("pk", flat=True)),
        questions=tuple(
            event.questions.filter(kind="preference").order_by("pk").values_list("pk", flat=True)
        ),
    )


def follows(event: Event, kept: State, wanted: State) -> bool:
    """Whether the kept rows are an earlier state of this ledger, read in this way."""
    sealed = LedgerBatch.objects.filter(event=event, last_seq=kept.head, digest=kept.digest)
    return (
        kept.key == wanted.key
        and kept.questions == wanted.questions
        and kept.competitors == wanted.competitors[: len(kept.competitors)]
        and (kept.head == 0 or sealed.exists())
    )


def updated(event: Event, kept: State, wanted: State, columns: Columns) -> tuple[Columns, int]:
    """The columns with every changed row read again, and how many at the start are as before."""
    toggled = Exclusion.objects.filter(pk__in=set(kept.exclusions) ^ set(wanted.exclusions))
    people = sorted(toggled.exclude(enrollment=None).values_list("enrollment", flat=True))
    replaced = Judgment.objects.filter(event=event, revises__isnull=False).filter(
        Q(ledger_seq__gt=kept.head) | Q(ledger_seq=None)
    )
    places = {
        *toggled.exclude(judgment=None).values_list("judgment__ledger_seq", flat=True),
        *replaced.values_list("revises__ledger_seq", flat=True),
    }
    seqs = sorted(seq for seq in places if seq is not None and seq <= kept.head)
    changed = [Q(ledger_seq__gt=kept.head, ledger_seq__lte=wanted.head)]
    if people:
        changed.append(Q(enrollment__in=people, ledger_seq__lte=kept.head))
    for some in batched(seqs):
        changed.append(Q(ledger_seq__in=some) & ~Q(enrollment__in=people))
    unchanged = kept.rows
    if people or seqs:
        stale = np.isin(columns["contributor"], people) | np.isin(columns["seq"], seqs)
        if stale.any():
            unchanged = int(stale.argmax())
            columns = {name: column[~stale] for name, column in columns.items()}
    for which in changed:
        columns, before = merged(columns, read(event, wanted, which))
        unchanged = min(unchanged, before)
    return columns, unchanged


def batched(keys: list[int], size: int = 5_000) -> Iterator[list[int]]:
    """Keys a statement can take at a time."""
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


def merged(columns: Columns, fresh: Columns) -> tuple[Columns, int]:
    """Both in ledger order, and how many rows of the first stay where they are."""
    rows = len(columns["seq"])
    if len(fresh["seq"]) == 0:
        return columns, rows
    unchanged = int(np.searchsorted(columns["seq"], fresh["seq"].min()))
    both = {name: np.concatenate([columns.pop(name), fresh.pop(name)]) for name in KINDS}
    tail = slice(unchanged, None)
    if not (np.diff(both["seq"][tail]) > 0).all():
        order = np.lexsort([both["question"][tail], both["seq"][tail]])
        for column in both.values():
            column[tail] = column[tail][order]
    return both, unchanged


def read(event: Event, wanted: State, which: Q) -> Columns:
    """The rows of some counted judgments, as the database stands, in no certain order."""
    # The connection is busy while rows come in: no other query inside.
    tables = integer_rows(rows_of(event, wanted.questions, which))
    parts = [as_columns(table, wanted.competitors, wanted.questions) for table in tables]
    if not parts:
        return empty()
    return {name: np.concatenate([part.pop(name) for part in parts]) for name in KINDS}


def rows_of(event: Event, questions: tuple[int, ...], which: Q) -> QuerySet[Judgment, Any]:
    """The columns of `columns.KINDS`, with primary keys for indices and 0 for "none"."""
    asked = Q(answers__question__in=questions)
    judgments = Judgment.objects.counted().filter(which, event=event, ledger_seq__isnull=False)
    origin = Case(*(When(origin=name, then=Value(i)) for i, name in enumerate(ORIGINS)))
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
        "origin": origin,
        "hour": Coalesce(HoursSinceEpoch("judged_at"), -1),
    }
    return judgments.annotate(vote=FilteredRelation("answers", condition=asked)).values_list(
        *(Cast(column, BigIntegerField()) for column in selected.values())
    )


def as_columns(rows: Table, competitors: tuple[int, ...], questions: tuple[int, ...]) -> Columns:
    """Columns of their own types, with indices for primary keys."""
    columns = dict(zip(KINDS, rows.T, strict=True))
    for name in ("first", "second"):
        columns[name] = indices(columns[name], competitors)
    columns["question"] = indices(columns["question"], questions)
    return {name: narrowed(columns[name], kind) for name, kind in KINDS.items()}


def narrowed(values: Table, kind: type[np.signedinteger[Any]]) -> Column:
    """The same numbers in a smaller type; one that does not fit is refused."""
    column = values.astype(kind)
    if not np.array_equal(column, values):
        raise OverflowError(f"a number is too large for {np.dtype(kind)}")
    return column


def indices(keys: Table, known: tuple[int, ...]) -> Table:
    """The index of each key among the known ones (ascending); -1 for 0."""
    if not known:
        return np.full(len(keys), -1)
    index = np.searchsorted(known, keys).clip(max=len(known) - 1)
    found = np.asarray(known)[index] == keys
    if not (found | (keys == 0)).all():
        raise LookupError("a vote names a competitor or a question that the event does not have")
    return np.where(found, index, -1)


def assembled(event: Event, store: Store, state: State, columns: Columns) -> Comparisons:
    """The kept columns with what is read anew each time: the matchups' roles."""
    keys = {}
    for name in ("contributor", "matchup"):
        keys[name], columns[name] = numbered(columns[name])
    not_ordinary = special_matchups(event)
    special = np.isin(keys["matchup"], not_ordinary, assume_unique=True)
    return Comparisons(
        event=event,
        head=state.head,
        competitors=state.competitors,
        questions=state.questions,
        columns=columns,
        enrollments=keys["contributor"],
        matchups=keys["matchup"],
        ordinary=~special[columns["matchup"]],
        special=sha256(not_ordinary.data).hexdigest(),
        store=store,
        state=state,
    )


def special_matchups(event: Event) -> Table:
    """Primary keys of the event's controls and anchors: their votes never enter a rating."""
    special = Matchup.objects.filter(event=event).exclude(role=Matchup.Role.ORDINARY)
    return integers(special.order_by("pk").values_list("pk"))[:, 0]


def numbered(keys: npt.NDArray[Any]) -> tuple[Table, Ids]:
    """The keys that occur, ascending, and each row's place among them: int64, int32."""
    if len(keys) == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)
    low = int(keys.min())
    occurs = np.zeros(int(keys.max()) - low + 1, dtype=bool)
    occurs[keys - low] = True
    place = np.cumsum(occurs, dtype=np.int32) - np.int32(1)
    return np.flatnonzero(occurs) + low, place[keys - low]
