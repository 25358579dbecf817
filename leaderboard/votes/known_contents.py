"""What one process remembers of an event's matchups and responses between two refreshes.

Reading all of them takes longer than fitting the boards. Whatever a sealed judgment needs changes
only together with a further entry of the ledger (`arena.events.ledger`), so that a refresh reads
what is new to it and what has an entry that it has not seen.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from django.db.models import BigIntegerField, Max, Q
from django.db.models.functions import Cast

from arena.events.ledger import MATCHUP_KIND, RESPONSE_KIND
from arena.events.models import COVARIATES, Event, LedgerEntry, Matchup, Response
from leaderboard.votes.queries import IntegerTable, read_integer_rows

STYLE_FIELDS = tuple(covariate.name for covariate in COVARIATES)
"""The columns of a response that are compared."""
RESPONSE_COLUMNS = ("record", "competitor", *STYLE_FIELDS)
MAX_KEYS_READ = 5_000
"""With more rows to read than this, all rows of the event are read."""
MAX_REMEMBERED_EVENTS = 8
MAX_REMEMBERED_ROWS = 2_000_000
"""Responses of an event with more of them are read anew each time: about 100 bytes each."""


@dataclass(frozen=True, eq=False)
class KnownContents:
    """Rows as they were at a place in the ledger.

    number: the last sealed entry before they were read; records: int64 (n, 2), primary keys of
    matchups, ascending, and of their records; read: int64 (m,), records whose responses have been
    read, ascending; responses: int64 (k, 2 + covariates), `RESPONSE_COLUMNS` in the order of the
    records.
    """

    number: int
    records: IntegerTable
    read: IntegerTable
    responses: IntegerTable


remembered: OrderedDict[int, KnownContents] = OrderedDict()


def load_known_contents(event: Event, matchups: IntegerTable) -> KnownContents:
    """At least the records of these matchups (primary keys) and all responses of those."""
    sealed = LedgerEntry.objects.sealed().filter(event=event)
    number = sealed.aggregate(last=Max("number"))["last"] or 0
    known = remembered.pop(event.pk, None)
    if known is None or known.number > number:  # the database is an earlier one
        known = know_nothing()
    known = forget_changed(event, known)
    records = merge(known.records, read_records(event, np.setdiff1d(matchups, known.records[:, 0])))
    wanted = np.unique(records[np.isin(records[:, 0], matchups), 1])
    new = np.setdiff1d(wanted, known.read)
    known = KnownContents(
        number,
        records,
        np.union1d(known.read, new),
        merge(known.responses, read_responses(event, new)),
    )
    if len(known.responses) <= MAX_REMEMBERED_ROWS:
        remembered[event.pk] = known
        while len(remembered) > MAX_REMEMBERED_EVENTS:
            remembered.popitem(last=False)
    return known


def forget_event(event: Event) -> None:
    """Read everything anew the next time."""
    remembered.pop(event.pk, None)


def know_nothing() -> KnownContents:
    """Nothing, at the beginning of the ledger."""
    none = np.empty(0, dtype=np.int64)
    return KnownContents(0, none.reshape(0, 2), none, none.reshape(0, len(RESPONSE_COLUMNS)))


def forget_changed(event: Event, known: KnownContents) -> KnownContents:
    """Without the rows that have an entry since; those that wait for their place among them."""
    if not len(known.records):
        return known
    since = Q(number__gt=known.number) | Q(number=None)
    entries = LedgerEntry.objects.filter(since, event=event).order_by()
    changed: dict[str, set[int]] = {MATCHUP_KIND.name: set(), RESPONSE_KIND.name: set()}
    rows = entries.filter(kind__in=changed).values_list("kind", "subject")
    for kind, subject in rows[: MAX_KEYS_READ + 1]:
        changed[kind].add(subject)
    matchups, responses = changed.values()
    if len(matchups) + len(responses) > MAX_KEYS_READ:
        return know_nothing()
    stale = Response.objects.filter(pk__in=responses).values_list("record", flat=True)
    records = np.array(sorted(set(stale)), dtype=np.int64)
    return KnownContents(
        known.number,
        known.records[~np.isin(known.records[:, 0], sorted(matchups))],
        known.read[~np.isin(known.read, records)],
        known.responses[~np.isin(known.responses[:, 0], records)],
    )


def merge(kept: IntegerTable, new: Iterable[IntegerTable]) -> IntegerTable:
    """All rows, in the order of their first column."""
    table = np.concatenate([kept, *new])
    return table[np.argsort(table[:, 0], kind="stable")]


def read_records(event: Event, matchups: IntegerTable) -> Iterable[IntegerTable]:
    """The records of these matchups: rows of both primary keys."""
    if not len(matchups):
        return
    rows = Matchup.objects.filter(event=event)
    if len(matchups) <= MAX_KEYS_READ:
        rows = rows.filter(pk__in=matchups.tolist())
    for table in read_integer_rows(rows.values_list("pk", "record")):
        yield table[np.isin(table[:, 0], matchups)]


def read_responses(event: Event, records: IntegerTable) -> Iterable[IntegerTable]:
    """The responses to these records that competitors gave: rows of `RESPONSE_COLUMNS`."""
    if not len(records):
        return
    given = Response.objects.filter(record__event=event, competitor__isnull=False)
    if len(records) <= MAX_KEYS_READ:
        given = given.filter(record__in=records.tolist())
    columns = (Cast(name, BigIntegerField()) for name in RESPONSE_COLUMNS)
    for table in read_integer_rows(given.values_list(*columns)):
        yield table[np.isin(table[:, 0], records)]
