"""Excluding judgments and contributors, and reinstating them.

An exclusion is a row with a reason. `Judgment.objects.counted()` follows it, and with it boards,
standings and exports; lifting it restores every number.
"""

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from arena.errors import ArenaError, ConflictError
from arena.events.decision_record import Ruling, record_decision
from arena.events.ledger import append_entries
from arena.events.lifecycle.decisions import require_second
from arena.events.models import Act, Decision, Enrollment, Event, Matchup
from arena.judging.ledger.kinds import EXCLUSION_KIND
from arena.judging.models import Appeal, Assignment, Exclusion, Judgment
from arena.judging.serving.slots import (
    lock_matchups,
    recount_open_slots,
    release_slots,
)

State = Assignment.State


def exclude(
    subject: Judgment | Enrollment, reason: str, ruling: Ruling, *, is_grave: bool = False
) -> Exclusion:
    """Take a judgment, or everything of a contributor, out of what counts; slots open again.

    Of a contributor that includes what is yet to come. is_grave: whether it takes two people once
    the event is over. Raises `ConflictError` where the subject is excluded already.
    """
    if isinstance(subject, Judgment):
        (exclusion,) = exclude_judgments([subject], reason, ruling, is_grave=is_grave)
        return exclusion
    count = count_public(subject.event, Q(enrollment=subject))
    exclusion = Exclusion(enrollment=subject)
    put_in_force([exclusion], subject, reason, ruling, count, is_grave=is_grave)
    return exclusion


def exclude_judgments(
    judgments: Sequence[Judgment], reason: str, ruling: Ruling, *, is_grave: bool = False
) -> list[Exclusion]:
    """Take some judgments of one contributor out of what counts, by one decision.

    Raises `ConflictError` where one of them is excluded already, and `ArenaError` without any.
    """
    if not judgments:
        raise ArenaError(_("Choose judgments that count."), "none_chosen")
    exclusions = [Exclusion(judgment=judgment) for judgment in judgments]
    author, count = judgments[0].enrollment, len(judgments)
    put_in_force(exclusions, author, reason, ruling, count, is_grave=is_grave)
    return exclusions


def put_in_force(
    exclusions: list[Exclusion],
    author: Enrollment,
    reason: str,
    ruling: Ruling,
    judgments: int,
    *,
    is_grave: bool,
) -> None:
    """Save exclusions of one contributor with the decision that they rest on."""
    event = author.event
    try:
        # Closes the race of two reviewers: one exclusion of a thing is in force at a time.
        with transaction.atomic():
            is_alone = require_second(event, ruling) if is_grave else False
            decision = record_decision(
                event,
                Act.EXCLUDED,
                ruling,
                contributor=author.pseudonym,
                reason=reason,
                judgments=judgments,
                is_alone=is_alone,
            )
            for exclusion in exclusions:
                exclusion.event, exclusion.decision = event, decision
                exclusion.reason, exclusion.note = reason, ruling.note.strip()
                exclusion.created_by, exclusion.created_at = ruling.by, ruling.now
                lock_enrollment(exclusion)
            Exclusion.objects.bulk_create(exclusions)
            append_entries(event.pk, EXCLUSION_KIND, [one.pk for one in exclusions])
            release_slots(filter_named_assignments(exclusions))
    except IntegrityError as error:
        raise ConflictError(_("This is already excluded."), "already_excluded") from error


def lift_exclusion(
    exclusion: Exclusion, ruling: Ruling, act: str = Act.REINSTATED
) -> Decision | None:
    """Let what was excluded count again; the reason is kept with the note. Doing so twice is once.

    What the same decision excluded is lifted with it, as one decision again, and an open appeal
    against it is granted by that; None where it was lifted already. A slot that has gone to
    somebody else in the meantime is not taken away from them: the matchup then has one counted
    judgment more than its overlap, and wants no further one.
    """
    # Closes the race of two reviewers: whoever updates the rows in force does the rest.
    with transaction.atomic():
        in_force = lock_together(exclusion)
        if not in_force:
            return None
        author = exclusion.find_author()
        for one in in_force:
            note = f"{one.note}\n{ruling.note.strip()}".strip()
            one.lifted_at, one.lifted_by, one.note = ruling.now, ruling.by, note
        Exclusion.objects.bulk_update(in_force, ["lifted_at", "lifted_by", "note"])
        decision = record_decision(
            exclusion.event,
            act,
            ruling,
            contributor=author.pseudonym,
            reason=exclusion.reason,
            judgments=count_public(exclusion.event, name_judgments(in_force)),
        )
        append_entries(exclusion.event_id, EXCLUSION_KIND, [one.pk for one in in_force])
        take_slots_back(filter_named_assignments(in_force))
        grant_appeals(exclusion, ruling)
    return decision


def lock_together(exclusion: Exclusion) -> list[Exclusion]:
    """What the same decision excluded and is still in force, locked until the caller's transaction
    ends; an appeal against it is opened, answered and granted under this lock."""
    together = Q(pk=exclusion.pk)
    if exclusion.decision_id is not None:
        together |= Q(decision=exclusion.decision_id)
    lock_enrollment(exclusion)
    in_force = Exclusion.objects.in_force().filter(together).order_by("pk")
    return list(in_force.select_for_update())


def grant_appeals(exclusion: Exclusion, ruling: Ruling) -> None:
    """Grant an appeal that is open against what has been lifted, in the caller's transaction.

    An exclusion from before decisions were recorded is appealed against where it names a
    contributor.
    """
    if exclusion.decision_id is None and exclusion.enrollment_id is None:
        return
    about = Appeal.objects.waiting().filter(enrollment=exclusion.find_author())
    about.filter(decision=exclusion.decision_id).update(
        state=Appeal.State.GRANTED, answered_at=ruling.now, answered_by=ruling.by
    )


def take_slots_back(named: QuerySet[Assignment]) -> None:
    """Let assignments whose judgments count again hold their slots, in the caller's transaction."""
    lock_matchups(named)
    # An answer to one of them arriving now is waited for: the next statement sees it.
    rows = Assignment.objects.filter(pk__in=named.values("pk")).select_for_update(no_key=True)
    list(rows.values_list("pk", flat=True))
    counted = Judgment.objects.standing().not_excluded()
    holding = Q(state=State.DONE, judgments__in=counted) | Q(
        state__in=(State.RESERVED, State.SHOWN)
    )
    named.filter(holding, matchup__role=Matchup.Role.ORDINARY).update(holds_slot=True)
    recount_open_slots(Matchup.objects.filter(pk__in=named.values("matchup")))


def name_judgments(exclusions: list[Exclusion]) -> Q:
    """A condition for the judgments that exclusions name: single ones, or all of a contributor."""
    judgments = [one.judgment_id for one in exclusions if one.judgment_id]
    people = [one.enrollment_id for one in exclusions if one.enrollment_id]
    return Q(pk__in=judgments) | Q(enrollment__in=people)


def count_public(event: Event, named: Q) -> int:
    """How many of these judgments stand and are not excluded; late ones are among them while the
    event runs.

    The public ledger of exclusions shows it, and whoever is excluded knows how many judgments they
    made: a number without the late ones would tell them, of which no control is one.
    """
    in_force = Exclusion.objects.in_force()
    if not event.is_over():
        in_force = in_force.exclude(reason=Exclusion.Reason.LATE)
    of_theirs = in_force.filter(enrollment=OuterRef("enrollment"))
    alone = in_force.filter(judgment=OuterRef("pk"))
    return Judgment.objects.standing().filter(named, ~Exists(of_theirs), ~Exists(alone)).count()


def lock_enrollment(exclusion: Exclusion) -> None:
    """Keep an excluded contributor from being served until the caller's transaction ends."""
    if exclusion.enrollment_id:
        named = Enrollment.objects.filter(pk=exclusion.enrollment_id)
        list(named.select_for_update(no_key=True).values_list("pk", flat=True))


def filter_named_assignments(exclusions: list[Exclusion]) -> QuerySet[Assignment]:
    """The assignments that exclusions name: of single judgments, or all of a contributor."""
    judgments = [one.judgment_id for one in exclusions if one.judgment_id]
    people = [one.enrollment_id for one in exclusions if one.enrollment_id]
    given = Judgment.objects.filter(pk__in=judgments).values("assignment")
    return Assignment.objects.filter(Q(pk__in=given) | Q(enrollment__in=people))
