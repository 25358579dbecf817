"""A contributor's appeals, as those who may answer them read them."""

from dataclasses import dataclass

from arena.desk.queries.decisions import name_user
from arena.events.models import Enrollment
from arena.judging.models import Appeal
from arena.judging.review.appeals import may_answer
from arena.people.models import User


@dataclass(frozen=True)
class AppealView:
    """An appeal. is_mine: whether the reader may answer it; answered_by: a name, or ""."""

    appeal: Appeal
    is_open: bool
    is_mine: bool
    answered_by: str


def view_appeals(enrollment: Enrollment, user: User) -> list[AppealView]:
    """A contributor's appeals, the open one first, then the latest."""
    sent = Appeal.objects.filter(enrollment=enrollment)
    found = sent.select_related("event", "enrollment", "decision", "answered_by")
    rows = [view_appeal(appeal, user) for appeal in found.order_by("-opened_at", "-pk")]
    return sorted(rows, key=lambda row: not row.is_open)


def view_appeal(appeal: Appeal, user: User) -> AppealView:
    """One of them."""
    is_open = appeal.state == Appeal.State.OPEN
    by = "" if is_open else name_user(appeal.answered_by)
    return AppealView(appeal, is_open, is_open and may_answer(appeal, user), by)
