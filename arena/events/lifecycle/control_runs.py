"""In which runs of turns controls come, and how many of them that takes. Plain Python.

Where in a run is drawn for each contributor: arena/judging/serving/schedule.py.
"""

from functools import lru_cache

OPENING_RUNS = ((1, 5), (6, 10), (11, 20), (21, 30))
"""The first runs of served ordinals; each holds one control, and so does every run of
`control_interval` ordinals after them."""
ANCHORS_PER_CONTROL = 2
ACTIVITY_SHAPE, LEAST_JUDGMENTS, MOST_JUDGMENTS = 0.95, 5, 500
"""How much people are expected to judge: a Pareto distribution truncated to these numbers."""


@lru_cache(maxsize=64)
def matched_share(interval: int) -> float:
    """c/(1−c), c being the share of controls among all turns of people who judge as much as is
    expected: so many controls for each ordinary matchup are shown as often as those are.

    c = Σ P(A ≥ t)/length of the run of t ÷ Σ P(A ≥ t) over turns t, A a person's judgments.
    """
    low, high = LEAST_JUDGMENTS**-ACTIVITY_SHAPE, (MOST_JUDGMENTS + 1) ** -ACTIVITY_SHAPE
    lengths = {t: last - first + 1 for first, last in OPENING_RUNS for t in range(first, last + 1)}
    turns = controls = 0.0
    for turn in range(1, MOST_JUDGMENTS + 1):
        reach = 1.0
        if turn > LEAST_JUDGMENTS:
            reach = (turn**-ACTIVITY_SHAPE - high) / (low - high)
        turns += reach
        controls += reach / lengths.get(turn, interval)
    return controls / (turns - controls)
