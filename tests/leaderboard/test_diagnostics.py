"""How sure a board is: neighbours by Holm's test, what unseats the first, other ways to compute."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random

import numpy as np
import pytest
from django.test import Client
from scipy import stats
from scipy.special import ndtr, ndtri

from arena.events.models import Event
from leaderboard.boards import diagnostics
from leaderboard.boards.fit import fit_board
from leaderboard.boards.snapshot_details import WidthRatio
from leaderboard.models import Snapshot
from leaderboard.ratings import Contrasts, RatingError, compare, fold
from leaderboard.ratings.inference.contrasts import holm
from leaderboard.ratings.models import bradley_terry
from leaderboard.votes.loading import load_votes
from tests.factories import (
    NOW,
    make_competitors,
    make_enrollment,
    make_event,
    make_matchup,
)
from tests.leaderboard.votes import Crowd, figures, make_all_votes, make_vote, refresh, show
from tests.ratings.make import make_votes

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
LATER = NOW + timedelta(minutes=1)


def notes(event: Event, weighting: str = "raw") -> dict:
    boards = Snapshot.objects.get(board__event=event).details["boards"]
    return next(board for key, board in boards.items() if key.endswith(f"/all/{weighting}"))


def text(client: Client, event: Event, query: str = "") -> str:
    return re.sub(r"\s+", " ", show(client, event, query).content.decode())


@pytest.fixture
def ordered() -> Crowd:
    """A crowd that prefers the model that was made earlier, mostly, and never says how much."""
    crowd, rng = Crowd(judges=12, slug="tea"), Random(5)
    votes = []
    for matchup in crowd.matchups:
        first, second = (r.competitor_id for r in matchup.responses.order_by("pk"))
        for judge in crowd.judges:
            better = 1 if first < second else -1
            votes.append((judge, matchup, better if rng.random() < 0.75 else -better, True))
    make_all_votes(votes)
    refresh(crowd.event)
    return crowd


# --- neighbours --------------------------------------------------------------------------------
def contrasts(difference: list[float], error: float) -> Contrasts:
    """Independent pairs of neighbours with these differences, as if there were no others."""
    size = 2 * len(difference)
    gap, se, adjusted = np.full((3, size, size), np.nan)
    p = []
    for k, d in enumerate(difference):
        i, j = 2 * k, 2 * k + 1
        gap[i, j], gap[j, i] = d, -d
        se[i, j] = se[j, i] = error
        p.append(2 * ndtr(-abs(d) / error))
    for k, q in enumerate(holm(np.array(p))):
        adjusted[2 * k, 2 * k + 1] = adjusted[2 * k + 1, 2 * k] = q
    return Contrasts(gap, se, adjusted, adjusted, (adjusted <= 0.05) & (gap > 0), 0.05)


def test_a_verdict_follows_the_test_of_all_pairs() -> None:
    """2.2 standard errors are separated by themselves, and not yet among five pairs."""
    five = contrasts([0.5, 0.22, 0.2, 0.12, 0.01], 0.1)
    verdicts = [diagnostics.describe_contrast(five, 2 * k, 2 * k + 1, 1000)[0] for k in range(5)]
    assert verdicts == ["separated", "not_yet", "not_yet", "not_yet", "too_few"]
    assert diagnostics.describe_contrast(contrasts([0.22], 0.1), 0, 1, 1000) == ("separated", None)
    assert diagnostics.describe_contrast(contrasts([0.001], 0.01), 0, 1, 1000) == ("tied", None)


def test_the_votes_that_are_needed_separate_by_the_same_test() -> None:
    """With so many more the difference is its critical value and the power's reserve away."""
    five = contrasts([0.5, 0.22, 0.2, 0.12, 0.01], 0.1)
    verdict, more = diagnostics.describe_contrast(five, 2, 3, 1000)
    assert verdict == "not_yet"
    error = 0.1 / np.sqrt((1000 + more) / 1000)
    assert 0.22 / error == pytest.approx(ndtri(1 - 0.05 / 4 / 2) + ndtri(0.8), rel=1e-3)


def test_votes_that_would_show_a_tie_are_not_those_that_separate() -> None:
    """26,339 votes would show these to be level; it takes 700,000 to tell them apart."""
    assert diagnostics.describe_contrast(contrasts([0.01], 0.03), 0, 1, 10_000) == ("too_few", None)


def test_a_pair_on_either_side_of_the_level_stays_there() -> None:
    votes = make_votes(4, [(0, 1, 1), (1, 0, 1), (1, 2, 1), (2, 3, 1), (3, 0, 1)] * 9)
    board = fit_board(replace(votes, contributor=np.arange(45, dtype=np.int32)))
    contrast = compare(board.fit, board.covariance)
    adjusted = np.full((4, 4), 0.2)
    adjusted[0, 1], adjusted[0, 2], adjusted[0, 3] = 0.0503, 0.0497, 0.0001
    kept = diagnostics.pairwise_tests(board, replace(contrast, adjusted=adjusted))
    found = {(i, j): p for i, j, p in zip(kept[::3], kept[1::3], kept[2::3], strict=True)}
    assert (found[0, 1], found[0, 2]) == (51, 50)
    assert (0, 3) not in found


def test_who_drops_out_moves_nobody_whose_differences_stay() -> None:
    rows = [(a, b, o) for a, b in ((0, 1), (1, 2), (0, 2)) for o in (1, -1)] * 20
    rows += [(0, 3, 1)] * 30 + [(3, 0, 1)]
    who = np.append(np.arange(len(rows) - 1) % 20, 99).astype(np.int32)
    votes = make_votes(4, rows, contributor=who, matchup=np.arange(len(rows), dtype=np.int32))
    found = diagnostics.leave_one_contributor_out(votes, fit_board(votes))
    assert found is not None
    assert found.unranks
    assert found.move < 0.3


def test_widths_are_of_intervals_and_not_of_errors() -> None:
    """Of few clusters an interval reaches further for the same standard error."""
    votes = make_votes(3, [(0, 1, 1), (1, 0, 1), (1, 2, 0), (2, 0, 1), (0, 2, 1)] * 40)
    board = fit_board(votes)
    assert board.covariance.clusters == ()
    other = replace(board.covariance, clusters=(4,))
    ratio = stats.t.ppf(0.975, 3) / stats.norm.ppf(0.975)
    found = diagnostics.relative_widths(other, board)
    assert found == WidthRatio(ratio=pytest.approx(ratio), clusters=4)


def test_level_models_do_not_move() -> None:
    votes = make_votes(3, [(0, 2, 1), (1, 2, 1), (2, 0, 1), (2, 1, 1), (0, 1, 0)] * 9)
    fit = bradley_terry.fit(fold(votes))
    nudged = replace(fit, strength=fit.strength + np.array([0.0, 1e-16, 0.0]))
    assert diagnostics.count_rank_changes(fit, nudged) == 0


def test_every_two_neighbours_in_rank_are_compared(ordered: Crowd, client: Client) -> None:
    data = load_votes(ordered.event)
    board = fit_board(data.votes(data.questions[0]))
    contrast = compare(board.fit, board.covariance)
    pairs = notes(ordered.event)["neighbours"]
    assert [(pair["leader"], pair["challenger"]) for pair in pairs] == [
        (one.pk, two.pk) for one, two in zip(ordered.models, ordered.models[1:], strict=False)
    ]
    for k, pair in enumerate(pairs):
        assert pair["difference"] == contrast.difference[k, k + 1] > 0
        assert pair["low"] < pair["difference"] < pair["high"]
        assert (pair["verdict"] == "separated") == (pair["adjusted"] <= 0.05)
    page = text(client, ordered.event)
    assert "How certain is this?" in page
    assert page.count('class="verdict"') == 3


def test_a_category_has_no_neighbours_but_its_tests(ordered: Crowd, client: Client) -> None:
    assert "How certain is this?" not in text(client, ordered.event, "?category=maths")
    boards = Snapshot.objects.get().details["boards"]
    assert all("p" in board or "why_not" in board for board in boards.values())


def test_kept_tests_are_holms_in_thousandths(ordered: Crowd) -> None:
    data = load_votes(ordered.event)
    board = fit_board(data.votes(data.questions[0]))
    adjusted = compare(board.fit, board.covariance).adjusted
    flat = notes(ordered.event)["p"]
    kept = {(i, j): p for i, j, p in zip(*[iter(flat)] * 3, strict=True)}
    for i in range(4):
        for j in range(i + 1, 4):
            assert kept.get((i, j), 0) == round(1000 * adjusted[i, j])


# --- the first place ---------------------------------------------------------------------------
def two_models(outcomes: list[int]) -> Event:
    """An event of two models with these votes."""
    event = make_event("duel")
    models = make_competitors(event, 2)
    for outcome in outcomes:
        make_vote(make_enrollment(event), make_matchup(event, models), outcome)
    refresh(event)
    return event


def test_dropped_and_turned_votes_bring_another_level(client: Client) -> None:
    """Seven to three: four fewer wins make it level, and two of them turned round do."""
    event = two_models([1] * 7 + [-1] * 3)
    one, two = event.competitors.order_by("pk")
    kept = notes(event)["unseating"]
    assert kept["drop"] == {"votes": 4, "leader": one.pk, "challenger": two.pk}
    assert kept["flip"] == {"votes": 2, "leader": one.pk, "challenger": two.pk}
    page = text(client, event)
    level = f"would bring {two} level with {one} or above."
    assert f"Removing 4 of the 10 votes, the most influential ones, {level}" in page
    assert f"Reversing 2 votes {level}" in page


def test_two_that_are_level_are_called_level(client: Client) -> None:
    event = two_models([1, 1, -1, -1])
    page = text(client, event)
    assert "are level at the top" in page
    assert "Removing one of the 4 votes" not in page
    assert "Reversing" not in page


def test_the_largest_move_without_one_contributor(ordered: Crowd, client: Client) -> None:
    data = load_votes(ordered.event)
    votes = data.votes(data.questions[0])
    whole = bradley_terry.fit(fold(votes)).strength
    shifts = [
        bradley_terry.fit(fold(votes.take(votes.contributor != one))).strength - whole
        for one in np.unique(votes.contributor)
    ]
    kept = notes(ordered.event)["influence"]
    assert kept["move"] == pytest.approx(np.abs(shifts).max())
    assert kept["contributors"] == 12
    page = text(client, ordered.event)
    assert "Removing one of the 12 contributors (the most influential were tested" in page
    for judge in ordered.judges:
        assert judge.pseudonym not in page


# --- in other ways -----------------------------------------------------------------------------
def test_degrees_change_something_only_where_somebody_used_them(ordered: Crowd) -> None:
    assert notes(ordered.event)["graded"] is None
    late = make_enrollment(ordered.event)
    for matchup in ordered.matchups:
        make_vote(late, matchup, -2)
    refresh(ordered.event, LATER)
    assert notes(ordered.event)["graded"].keys() == {"tau", "moved"}


def test_ties_apart_give_the_share_of_ties_among_equals() -> None:
    """Every vote between two equal models: the share is that of the ties."""
    event = two_models([1, 1, -1, -1, 0])
    kept = notes(event)["ties"]
    assert kept["percent"] == pytest.approx(20)
    assert kept["moved"] == 0


def test_who_judged_controls_alone_changes_no_figure_of_a_raw_board(ordered: Crowd) -> None:
    before = notes(ordered.event)
    passer = make_enrollment(ordered.event)
    make_vote(passer, ordered.controls[0])
    refresh(ordered.event, LATER)
    assert notes(ordered.event) == before


def test_every_figure_is_rebuilt_to_the_last_digit(ordered: Crowd) -> None:
    before = figures(ordered.event)
    refresh(ordered.event, LATER, rebuild=True)
    assert figures(ordered.event) == before
    assert notes(ordered.event)["bootstrap"]["clusters"] == 12
    assert notes(ordered.event)["prompts"]["clusters"] == 18


def test_what_a_board_does_not_allow_is_left_out_and_the_rest_stays(
    ordered: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> Iterator[None]:
        raise RatingError("too little")

    monkeypatch.setattr(diagnostics.davidson, "fit", refuse)
    make_vote(make_enrollment(ordered.event), ordered.matchups[0])
    assert refresh(ordered.event, LATER) is not None
    assert notes(ordered.event)["ties"] is None
    assert notes(ordered.event)["influence"]
