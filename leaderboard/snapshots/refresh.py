"""Recomputing an event's boards from its judgments: fingerprint, arrays, fits, one snapshot."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import numpy as np
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from arena.events.models import Event, Matchup, Record
from arena.judging.models import Exclusion, LedgerBatch
from leaderboard.boards import diagnostics, snapshot_counts
from leaderboard.boards.bias import measure_bias
from leaderboard.boards.columns import FittedRow, compute_fields
from leaderboard.boards.fit import FittedBoard, fit_board, replay_elo
from leaderboard.boards.snapshot_details import (
    BoardDetails,
    SnapshotDetails,
    StyleSummary,
    board_key,
)
from leaderboard.boards.style_fit import NoStyleError, StyleBoard, fit_style
from leaderboard.contributors.reliability import refresh_reliability
from leaderboard.contributors.weights import read_weights
from leaderboard.models import Board, Rating, ReliabilityFit, Snapshot
from leaderboard.ratings import Counts, NotConverged, Votes, compare, elo, one_blas_thread
from leaderboard.snapshots.pair_weights import weigh_pairs
from leaderboard.snapshots.publishing import (
    find_held_back,
    publish_held_back,
    replace_snapshot,
    write_snapshot,
)
from leaderboard.snapshots.rest import BOARDS, is_resting
from leaderboard.votes.checkpoints import Checkpoints
from leaderboard.votes.known_contents import forget_event
from leaderboard.votes.loading import VoteLoader, store_of, wanted_state
from leaderboard.votes.matchup_contents import MatchupContents, read_contents
from leaderboard.votes.queries import IntegerTable, read_integers
from leaderboard.votes.table import Comparisons
from leaderboard.votes.vote_rows import special_matchups

METHOD = 5
"""Incremented whenever the same judgments would give different numbers."""
METHOD_BEFORE_CONTENT = 4
"""The method of snapshots that do not keep their content apart."""
LEASE = timedelta(minutes=2)
"""How long a worker's claim on a board lasts: longer than any refresh takes."""
MIN_INTERVAL = timedelta(seconds=5)
"""Minimum time between two snapshots of an event: a judgment is on the board within 15 s."""
PRIME = 2**31 - 1
"""Cubes of primary keys are taken modulo this prime, so that their sums fit into 8 bytes."""
Weighting = Rating.Weighting


@dataclass(frozen=True)
class BoardSpec:
    """Identifies a board: its question, its category (None: all records) and its weighting."""

    question: int
    category: int | None
    weighting: str

    @property
    def key(self) -> str:
        return board_key(self.question, self.category, self.weighting)


def refresh_event(event: Event, *, now: datetime, rebuild: bool = False) -> Snapshot | None:
    """Compute the event's boards if anything changed; None if not, or if another worker does.

    With `rebuild`, everything derived is computed anew from the judgments, and takes the place of
    the latest snapshot.
    """
    latest = event.snapshots.order_by("-id").first()
    special = special_matchups(event)
    fingerprint = fingerprint_of(event, special)
    is_current = fingerprint == (latest.fingerprint if latest else "") or is_settled(event)
    if is_current and not (rebuild and latest):
        release_held_back(event, special, now)
        return None
    until = now + LEASE
    if not Board.claim(event, now, until):
        return None
    try:
        if rebuild:
            store_of(event).clear()
            forget_event(event)
        snapshot = compute_snapshot(event, fingerprint, special, now)
        if rebuild and latest:
            replace_snapshot(event, latest, snapshot)
        return snapshot
    finally:
        Board.release(event, until)


def refresh_fully(event: Event, *, now: datetime, rebuild: bool = False) -> Snapshot | None:
    """Compute the reliabilities and then the boards that they weigh, where anything changed."""
    refresh_reliability(event, now=now, rebuild=rebuild)
    return refresh_event(event, now=now, rebuild=rebuild)


def release_held_back(event: Event, special: IntegerTable, now: datetime) -> None:
    """Publish the latest snapshot where it was held back and may be shown now."""
    until = now + LEASE
    if find_held_back(event, now) is None or not Board.claim(event, now, until):
        return
    try:
        if snapshot := find_held_back(event, now):
            publish_held_back(snapshot, VoteLoader(event).load(special)[0], now)
    finally:
        Board.release(event, until)


def find_due_events(now: datetime, *, over: bool = False) -> Iterator[int]:
    """Primary keys of events (running, or over) whose boards may be out of date."""
    busy = Q(board__claimed_until__gt=now) | Q(snapshots__created_at__gt=now - MIN_INTERVAL)
    sealed = LedgerBatch.objects.filter(event=OuterRef("pk"))
    is_over = Q(state__in=Event.OVER_STATES)
    events = Event.objects.filter(Exists(sealed), is_over if over else ~is_over)
    for event in events.exclude(pk__in=Event.objects.filter(busy)):
        if is_resting(BOARDS, event.pk):
            continue
        latest = event.snapshots.order_by("-id").first()
        if (
            latest is None
            or latest.published_at is None
            or (latest.fingerprint != fingerprint_of(event) and not is_settled(event))
        ):
            yield event.pk


def fingerprint_of(event: Event, special: IntegerTable | None = None) -> str:
    """A digest of everything that a board's numbers and names depend on; "" before any judgment.

    special: what `special_matchups` has found just before, if it has.
    """
    parts = list_content(event, special)
    if parts is None:
        return ""  # what an event without a snapshot has
    fit = ReliabilityFit.objects.filter(event=event).values_list("ledger_seq", "fingerprint")
    return digest_of_parts([METHOD, *parts, list(fit), event.daily_cap])


def content_of(event: Event, special: IntegerTable | None = None) -> str:
    """The same of what is judged and decided alone, whatever is computed from it."""
    parts = list_content(event, special)
    return "" if parts is None else digest_of_parts(parts)


def has_content(event: Event, snapshot: Snapshot) -> bool:
    """Whether a snapshot is of what is judged and decided now, by whatever method."""
    parts = list_content(event)
    if parts is None:
        return False
    if snapshot.content:
        return snapshot.content == digest_of_parts(parts)
    return snapshot.fingerprint == digest_of_parts([METHOD_BEFORE_CONTENT, *parts])


def list_content(event: Event, special: IntegerTable | None = None) -> list[Any] | None:
    """What boards are computed from; None before any judgment."""
    state = wanted_state(event)
    if state.head == 0:
        return None
    return [
        asdict(state),
        event.timezone,
        list(event.competitors.order_by("pk").values_list("name", "organization", "licence")),
        list(event.categories.order_by("pk").values_list("pk", "name")),
        digest_of(special_matchups(event) if special is None else special),
        list(count_filed_records(event)),
        # Their pages count them as long as the event runs.
        *(["late"] if event.is_running() and has_late(event) else []),
    ]


def digest_of_parts(parts: list[Any]) -> str:
    """SHA-256 of their JSON."""
    # PostgreSQL sums to Decimal, SQLite to int: the digest must be the same on both.
    return sha256(json.dumps(parts, default=int).encode()).hexdigest()


def is_settled(event: Event) -> bool:
    """Whether the event's result is published and nothing has been judged or decided since: a new
    method is no correction of it."""
    if event.state != Event.State.PUBLISHED:
        return False
    sealed = event.snapshots.exclude(sealed_at=None).order_by("-sealed_at", "-id").first()
    return sealed is not None and has_content(event, sealed)


def has_late(event: Event) -> bool:
    """Whether the event has judgments that came late."""
    late = Exclusion.objects.in_force().filter(event=event, reason=Exclusion.Reason.LATE)
    return late.exists()


def digest_of(table: IntegerTable) -> str:
    """SHA-256 of a table of integers."""
    return sha256(np.ascontiguousarray(table).data).hexdigest()


def count_filed_records(event: Event) -> QuerySet[Any, Any]:
    """Per category: the number of its records, and two checksums of their primary keys."""
    filed = Record.categories.through.objects.filter(record__event=event)
    key = F("record")
    cube = key * key % PRIME * key % PRIME
    by_category = filed.order_by("category").values_list("category")
    return by_category.annotate(n=Count("pk"), keys=Sum(key), cubes=Sum(cube))


@one_blas_thread()
def compute_snapshot(
    event: Event, fingerprint: str, special: IntegerTable, now: datetime
) -> Snapshot:
    """All boards of the event, written as one snapshot."""
    data, kept = VoteLoader(event).load(special)
    contents, filed = read_contents(data), file_matchups(data)
    rows: list[Rating] = []
    boards: dict[str, BoardDetails] = {}
    checkpoints: dict[str, Any] = {}
    overall: list[Counts] = []
    for spec, votes in votes_by_board(data, filed):
        try:
            board = fit_board(votes)
        except NotConverged:
            # The other boards are not held up by one that cannot be computed.
            boards[spec.key] = BoardDetails(why_not="no_rating")
            continue
        found = describe_board(spec, data, board)
        replay = None
        if spec.weighting == Weighting.RAW:
            replay = replay_elo(votes, load_elo_checkpoint(kept, data, spec))
            found = replace(found, pairs=snapshot_counts.flatten_pairs(board.counts))
            if spec.category is None:
                overall.append(board.counts)
                found = diagnose(found, votes, board, contents, data.competitors)
                checkpoints[spec.key] = to_elo_checkpoint(data, replay)
        boards[spec.key] = found
        rows += build_rating_rows(spec, data, board, replay)
    for question in data.questions:
        spec = BoardSpec(question, None, Weighting.STYLE)
        boards[spec.key], at_equal_style = compute_style_board(spec, data, contents)
        rows += at_equal_style
        raw = replace(spec, weighting=Weighting.RAW).key
        boards[raw] = replace(boards[raw], bias=measure_bias(data, question, contents, filed))
    snapshot = Snapshot(
        event=event,
        created_at=now,
        ledger_seq=data.head,
        fingerprint=fingerprint,
        content=content_of(event, special),
        method=METHOD,
        judgments=data.public_judgments,
        contributors=len(data.public_contributors),
        details=SnapshotDetails(
            origins=snapshot_counts.count_origins(data),
            timeline=snapshot_counts.count_over_time(data),
            competitors=data.competitors,
            boards=boards,
        ).to_json(),
    )
    write_snapshot(snapshot, rows, data, now)
    kept.keep(checkpoints)
    weigh_pairs(event, data.competitors, overall)
    return snapshot


def votes_by_board(
    data: Comparisons, filed: Mapping[int, IntegerTable]
) -> Iterator[tuple[BoardSpec, Votes]]:
    """Each board with its votes: overall and per category, raw and, once reliabilities have been
    computed, weighted by them."""
    weights = read_weights(data.event, data)
    for question in data.questions:
        for category in (None, *filed):
            where = None if category is None else data.of_matchups(filed[category])
            votes = data.votes(question, where)
            yield BoardSpec(question, category, Weighting.RAW), votes
            if weights is not None:
                yield (
                    BoardSpec(question, category, Weighting.WEIGHTED),
                    replace(votes, weight=weights.weigh(votes, question)),
                )


def compute_style_board(
    spec: BoardSpec, data: Comparisons, contents: MatchupContents
) -> tuple[BoardDetails, list[Rating]]:
    """Details and rows of the style-controlled board; without a fit, the reason and no rows."""
    try:
        board = fit_style(data.votes(spec.question), contents)
    except NoStyleError as error:
        return BoardDetails(why_not=error.reason), []
    style = StyleSummary(used=board.used, left_out=board.left_out, coefficients=board.coefficients)
    return replace(describe_board(spec, data, board), style=style), list(
        build_rating_rows(spec, data, board, None)
    )


def describe_board(
    spec: BoardSpec, data: Comparisons, board: FittedBoard | StyleBoard
) -> BoardDetails:
    """How a board was computed, and its pairwise tests; neighbours for all records only."""
    contrast = compare(board.fit, board.covariance)
    is_overall = spec.category is None
    return BoardDetails(
        fit=snapshot_counts.summarize_fit(board),
        p=diagnostics.pairwise_tests(board, contrast),
        neighbours=diagnostics.compare_neighbours(board, contrast, data.competitors)
        if is_overall
        else None,
    )


def diagnose(
    found: BoardDetails,
    votes: Votes,
    board: FittedBoard,
    contents: MatchupContents,
    competitors: Sequence[int],
) -> BoardDetails:
    """The details with what would change the first place, and the results of other methods."""
    unseating = diagnostics.run_diagnostic(diagnostics.find_unseating_votes, board, competitors)
    return replace(
        found,
        unseating=unseating or {},
        other_methods=diagnostics.compare_methods(votes, board),
        other_intervals=diagnostics.compare_intervals(votes, board, contents),
    )


def file_matchups(data: Comparisons) -> dict[int, IntegerTable]:
    """For each category, in the order of their keys, the indices of the matchups filed under it."""
    found = {}
    for category in data.event.categories.order_by("pk").values_list("pk", flat=True):
        filed = Matchup.objects.filter(event=data.event, record__categories=category).order_by("pk")
        keys = read_integers(filed.values_list("pk"))[:, 0]
        found[category] = data.find_matchups(keys)
    return found


def load_elo_checkpoint(
    checkpoints: Checkpoints, data: Comparisons, spec: BoardSpec
) -> elo.Elo | None:
    """The board's Elo checkpoint if the rows up to it are unchanged, else None."""
    kept = checkpoints.get(spec.key)
    if kept is None or kept["special"] != digest_of(data.special[:, 0]):
        return None
    return elo.Elo(np.array(kept["strength"]), kept["votes"], kept["step"])


def to_elo_checkpoint(data: Comparisons, replay: elo.Elo) -> dict[str, Any]:
    """The inverse of `load_elo_checkpoint`."""
    strength = replay.strength.tolist()
    return {
        "special": digest_of(data.special[:, 0]),
        "strength": strength,
        "votes": replay.votes,
        "step": replay.step,
    }


def build_rating_rows(
    spec: BoardSpec, data: Comparisons, board: FittedBoard | StyleBoard, replay: elo.Elo | None
) -> Iterator[Rating]:
    """One row per competitor."""
    for index, competitor in enumerate(data.competitors):
        yield Rating(
            question_id=spec.question,
            category_id=spec.category,
            weighting=spec.weighting,
            competitor_id=competitor,
            **compute_fields(FittedRow(board, index, replay)),
        )
