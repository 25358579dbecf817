"""Quality of contributors by their controls, bands of quality, and ranks by score."""

import numpy as np

from leaderboard.ratings import Floats, Ints
from leaderboard.trust.control import Integers

Z = 1.6448536269514722
"""One-sided 95% of the normal distribution."""
MIN_CONTROLS_FOR_QUALITY = 10
"""With fewer controls a contributor has no quality and no score."""
QUALITY_UNIT = 1_000_000
"""Quality is an integer in millionths, so that scores compare and rebuild exactly."""
UNRATED = -1
BANDS = (0.15, 0.30, 0.45, 0.60)
"""Lower ends of the second to fifth band of quality."""
JUDGMENTS_BETWEEN_LOOKS = 100
"""Judgments of a contributor between two updates of their shown quality."""


def wilson_lower(share: Floats, n: Integers) -> Floats:
    """Lower end of Wilson's one-sided 95% interval of a share: float64, in [0, share].

    (p + z²/2n - z·√(p(1-p)/n + z²/4n²)) / (1 + z²/n), z = 1.645. n is at least 1. Source:
    E. B. Wilson, JASA 22 (1927), 209-212.
    """
    spread = np.sqrt(share * (1.0 - share) / n + Z * Z / (4.0 * n * n))
    return (share + Z * Z / (2.0 * n) - Z * spread) / (1.0 + Z * Z / n)


def chance_agreement(keys: Ints, credits: Floats) -> Floats:
    """The highest mean credit expected from answering without reading: float64 (U,).

    e_u = max_y Σ_k keys_uk · ½(credits(y, k) + credits(y, -k)) / Σ_k keys_uk: sides are drawn at
    random, so always giving the best fixed answer y is the most that answering blindly is worth,
    whatever the mixture of answers. keys: int64 (U, 3), how many controls with each key somebody
    answered; credits as in `control.kappa`. Without controls 0.
    """
    blind = keys @ ((credits + credits[:, ::-1]) / 2.0).T
    most: Floats = blind.max(1) / np.maximum(keys.sum(1), 1)
    return most


def estimate_quality(
    contributor: Integers, credit: Floats, key: Integers, credits: Floats, people: int
) -> Ints:
    """Each contributor's quality in millionths: int64 (U,), -1 below ten controls.

    Q_gold = max(0, (W - e) / (1 - e)), where W is Wilson's lower 95% bound of the mean credit
    Σc / n_g over the n_g controls the contributor answered, and e is the credit expected of
    answers given without reading (see `chance_agreement`). Q rises with every control for a
    careful person and stays at 0 for one who does not read, so that a high score, quality times
    judgments, cannot be reached by volume alone. Where every control is a tie, answering without
    reading earns full credit, controls show nothing and Q is 0.

    contributor, credit, key: as in `control.ControlAnswers`.
    """
    n = np.bincount(contributor, minlength=people)
    keys = np.bincount(contributor * np.int64(3) + key + 1, minlength=3 * people).reshape(-1, 3)
    share = np.bincount(contributor, credit, minlength=people) / np.maximum(n, 1)
    blind = chance_agreement(keys, credits)
    tells = blind < 1.0
    above = wilson_lower(share, np.maximum(n, 1)) - blind
    value = np.where(tells, above, 0.0) / np.where(tells, 1.0 - blind, 1.0)
    millionths = np.floor(np.maximum(value, 0.0) * QUALITY_UNIT).astype(np.int64)
    return np.where(n >= MIN_CONTROLS_FOR_QUALITY, millionths, UNRATED)


def to_band(qualities: Ints) -> Ints:
    """The band of each quality in millionths, 1 to 5; -1 for unrated."""
    bounds = np.array([round(bound * QUALITY_UNIT) for bound in BANDS])
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
