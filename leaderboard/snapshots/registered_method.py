"""What an event registers at its opening of how its results are computed: rules and their numbers.

The words are English and no translation: they are registered to the letter. Whoever changes a rule
or a constant raises `METHOD` (leaderboard/snapshots/refresh.py) where numbers change by it.
"""

from typing import Any

from arena.events.models import Event
from leaderboard.contributors.positions import STEP
from leaderboard.ratings import MIN_VOTES, scale
from leaderboard.snapshots.refresh import METHOD
from leaderboard.trust.quality import MIN_CONTROLS_FOR_QUALITY
from leaderboard.trust.reliability import LIMIT
from leaderboard.trust.removal import MAX_ON_CONTROLS, MAX_OVERALL, MAX_SHARE, MIN_CONTROLS
from leaderboard.trust.rigging import STRONG_EVIDENCE

# A rule in sentences, and the numbers in it by name.
Part = dict[str, Any]
VOTES = (
    "A judgment counts if it is its contributor's latest answer on the matchup, its origin counts "
    "in this event, and no exclusion in force names it. Answers to controls and anchors never "
    "enter a model's rating."
)
RATING = (
    "Model i is preferred to model j with the probability 1 / (1 + 10^((r_j - r_i) / points)). "
    "The ratings r are those that make the counted votes most likely (Bradley-Terry); the average "
    "model stands at the average. How much better a response was does not move a rating. Below "
    "the fewest votes a rating is provisional."
)
WEIGHTS = (
    "On the unweighted board every vote weighs 1. On the weighted board a vote weighs w = P(reads) "
    "(1 - P(rig)): the probability that its contributor reads, times the probability that the vote "
    "does not lift or lower one model. It is computed after every so many judgments of the event, "
    "above 10,000 after every further 1%, and with all of them once judging has ended."
)
TIES = (
    'A tie in a vote is half a win for each of the two responses, and so is "both are bad". Models '
    "with equal ratings share a rank, and contributors with equal scores share a place. Of several "
    "at the first place, organizers confirm one as the winner and say why in the record."
)
AUTOMATIC = (
    "By the event's own rule, contributors are excluded where R + limit SE is below the largest R "
    "and the same of R on controls below the largest R on controls, with the fewest controls or "
    "more; those with most judgments first, and no more than the share of all who have judged. The "
    "rule rests once judging has ended."
)
BY_HAND = (
    "The event excludes nobody by itself: contributors who plainly do not read are proposed to its "
    "organizers and reviewers."
)
PEOPLE = (
    "Everything else is decided by organizers and reviewers who do not judge in the event, each "
    "decision with a reason. After the close, changing a key or the winner, and excluding any of "
    "the first ten, take two people. A judgment that comes after the deadline and its grace "
    "period, or whose place has been taken by others after its lease, is excluded as late."
)
SCREENS = (
    "A case is opened where the evidence of lifting or lowering one model is stronger than the "
    "bound, and where answers go by sides, are careful with controls only, or are another "
    "account's. An open case moves no number, and keeps its contributor from winning."
)
SCORE = (
    "S = N max(0, min(L_c, L_o)). N: the contributor's judgments that count, of each day at most "
    "the daily cap. L_c and L_o: R - limit SE of R on controls and on all other answers, the lower "
    "ends of one-sided 95% intervals. R is about 1 for whoever reads as most readers do, and 0 for "
    "whoever does not. Below the fewest controls there is no score, and with a score of 0 no place."
)


def describe_method(event: Event) -> dict[str, Any]:
    """The rules by which the event's results follow from its judgments, part by part."""
    automatic = {
        "fewest controls": MIN_CONTROLS,
        "largest R": MAX_OVERALL,
        "largest R on controls": MAX_ON_CONTROLS,
        "share": MAX_SHARE,
        "limit": LIMIT,
    }
    is_automatic = event.excludes_automatically
    exclusions = [AUTOMATIC if is_automatic else BY_HAND, PEOPLE, SCREENS]
    return {
        "version": METHOD,
        "votes": describe_part(VOTES),
        "rating": describe_part(
            RATING,
            {
                "points": scale.POINTS_FOR_TENFOLD_ODDS,
                "average": scale.AVERAGE,
                "fewest votes": MIN_VOTES,
            },
        ),
        "weights": describe_part(WEIGHTS, {"judgments": STEP}),
        "ties": describe_part(TIES),
        "exclusions": describe_part(
            " ".join(exclusions), (automatic if is_automatic else {}) | {"bound": STRONG_EVIDENCE}
        ),
        "score": describe_part(
            SCORE,
            {
                "daily cap": event.daily_cap,
                "limit": LIMIT,
                "fewest controls": MIN_CONTROLS_FOR_QUALITY,
            },
        ),
    }


def describe_part(rule: str, numbers: dict[str, float] | None = None) -> Part:
    """A part of the method as it is registered."""
    return {"rule": rule, "numbers": numbers or {}}
