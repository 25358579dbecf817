"""What hangs on each open case, and hence the order of the review queue.

    priority = evidence · (FLOOR + (1 - FLOOR) · (on_first + on_prize) / 2)

evidence: `weigh_claim`, 0 to 30 nats; on_first and on_prize, each 0 to 1: `BoardWithout.influence`,
of the unweighted and the weighted board of the main question the larger, and
`PrizeWithout.influence`. The floor lets evidence alone order those who move nothing. Somebody is
looked at once, by one claim: further ones about them, on the same page, have priority 0.

Boards are fitted again without each person, exactly, intervals included; the weights of the others'
votes and everybody's scores stay as they are. A run fits for `MAX_PEOPLE` at most, those first of
whom nothing is known, then those whose figures are oldest; the others keep their earlier figures.
With a million votes a fit takes a quarter of a second, and a run about ten seconds.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from arena.events.models import Event
from arena.judging.models import Case
from leaderboard.boards.fit import fit_board
from leaderboard.boards.typed_json import from_json, to_json
from leaderboard.boards.without import BoardWithout, PrizeWithout, leave_out
from leaderboard.contributors.claims import weigh_claim
from leaderboard.contributors.weights import read_weights
from leaderboard.models import Board, CaseEffect, Rating, Reliability, Standing
from leaderboard.ratings import NotConverged, RatingError, Votes, one_blas_thread
from leaderboard.snapshots.refresh import digest_of_parts
from leaderboard.votes.loading import load_votes
from leaderboard.votes.table import Comparisons

METHOD = 1
"""Incremented whenever the same judgments and cases would give different numbers."""
MAX_PEOPLE = 20
"""Contributors without whom one run fits the boards again."""
FLOOR = 0.2
"""What a claim counts about somebody on whom nothing hangs."""
EXPLAINING = (Case.Reason.UNRELIABLE, Case.Reason.GAP)
"""Whoever does not read, or judges otherwise than others throughout, seems to lift some model and
to go by sides as well."""
LOADING_LEASE = timedelta(minutes=2)
Weighting = Rating.Weighting


@dataclass(frozen=True)
class Measured:
    """Boards by weighting, and the prize, beside themselves without one contributor."""

    boards: dict[str, BoardWithout]
    prize: PrizeWithout

    @property
    def on_first(self) -> float:
        """Influence on the first place of either board."""
        return max((board.influence for board in self.boards.values()), default=0.0)


def refresh_case_effects(event: Event, *, now: datetime, rebuild: bool = False) -> int:
    """Compute what hangs on open cases, where anything has changed; how many people were measured.

    Safe to run twice or at once: equal input gives equal rows. 0 too while another worker computes
    the boards. With `rebuild`, everything of open cases is computed anew.
    """
    cases = list(Case.objects.waiting().filter(event=event).select_related("effect"))
    wanted = fingerprint_cases(event, cases)
    stale = [case for case in cases if rebuild or not is_current(case, wanted)]
    if not stale:
        return 0
    evidence = weigh_claims(cases)
    people = choose_people(stale, evidence)
    measured = measure_people(event, people, now)
    if measured is None:
        return 0
    mains = find_main_claims(cases, evidence)
    effects = [
        build_effect(case, evidence[case.pk], measured.get(case.enrollment_id), case.pk in mains)
        for case in stale
    ]
    for effect in effects:
        if effect.case.enrollment_id in measured:
            effect.fingerprint, effect.computed_at = wanted[effect.case_id], now
    write_effects(effects)
    return len(people)


def find_due_cases() -> Iterator[int]:
    """Primary keys of events in which open cases wait to be measured."""
    for event in Event.objects.filter(pk__in=Case.objects.waiting().values("event")):
        cases = list(Case.objects.waiting().filter(event=event).select_related("effect"))
        wanted = fingerprint_cases(event, cases)
        if not all(is_current(case, wanted) for case in cases):
            yield event.pk


def fingerprint_cases(event: Event, cases: Iterable[Case]) -> dict[int, str]:
    """A digest, by case, of what its effect follows from: the latest snapshot, with which boards
    and scores have moved, and the open cases about the same person."""
    latest = event.snapshots.order_by("-id").values_list("fingerprint", flat=True).first()
    about: dict[int, list[int]] = defaultdict(list)
    for case in cases:
        about[case.enrollment_id].append(case.pk)
    return {
        case: digest_of_parts([METHOD, latest, sorted(together)])
        for together in about.values()
        for case in together
    }


def is_current(case: Case, wanted: dict[int, str]) -> bool:
    """Whether a case's effect is of what is judged and decided now."""
    effect = getattr(case, "effect", None)
    return effect is not None and effect.fingerprint == wanted[case.pk]


def weigh_claims(cases: Sequence[Case]) -> dict[int, float]:
    """The evidence of each case, in nats."""
    people = {case.enrollment_id for case in cases}
    known = {row.enrollment_id: row for row in Reliability.objects.filter(enrollment__in=people)}
    return {case.pk: weigh_claim(case, known.get(case.enrollment_id)) for case in cases}


def find_main_claims(cases: Iterable[Case], evidence: dict[int, float]) -> set[int]:
    """The case about each person by which they stand in the queue: one that explains the others,
    else the strongest, the earlier of equals."""
    main: dict[int, Case] = {}

    def order(case: Case) -> tuple[bool, float, int]:
        return (case.reason not in EXPLAINING, -evidence[case.pk], case.pk)

    for case in sorted(cases, key=order):
        main.setdefault(case.enrollment_id, case)
    return {case.pk for case in main.values()}


def choose_people(stale: Sequence[Case], evidence: dict[int, float]) -> list[int]:
    """Whom to measure in this run, by enrollment."""

    def order(case: Case) -> tuple[bool, Any, float, int]:
        effect = getattr(case, "effect", None)
        measured = effect.computed_at if effect else None
        age = measured.timestamp() if measured else 0.0
        return (measured is not None, age, -evidence[case.pk], case.pk)

    chosen = dict.fromkeys(case.enrollment_id for case in sorted(stale, key=order))
    return list(chosen)[:MAX_PEOPLE]


def measure_people(event: Event, people: list[int], now: datetime) -> dict[int, Measured] | None:
    """What the boards and the prize would be without each of them; None while another worker
    computes the boards from the same files."""
    until = now + LOADING_LEASE
    if not Board.claim(event, now, until):
        return None
    try:
        data = load_votes(event)
        boards = list(read_main_boards(event, data))
    finally:
        Board.release(event, until)
    return dict(fit_without(event, people, data, boards))


def read_main_boards(event: Event, data: Comparisons) -> Iterator[tuple[str, Votes]]:
    """The votes of all records on the main question: raw, and weighted once there are weights."""
    if not data.questions:
        return
    question = data.questions[0]
    votes = data.votes(question)
    yield Weighting.RAW, votes
    weights = read_weights(event, data)
    if weights is not None:
        yield Weighting.WEIGHTED, replace(votes, weight=weights.weigh(votes, question))


@one_blas_thread()
def fit_without(
    event: Event, people: list[int], data: Comparisons, boards: list[tuple[str, Votes]]
) -> Iterator[tuple[int, Measured]]:
    """Each contributor with their effects; a board that does not converge is left out."""
    found: dict[int, dict[str, BoardWithout]] = {person: {} for person in people}
    for weighting, votes in boards:
        try:
            board = fit_board(votes)
        except NotConverged:
            continue
        for person in people:
            try:
                index = find_index(data, person)
                found[person][weighting] = leave_out(votes, board, index, data.competitors)
            except RatingError:
                continue
    scores = read_scores(event)
    for person, effects in found.items():
        yield person, Measured(effects, place_without(scores, person))


def find_index(data: Comparisons, person: int) -> int:
    """A contributor's index among those who have votes; -1 where they have none."""
    place = int(np.searchsorted(data.enrollments, person))
    is_there = place < len(data.enrollments) and data.enrollments[place] == person
    return place if is_there else -1


def read_scores(event: Event) -> dict[int, int]:
    """Exact scores above 0, by enrollment."""
    rated = Standing.objects.filter(event=event, score__gt=0)
    return {person: score for person, score in rated.values_list("enrollment", "score") if score}


def place_without(scores: dict[int, int], person: int) -> PrizeWithout:
    """Where somebody stands among these scores."""
    own = scores.get(person)
    if own is None:
        return PrizeWithout(place=None, places=len(scores), share=0.0)
    place = 1 + sum(score > own for score in scores.values())
    return PrizeWithout(place=place, places=len(scores), share=own / max(scores.values()))


def build_effect(
    case: Case, evidence: float, measured: Measured | None, is_main: bool
) -> CaseEffect:
    """The effect of a case, with earlier figures where nothing new was measured."""
    effect = getattr(case, "effect", None) or CaseEffect(case=case)
    effect.evidence = evidence
    if measured is not None:
        effect.boards, effect.prize = to_json(measured.boards), to_json(measured.prize)
        effect.on_first, effect.on_prize = measured.on_first, measured.prize.influence
    effect.priority = find_priority(evidence, effect.on_first, effect.on_prize) if is_main else 0.0
    return effect


def find_priority(evidence: float, on_first: float, on_prize: float) -> float:
    """How soon somebody should look, by the formula above."""
    return evidence * (FLOOR + (1.0 - FLOOR) * (on_first + on_prize) / 2.0)


def write_effects(effects: list[CaseEffect]) -> None:
    """Put these rows in place of the earlier ones of their cases."""
    fields = [field.name for field in CaseEffect._meta.concrete_fields]
    written = [name for name in fields if name not in ("id", "case")]
    CaseEffect.objects.bulk_create(
        effects, update_conflicts=True, unique_fields=["case"], update_fields=written
    )


def read_boards(effect: CaseEffect) -> dict[str, BoardWithout]:
    """A case's boards by weighting, as they were computed; none before."""
    found: dict[str, BoardWithout] = from_json(dict[str, BoardWithout], effect.boards)
    return found


def read_prize(effect: CaseEffect) -> PrizeWithout | None:
    """The prize as it was computed; None before."""
    found: PrizeWithout | None = from_json(PrizeWithout | None, effect.prize or None)
    return found
