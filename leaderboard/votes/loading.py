"""The only bridge from the database to arrays: an event's counted, sealed votes as columns.

Only what has changed since the last time is read. A judgment's row can change for four reasons
alone: it is newly sealed, a revision took its place, an exclusion of it or of its contributor was
made, or one was lifted. For each of them the rows concerned are dropped and read again through
`Judgment.objects.counted()`, so that what counts is said there and nowhere else.
"""

import json
from collections.abc import Iterator, Mapping
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
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from arena.events.models import Event, Matchup
from arena.judging.ledger import get_ledger_head
from arena.judging.models import Exclusion, Judgment, LedgerBatch, Origin
from leaderboard.ratings import Votes, chunks, take
from leaderboard.votes.queries import (
    HoursSinceEpoch,
    IntegerTable,
    read_integer_rows,
    read_integers,
)
from leaderboard.votes.store import (
    BLOCK_ROWS,
    COLUMN_TYPES,
    Column,
    Columns,
    State,
    Store,
    empty_columns,
)

STORE_FORMAT = 1
"""Raised whenever the meaning of a kept column changes."""
ORIGINS = list(Origin.values)
Mask = npt.NDArray[np.bool_]


class Kept(Mapping[str, Column]):
    """The kept columns, each read from the disk when asked for, as most are needed once.

    Contributor and matchup are at hand, as indices instead of primary keys.
    """

    def __init__(self, store: Store, state: State, indices: Columns) -> None:
        self.store, self.state, self.indices = store, state, indices

    def __getitem__(self, name: str) -> Column:
        if name in self.indices:
            return self.indices[name]
        return self.store.read(self.state, (name,))[name]

    def chosen(self, name: str, mask: Mask) -> Column:
        """The rows of a column where the mask holds."""
        if name in self.indices:
            return self.indices[name][mask]
        return self.store.chosen(self.state, name, mask)

    def __iter__(self) -> Iterator[str]:
        return iter(COLUMN_TYPES)

    def __len__(self) -> int:
        return len(COLUMN_TYPES)


@dataclass(frozen=True, eq=False)
class Comparisons:
    """An event's counted answers up to a ledger head: a row per judgment and preference question.

    columns: see `store.COLUMN_TYPES`, in ledger order, except that contributor and matchup are
    indices; enrollments, matchups: the primary keys of these indices, ascending (matchups may
    include some without a row); ordinary: bool per row, whether it is of an ordinary matchup and
    may enter a rating; special: the matchups that are not, see `special_matchups`.
    """

    event: Event
    columns: Kept
    enrollments: IntegerTable
    matchups: IntegerTable
    ordinary: Mask
    special: IntegerTable
    store: Store
    state: State

    @property
    def head(self) -> int:
        """The last place of the ledger that was read."""
        return self.state.head

    @property
    def competitors(self) -> tuple[int, ...]:
        """Primary keys in index order."""
        return self.state.competitors

    @property
    def questions(self) -> tuple[int, ...]:
        """Primary keys in index order."""
        return self.state.questions

    @cached_property
    def judgments(self) -> Mask:
        """Bool per row, true in one row of each judgment: what to count judgments by."""
        if len(self.questions) < 2:
            return np.ones(len(self.ordinary), dtype=bool)
        return np.diff(self.columns["seq"], prepend=0) > 0

    def keys(self, question: int) -> IntegerTable:
        """Matchup index and sign of the key of each control in use on a question: int64 (n, 2)."""
        keyed = self.special[self.special[:, 1] == question]
        known = np.isin(keyed[:, 0], self.matchups, assume_unique=True)
        index = np.searchsorted(self.matchups, keyed[known, 0])
        return np.column_stack([index, keyed[known, 2]])

    def of_matchups(self, keys: IntegerTable) -> Mask:
        """Bool per row: whether it is of one of these matchups."""
        among = np.isin(self.matchups, keys, assume_unique=True)
        return take(among, self.columns["matchup"])

    def votes(self, question: int, where: Mask | None = None) -> Votes:
        """The ordinary votes on a question (where a further mask holds), in ledger order."""
        chosen = self.columns["question"] == self.questions.index(question)
        chosen &= self.ordinary
        if where is not None:
            chosen &= where
        return Votes(
            len(self.competitors),
            self.columns.chosen("first", chosen),
            self.columns.chosen("second", chosen),
            self.columns.chosen("outcome", chosen),
            contributor=self.columns.chosen("contributor", chosen),
            matchup=self.columns.chosen("matchup", chosen),
        )

    def keep(self, checkpoints: dict[str, Any]) -> None:
        """Remember what was computed from these rows, for as long as none of them changes."""
        self.store.write_state(replace(self.state, checkpoints=checkpoints))


def load_votes(event: Event, special: IntegerTable | None = None) -> Comparisons:
    """Bring the kept columns up to the ledger's head and hand them over.

    special: what `special_matchups` has found just before, if it has.
    """
    # Read before the rows: whatever changes in between is then seen as a change next time.
    wanted = wanted_state(event)
    store = store_of(event)
    kept = store.state()
    if kept is None or not is_continuation(event, kept, wanted):
        columns = read_columns(event, wanted, Q(ledger_seq__lte=wanted.head))
        state = store.write(sort_by_ledger(columns), wanted, 0)
    else:
        state = update_state(event, store, kept, wanted)
    return assemble(event, store, state, special_matchups(event) if special is None else special)


def store_of(event: Event) -> Store:
    """The event's files, under a name that no other event of any database has."""
    name = sha256(f"columns of {event.secret}".encode()).hexdigest()[:32]
    return Store(Path(settings.VAR) / "columns" / name)


def wanted_state(event: Event) -> State:
    """What the columns should be read from, as the database stands."""
    head = get_ledger_head(event.pk)
    batch = LedgerBatch.objects.filter(event=event, last_seq=head).first()
    exclusions = Exclusion.objects.in_force().filter(event=event).order_by("pk")
    return State(
        key=json.dumps([STORE_FORMAT, event.counted_origins()]),
        head=head,
        digest=batch.digest if batch else "",
        exclusions=tuple(exclusions.values_list("pk", flat=True)),
        competitors=tuple(event.competitors.order_by("pk").values_list("pk", flat=True)),
        questions=tuple(
            event.questions.filter(kind="preference").order_by("pk").values_list("pk", flat=True)
        ),
    )


def is_continuation(event: Event, kept: State, wanted: State) -> bool:
    """Whether the kept rows are an earlier state of this ledger, read in this way."""
    sealed = LedgerBatch.objects.filter(event=event, last_seq=kept.head, digest=kept.digest)
    return (
        kept.key == wanted.key
        and kept.questions == wanted.questions
        and kept.competitors == wanted.competitors[: len(kept.competitors)]
        and (kept.head == 0 or sealed.exists())
    )


def update_state(event: Event, store: Store, kept: State, wanted: State) -> State:
    """Read every changed row again and write what has moved."""
    people, seqs = changed_since(event, kept, wanted)
    same = replace(wanted, blocks=kept.blocks, checkpoints=kept.checkpoints)
    if kept == same and not people and not seqs:
        return kept
    fresh = [read_columns(event, wanted, Q(ledger_seq__gt=kept.head, ledger_seq__lte=wanted.head))]
    if people:
        of_people = Q(enrollment__in=people, ledger_seq__lte=kept.head)
        fresh.append(read_columns(event, wanted, of_people))
    for some in in_batches(seqs):
        fresh.append(
            read_columns(event, wanted, Q(ledger_seq__in=some) & ~Q(enrollment__in=people))
        )
    start = 0 if people or seqs else kept.settled
    columns = store.read(kept, start=start)
    stale = np.isin(columns["contributor"], people) | np.isin(columns["seq"], seqs)
    places = [part["seq"].min(initial=wanted.head + 1) for part in fresh]
    places.append(columns["seq"][stale].min(initial=wanted.head + 1))
    unchanged = start + int(np.searchsorted(columns["seq"], min(places)))
    columns = concatenate([{name: column[~stale] for name, column in columns.items()}, *fresh])
    first = unchanged // BLOCK_ROWS * BLOCK_ROWS if unchanged < kept.settled else kept.settled
    columns = {name: column[first - start :] for name, column in columns.items()}
    checkpoints = kept.checkpoints if unchanged == kept.rows else {}
    state = replace(wanted, blocks=kept.blocks, checkpoints=checkpoints)
    return store.write(sort_by_ledger(columns), state, first)


def changed_since(event: Event, kept: State, wanted: State) -> tuple[list[int], list[int]]:
    """Whose rows (enrollments) and which rows (places in the ledger) have to be read again."""
    toggled = Exclusion.objects.filter(pk__in=set(kept.exclusions) ^ set(wanted.exclusions))
    people = toggled.exclude(enrollment=None).values_list("enrollment", flat=True)
    replaced = Judgment.objects.filter(event=event, revises__isnull=False).filter(
        Q(ledger_seq__gt=kept.head) | Q(ledger_seq=None)
    )
    places = {
        *toggled.exclude(judgment=None).values_list("judgment__ledger_seq", flat=True),
        *replaced.values_list("revises__ledger_seq", flat=True),
    }
    seqs = (seq for seq in places if seq is not None and seq <= kept.head)
    return sorted(key for key in people if key is not None), sorted(seqs)


def in_batches(keys: list[int], size: int = 5_000) -> Iterator[list[int]]:
    """Keys a statement can take at a time."""
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


def concatenate(parts: list[Columns]) -> Columns:
    """The rows of all parts, one part after the other; the parts are used up."""
    return {name: np.concatenate([part.pop(name) for part in parts]) for name in COLUMN_TYPES}


def sort_by_ledger(columns: Columns) -> Columns:
    """The same rows in ledger order, in place."""
    if not (np.diff(columns["seq"]) > 0).all():
        order = np.lexsort([columns["question"], columns["seq"]])
        for name in columns:
            columns[name] = columns[name][order]
    return columns


def read_columns(event: Event, wanted: State, which: Q) -> Columns:
    """The rows of some counted judgments, as the database stands, in no certain order."""
    # The connection is busy while rows come in: no other query inside.
    tables = read_integer_rows(judgment_rows(event, wanted.questions, which))
    parts = [to_columns(table, wanted.competitors, wanted.questions) for table in tables]
    return concatenate([empty_columns(), *parts])


def judgment_rows(event: Event, questions: tuple[int, ...], which: Q) -> QuerySet[Judgment, Any]:
    """The columns of `store.COLUMN_TYPES`, with primary keys for indices and 0 for "none"."""
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


def to_columns(
    rows: IntegerTable, competitors: tuple[int, ...], questions: tuple[int, ...]
) -> Columns:
    """Columns of their own types, with indices for primary keys."""
    columns = dict(zip(COLUMN_TYPES, rows.T, strict=True))
    for name in ("first", "second"):
        columns[name] = to_indices(columns[name], competitors)
    columns["question"] = to_indices(columns["question"], questions)
    return {name: narrow(columns[name], kind) for name, kind in COLUMN_TYPES.items()}


def narrow(values: IntegerTable, kind: type[np.signedinteger[Any]]) -> Column:
    """The same numbers in a smaller type; one that does not fit is refused."""
    column = values.astype(kind)
    if not np.array_equal(column, values):
        raise OverflowError(f"a number is too large for {np.dtype(kind)}")
    return column


def to_indices(keys: IntegerTable, known: tuple[int, ...]) -> IntegerTable:
    """The index of each key among the known ones (ascending); -1 for 0."""
    if not known:
        return np.full(len(keys), -1)
    index = np.searchsorted(known, keys).clip(max=len(known) - 1)
    found = np.asarray(known)[index] == keys
    if not (found | (keys == 0)).all():
        raise LookupError("a vote names a competitor or a question that the event does not have")
    return np.where(found, index, -1)


def assemble(event: Event, store: Store, state: State, special: IntegerTable) -> Comparisons:
    """The kept columns, with what is read anew each time: the matchups' roles and keys."""
    indices = store.read(state, ("contributor", "matchup"))
    enrollments = renumber(indices["contributor"])
    matchups = shift_keys(indices["matchup"])
    is_special = np.isin(matchups, special[:, 0], assume_unique=True)
    return Comparisons(
        event=event,
        columns=Kept(store, state, indices),
        enrollments=enrollments,
        matchups=matchups,
        ordinary=take(~is_special, indices["matchup"]),
        special=special,
        store=store,
        state=state,
    )


def renumber(keys: Column) -> IntegerTable:
    """The keys that occur, ascending; in place, each becomes its place among them, from 0."""
    if len(keys) == 0:
        return np.empty(0, dtype=np.int64)
    low = int(keys.min())
    keys -= low
    occurs = np.zeros(int(keys.max()) + 1, dtype=bool)
    for part in chunks(len(keys)):
        occurs[keys[part]] = True
    place = np.cumsum(occurs, dtype=keys.dtype) - 1
    take(place, keys, out=keys)
    return np.flatnonzero(occurs) + low


def shift_keys(keys: Column) -> IntegerTable:
    """The same for keys that mostly occur: some keys that do not get a place as well."""
    if len(keys) == 0 or int(keys.max()) - int(keys.min()) > 4 * len(keys):
        return renumber(keys)
    low = int(keys.min())
    keys -= low
    return np.arange(low, low + int(keys.max()) + 1)


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
