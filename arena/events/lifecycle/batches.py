"""When the public boards of an event with controls may move.

A board that moves with each judgment tells whoever watches it what that judgment was, and whether
it was to a control: it would move no rating. So boards wait for a batch, of which no one person
brings too much. Controls count like any other judgment, or the batch's own size would tell them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

LIVE = 0
"""The setting of an event whose boards move with every judgment."""
MIN_BATCH = 20
"""Judgments in the smallest batch."""
PRIZE_BATCH = 100
"""Judgments in the smallest batch where a prize is at stake."""
MAX_WAIT = timedelta(hours=6)
"""After so long without an update the smallest batch will do."""


@dataclass(frozen=True)
class BatchRule:
    """What a batch is: so many judgments of so many people, none with more than this share."""

    judgments: int
    people: int
    max_share: Fraction

    def is_met(self, per_person: Sequence[int]) -> bool:
        """Whether judgments that came since the last update make a batch.

        per_person: how many each person brought, of whatever kind of matchup.
        """
        total = sum(per_person)
        return (
            total >= self.judgments
            and sum(1 for count in per_person if count) >= self.people
            and max(per_person) <= self.max_share * total
        )


SMALLEST = BatchRule(MIN_BATCH, 5, Fraction(2, 5))


def batch_rule(publish_batch: int, *, has_prize: bool) -> BatchRule | None:
    """The batches of an event with this setting while it has controls; None where it is live."""
    if publish_batch == LIVE:
        return None
    judgments = max(publish_batch, PRIZE_BATCH if has_prize else MIN_BATCH)
    if judgments < PRIZE_BATCH:
        return BatchRule(judgments, SMALLEST.people, SMALLEST.max_share)
    return BatchRule(judgments, 10, Fraction(1, 5))


def may_move(rule: BatchRule, per_person: Sequence[int], waited: timedelta) -> bool:
    """Whether the boards may show these further judgments, so long after their last update."""
    return rule.is_met(per_person) or (waited >= MAX_WAIT and SMALLEST.is_met(per_person))
