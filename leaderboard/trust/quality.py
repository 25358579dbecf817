"""Bands of quality, when they are looked at, and ranks by score."""

import numpy as np

from leaderboard.ratings import Ints

MIN_CONTROLS_FOR_QUALITY = 10
"""With fewer controls a contributor has no quality and no score."""
QUALITY_UNIT = 1_000_000
"""Quality is an integer in millionths, so that scores compare and rebuild exactly."""
UNRATED = -1
BANDS = (0.0, 0.45, 0.65, 0.85)
"""The second to fifth band lie above 0 and from these qualities on: in simulated events each of the
upper three holds a fifth or more of the honest people who are rated."""
JUDGMENTS_BETWEEN_LOOKS = 100
"""Judgments of a contributor between two updates of their shown quality."""


def to_band(qualities: Ints) -> Ints:
    """The band of each quality in millionths, 1 to 5, 1 where it is 0; -1 for unrated."""
    bounds = np.array([max(round(bound * QUALITY_UNIT), 1) for bound in BANDS])
    return np.where(qualities < 0, UNRATED, np.searchsorted(bounds, qualities, "right") + 1)


def last_look(judgments: Ints, first: int) -> Ints:
    """Number of first judgments behind each contributor's shown quality: int64, a step function.

    0 below the first look, then first, first + 100, first + 200 …: in between, no answer of one's
    own moves the band, so that nobody can tell from it which of them was a control.
    """
    steps = (judgments - first) // JUDGMENTS_BETWEEN_LOOKS
    return np.where(judgments < first, 0, first + JUDGMENTS_BETWEEN_LOOKS * steps)


def rank_scores(scores: Ints) -> Ints:
    """Rank by descending score, ties sharing the better rank: int64; -1 for unrated."""
    rated = np.sort(scores[scores >= 0])
    better = len(rated) - np.searchsorted(rated, scores, "right")
    return np.where(scores < 0, UNRATED, better + 1)
