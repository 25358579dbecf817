"""How far contributors agree: coefficients for a whole event, and each person with the others.

All of it is for sparse data: any number of contributors for a unit, a unit being what several may
judge, such as a matchup. Nothing is drawn by chance, and rows in any order give the same figures.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from scipy.stats import t as student

from leaderboard.ratings import Floats, Ints, Mask
from leaderboard.trust.gaps import Integers
from leaderboard.trust.shares import CONFIDENCE, wilson_limits

CELLS_AT_ONCE = 4_000_000
"""Of a table of units by categories by categories, so many are in memory."""


@dataclass(frozen=True, eq=False)
class CategoryAnswers:
    """n answers, none of them twice for the same contributor and unit.

    contributor, unit: int (n,), any numbers; category: int (n,), 0 … K - 1, in their order where
    they have one; categories: K.
    """

    contributor: Integers
    unit: Integers
    category: Integers
    categories: int

    def take(self, rows: Mask | Integers) -> "CategoryAnswers":
        """The answers of these rows."""
        columns = (self.contributor[rows], self.unit[rows], self.category[rows])
        return CategoryAnswers(*columns, self.categories)

    def within(self, group: Integers) -> "CategoryAnswers":
        """The same answers with each unit once for each group, so that what is compared are
        members of one group. group: int (n,), 0 or more, of each row's contributor."""
        groups = np.int64(group.max(initial=0)) + 1
        _, unit = np.unique(self.unit, return_inverse=True)
        return replace(self, unit=unit.astype(np.int64) * groups + group)

    def tabulate(self) -> Ints:
        """How many gave each category, for units that two or more have judged: int64 (m, K)."""
        units, place = np.unique(self.unit, return_inverse=True)
        index = place.astype(np.int64) * self.categories + self.category
        size = len(units) * self.categories
        table = np.bincount(index, minlength=size).reshape(len(units), self.categories)
        shared: Ints = table[table.sum(1) > 1]
        return shared


class Reason(StrEnum):
    """Why there is no coefficient."""

    NO_ANSWERS = "no answers"
    ONE_CONTRIBUTOR = "one contributor"
    JUDGED_ONCE = "no unit was judged twice"
    ONE_CATEGORY = "one category only"


@dataclass(frozen=True)
class Coefficient:
    """An agreement beyond chance, 1 where it is complete and 0 where it is what chance gives.

    value, lower, upper: NaN where `reason` says why; the 95% limits are NaN as well where leaving
    out a unit leaves no value. units, answers: what it rests on.
    """

    value: float
    lower: float
    upper: float
    units: int
    answers: int
    reason: Reason | None = None


class Metric(StrEnum):
    """What a disagreement weighs."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"


# --- coefficients ------------------------------------------------------------------------------
def krippendorff_alpha(answers: CategoryAnswers, metric: Metric = Metric.NOMINAL) -> Coefficient:
    """Krippendorff's α = 1 - D_o / D_e, with limits by the jackknife over units.

    α = 1 - (n - 1)·Σ_ck o_ck·δ²_ck / Σ_ck n_c·n_k·δ²_ck, where o_ck = Σ_u n_uc·n_uk / (m_u - 1)
    over units with m_u ≥ 2 answers, n_c = Σ_k o_ck and n = Σ n_c. δ² is 0 or 1 for nominal
    categories, and (Σ_{g=c}^k n_g - (n_c + n_k)/2)² for ordinal ones. Source: K. Krippendorff
    (2011), "Computing Krippendorff's Alpha-Reliability", section C and the metrics of section D.
    """
    table = answers.tabulate()
    reason = find_reason(answers, table)
    if reason is not None:
        return no_coefficient(table, reason)
    margins = table.sum(0)[None, :]
    observed = coincide(table).sum(0)
    value = compute_alpha(observed[None], margins, metric)[0]
    left_out = [
        compute_alpha(observed - coincide(part), margins - part, metric) for part in slices(table)
    ]
    return with_limits(float(value), np.concatenate(left_out), table)


def slices(table: Ints) -> Iterator[Ints]:
    """The rows of a table of units, a part after the other."""
    step = max(CELLS_AT_ONCE // table.shape[1] ** 2, 1)
    return (table[start : start + step] for start in range(0, len(table), step))


def coincide(table: Ints) -> Floats:
    """n_uc·n_uk / (m_u - 1) of each unit: float64 (m, K, K). The diagonal, of which δ² is 0, is
    left as it comes."""
    weight = 1.0 / (table.sum(1) - 1.0)
    result: Floats = table[:, :, None] * table[:, None, :] * weight[:, None, None]
    return result


def compute_alpha(observed: Floats, margins: Ints, metric: Metric) -> Floats:
    """α for each pair of coincidences (m, K, K) and margins (m, K); NaN for one category."""
    distance = square_distance(margins, metric)
    expected = np.einsum("uc,uk,uck->u", margins, margins, distance, optimize=True)
    apart = np.einsum("uck,uck->u", np.broadcast_to(observed, distance.shape), distance)
    known = expected > 0
    ratio = (margins.sum(1) - 1.0) * apart / np.where(known, expected, 1.0)
    result: Floats = np.where(known, 1.0 - ratio, np.nan)
    return result


def square_distance(margins: Ints, metric: Metric) -> Floats:
    """δ² between each two categories: float64 (m, K, K)."""
    size = margins.shape[1]
    if metric is Metric.NOMINAL:
        return np.broadcast_to(1.0 - np.eye(size), (len(margins), size, size))
    # Up to the middle of each category, in the order of the categories.
    middle = np.cumsum(margins, 1) - margins / 2.0
    result: Floats = (middle[:, :, None] - middle[:, None, :]) ** 2
    return result


def fleiss_kappa(answers: CategoryAnswers) -> Coefficient:
    """Fleiss' κ = (P̄ - P̄_e) / (1 - P̄_e), with limits by the jackknife over units.

    P̄ is the mean over units of P_i = Σ_j n_ij·(n_ij - 1) / (n_i·(n_i - 1)) and P̄_e = Σ_j p_j², p_j
    the share of category j among all answers. Source: J. L. Fleiss (1971), "Measuring Nominal Scale
    Agreement among Many Raters", Psychological Bulletin 76, the equations of these names. There
    every unit has equally many answers; here each of those with two or more weighs alike.
    """
    table = answers.tabulate()
    reason = find_reason(answers, table)
    if reason is not None:
        return no_coefficient(table, reason)
    size = table.sum(1)
    agreed = (table * (table - 1)).sum(1) / (size * (size - 1.0))
    value = correct_for_chance(agreed.mean(), square_shares(table.sum(0)))
    rest = max(len(table) - 1, 1)
    left_out = correct_for_chance(
        (agreed.sum() - agreed) / rest, square_shares(table.sum(0) - table)
    )
    return with_limits(float(value), left_out, table)


def square_shares(counts: Ints) -> Floats:
    """Σ p_j², along the last axis; 1 where nothing is counted."""
    total = counts.sum(-1)
    squares: Floats = (counts**2).sum(-1) / np.maximum(total, 1) ** 2.0
    return np.where(total > 0, squares, 1.0)


def cohen_kappa(answers: CategoryAnswers, one: int, other: int) -> Coefficient:
    """Cohen's κ = (p_o - p_c) / (1 - p_c) of two contributors, over units that both have judged,
    with limits by the jackknife over units.

    p_o is the share of these units on which they agree and p_c = Σ_j p_1j·p_2j what their own
    shares of the categories give by chance. Source: J. Cohen (1960), "A Coefficient of Agreement
    for Nominal Scales", Educational and Psychological Measurement 20, equation 1.
    """
    if one == other:
        raise ValueError("two contributors are compared, not one with themselves")
    pair = answers.take(np.isin(answers.contributor, (one, other)))
    table = pair.tabulate()
    reason = find_reason(pair, table)
    if reason is not None:
        return no_coefficient(table, reason)
    both = cross_tabulate(pair, one, other)
    total, agreed = both.sum(), np.trace(both)
    rows, columns = both.sum(1), both.sum(0)
    value = correct_for_chance(agreed / total, rows @ columns / total**2)
    # Leaving out a unit takes one from a cell of the table, and all units of a cell are alike.
    first, second = np.nonzero(both)
    rest = max(total - 1, 1)
    chance = (rows @ columns - columns[first] - rows[second] + (first == second)) / rest**2
    left_out = correct_for_chance((agreed - (first == second)) / rest, chance)
    return with_limits(float(value), np.repeat(left_out, both[first, second]), table)


def cross_tabulate(pair: CategoryAnswers, one: int, other: int) -> Ints:
    """How often one contributor gave a category (rows) and the other another: int64 (K, K)."""
    mine, theirs = (pair.take(pair.contributor == who) for who in (one, other))
    _, left, right = np.intersect1d(mine.unit, theirs.unit, return_indices=True)
    size = pair.categories
    index = mine.category[left].astype(np.int64) * size + theirs.category[right]
    return np.bincount(index, minlength=size**2).reshape(size, size)


def correct_for_chance(agreed: Floats, chance: Floats) -> Floats:
    """(p_o - p_c) / (1 - p_c); NaN where chance gives complete agreement."""
    rest = 1.0 - chance
    known = rest > np.finfo(np.float64).eps
    result: Floats = np.where(known, (agreed - chance) / np.where(known, rest, 1.0), np.nan)
    return result


def find_reason(answers: CategoryAnswers, table: Ints) -> Reason | None:
    """Why these answers have no coefficient, if they have none.

    Where all give one category nothing tells agreement from a habit: it is undefined, and not 1.
    """
    if not len(answers.unit):
        return Reason.NO_ANSWERS
    if (answers.contributor == answers.contributor[0]).all():
        return Reason.ONE_CONTRIBUTOR
    if not len(table):
        return Reason.JUDGED_ONCE
    return Reason.ONE_CATEGORY if (table.sum(0) > 0).sum() == 1 else None


def no_coefficient(table: Ints, reason: Reason) -> Coefficient:
    """Nothing but the reason."""
    nan = float("nan")
    return Coefficient(nan, nan, nan, len(table), int(table.sum()), reason)


def with_limits(value: float, left_out: Floats, table: Ints) -> Coefficient:
    """A value with its limits, from the values without each unit in turn.

    The jackknife and not a bootstrap: it needs no chance, so that the same answers always give the
    same limits, and no repeated computation. Units are left out, since they are what an event has
    sampled and since answers to one are not independent. SE² = (m - 1)/m·Σ(α_(-u) - mean)², with
    Student's t of m - 1 degrees of freedom. Source: B. Efron (1982), "The Jackknife, the Bootstrap
    and Other Resampling Plans", chapter 3. No agreement is more than 1.
    """
    units, answers = len(table), int(table.sum())
    if units < 2 or np.isnan(left_out).any():
        return Coefficient(value, float("nan"), float("nan"), units, answers)
    error = np.sqrt((units - 1) / units * np.sum((left_out - left_out.mean()) ** 2))
    reach = float(error * student.ppf((1.0 + CONFIDENCE) / 2.0, units - 1))
    return Coefficient(value, value - reach, min(value + reach, 1.0), units, answers)


# --- one person and the others ---------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class PersonalAgreement:
    """How far each contributor agrees with the others, in the order of `contributor`.

    contributor: int (U,); n: int64 (U,), answers to units that others have judged as well; share:
    float64 (U,), of the others' answers there that were theirs; beyond_chance: float64 (U,), 1
    where they always agree and 0 where they do as often as chance gives; the 95% limits of both.
    NaN without such answers; beyond chance also where everybody gave one category.
    """

    contributor: Integers
    n: Ints
    share: Floats
    share_lower: Floats
    share_upper: Floats
    beyond_chance: Floats
    beyond_chance_lower: Floats
    beyond_chance_upper: Floats


def agreement_with_others(
    answers: CategoryAnswers, rows: Mask | None = None, group: Integers | None = None
) -> PersonalAgreement:
    """How far each contributor agrees with the others who judged the same.

    Of an answer c to a unit u the share of the others' that agree is (n_uc - 1) / (m_u - 1); a
    person's share p is the mean of that over their answers. Chance is as for Cohen (1960), by the
    person's shares of the categories and those of the others' answers there: κ = (p - p_c) /
    (1 - p_c). The limits of p are Wilson's: a person answers a unit once, so that their answers are
    independent given the others', and what lies between 0 and 1 varies no more than a share with
    the same mean. Those of κ are the same with p_c held. Source: E. B. Wilson, JASA 22 (1927).

    rows: bool (n,), which answers are compared, such as those to controls, or all but these; all
    by default. group: int (n,), of each row's contributor, where only members of one group are
    compared with each other. Every contributor of `answers` is in the result.
    """
    people, who = np.unique(answers.contributor, return_inverse=True)
    chosen = replace(answers, contributor=who)
    if group is not None:
        chosen = chosen.within(group)
    if rows is not None:
        chosen = chosen.take(rows)
    units, place = np.unique(chosen.unit, return_inverse=True)
    size, shape = chosen.categories, (len(units), chosen.categories)
    index = place.astype(np.int64) * size + chosen.category
    table = np.bincount(index, minlength=shape[0] * size).reshape(shape)
    total = table.sum(1)
    compared = total[place] > 1
    who, place, category = chosen.contributor[compared], place[compared], chosen.category[compared]
    return describe_people(people, who, category, table[place], size)


def describe_people(
    people: Integers, who: Integers, category: Integers, table: Ints, size: int
) -> PersonalAgreement:
    """Share and κ of each person; table: int64 (n, K), all answers to each row's unit."""
    others = table.astype(np.float64)
    others[np.arange(len(who)), category] -= 1.0
    others /= others.sum(1, keepdims=True)
    n = np.bincount(who, minlength=len(people))
    least = np.maximum(n, 1)
    agreed = np.bincount(who, others[np.arange(len(who)), category], len(people))
    share = np.where(n > 0, agreed / least, np.nan)
    own = np.bincount(who * np.int64(size) + category, minlength=len(people) * size)
    theirs = np.stack([np.bincount(who, column, len(people)) for column in others.T], 1)
    chance = (own.reshape(-1, size) * theirs).sum(1) / least**2.0
    lower, upper = wilson_limits(share, least)
    return PersonalAgreement(
        people,
        n,
        share,
        lower,
        upper,
        *(correct_for_chance(one, chance) for one in (share, lower, upper)),
    )
