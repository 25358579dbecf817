"""What the benchmarks measure on must be what the product makes: their event, at a small size."""

from dataclasses import replace

import pytest
from django.db import connection
from django.db.models import Count
from django.utils.module_loading import import_string

from arena.events.models import Control, Matchup
from arena.judging.models import Judgment
from bench.filling import Size, add_judgments, make_event
from bench.refresh import BESIDE_OVERALL
from bench.trust_exposure import Cell, measure_cell
from leaderboard.models import Rating, Standing
from leaderboard.snapshots.refresh import refresh_fully
from tests.factories import NOW

SIZE = Size(2_000, competitors=8, records=20, contributors=40, controls=10, categories=2)


@pytest.mark.django_db(transaction=True, reset_sequences=True)
def test_the_event_of_the_benchmarks_is_refreshed_and_grows():
    if connection.vendor != "postgresql":
        pytest.skip("the event is made inside a PostgreSQL server")
    event = make_event(SIZE)
    try:
        met = Control.objects.annotate(people=Count("matchup__judgments")).values_list("people")
        assert {people for (people,) in met} == {SIZE.answers}
        assert len(met) == SIZE.controls
        first = refresh_fully(event, now=NOW)
        add_judgments(event, SIZE, SIZE.judgments, 100)
        second = refresh_fully(event, now=NOW)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE bench_pair")
    assert (first.judgments, second.judgments) == (2_000, 2_100)
    assert (first.contributors, second.contributors) == (40, 40)
    ordinary = Judgment.objects.filter(matchup__role=Matchup.Role.ORDINARY).count()
    assert ordinary == 1_890
    board = second.ratings.filter(category=None, weighting=Rating.Weighting.RAW)
    assert sum(board.values_list("votes", flat=True)) == 2 * ordinary
    assert Rating.Weighting.WEIGHTED in second.ratings.values_list("weighting", flat=True)
    assert Standing.objects.filter(event=event).count() == 40


def test_the_functions_timed_beside_the_board_exist():
    assert all(callable(import_string(name)) for name in BESIDE_OVERALL)


@pytest.mark.django_db
def test_what_bench_trust_attacks_is_served_by_the_product():
    size = Cell("tiny", 4, ordinary=60, accounts=6, turns=15, choosing="uniform")
    shared = measure_cell(size, 0)
    assert shared.by_matchup > 0.8
    matched = measure_cell(replace(size, name="matched", controls=8, per_record=3), 0)
    assert matched.certain == 0
    assert 0 < matched.by_prompt < 1
    anchored = measure_cell(replace(size, name="anchors", has_anchors=True), 0)
    assert 0 < anchored.by_matchup < shared.by_matchup
    assert not Matchup.objects.exists()
