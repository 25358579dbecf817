"""Whether the share of people who pass a control has jumped: a cumulative sum, both ways."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MIN_BEFORE = 20
"""Answers from which the usual share is taken, at least."""
ODDS_RATIO = 4.0
"""The jump that is looked for: odds of passing so many times as large, or as small."""
THRESHOLD = 7.0
"""Logarithm of the likelihood ratio that raises the alarm; without a jump it takes e^7 = 1,097
answers on average at least (Lorden 1971, "Procedures for Reacting to a Change in Distribution",
theorem 2)."""


@dataclass(frozen=True)
class Jump:
    """Where the share of passes jumped. at: index of the answer that raised the alarm; rises:
    whether more pass since, as where a key has become known, or fewer, as where a text broke."""

    at: int
    rises: bool


def find_jump(passed: npt.NDArray[np.bool_]) -> Jump | None:
    """The first jump in these answers, bool (n,), in their order; None without any.

    The usual share p is that of the first half, of twenty answers at least, (1 + passes) / (2 + n).
    From there on S_i = max(0, S_{i-1} + log P(x_i | q) / P(x_i | p)), q with odds four times as
    large, or as small, as those of p, and the alarm is at S ≥ 7 (Page 1954, "Continuous Inspection
    Schemes", section 3).
    """
    before = max(len(passed) // 2, MIN_BEFORE)
    if len(passed) <= before:
        return None
    usual = (1.0 + np.count_nonzero(passed[:before])) / (2.0 + before)
    odds = usual / (1.0 - usual)
    alarms = []
    for rises, ratio in ((True, ODDS_RATIO), (False, 1.0 / ODDS_RATIO)):
        share = odds * ratio / (1.0 + odds * ratio)
        step = np.where(passed[before:], np.log(share / usual), np.log((1 - share) / (1 - usual)))
        walk = np.cumsum(step)
        # S_i by its explicit form: the walk above its lowest point so far.
        level = walk - np.minimum.accumulate(np.minimum(walk, 0.0))
        above = np.flatnonzero(level >= THRESHOLD)
        if len(above):
            alarms.append(Jump(before + int(above[0]), rises))
    return min(alarms, key=lambda jump: jump.at, default=None)
