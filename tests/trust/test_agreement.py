"""Coefficients of agreement: published examples, a slow computation, and what must not matter."""

import time
from collections import Counter
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from leaderboard.trust.agreement import (
    CategoryAnswers,
    Metric,
    Reason,
    agreement_with_others,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
)

# Krippendorff (2011), section C: four observers, twelve units, five categories; . is no answer.
OBSERVERS = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
# Fleiss (1971), table 1: how many of six psychiatrists gave each of 30 patients each diagnosis.
DIAGNOSES = (
    "00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031 "
    "00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006"
)
# Fleiss (1981), "Statistical Methods for Rates and Proportions", table 13.1, as numbers of 100.
TWO_RATERS = np.array([[75, 1, 4], [5, 4, 1], [0, 0, 10]])


def from_rows(rows, categories):
    columns = np.array(list(rows), dtype=np.int64).reshape(-1, 3).T
    return CategoryAnswers(*columns, categories)


def observers():
    return from_rows(
        (
            (who, unit, int(value) - 1)
            for who, values in enumerate(OBSERVERS)
            for unit, value in enumerate(values)
            if value != "."
        ),
        5,
    )


def from_counts(tables):
    """Whoever gave what: the first category to the first contributors of each unit."""
    rows = []
    for unit, counts in enumerate(tables):
        given = [category for category, count in enumerate(counts) for _ in range(count)]
        rows += [(who, unit, category) for who, category in enumerate(given)]
    return from_rows(rows, len(tables[0]))


def diagnoses():
    return from_counts([[int(count) for count in row] for row in DIAGNOSES.split()])


def two_raters():
    pairs = [(a, b) for a in range(3) for b in range(3) for _ in range(TWO_RATERS[a, b])]
    return from_rows(
        [(who, unit, pair[who]) for unit, pair in enumerate(pairs) for who in (0, 1)], 3
    )


def crowd(seed=0, people=30, units=60, n=400, categories=4):
    """Sparse answers with some agreement."""
    rng = np.random.default_rng(seed)
    cells = rng.choice(people * units, n, replace=False)
    truth = rng.integers(0, categories, units)
    who, unit = cells // units, cells % units
    category = np.where(rng.random(n) < 0.5, truth[unit], rng.integers(0, categories, n))
    return CategoryAnswers(who, unit, category, categories)


# --- published examples ----------------------------------------------------------------------
def test_alpha_of_krippendorffs_four_observers():
    answers = observers()
    nominal, ordinal = (krippendorff_alpha(answers, metric) for metric in Metric)
    assert (nominal.units, nominal.answers) == (11, 40)
    assert nominal.value == pytest.approx(0.743, abs=5e-4)
    assert ordinal.value == pytest.approx(0.815, abs=5e-4)
    for found in (nominal, ordinal):
        assert found.lower < found.value < found.upper <= 1.0


def test_kappa_of_fleiss_psychiatrists():
    answers = diagnoses()
    found = fleiss_kappa(answers)
    assert answers.tabulate().sum(0).tolist() == [26, 26, 30, 55, 43]  # as the table has them
    assert (found.units, found.answers) == (30, 180)
    assert found.value == pytest.approx(0.430, abs=5e-4)


def test_kappa_of_two_raters():
    found = cohen_kappa(two_raters(), 0, 1)
    assert found.value == pytest.approx((0.89 - 0.66) / 0.34, abs=1e-12)
    # Fleiss, Cohen & Everitt (1969) give this table a standard error of .088.
    assert (found.upper - found.lower) / 2 / 1.984 == pytest.approx(0.088, abs=4e-3)


# --- a slow second computation ---------------------------------------------------------------
def slow_alpha(answers, ordinal):
    units = {}
    for unit, category in zip(answers.unit.tolist(), answers.category.tolist(), strict=True):
        units.setdefault(unit, []).append(category)
    units = [values for values in units.values() if len(values) > 1]
    seen = Counter(value for values in units for value in values)

    def apart(one, other):
        if not ordinal:
            return float(one != other)
        low, high = sorted((one, other))
        between = sum(seen[g] for g in range(low, high + 1))
        return (between - (seen[low] + seen[high]) / 2) ** 2

    n = sum(seen.values())
    within = sum(
        2 * apart(a, b) / (len(values) - 1) for values in units for a, b in combinations(values, 2)
    )
    everything = [value for values in units for value in values]
    among = sum(2 * apart(a, b) for a, b in combinations(everything, 2))
    return 1 - (within / n) / (among / (n * (n - 1)))


def slow_agreement(answers, person):
    """Share and κ of a person, by the definition."""
    rows = list(zip(*(column.tolist() for column in columns(answers)), strict=True))
    shares, own, theirs = [], Counter(), Counter()
    for who, unit, category in rows:
        others = [c for other, u, c in rows if u == unit and other != person]
        if who == person and others:
            shares.append(others.count(category) / len(others))
            own[category] += 1
            for other in others:
                theirs[other] += 1 / len(others)
    n = len(shares)
    chance = sum(own[c] / n * theirs[c] / n for c in own)
    share = sum(shares) / n
    return n, share, (share - chance) / (1 - chance)


def columns(answers):
    return answers.contributor, answers.unit, answers.category


@pytest.mark.parametrize("seed", range(3))
def test_a_slow_computation_agrees(seed):
    answers = crowd(seed)
    for metric in Metric:
        found = krippendorff_alpha(answers, metric).value
        assert found == pytest.approx(slow_alpha(answers, metric is Metric.ORDINAL), abs=1e-12)
    found = agreement_with_others(answers)
    for index, person in enumerate(found.contributor.tolist()):
        n, share, beyond = slow_agreement(answers, person)
        assert found.n[index] == n
        assert found.share[index] == pytest.approx(share, abs=1e-12)
        assert found.beyond_chance[index] == pytest.approx(beyond, abs=1e-12)


@pytest.mark.parametrize(
    "measure",
    [
        krippendorff_alpha,
        lambda answers: krippendorff_alpha(answers, Metric.ORDINAL),
        fleiss_kappa,
        lambda answers: cohen_kappa(answers, 0, 1),
    ],
    ids=["nominal", "ordinal", "Fleiss", "Cohen"],
)
def test_limits_are_those_of_leaving_out_each_unit(measure):
    answers = crowd(4, people=2, units=40, n=70)
    found = measure(answers)
    both = [unit for unit in range(40) if (answers.unit == unit).sum() == 2]
    left_out = np.array([measure(answers.take(answers.unit != unit)).value for unit in both])
    size = len(both)
    error = np.sqrt((size - 1) / size * ((left_out - left_out.mean()) ** 2).sum())
    assert found.units == size
    assert found.upper - found.value == pytest.approx(error * 2.05, rel=0.02)
    assert found.value - found.lower == pytest.approx(error * 2.05, rel=0.02)


def test_limits_cover_what_more_units_would_give():
    """A crowd whose alpha is known by its size: 20,000 units."""
    truth = krippendorff_alpha(crowd(9, people=50, units=20_000, n=80_000)).value
    covered = []
    for seed in range(200):
        found = krippendorff_alpha(crowd(seed, people=50, units=60, n=240))
        covered.append(found.lower <= truth <= found.upper)
    assert 0.91 <= np.mean(covered) <= 0.985


# --- what must not matter --------------------------------------------------------------------
@pytest.mark.parametrize("change", ["people", "rows", "mirrored", "units"])
def test_names_order_and_direction_change_nothing(change):
    answers = crowd(5)
    rows = np.random.default_rng(0).permutation(len(answers.unit))
    other = {
        "people": replace(answers, contributor=1_000_000 - 7 * answers.contributor),
        "rows": answers.take(rows),
        "mirrored": replace(answers, category=answers.categories - 1 - answers.category),
        "units": replace(answers, unit=-3 * answers.unit),
    }[change]
    for metric in Metric:
        one, two = krippendorff_alpha(answers, metric), krippendorff_alpha(other, metric)
        assert (one.value, one.lower) == pytest.approx((two.value, two.lower), abs=1e-12)
    assert fleiss_kappa(answers).value == pytest.approx(fleiss_kappa(other).value, abs=1e-12)
    one, two = agreement_with_others(answers), agreement_with_others(other)
    order = slice(None, None, -1) if change == "people" else slice(None)
    assert np.allclose(one.beyond_chance, two.beyond_chance[order], equal_nan=True)
    assert np.allclose(one.share_lower, two.share_lower[order], equal_nan=True)


def test_the_first_of_two_may_be_either():
    answers = two_raters()
    assert cohen_kappa(answers, 0, 1) == cohen_kappa(answers, 1, 0)
    with pytest.raises(ValueError, match="two contributors"):
        cohen_kappa(answers, 1, 1)


def test_complete_agreement_is_one_and_chance_is_zero():
    alike = from_rows([(who, unit, unit % 3) for who in range(3) for unit in range(30)], 3)
    for found in (krippendorff_alpha(alike), fleiss_kappa(alike), cohen_kappa(alike, 0, 2)):
        assert (found.value, found.lower, found.upper) == (1.0, 1.0, 1.0)
    rng = np.random.default_rng(1)
    apart = replace(alike, category=rng.integers(0, 3, len(alike.unit)))
    for found in (krippendorff_alpha(apart), fleiss_kappa(apart), cohen_kappa(apart, 0, 2)):
        assert found.lower < 0.0 < found.upper


# --- nothing to tell -------------------------------------------------------------------------
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], Reason.NO_ANSWERS),
        ([(0, unit, unit % 2) for unit in range(5)], Reason.ONE_CONTRIBUTOR),
        ([(unit % 2, unit, unit % 2) for unit in range(5)], Reason.JUDGED_ONCE),
        ([(who, unit, 1) for who in (0, 1) for unit in range(5)], Reason.ONE_CATEGORY),
    ],
    ids=str,
)
def test_what_has_no_coefficient_says_why(rows, reason):
    answers = from_rows(rows, 2)
    measures = [krippendorff_alpha(answers, metric) for metric in Metric]
    for found in (*measures, fleiss_kappa(answers), cohen_kappa(answers, 0, 1)):
        assert found.reason is reason
        assert np.isnan([found.value, found.lower, found.upper]).all()
    assert np.isnan(agreement_with_others(answers).beyond_chance).all()


@pytest.mark.filterwarnings("error")
def test_one_unit_has_a_value_and_no_limits():
    found = krippendorff_alpha(from_rows([(0, 0, 0), (1, 0, 1)], 2))
    assert (found.value, found.units, found.reason) == (0.0, 1, None)
    assert np.isnan([found.lower, found.upper]).all()


@pytest.mark.filterwarnings("error")
def test_where_one_unit_is_all_that_differs_limits_are_unknown():
    rows = [(who, unit, int(unit == 0)) for who in (0, 1) for unit in range(5)]
    for found in (krippendorff_alpha(from_rows(rows, 2)), fleiss_kappa(from_rows(rows, 2))):
        assert found.value == 1.0
        assert np.isnan([found.lower, found.upper]).all()


# --- one person and the others ---------------------------------------------------------------
def test_a_person_is_compared_with_the_others_alone():
    rows = [(0, 0, 0), (1, 0, 0), (2, 0, 1), (0, 1, 1), (1, 1, 1), (0, 2, 1), (3, 3, 0)]
    found = agreement_with_others(from_rows(rows, 2))
    assert found.contributor.tolist() == [0, 1, 2, 3]
    assert found.n.tolist() == [2, 2, 1, 0]
    assert found.share[:3].tolist() == [0.75, 0.75, 0.0]
    assert np.isnan(found.share[3])
    # Wilson (1927): one of one is between .2065 and 1.
    assert found.share_upper[2] == pytest.approx(0.7935, abs=1e-4)
    assert found.share_lower[2] == pytest.approx(0.0, abs=1e-12)


def test_controls_and_others_apart_make_the_whole():
    answers = crowd(6)
    control = answers.unit < 20
    whole = agreement_with_others(answers)
    parts = [agreement_with_others(answers, rows) for rows in (control, ~control)]
    assert all((part.contributor == whole.contributor).all() for part in parts)
    assert (parts[0].n + parts[1].n == whole.n).all()
    assert 0 < parts[0].n.sum() < whole.n.sum()
    total = sum(np.where(part.n > 0, part.n * part.share, 0.0) for part in parts)
    assert np.allclose(total, whole.n * whole.share)


def test_a_group_agrees_within_itself():
    """Two groups of opposite taste: members agree with each other, not with everybody."""
    rows = [(who, unit, (unit + who // 3) % 2) for who in range(6) for unit in range(20)]
    answers = from_rows(rows, 2)
    group = answers.contributor // 3
    everybody, within = agreement_with_others(answers), agreement_with_others(answers, group=group)
    assert within.share.tolist() == [1.0] * 6
    assert everybody.share.tolist() == pytest.approx([0.4] * 6)
    assert within.n.tolist() == [20] * 6
    assert krippendorff_alpha(answers.within(group)).value == 1.0
    assert krippendorff_alpha(answers).value < 0.0


def test_limits_of_a_person_cover_their_true_agreement():
    """Somebody who is right with .7 among others who are right with .8, of two categories."""
    covered = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        right = np.concatenate([rng.random((1, 60)) < 0.7, rng.random((3, 60)) < 0.8])
        who, unit = (index.ravel() for index in np.indices(right.shape))
        truth = rng.integers(0, 2, 60)
        category = np.where(right.ravel(), truth[unit], 1 - truth[unit])
        found = agreement_with_others(CategoryAnswers(who, unit, category, 2))
        covered.append(found.share_lower[0] <= 0.7 * 0.8 + 0.3 * 0.2 <= found.share_upper[0])
    assert np.mean(covered) >= 0.93


def test_half_a_million_answers_take_seconds():
    rng = np.random.default_rng(0)
    cells = rng.choice(20_000 * 170_000, 500_000, replace=False)
    category = rng.integers(0, 5, len(cells))
    answers = CategoryAnswers(cells // 170_000, cells % 170_000, category, 5)
    started = time.process_time()
    for metric in Metric:
        assert abs(krippendorff_alpha(answers, metric).value) < 0.01
    assert abs(fleiss_kappa(answers).value) < 0.01
    assert abs(np.nanmean(agreement_with_others(answers).beyond_chance)) < 0.01
    assert time.process_time() - started < 20.0
