"""Computing how far contributors can be trusted, as a task of its own.

At a fixed place in the ledger everything follows from the judgments up to there and from the keys
and exclusions in force now. A decision computes the last place anew, never a later one, so that
taking it back gives the same again, and a rebuild needs to know nothing of when it was made.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TypeVar

import numpy as np
import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from arena.events.models import Event
from arena.judging.models import Judgment, LedgerBatch
from leaderboard.contributors.answers import AnswerTable, read_answers
from leaderboard.contributors.pace import Pace, measure_pace
from leaderboard.contributors.people import Screens, build_rows, mark_shown
from leaderboard.contributors.positions import position_of, shown_position_of
from leaderboard.contributors.screening import Pair, raise_questions
from leaderboard.models import Board, Reliability, ReliabilityFit
from leaderboard.ratings import quantise
from leaderboard.trust.consistency import self_consistency
from leaderboard.trust.gaps import UNKEYED
from leaderboard.trust.reliability import Reliability as Fitted
from leaderboard.trust.reliability import estimate_reliability
from leaderboard.trust.rigging import screen_models, screen_sides
from leaderboard.trust.twins import Twins, screen_twins
from leaderboard.votes.loading import VoteLoader, wanted_state
from leaderboard.votes.queries import IntegerTable
from leaderboard.votes.vote_rows import special_matchups

log = structlog.get_logger(__name__)
Result = TypeVar("Result")
METHOD = 2
"""Incremented whenever the same judgments would give different numbers."""
LEASE = timedelta(minutes=14)
"""How long a worker's claim lasts: longer than any computation takes."""
LOADING_LEASE = timedelta(minutes=2)
WRITTEN_FIELDS = [
    field.name
    for field in Reliability._meta.concrete_fields
    if field.name not in ("id", "enrollment")
]


def refresh_reliability(event: Event, *, now: datetime, rebuild: bool = False) -> bool:
    """Compute the event's reliabilities if anything changed; False if not, or if another worker
    does. With `rebuild`, compute them in any case."""
    position, shown, fingerprint = describe_wanted(event)
    fit, _ = ReliabilityFit.objects.get_or_create(event=event)
    if position == 0 or (fit.fingerprint == fingerprint and not rebuild):
        return False
    until = now + LEASE
    # Closes the race of two workers: one UPDATE changes the row.
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    if not ReliabilityFit.objects.filter(free, pk=fit.pk).update(claimed_until=until):
        return False
    try:
        table = load_answers(event, position, now)
        if table is not None:
            fresh = ReliabilityFit(pk=fit.pk, event=event, ledger_seq=position, shown_seq=shown)
            compute(table, fresh, now)
            ReliabilityFit.objects.filter(pk=fit.pk).update(fingerprint=fingerprint)
        return table is not None
    finally:
        ReliabilityFit.objects.filter(pk=fit.pk, claimed_until=until).update(claimed_until=None)


def find_due_reliabilities(*, published: bool = False) -> Iterator[int]:
    """Primary keys of events (published, or not) whose reliabilities may be out of date."""
    sealed = LedgerBatch.objects.filter(event=OuterRef("pk"))
    is_published = Q(state=Event.State.PUBLISHED)
    which = is_published if published else ~is_published
    for event in Event.objects.filter(Exists(sealed), which):
        if not is_reliability_current(event):
            yield event.pk


def is_reliability_current(event: Event) -> bool:
    """Whether the reliabilities are those of what is judged and decided now."""
    position, _shown, fingerprint = describe_wanted(event)
    known = ReliabilityFit.objects.filter(event=event, fingerprint=fingerprint)
    return position == 0 or known.exists()


def describe_wanted(event: Event) -> tuple[int, int, str]:
    """The place in the ledger, how far what is shown goes, and a digest of all that the
    reliabilities follow from."""
    position, state = position_of(event), wanted_state(event)
    shown = shown_position_of(event, position)
    # A revision leaves no row of what it replaces.
    revised = Judgment.objects.filter(
        event=event, revises__isnull=False, revises__ledger_seq__lte=position
    )
    parts = [
        METHOD,
        position,
        shown,
        asdict(replace(state, head=0, digest="")),
        revised.count(),
        sha256(np.ascontiguousarray(special_matchups(event)).data).hexdigest(),
        [event.scale, event.daily_cap, event.timezone],
    ]
    return position, shown, sha256(json.dumps(parts).encode()).hexdigest()


def load_answers(event: Event, position: int, now: datetime) -> AnswerTable | None:
    """The answers, in memory; None while another worker computes the boards from the same files."""
    until = now + LOADING_LEASE
    if not Board.claim(event, now, until):
        return None
    try:
        return read_answers(VoteLoader(event).load()[0], position)
    finally:
        Board.release(event, until)


def compute(table: AnswerTable, fit: ReliabilityFit, now: datetime) -> None:
    """Fit, screen, write everybody's row, and raise the questions that a person has to decide."""
    answers = table.answers
    found = fit_with_shown(table, fit)
    rigging = screen_models(answers, found.expected)
    sides = screen_sides(answers, found.expected)
    nothing = np.full(answers.people, np.nan)
    pace = run_check(
        lambda: measure_pace(fit.event, fit.ledger_seq, table.enrollments), Pace(nothing, nothing)
    )
    consistency = run_check(lambda: self_consistency(answers).z, nothing)
    rows = build_rows(table, found, Screens(rigging, sides, pace.mean, consistency))
    among = table.counted[table.who]
    twins = run_check(lambda: screen_twins(answers.only_counted(), found.expected[among]), None)
    fit.pace_mean, fit.pace_spread = pace.describe_crowd(table.counted)
    fit.controls = int(np.count_nonzero(table.keys[table.counted[table.who]] != UNKEYED))
    fit.newcomer = int(quantise(np.array(found.newcomer)))
    fit.computed_at = now
    # Closes the race with the boards: they read all rows of one computation.
    with transaction.atomic():
        write_rows(fit.event, rows, table.enrollments)
        ReliabilityFit.objects.filter(pk=fit.pk).update(
            ledger_seq=fit.ledger_seq,
            shown_seq=fit.shown_seq,
            controls=fit.controls,
            newcomer=fit.newcomer,
            pace_mean=fit.pace_mean,
            pace_spread=fit.pace_spread,
            computed_at=now,
        )
    counting = [row for row, counts in zip(rows, table.counted, strict=True) if counts]
    raise_questions(fit.event, counting, list_twins(table, twins), len(rows), now)


def fit_with_shown(table: AnswerTable, fit: ReliabilityFit) -> Fitted:
    """The fit to all answers; its `so_far` is behind what is shown of contributors, by a fit of its
    own where the public boards are behind."""
    if fit.shown_seq == fit.ledger_seq:
        return estimate_reliability(table.answers, mark_shown(table))
    found, earlier = estimate_reliability(table.answers), table.until(fit.shown_seq)
    shown = estimate_reliability(earlier.answers, mark_shown(earlier)).so_far
    return replace(found, so_far=shown)


def run_check(check: Callable[[], Result], otherwise: Result) -> Result:
    """The result of a check that moves no number; one that cannot run is no evidence about anybody,
    and holds up nothing."""
    try:
        return check()
    except Exception:
        log.exception("a check could not run")
        return otherwise


def list_twins(table: AnswerTable, twins: Twins | None) -> list[Pair]:
    """The pairs of contributors at which somebody should look, by enrollment."""
    if twins is None:
        return []
    return [
        Pair(
            int(table.enrollments[twins.one[place]]),
            int(table.enrollments[twins.other[place]]),
            int(twins.shared[place]),
            float(twins.evidence[place]),
        )
        for place in np.flatnonzero(twins.flagged)
    ]


def write_rows(event: Event, rows: list[Reliability], enrollments: IntegerTable) -> None:
    """Put these rows in place of the event's; a person keeps their row's primary key."""
    kept = Reliability.objects.filter(event=event)
    gone = np.setdiff1d(list(kept.values_list("enrollment", flat=True)), enrollments)
    kept.filter(enrollment__in=gone.tolist()).delete()
    Reliability.objects.bulk_create(
        rows,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["enrollment"],
        update_fields=WRITTEN_FIELDS,
    )
