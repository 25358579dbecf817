"""What a contributor reads of what was decided about their judgments, on "My judgments": why they
do not count, since when, and what has become of their appeals.

Nothing of a case and nothing of who decided is in it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from arena.events.models import Enrollment
from arena.judging.models import Appeal, Exclusion
from arena.judging.review.appeals import APPEAL_PERIOD, ExcludedPart, find_excluded, takes_appeals


@dataclass(frozen=True)
class OwnExclusion:
    """What is excluded by one decision, and their last appeal against it, or None."""

    part: ExcludedPart
    appeal: Appeal | None
    # Whether the form for an appeal stands there.
    takes_appeal: bool


def build_exclusions_context(enrollment: Enrollment, now: datetime) -> dict[str, Any]:
    """The template context of `judging/_exclusions.html` and `judging/_appeals.html`.

    `own_exclusions`, `appeals` (the latest first), `has_open_appeal`, and `appeals_until` (None
    while nobody knows).
    """
    event, appeals = enrollment.event, list(enrollment.appeals.order_by("-opened_at", "-pk"))
    has_open = any(appeal.state == Appeal.State.OPEN for appeal in appeals)
    is_in_time = takes_appeals(event, now)
    own = [
        OwnExclusion(
            part=part,
            appeal=next((one for one in appeals if one.is_about(part.exclusion)), None),
            takes_appeal=part.is_appealable and is_in_time and not has_open,
        )
        for part in find_excluded(enrollment)
        # That an answer came late is told once the event is over (arena/judging/receipts.py).
        if part.reason != Exclusion.Reason.LATE or event.is_over()
    ]
    return {
        "own_exclusions": own,
        "appeals": appeals,
        "has_open_appeal": has_open,
        "appeals_until": event.published_at + APPEAL_PERIOD if event.published_at else None,
    }
