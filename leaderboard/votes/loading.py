"""The only bridge from the database to arrays: an event's counted, sealed votes as columns.

Only what has changed since the last time is read. A judgment's row can change for four reasons
alone: it is newly sealed, a revision took its place, an exclusion of it or of its contributor was
made, or one was lifted. For each of them the rows concerned are dropped and read again through
`Judgment.objects.counted()`, so that what counts is said there and nowhere else.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from django.conf import settings
from django.db.models import Q

from arena.events.models import Event
from arena.judging.ledger import get_ledger_head
from arena.judging.models import Exclusion, Judgment, LedgerBatch
from leaderboard.votes.checkpoints import Checkpoints
from leaderboard.votes.queries import IntegerTable
from leaderboard.votes.store import Columns, ColumnStore, StoreState, concatenate, sort_by_ledger
from leaderboard.votes.table import Comparisons, assemble
from leaderboard.votes.vote_rows import read_columns, read_late, special_matchups

STORE_FORMAT = 2
"""Incremented whenever the meaning of a stored column changes."""


class VoteLoader:
    """Brings an event's stored columns up to the ledger's head."""

    def __init__(self, event: Event) -> None:
        self.event, self.store = event, store_of(event)

    def load(self, special: IntegerTable | None = None) -> tuple[Comparisons, Checkpoints]:
        """The table, and what was computed from exactly its rows the last time.

        special: what `special_matchups` has found just before, if it has.
        """
        # Read before the rows: whatever changes in between is then seen as a change next time.
        wanted = wanted_state(self.event)
        kept = self.store.state()
        if kept is None or not self.is_continuation(kept, wanted):
            columns = read_columns(self.event, wanted, Q(ledger_seq__lte=wanted.head))
            state = self.store.write(sort_by_ledger(columns), wanted, 0)
        else:
            state = self.update(kept, wanted)
        special = special_matchups(self.event) if special is None else special
        late = read_late(self.event, wanted.head)
        table = assemble(self.event, self.store, state, special, late)
        return table, Checkpoints(self.store, state)

    def is_continuation(self, kept: StoreState, wanted: StoreState) -> bool:
        """Whether the stored rows are an earlier state of this ledger, read by the same rules."""
        batches = LedgerBatch.objects.filter(event=self.event)
        return (
            kept.key == wanted.key
            and kept.questions == wanted.questions
            and kept.competitors == wanted.competitors[: len(kept.competitors)]
            and (kept.head == 0 or batches.filter(last_seq=kept.head, digest=kept.digest).exists())
        )

    def update(self, kept: StoreState, wanted: StoreState) -> StoreState:
        """Read all changed rows again and write the blocks that changed."""
        people, seqs = self.changed_since(kept, wanted)
        same = replace(wanted, blocks=kept.blocks, checkpoints=kept.checkpoints)
        if kept == same and not people and not seqs:
            return kept
        fresh = list(self.read_changed(kept, wanted, people, seqs))
        start = 0 if people or seqs else kept.settled
        columns = self.store.read(kept, start=start)
        stale = np.isin(columns["contributor"], people) | np.isin(columns["seq"], seqs)
        places = [part["seq"].min(initial=wanted.head + 1) for part in fresh]
        places.append(columns["seq"][stale].min(initial=wanted.head + 1))
        unchanged = start + int(np.searchsorted(columns["seq"], min(places)))
        columns = concatenate([{name: column[~stale] for name, column in columns.items()}, *fresh])
        first = kept.rewritten_from(unchanged)
        columns = {name: column[first - start :] for name, column in columns.items()}
        checkpoints = kept.checkpoints if unchanged == kept.rows else {}
        state = replace(wanted, blocks=kept.blocks, checkpoints=checkpoints)
        return self.store.write(sort_by_ledger(columns), state, first)

    def read_changed(
        self, kept: StoreState, wanted: StoreState, people: list[int], seqs: list[int]
    ) -> Iterator[Columns]:
        """Newly sealed rows, those of these contributors, and those at these ledger positions."""
        new = Q(ledger_seq__gt=kept.head, ledger_seq__lte=wanted.head)
        yield read_columns(self.event, wanted, new)
        if people:
            of_people = Q(enrollment__in=people, ledger_seq__lte=kept.head)
            yield read_columns(self.event, wanted, of_people)
        for some in split_batches(seqs):
            of_others = Q(ledger_seq__in=some) & ~Q(enrollment__in=people)
            yield read_columns(self.event, wanted, of_others)

    def changed_since(self, kept: StoreState, wanted: StoreState) -> tuple[list[int], list[int]]:
        """Enrollments and ledger positions whose rows have to be read again."""
        toggled = Exclusion.objects.filter(pk__in=set(kept.exclusions) ^ set(wanted.exclusions))
        people = toggled.exclude(enrollment=None).values_list("enrollment", flat=True)
        replaced = Judgment.objects.filter(event=self.event, revises__isnull=False).filter(
            Q(ledger_seq__gt=kept.head) | Q(ledger_seq=None)
        )
        places = {
            *toggled.exclude(judgment=None).values_list("judgment__ledger_seq", flat=True),
            *replaced.values_list("revises__ledger_seq", flat=True),
        }
        seqs = (seq for seq in places if seq is not None and seq <= kept.head)
        return sorted(key for key in people if key is not None), sorted(seqs)


def load_votes(event: Event, special: IntegerTable | None = None) -> Comparisons:
    """The table alone."""
    return VoteLoader(event).load(special)[0]


def store_of(event: Event) -> ColumnStore:
    """The event's files, in a folder named by its secret: unique across databases."""
    name = sha256(f"columns of {event.secret}".encode()).hexdigest()[:32]
    return ColumnStore(Path(settings.VAR) / "columns" / name)


def wanted_state(event: Event) -> StoreState:
    """The state that the columns should have, from the database."""
    head = get_ledger_head(event.pk)
    batch = LedgerBatch.objects.filter(event=event, last_seq=head).first()
    exclusions = Exclusion.objects.in_force().filter(event=event).order_by("pk")
    return StoreState(
        key=json.dumps([STORE_FORMAT, event.counted_origins()]),
        head=head,
        digest=batch.digest if batch else "",
        exclusions=tuple(exclusions.values_list("pk", flat=True)),
        competitors=tuple(event.competitors.order_by("pk").values_list("pk", flat=True)),
        questions=tuple(
            event.questions.filter(kind="preference").order_by("pk").values_list("pk", flat=True)
        ),
    )


def split_batches(keys: list[int], size: int = 5_000) -> Iterator[list[int]]:
    """Slices of keys short enough for one SQL statement."""
    for start in range(0, len(keys), size):
        yield keys[start : start + size]
