"""Sums over rows: by loop and by column, whole and in parts, with one thread and with several."""

import threading

import numpy as np
import pytest

from leaderboard.ratings import SIGN_SCORES
from leaderboard.ratings.compute import chunks, parallel
from leaderboard.ratings.extended import style_rows
from leaderboard.ratings.extended.style_rows import StyleRows

from .make import simulate


def test_the_loop_adds_what_the_columns_add():
    rng = np.random.default_rng(14)
    cell, terms, x = (
        rng.integers(0, 25, 5000),
        tuple(rng.normal(size=(2, 5000))),
        rng.normal(size=(3, 5000)),
    )
    uncompiled = getattr(style_rows.add_rows, "__wrapped__", style_rows.add_rows)
    sums = []
    for add in (style_rows.add_columns, style_rows.add_rows, uncompiled):
        pair, own = np.zeros((5, 25), order="F"), np.zeros((5, 3))
        for half in (slice(3000), slice(3000, None)):
            columns = tuple(term[half] for term in terms)
            add(
                pair,
                own,
                cell[half],
                columns,
                x[:, half] if add is style_rows.add_columns else tuple(x[:, half]),
            )
        sums.append((pair, own))
    for pair, own in sums[1:]:
        assert np.allclose(pair, sums[0][0], rtol=0, atol=1e-11)
        assert np.allclose(own, sums[0][1], rtol=0, atol=1e-11)


@pytest.mark.parametrize("by_loop", [False, True])
def test_chances_are_those_of_the_formula(monkeypatch, by_loop):
    monkeypatch.setattr(style_rows, "COMPILED", by_loop)
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 70)
    monkeypatch.setattr(style_rows, "CHUNK_ROWS", 70)
    rng = np.random.default_rng(15)
    votes, _ = simulate(15, votes=200)
    x, at = rng.normal(size=(2, 200)), rng.normal(size=10)
    at[0] = 2000.0  # certainty, beyond what exp() can say
    read = StyleRows.from_votes(votes, x, SIGN_SCORES)
    made = [
        (few, np.array(terms)) for few, terms in style_rows.win_chances(at, read, slice(0, 200))
    ]
    assert [few for few, _ in made] == [slice(0, 70), slice(70, 140), slice(140, 200)]
    logit = at[votes.second] - at[votes.first] - at[8:] @ x
    p = 1 / (1 + np.exp(np.minimum(logit, 700)))
    expected = [SIGN_SCORES[votes.outcome + 3] - p, p * (1 - p)]
    assert np.allclose(np.hstack([terms for _, terms in made]), expected, rtol=0, atol=1e-12)


def test_a_division_depends_on_the_rows_and_the_sums_alone(monkeypatch):
    monkeypatch.setattr(parallel, "MIN_ROWS_PER_PART", 100)
    for threads in (1, 2, 3):
        monkeypatch.setattr(parallel, "THREADS", threads)
        assert parallel.split_rows(199, 0) == [slice(0, 199)]
        assert parallel.split_rows(201, 0) == [slice(0, 100), slice(100, 201)]
        assert parallel.split_rows(700, 0) == [slice(k, k + 175) for k in (0, 175, 350, 525)]
        assert len(parallel.split_rows(10**6, 0)) == parallel.MAX_PARTS
        assert len(parallel.split_rows(10**6, 400_000)) == 2
        assert parallel.split_rows(0, 0) == [slice(0, 0)]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_parts_come_back_in_their_order_and_count_exactly(monkeypatch, threads):
    monkeypatch.setattr(parallel, "MIN_ROWS_PER_PART", 100)
    monkeypatch.setattr(parallel, "THREADS", threads)
    column = np.random.default_rng(16).integers(0, 10**15, 999)
    for _ in range(20):
        sums = parallel.map_parts(lambda part: int(column[part].sum()), 999)
        assert sums == [int(column[part].sum()) for part in parallel.split_rows(999, 0)]
        assert sum(sums) == int(column.sum())


def test_busy_threads_are_not_waited_for(monkeypatch):
    monkeypatch.setattr(parallel, "MIN_ROWS_PER_PART", 100)
    monkeypatch.setattr(parallel, "THREADS", 2)
    release = threading.Event()
    helpers = parallel._helpers(parallel.os.getpid(), 1)
    helpers.submit(release.wait)
    try:
        assert parallel.map_parts(lambda part: part.start, 200) == [0, 100]
    finally:
        release.set()


def test_what_fails_in_a_part_fails(monkeypatch):
    monkeypatch.setattr(parallel, "MIN_ROWS_PER_PART", 100)
    monkeypatch.setattr(parallel, "THREADS", 2)
    with pytest.raises(ZeroDivisionError):
        parallel.map_parts(lambda part: 1 // part.start, 200)
