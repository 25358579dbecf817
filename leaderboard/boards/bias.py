"""The bias panel of a board: from the arrays of a question's votes to what a snapshot keeps."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from leaderboard.boards.bias_details import (
    BiasPanel,
    CategoryMix,
    ModelOpponent,
    ModelSide,
    PaceBias,
    ShareByPace,
    ShareChange,
    ShareEstimate,
    TopContributors,
)
from leaderboard.ratings import Ints, Mask, Votes
from leaderboard.trust.appearances import (
    JudgedMatchups,
    Shares,
    find_furthest,
    share_categories,
    share_opponents,
    share_sides,
)
from leaderboard.trust.bias import (
    Answers,
    Leaning,
    Leanings,
    measure_concentration,
    measure_leanings,
)
from leaderboard.trust.shares import Share
from leaderboard.votes.matchup_contents import MatchupContents
from leaderboard.votes.store import Column
from leaderboard.votes.table import Comparisons


def measure_bias(
    data: Comparisons, question: int, contents: MatchupContents, filed: Mapping[int, Ints]
) -> BiasPanel | None:
    """The panel of a question, from ordinary votes alone; None without any.

    filed: for each category the indices of its matchups. Leanings are those of the votes on
    sampled matchups (`MatchupContents`), all else is of every vote.
    """
    votes, rows = data.votes(question), data.rows(question)
    if not len(votes):
        return None
    assert votes.contributor is not None
    left = data.columns.select("left", rows)
    judged, matchups = gather_matchups(votes)
    longer = contents.longer(matchups, judged.first, judged.second)
    took = data.columns.select("took", rows)
    answers = sample_answers(votes, left, took, longer, contents.picked)
    leanings = measure_leanings(answers)
    who = measure_concentration(np.bincount(votes.contributor))
    within = {key: find_places(matchups, indices) for key, indices in filed.items()}
    models = np.flatnonzero(judged.appearances)
    opponents = share_opponents(judged)
    return BiasPanel(
        votes=len(votes),
        used=len(answers.outcome),
        left=to_estimate(leanings.left.overall),
        longer=to_estimate(leanings.longer.overall),
        ties=to_estimate(leanings.ties.overall),
        pace=describe_pace(leanings),
        contributors=who.contributors,
        top=tuple(
            TopContributors(
                contributors=top.contributors,
                share=top.share,
                equal=top.equal,
                lower=top.lower,
                upper=top.upper,
            )
            for top in who.top
        ),
        models=tuple(data.competitors[model] for model in models),
        sides=describe_sides(*count_sides(votes, left), data.competitors),
        expected_opponent=1.0 / (len(models) - 1) if len(models) > 2 else None,
        opponents=describe_opponents(opponents, data.competitors),
        opponents_apart=int(np.count_nonzero(opponents.apart)),
        categories=describe_categories(judged, contents.record[matchups], within),
    )


# --- arrays ------------------------------------------------------------------------------------
def sample_answers(
    votes: Votes, left: Column, took: Column, longer: npt.NDArray[np.int8], picked: Mask
) -> Answers:
    """The votes on sampled matchups, with what the leanings are about.

    longer: int8, and picked: bool, whether it is in the sample, per matchup index.
    """
    assert votes.matchup is not None
    assert votes.contributor is not None
    chosen = slice(None) if picked.all() else picked[votes.matchup]
    matchup = votes.matchup[chosen]
    return Answers(
        outcome=votes.outcome[chosen],
        left=left[chosen].astype(np.int8),
        longer=longer[matchup],
        took=took[chosen].astype(np.int32),
        contributor=votes.contributor[chosen],
        matchup=matchup,
    )


def gather_matchups(votes: Votes) -> tuple[JudgedMatchups, Ints]:
    """The matchups that have votes, and their indices."""
    assert votes.matchup is not None
    counts = np.bincount(votes.matchup)
    first, second = (np.zeros(len(counts), dtype=np.int32) for _ in range(2))
    # Every vote on a matchup names the same two models, in the same order.
    first[votes.matchup], second[votes.matchup] = votes.first, votes.second
    judged = np.flatnonzero(counts)
    return (
        JudgedMatchups(first[judged], second[judged], counts[judged], votes.competitors),
        judged,
    )


def find_places(among: Ints, wanted: Ints) -> Ints:
    """Where those of the wanted numbers that are among others stand there; both ascending."""
    place = np.searchsorted(among, wanted).clip(max=len(among) - 1)
    found: Ints = place[among[place] == wanted]
    return found


def count_records(record: Ints) -> int:
    """How many different records there are; -1 is none."""
    return len(np.unique(record[record >= 0]))


def count_sides(votes: Votes, left: Column) -> tuple[Ints, Ints]:
    """How often each model stood left, and right: int64 (M,) each."""
    known = left != 0
    on_left = np.where(left > 0, votes.first, votes.second)[known]
    on_right = np.where(left > 0, votes.second, votes.first)[known]
    size = votes.competitors
    return np.bincount(on_left, minlength=size), np.bincount(on_right, minlength=size)


# --- what is kept ------------------------------------------------------------------------------
def to_estimate(share: Share) -> ShareEstimate | None:
    """A share as it is kept; None without answers."""
    if share.n == 0:
        return None
    return ShareEstimate(
        share=share.value,
        lower=finite_or_none(share.lower),
        upper=finite_or_none(share.upper),
        answers=share.n,
    )


def describe_pace(leanings: Leanings) -> PaceBias | None:
    """The same by pace; None with too few answers of known seconds."""
    if leanings.cuts is None:
        return None
    return PaceBias(
        fast_seconds=leanings.cuts.fast,
        slow_seconds=leanings.cuts.slow,
        left=describe_thirds(leanings.left),
        longer=describe_thirds(leanings.longer),
        ties=describe_thirds(leanings.ties),
    )


def describe_thirds(leaning: Leaning) -> ShareByPace:
    """A share in each third, and how it changes."""
    change = leaning.change
    return ShareByPace(
        thirds=tuple(to_estimate(third) for third in leaning.thirds),
        change=None
        if np.isnan(change.value)
        else ShareChange(
            difference=change.value,
            lower=finite_or_none(change.lower),
            upper=finite_or_none(change.upper),
        ),
    )


def describe_sides(left: Ints, right: Ints, competitors: Sequence[int]) -> tuple[ModelSide, ...]:
    """How often each model stood left; those of no known side are not among them."""
    shares, n = share_sides(left, right), left + right
    return tuple(
        ModelSide(
            competitor=competitors[model],
            share=float(shares.value[model]),
            lower=float(shares.lower[model]),
            upper=float(shares.upper[model]),
            votes=int(n[model]),
        )
        for model in np.flatnonzero(n).tolist()
    )


def describe_opponents(shares: Shares, competitors: Sequence[int]) -> tuple[ModelOpponent, ...]:
    """Of each model the opponent whose share is furthest from what is expected."""
    furthest = find_furthest(shares).tolist()
    return tuple(
        ModelOpponent(
            competitor=competitors[model],
            opponent=competitors[opponent],
            share=float(shares.value[model, opponent]),
            lower=float(shares.lower[model, opponent]),
            upper=float(shares.upper[model, opponent]),
        )
        for model, opponent in enumerate(furthest)
        if opponent >= 0
    )


def describe_categories(
    judged: JudgedMatchups, record: Ints, filed: Mapping[int, Ints]
) -> tuple[CategoryMix, ...]:
    """The categories in each model's votes, beside those of the records that have votes.

    record: int64 (u,), -1 outside of the sample; filed: for each category the matchups in it, by
    their place among the judged ones.
    """
    records = max(count_records(record), 1)
    expected = np.array([count_records(record[rows]) / records for rows in filed.values()])
    shares = share_categories(judged, list(filed.values()), expected)
    there = np.flatnonzero(judged.appearances)
    return tuple(
        CategoryMix(
            category=category,
            expected=float(expected[column]),
            shares=tuple(shares.value[there, column].tolist()),
            lower=tuple(shares.lower[there, column].tolist()),
            upper=tuple(shares.upper[there, column].tolist()),
        )
        for column, category in enumerate(filed)
    )


def finite_or_none(value: float) -> float | None:
    """A number for JSON, None where there is none."""
    return value if np.isfinite(value) else None
