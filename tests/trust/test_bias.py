"""What votes lean to: planted leanings are seen at their size, and none where there is none."""

import numpy as np
import pytest

from leaderboard.trust.bias import (
    MIN_TIMED,
    UNKNOWN,
    UNTIMED,
    Answers,
    Leanings,
    measure_concentration,
    measure_leanings,
    share_of_top,
    split_by_pace,
)

PEOPLE, MATCHUPS, OVERLAP = 60, 200, 5
SEEDS = range(200)


def judge(seed: int, *, left: float = 0.0, longer: float = 0.0, hurry: float = 0.0) -> Answers:
    """A crowd of unequal activity. In a share `left` of the votes people look at nothing but the
    left, in `longer` at nothing but length; in a further share `hurry` at nothing but the left in
    the faster half of the answers. Else they choose by the matchup's own gap, or tie."""
    rng = np.random.default_rng(seed)
    activity = np.log(rng.pareto(0.95, PEOPLE) + 0.2)
    order = activity + rng.gumbel(size=(MATCHUPS, PEOPLE))
    who = np.argsort(-order, 1)[:, :OVERLAP].ravel()
    n = len(who)
    gap, length = rng.normal(0, 1, MATCHUPS), rng.choice([-1, 1], MATCHUPS)
    sides = rng.choice([-1, 1], n)
    took = np.exp(rng.normal(9, 1, n)).astype(np.int32)
    wins = rng.random(n) < 1 / (1 + np.exp(-np.repeat(gap, OVERLAP)))
    outcome = np.where(rng.random(n) < 0.2, 0, np.where(wins, 1, -1))
    draw = rng.random(n)
    outcome = np.where(draw < left, sides, outcome)
    outcome = np.where((draw >= left) & (draw < left + longer), np.repeat(length, OVERLAP), outcome)
    hurried = (took <= np.median(took)) & (rng.random(n) < hurry)
    return Answers(
        outcome=np.where(hurried, sides, outcome).astype(np.int8),
        left=sides.astype(np.int8),
        longer=np.repeat(length, OVERLAP).astype(np.int8),
        took=took,
        contributor=who,
        matchup=np.repeat(np.arange(MATCHUPS), OVERLAP),
    )


def many(**planted: float) -> list[Leanings]:
    return [measure_leanings(judge(seed, **planted)) for seed in SEEDS]


def check(shares: list, truth: float) -> None:
    """The mean is the truth within three standard errors, and 95% of the limits hold it."""
    values = np.array([share.value for share in shares])
    error = values.std(ddof=1) / len(values) ** 0.5
    assert abs(values.mean() - truth) < 3 * error, f"{values.mean():.4f} ± {error:.4f}"
    held = np.mean([share.lower <= truth <= share.upper for share in shares])
    assert 0.91 <= held <= 0.995, held


def find(shares: list, expected: float) -> float:
    """How often the limits leave out what would be without bias."""
    return float(np.mean([not share.lower <= expected <= share.upper for share in shares]))


def test_nothing_is_found_where_there_is_nothing() -> None:
    found = many()
    for shares in ([one.left.overall for one in found], [one.longer.overall for one in found]):
        check(shares, 0.5)
        assert find(shares, 0.5) < 0.09
    check([one.left.change for one in found], 0.0)
    check([one.ties.change for one in found], 0.0)
    check([one.ties.overall for one in found], 0.2)


def test_a_preference_for_the_left_of_six_in_ten_is_found() -> None:
    """A fifth of 80% decided votes by choice and the rest to the left: p = (.4·(1 - s) + s) /
    (.8·(1 - s) + s) = .6 for s = 1/6."""
    found = many(left=1 / 6)
    check([one.left.overall for one in found], 0.6)
    assert find([one.left.overall for one in found], 0.5) > 0.95
    check([one.longer.overall for one in found], 0.5)
    check([one.left.change for one in found], 0.0)


def test_a_preference_for_length_is_found_and_is_none_for_a_side() -> None:
    found = many(longer=1 / 6)
    check([one.longer.overall for one in found], 0.6)
    assert find([one.longer.overall for one in found], 0.5) > 0.95
    check([one.left.overall for one in found], 0.5)


def test_a_preference_of_the_fast_alone_shows_by_pace() -> None:
    """Of the faster half a third looks at the left alone: p = (.4·2/3 + 1/3) / (.8·2/3 + 1/3)."""
    found = many(hurry=1 / 3)
    fast = (0.4 * 2 / 3 + 1 / 3) / (0.8 * 2 / 3 + 1 / 3)
    check([one.left.thirds[0] for one in found], fast)
    check([one.left.thirds[2] for one in found], 0.5)
    check([one.left.change for one in found], fast - 0.5)
    assert find([one.left.change for one in found], 0.0) > 0.95
    check([one.ties.change for one in found], 0.2 * 2 / 3 - 0.2)


def test_unknown_sides_lengths_and_seconds_are_left_out() -> None:
    answers = judge(1)
    n = len(answers.outcome)
    blind = Answers(
        answers.outcome,
        np.zeros(n, np.int8),
        np.zeros(n, np.int8),
        np.full(n, UNKNOWN, np.int32),
        answers.contributor,
        answers.matchup,
    )
    found = measure_leanings(blind)
    assert (found.left.overall.n, found.longer.overall.n, found.cuts) == (0, 0, None)
    assert found.ties.overall == measure_leanings(answers).ties.overall
    assert [third.n for third in found.ties.thirds] == [0, 0, 0]


def test_thirds_are_of_known_seconds_and_keep_equal_ones_together() -> None:
    took = np.array([*range(30), UNKNOWN], dtype=np.int32)
    who = np.arange(31) % 5
    third, cuts = split_by_pace(took, who)
    assert cuts is not None
    assert (cuts.fast, cuts.slow) == (0.009, 0.019)
    assert np.bincount(third).tolist() == [10, 10, 10, 1]
    third, cuts = split_by_pace(np.full(60, 5000, dtype=np.int32), np.arange(60))
    assert np.bincount(third).tolist() == [60]
    few, of_few = (took[: MIN_TIMED - 1], who[: MIN_TIMED - 1]), (took, np.arange(31) % 4)
    for too_few in (few, of_few):
        third, cuts = split_by_pace(*too_few)
        assert cuts is None
        assert set(third.tolist()) == {UNTIMED}


# --- who made the votes ------------------------------------------------------------------------
def test_one_person_with_three_tenths_of_the_votes_stands_out() -> None:
    activity = np.random.default_rng(0).poisson(10, 100) + 1
    activity[17] = round(activity.sum() * 3 / 7)
    found = measure_concentration(np.append(activity, [0, 0, 0]))
    top = found.top[0]
    assert (found.contributors, top.contributors, top.equal) == (100, 1, 0.01)
    assert top.share == activity[17] / activity.sum() > 10 * top.upper
    assert [each.contributors for each in found.top] == [1, 5, 10]


def test_equal_activity_is_within_what_chance_gives() -> None:
    held = []
    for seed in SEEDS:
        found = measure_concentration(np.random.default_rng(seed).poisson(20, 60))
        held.append([top.lower <= top.share <= top.upper for top in found.top])
    assert (np.mean(held, 0) > 0.9).all()


def test_the_share_of_the_top_is_that_of_a_sorted_list() -> None:
    activity = np.random.default_rng(3).integers(1, 40, 50)
    votes, people = np.unique(activity, return_counts=True)
    for size in (1, 5, 10):
        (share,) = share_of_top(people[None, ::-1], votes[::-1], size)
        assert share == pytest.approx(np.sort(activity)[-size:].sum() / activity.sum())


def test_the_most_active_of_hardly_more_are_not_looked_at() -> None:
    assert [top.contributors for top in measure_concentration(np.full(19, 3)).top] == [1, 5]
    assert measure_concentration(np.array([7])).top == ()
    assert measure_concentration(np.array([], dtype=np.int64)).contributors == 0


def test_the_same_votes_give_the_same_digits() -> None:
    activity = np.random.default_rng(5).integers(0, 40, 500)
    mixed = np.random.default_rng(6).permutation(activity)
    assert measure_concentration(activity) == measure_concentration(mixed)
