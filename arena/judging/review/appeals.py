"""Appeals: a contributor objects to what was excluded, and somebody other than whoever decided
answers, with a reason.

Late answers are no decision, so nobody appeals against them. An appeal that is granted lifts what
the decision excluded; the boards of a published event then wait for a correction, as after any
other decision (leaderboard/results/rounds.py).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from arena.errors import ArenaError, ConflictError, NotFoundError
from arena.events.decision_record import MAX_NOTE, Ruling, name_staff, record_decision
from arena.events.lifecycle.decisions import STAFF_ROLES
from arena.events.models import Act, Decision, Enrollment, Event
from arena.judging.models import Appeal, Exclusion
from arena.judging.models.appeals import ANSWER_PERIOD, MAX_APPEAL
from arena.judging.review.cases import count_judgments, reinstate
from arena.judging.review.exclusions import lock_together
from arena.people.models import User

APPEAL_PERIOD = timedelta(days=14)
"""How long after the publication of the result an exclusion can be appealed against."""


@dataclass(frozen=True)
class ExcludedPart:
    """What one decision has excluded of a contributor's judgments and is in force.

    exclusion: one of its rows; decision: None for late answers, and where it was made before
    decisions were recorded.
    """

    exclusion: Exclusion
    decision: Decision | None
    # How many judgments of theirs it leaves out now.
    judgments: int
    since: datetime

    @property
    def is_whole(self) -> bool:
        """Whether it is about all of their judgments, and those to come."""
        return self.exclusion.enrollment_id is not None

    @property
    def reason(self) -> Exclusion.Reason:
        """Why, as the public reads it."""
        return Exclusion.Reason(self.exclusion.reason)

    @property
    def is_appealable(self) -> bool:
        """Whether somebody, or the event's rule, decided it."""
        is_decided = self.decision is not None or self.is_whole
        return is_decided and self.reason != Exclusion.Reason.LATE


def find_excluded(enrollment: Enrollment) -> list[ExcludedPart]:
    """What is excluded of a contributor's judgments, late answers among it, the earliest first."""
    in_force = Exclusion.objects.in_force().select_related("decision")
    rows = [
        *in_force.filter(enrollment=enrollment),
        *in_force.filter(judgment__enrollment=enrollment).select_related("judgment"),
    ]
    together: dict[tuple[int | None, str, bool], list[Exclusion]] = {}
    for row in sorted(rows, key=lambda row: (row.created_at, row.pk)):
        key = (row.decision_id, row.reason, row.enrollment_id is not None)
        together.setdefault(key, []).append(row)
    return [build_part(enrollment, rows) for rows in together.values()]


def build_part(enrollment: Enrollment, rows: list[Exclusion]) -> ExcludedPart:
    """The rows of one decision as one part."""
    first = rows[0]
    # A revision of an excluded judgment has a row of its own, and one of them stands.
    judgments = sum(row.judgment is not None and row.judgment.standing for row in rows)
    if first.enrollment_id is not None:
        judgments = count_judgments(enrollment)
    return ExcludedPart(first, first.decision, judgments, first.created_at)


def find_appealable(enrollment: Enrollment) -> list[ExcludedPart]:
    """What is excluded of a contributor's judgments by a person or by the event's rule."""
    return [part for part in find_excluded(enrollment) if part.is_appealable]


def takes_appeals(event: Event, now: datetime) -> bool:
    """Whether exclusions can be appealed against: until the result is published, and for fourteen
    days after."""
    if event.state != Event.State.PUBLISHED:
        return True
    return event.published_at is not None and now < event.published_at + APPEAL_PERIOD


def find_own_decision(enrollment: Enrollment, uuid: str) -> Decision | None:
    """The decision of this identifier that excluded judgments of this contributor's; "": None, for
    an exclusion from before decisions were recorded. Raises `NotFoundError` for anything else."""
    if not uuid:
        return None
    own = Decision.objects.filter(event=enrollment.event, contributor=enrollment.pseudonym)
    try:
        return own.get(uuid=UUID(uuid), act=Act.EXCLUDED)
    except (ValueError, Decision.DoesNotExist) as error:
        raise NotFoundError from error


def open_appeal(
    enrollment: Enrollment, decision: Decision | None, text: str, now: datetime
) -> Appeal:
    """Appeal against a decision that excluded judgments of this contributor's; None: the exclusion
    of the contributor from before decisions were recorded.

    Raises `NotFoundError` where the decision is nobody's or another's, `ConflictError` where
    nothing of it is in force, an appeal is open already or the time for it has passed, and
    `ArenaError` for a text that is none or too long.
    """
    said = check_appeal(text)
    if not takes_appeals(enrollment.event, now):
        raise ConflictError(_("The time for appeals has passed."), "appeals_over")
    # Closes two races: of two tabs, by the unique constraint, and of whoever reinstates meanwhile,
    # who waits for the same rows and grants what is open.
    try:
        with transaction.atomic():
            lock_appealed(enrollment, decision)
            return Appeal.objects.create(
                event=enrollment.event,
                enrollment=enrollment,
                decision=decision,
                text=said,
                opened_at=now,
            )
    except IntegrityError as error:
        message = _("You have an open appeal. You can send another once it is answered.")
        raise ConflictError(message, "already_open") from error


def check_appeal(text: str) -> str:
    """The text of an appeal as it is kept. Raises `ArenaError` where it is none, or too long."""
    said = text.replace("\r\n", "\n").strip()
    if "\x00" in said:
        raise ArenaError(_("The text contains a character that cannot be stored."), "text_invalid")
    if not said:
        raise ArenaError(_("Say why you object."), "text_missing")
    if len(said) > MAX_APPEAL:
        words = _("Keep your appeal to 1,000 characters; it has %(count)s now.")
        raise ArenaError(words % {"count": f"{len(said):,}"}, "text_too_long")
    return said


def lock_appealed(enrollment: Enrollment, decision: Decision | None) -> None:
    """Keep what this decision excluded in force until the caller's transaction ends."""
    for part in find_appealable(enrollment):
        if part.decision == decision and lock_together(part.exclusion):
            return
    if decision is not None and decision.contributor != enrollment.pseudonym:
        raise NotFoundError
    raise ConflictError(_("This has been reversed already: the judgments count."), "not_in_force")


# --- answering ----------------------------------------------------------------------------------
def find_answerers(appeal: Appeal) -> list[User]:
    """Who may answer an appeal: organizers and reviewers who do not judge in the event and did not
    decide.

    Where there is nobody else, whoever only confirmed the decision, and last whoever made it.
    """
    event = appeal.event
    office = event.memberships.filter(role__in=STAFF_ROLES).order_by("pk")
    impartial = office.exclude(user__enrollments__event=event).select_related("user")
    names = {each.user: name_staff(event, each.user) for each in impartial}
    by, confirmed_by = find_deciders(appeal)
    others = [user for user, name in names.items() if name not in (by, confirmed_by)]
    only_confirmed = [user for user, name in names.items() if name == confirmed_by]
    return others or only_confirmed or list(names)


def find_deciders(appeal: Appeal) -> tuple[str, str]:
    """Pseudonyms of who made the decision objected to, and who confirmed it; "" for nobody, and
    for the event's own rule."""
    if appeal.decision is not None:
        return appeal.decision.by, appeal.decision.confirmed_by
    rows = appeal.enrollment.exclusions.filter(decision=None, created_at__lte=appeal.opened_at)
    last = rows.order_by("created_at", "pk").last()
    return name_staff(appeal.event, last.created_by if last else None), ""


def may_answer(appeal: Appeal, user: User) -> bool:
    """Whether this user may answer an appeal (`find_answerers`)."""
    return user in find_answerers(appeal)


def is_overdue(appeal: Appeal, now: datetime) -> bool:
    """Whether an appeal has waited for an answer for too long."""
    return appeal.state == Appeal.State.OPEN and appeal.opened_at <= now - ANSWER_PERIOD


def answer_appeal(appeal: Appeal, ruling: Ruling, *, granted: bool) -> None:
    """Answer an appeal, with one decision; its author reads the note. Granted: what was excluded
    counts again.

    Raises `ConflictError` for whoever may not answer it and where it is answered already, and
    `ArenaError` where no reason is given.
    """
    if ruling.by is None or not may_answer(appeal, ruling.by):
        message = _("Somebody else has to answer this appeal.")
        raise ConflictError(message, "may_not_answer")
    # Closes the race of two who answer, and of whoever reinstates meanwhile: all take the locks in
    # this order, and one UPDATE finds the appeal open.
    with transaction.atomic():
        in_force = lock_what_is_left(appeal)
        state = Appeal.State.GRANTED if granted else Appeal.State.DECLINED
        has_left = appeal.enrollment.left_at is not None
        changes = {
            "answered_at": ruling.now,
            "answered_by": ruling.by,
            # Nobody reads it, and nothing is written about whoever was erased.
            "answer": "" if has_left else ruling.note.strip()[:MAX_NOTE],
            "is_answered_by_decider": name_staff(appeal.event, ruling.by) in find_deciders(appeal),
        }
        if not Appeal.objects.waiting().filter(pk=appeal.pk).update(state=state, **changes):
            raise ConflictError(_("This has been answered already."), "already_answered")
        if granted and in_force:
            reinstate(in_force[0], ruling, act=Act.APPEAL_GRANTED)
            return
        # Where the judgments themselves are gone, nothing is left to be lifted.
        record_decision(
            appeal.event,
            Act.APPEAL_GRANTED if granted else Act.APPEAL_DECLINED,
            ruling,
            contributor=appeal.enrollment.pseudonym,
            reason=in_force[0].reason if in_force else "",
        )


def lock_what_is_left(appeal: Appeal) -> list[Exclusion]:
    """What an appeal is about and is still in force, locked until the caller's transaction ends."""
    for part in find_appealable(appeal.enrollment):
        if part.decision == appeal.decision:
            return lock_together(part.exclusion)
    return []
