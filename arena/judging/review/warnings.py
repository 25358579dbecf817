"""What reaches a contributor from a review: a warning, read once, and a block."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from arena.errors import ConflictError
from arena.events.decision_record import Ruling
from arena.events.models import Enrollment
from arena.judging.models import Case, ReviewWarning
from arena.judging.serving.leases import return_reserves_of


def send_warning(
    enrollment: Enrollment, ruling: Ruling, text: str, case: Case | None = None
) -> ReviewWarning:
    """Warn a contributor before their next matchup; inside the caller's transaction.

    Raises `ConflictError` where an earlier warning is unread.
    """
    try:
        with transaction.atomic():
            warning = ReviewWarning.objects.create(
                enrollment=enrollment,
                case=case,
                text=text.strip(),
                sent_at=ruling.now,
                sent_by=ruling.by,
            )
    except IntegrityError as error:
        message = _("They have a warning that they have not read yet.")
        raise ConflictError(message, "warning_unread") from error
    Enrollment.objects.filter(pk=enrollment.pk).update(has_warning=True)
    return warning


def find_unread_warning(enrollment: Enrollment) -> ReviewWarning | None:
    """The warning that this contributor has yet to read."""
    return enrollment.warnings.filter(read_at=None, withdrawn_at=None).first()


def mark_warning_read(enrollment: Enrollment, now: datetime) -> None:
    """The contributor has read it; doing so twice is once."""
    with transaction.atomic():
        enrollment.warnings.filter(read_at=None, withdrawn_at=None).update(read_at=now)
        Enrollment.objects.filter(pk=enrollment.pk).update(has_warning=False)


def withdraw_warning(case: Case, now: datetime) -> None:
    """Take a case's warning back. Raises `ConflictError` where it has been read."""
    unread = ReviewWarning.objects.filter(case=case, read_at=None, withdrawn_at=None)
    if not unread.update(withdrawn_at=now):
        message = _("They have read the warning, so it cannot be taken back.")
        raise ConflictError(message, "warning_read")
    Enrollment.objects.filter(pk=case.enrollment_id).update(has_warning=False)


def block_enrollment(enrollment: Enrollment, now: datetime) -> None:
    """Let a contributor judge no more; what waits for them goes to others.

    Raises `ConflictError` where they are blocked already.
    """
    if not Enrollment.objects.filter(pk=enrollment.pk, blocked_at=None).update(blocked_at=now):
        raise ConflictError(_("They are blocked already."), "already_blocked")
    return_reserves_of(enrollment, now, closed=True)


def unblock_enrollment(enrollment: Enrollment) -> None:
    """Let a contributor judge again. Raises `ConflictError` where they are not blocked."""
    blocked = Enrollment.objects.filter(pk=enrollment.pk, blocked_at__isnull=False)
    if not blocked.update(blocked_at=None):
        raise ConflictError(_("They are not blocked."), "not_blocked")
