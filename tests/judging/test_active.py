"""Active choice: pairs whose next judgment tells more come more often."""

from collections import Counter
from itertools import combinations
from random import Random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from scipy.stats import chisquare

from arena.events.models import Competitor, Event, Matchup
from arena.judging.models import Assignment, PairWeight
from arena.judging.serving.choice import Turn, find_ordinary
from arena.judging.serving.leases import CHUNK_SIZE, return_reserves
from arena.judging.serving.pair_weights import UNIFORM_SHARE, draw_pairs, replace_pair_weights
from tests.factories import (
    NOW,
    make_assignment,
    make_companion,
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchup,
)

pytestmark = pytest.mark.django_db
Pair = tuple[int, int]


def make_active_event(models: int = 3, matchups: int = 20, **settings) -> tuple[Event, list[Pair]]:
    """An event with so many matchups of every pair, and the pairs."""
    event = make_event(**({"overlap": 3, "choosing": Event.Choosing.ACTIVE} | settings))
    competitors = make_competitors(event, models)
    for _ in range(matchups):
        for pair in combinations(competitors, 2):
            make_matchup(event, list(pair))
    return event, [(one.pk, other.pk) for one, other in combinations(competitors, 2)]


def key(pair: Pair) -> str:
    return f"{pair[0]}-{pair[1]}"


def turn_of(event: Event, seed: int = 0) -> Turn:
    return Turn(event, make_enrollment(event), 1, NOW, Random(seed))


def probabilities(event: Event) -> dict[str, float]:
    return dict(PairWeight.objects.filter(event=event).values_list("pair", "probability"))


# --- weights -----------------------------------------------------------------------------------
def test_a_pair_is_drawn_by_its_weight_and_none_starves() -> None:
    event, pairs = make_active_event()
    replace_pair_weights(event, dict(zip(pairs, (6.0, 4.0, 0.0), strict=True)))
    expected = {key(pairs[0]): 0.6, key(pairs[1]): 0.4, key(pairs[2]): 0.0}
    floor = UNIFORM_SHARE / 3
    expected = {pair: floor + (1 - UNIFORM_SHARE) * share for pair, share in expected.items()}
    assert probabilities(event) == pytest.approx(expected)
    rng = Random(1)
    drawn = Counter(row.pair for _ in range(60) for row in draw_pairs(event, rng, 50))
    observed = [drawn[pair] for pair in expected]
    assert chisquare(observed, [3000 * share for share in expected.values()]).pvalue > 0.01
    # It would have been noticed: equal shares do not fit.
    assert chisquare(observed).pvalue < 1e-6


def test_what_is_of_no_pair_is_drawn_as_often_as_it_is_among_the_open_matchups() -> None:
    event, pairs = make_active_event(matchups=4, models=2)
    control = make_control(event)
    companions = [make_companion(control) for _ in range(6)]
    replace_pair_weights(event, {pairs[0]: 5.0})
    assert probabilities(event) == pytest.approx({key(pairs[0]): 0.4, "": 0.6})
    drawn = Counter(row.pair for row in draw_pairs(event, Random(3), 3000))
    assert chisquare([drawn[key(pairs[0])], drawn[""]], [1200, 1800]).pvalue > 0.01
    found = [c for c in find_ordinary(turn_of(event), 2) if c.matchup.pair == ""]
    assert {c.matchup.pk for c in found} <= {companion.pk for companion in companions}
    assert {c.probability for c in found} == {probabilities(event)[""]}
    # One that is full is not drawn in vain.
    Matchup.objects.filter(pair="").update(open_slots=0)
    replace_pair_weights(event, {pairs[0]: 5.0})
    assert probabilities(event) == {key(pairs[0]): 1.0}


def test_every_point_belongs_to_the_row_that_its_bounds_say() -> None:
    event, pairs = make_active_event(models=5, matchups=1)
    replace_pair_weights(event, {pair: n**2 for n, pair in enumerate(pairs)})
    rows = list(PairWeight.objects.filter(event=event).order_by("upper"))
    assert rows[-1].upper == 1.0
    points = [row.upper for row in rows[:-1]]
    points += [0.0, *(point - 1e-12 for point in points), 1 - 2**-53]

    class Fixed(Random):
        def random(self) -> float:
            return points[next(self.places)]

    rng = Fixed()
    rng.places = iter(range(len(points)))
    for point, row in zip(points, draw_pairs(event, rng, len(points)), strict=True):
        assert row.upper - row.probability - 1e-12 <= point < row.upper


def test_new_weights_take_the_place_of_the_old_ones_of_this_event_alone() -> None:
    event, pairs = make_active_event()
    other, theirs = make_active_event()
    replace_pair_weights(event, dict.fromkeys(pairs, 1.0))
    replace_pair_weights(other, dict.fromkeys(theirs, 1.0))
    kept = set(PairWeight.objects.filter(event=other).values_list("pk", "probability"))
    Matchup.objects.filter(event=event, pair=key(pairs[0])).update(open_slots=0)
    replace_pair_weights(event, dict(zip(pairs, (5.0, 1.0, 3.0), strict=True)))
    # A pair with nothing open is not drawn in vain.
    assert probabilities(event) == pytest.approx({key(pairs[1]): 0.275, key(pairs[2]): 0.725})
    assert set(PairWeight.objects.filter(event=other).values_list("pk", "probability")) == kept
    replace_pair_weights(event, {})
    assert probabilities(event) == {}


def test_weights_of_nothing_are_alike_and_impossible_ones_are_refused() -> None:
    event, pairs = make_active_event()
    replace_pair_weights(event, dict.fromkeys(pairs, 0.0))
    assert list(probabilities(event).values()) == pytest.approx([1 / 3] * 3)
    for wrong in (float("nan"), float("inf"), -1.0):
        with pytest.raises(ValueError, match="weights that sum to"):
            replace_pair_weights(event, {pairs[0]: wrong})


# --- choice ------------------------------------------------------------------------------------
def test_matchups_come_as_often_as_their_pairs_are_drawn() -> None:
    event, pairs = make_active_event()
    replace_pair_weights(event, dict(zip(pairs, (6.0, 4.0, 0.0), strict=True)))
    share = probabilities(event)
    turn = turn_of(event)
    met: Counter[str] = Counter()
    matchups = set()
    for _ in range(60):
        candidates = find_ordinary(turn, CHUNK_SIZE)
        assert len({candidate.matchup.record_id for candidate in candidates}) == CHUNK_SIZE
        for candidate in candidates:
            pair = Matchup.objects.get(pk=candidate.matchup.pk).pair
            met[pair] += 1
            matchups.add(candidate.matchup.pk)
            assert candidate.probability == share[pair]
    expected = [600 * share[pair] for pair in met]
    assert chisquare(list(met.values()), expected).pvalue > 0.01
    # Within a pair it is not the same matchups again and again.
    assert len(matchups) > 45


def test_a_pair_with_nothing_left_for_somebody_gives_way_to_the_least_judged() -> None:
    event, pairs = make_active_event(matchups=4)
    replace_pair_weights(event, dict(zip(pairs, (1.0, 0.0, 0.0), strict=True)))
    Matchup.objects.filter(event=event, pair=key(pairs[1])).update(open_slots=1)
    turn = turn_of(event)
    for matchup in Matchup.objects.filter(event=event, pair=key(pairs[0])):
        Assignment.objects.create(
            enrollment=turn.enrollment,
            matchup=matchup,
            ordinal=matchup.pk,
            order=[0, 1],
            state=Assignment.State.DONE,
            reserved_at=NOW,
            shown_at=NOW,
            lease_until=NOW,
        )
    candidates = find_ordinary(turn, 4)
    by_coverage = [candidate for candidate in candidates if candidate.probability is None]
    assert by_coverage
    assert key(pairs[0]) not in {candidate.matchup.pair for candidate in candidates}
    assert {Matchup.objects.get(pk=c.matchup.pk).pair for c in by_coverage[:2]} == {key(pairs[2])}


def test_without_weights_it_is_coverage() -> None:
    event, _ = make_active_event(matchups=2, overlap=3)
    least = set(Matchup.objects.filter(event=event).order_by("pk").values_list("pk", flat=True)[:4])
    Matchup.objects.filter(event=event).exclude(pk__in=least).update(open_slots=2)
    active = find_ordinary(turn_of(event), 3)
    event.choosing = Event.Choosing.COVERAGE
    coverage = find_ordinary(turn_of(event), 3)
    for candidates in (active, coverage):
        assert {candidate.matchup.pk for candidate in candidates[:4]} == least
        assert [candidate.probability for candidate in candidates] == [None] * 6


def test_matchups_that_are_of_no_pair_are_reached() -> None:
    event, pairs = make_active_event(matchups=1)
    replace_pair_weights(event, dict.fromkeys(pairs, 1.0))
    alone = make_matchup(event)
    assert alone.pair == ""
    assert alone.pk in {c.matchup.pk for c in find_ordinary(turn_of(event), CHUNK_SIZE)}


# --- what is stored ----------------------------------------------------------------------------
def chunk_of(event: Event) -> list[Assignment]:
    enrollment = make_enrollment(event)
    make_assignment(enrollment)
    return list(enrollment.assignments.select_related("matchup").order_by("ordinal"))


def test_a_control_stores_the_probability_of_the_matchup_whose_turn_it_takes() -> None:
    event, pairs = make_active_event(matchups=30)
    for _ in range(20):
        make_control(event)
    replace_pair_weights(event, dict(zip(pairs, (5.0, 2.0, 1.0), strict=True)))
    share = probabilities(event)
    controls = 0
    for _ in range(3):
        chunk = chunk_of(event)
        for this, following in zip(chunk, [*chunk[1:], None], strict=True):
            if this.matchup.role == Matchup.Role.CONTROL:
                controls += 1
                assert following is not None
                assert this.probability == following.probability
            else:
                assert this.probability == share[this.matchup.pair]
    assert controls >= 3


@pytest.mark.parametrize("choosing", [Event.Choosing.UNIFORM, Event.Choosing.COVERAGE])
def test_where_pairs_are_not_weighed_no_probability_is_stored(choosing: str) -> None:
    event, pairs = make_active_event(choosing=choosing)
    replace_pair_weights(event, dict.fromkeys(pairs, 1.0))
    chunk = chunk_of(event)
    assert [assignment.probability for assignment in chunk] == [None] * len(chunk)
    assert len(chunk) >= CHUNK_SIZE


# --- cost and end ------------------------------------------------------------------------------
def statements_of_a_choice(event: Event) -> int:
    turn = turn_of(event)
    _ = turn.state
    with CaptureQueriesContext(connection) as queries:
        assert len(find_ordinary(turn, CHUNK_SIZE)) == CHUNK_SIZE
    return len(queries)


def test_the_choice_takes_no_more_statements_for_more_pairs_or_matchups() -> None:
    def costs(models: int, matchups: int) -> int:
        event, pairs = make_active_event(models, matchups)
        replace_pair_weights(event, dict.fromkeys(pairs, 1.0))
        return statements_of_a_choice(event)

    # The pairs by one, their matchups by another.
    assert costs(8, 4) == costs(12, 3) == 2


def test_every_matchup_gets_its_overlap_to_the_end() -> None:
    event, pairs = make_active_event(matchups=4, overlap=2)
    people = [make_enrollment(event) for _ in range(2)]
    replace_pair_weights(event, dict(zip(pairs, (8.0, 1.0, 0.0), strict=True)))
    for _ in range(12):
        for enrollment in people:
            make_judgment(enrollment)
    done = Assignment.objects.filter(state=Assignment.State.DONE, holds_slot=True)
    assert set(Counter(done.values_list("matchup", flat=True)).values()) == {2}
    assert set(Matchup.objects.filter(event=event).values_list("open_slots", flat=True)) == {0}
    assert done.exclude(probability=None).exists()


def test_a_reserve_taken_over_was_not_drawn_by_weight() -> None:
    event, pairs = make_active_event(matchups=3, overlap=1)
    replace_pair_weights(event, dict.fromkeys(pairs, 1.0))
    first = make_enrollment(event)
    make_assignment(first)
    assert first.assignments.filter(state="reserved").exclude(probability=None).exists()
    Matchup.objects.filter(event=event).update(open_slots=0)
    taken = make_assignment(make_enrollment(event))
    assert taken.probability is None
    return_reserves(first.assignments.filter(state="reserved"))


def test_competitors_that_leave_take_their_weights_along_with_the_next_board() -> None:
    event, pairs = make_active_event()
    replace_pair_weights(event, dict.fromkeys(pairs, 1.0))
    Matchup.objects.filter(event=event).delete()
    Competitor.objects.filter(event=event).delete()
    # What is left names nobody, finds nothing and does no harm.
    assert find_ordinary(turn_of(event), CHUNK_SIZE) == []
