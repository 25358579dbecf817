"""Roles by invitation link, and the ways into a private event."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from arena.errors import ConflictError, NotFoundError
from arena.events.access import enrollment_of, is_member
from arena.events.models import Application, Event, Invitation, Membership
from arena.people.accounts.registration import register_account
from arena.people.codes import draw_token, hash_token
from arena.people.models import User

Office = Membership.Role
# A further invitation raises somebody's office and never lowers it.
OFFICE_RANK = {Office.READER: 0, Office.REVIEWER: 1, Office.ORGANIZER: 2}


def invite(
    event: Event,
    role: str,
    now: datetime,
    *,
    by: User | None,
    uses: int = 1,
    expires_at: datetime | None = None,
) -> tuple[Invitation, str]:
    """A new invitation and the token of its link, which is stored nowhere."""
    token = draw_token()
    invitation = Invitation.objects.create(
        event=event,
        role=role,
        token_hash=hash_token(token),
        created_by=by,
        created_at=now,
        expires_at=expires_at,
        uses_left=uses,
    )
    return invitation, token


def get_invitation(token: str, user: User | AnonymousUser, now: datetime) -> Invitation:
    """The invitation behind a link, if it still invites anybody or has let this user in."""
    invitation = (
        Invitation.objects.filter(token_hash=hash_token(token))
        .select_related("event__seats")
        .first()
    )
    if invitation is None:
        raise NotFoundError
    usable = Invitation.objects.filter(usable_at(now), pk=invitation.pk).exists()
    if not usable and not takes_part(user, invitation.event):
        raise NotFoundError
    return invitation


def takes_part(user: User | AnonymousUser, event: Event) -> bool:
    """Whether this user has an office, an enrollment or an application in the event."""
    return user.is_authenticated and (
        is_member(user, event)
        or enrollment_of(user, event) is not None
        or Application.objects.filter(event=event, user=user).exists()
    )


def usable_at(now: datetime) -> Q:
    """Invitations with a use left and time left."""
    return Q(uses_left__gt=0) & (Q(expires_at=None) | Q(expires_at__gt=now))


def take_use(invitation: Invitation, now: datetime) -> None:
    """Take one use of an invitation; refused where others were faster."""
    usable = Invitation.objects.filter(usable_at(now), pk=invitation.pk)
    if not usable.update(uses_left=F("uses_left") - 1):
        raise NotFoundError


@dataclass(frozen=True)
class Newcomer:
    """Somebody whose account was made by an invitation, and its access code."""

    user: User
    code: str


def accept_with_account(invitation: Invitation, username: str, now: datetime) -> Newcomer:
    """Make an account for the role of the invitation and give it that role; it judges nowhere.

    Raises `ConflictError` ("name_taken"), and `NotFoundError` where the link is used up.
    """
    # The account, its role and the use of the link come together.
    with transaction.atomic():
        user, code = register_account(username, now)
        if invitation.role == Invitation.Role.CONTRIBUTOR:
            admit(invitation, user, now)
        else:
            accept_office(invitation, user, now)
    return Newcomer(user, code)


def has_office(invitation: Invitation, user: User) -> bool:
    """Whether this user has the office that the invitation offers, or a higher one."""
    role = Office(invitation.role)
    enough = [office for office, rank in OFFICE_RANK.items() if rank >= OFFICE_RANK[role]]
    return is_member(user, invitation.event, *enough)


def has_judged(user: User, event: Event) -> bool:
    """Whether this user has judged in the event, so that its result must not be theirs."""
    enrollment = enrollment_of(user, event)
    return enrollment is not None and enrollment.judgments.exists()


def leave_event(user: User, event: Event, now: datetime) -> None:
    """End the enrollment of somebody who has judged nothing; what waits for them is let go."""
    for enrollment in event.enrollments.filter(user=user):
        live = enrollment.assignments.filter(state__in=("reserved", "shown"))
        live.update(lease_until=now)
    event.enrollments.filter(user=user).update(user=None, left_at=now)


def accept_office(invitation: Invitation, user: User, now: datetime) -> Membership:
    """Take the office that the invitation offers; one's own higher office stays.

    Who has joined the event and judged nothing gives up that place. Raises `ConflictError`
    ("contributor") for somebody who has judged there.
    """
    event, role = invitation.event, Office(invitation.role)
    # The office, the use of the link and the end of a place come together.
    with transaction.atomic():
        if role is not Office.READER:
            if has_judged(user, event):
                raise ConflictError(
                    _("You have judged in this event, so you cannot help run it."), "contributor"
                )
            leave_event(user, event, now)
        membership = Membership.objects.select_for_update().filter(event=event, user=user).first()
        if membership is not None and OFFICE_RANK[Office(membership.role)] >= OFFICE_RANK[role]:
            return membership
        take_use(invitation, now)
        membership, _made = Membership.objects.update_or_create(
            event=event, user=user, defaults={"role": role}
        )
    return membership


def admit(invitation: Invitation, user: User, now: datetime) -> Application:
    """Admit the holder of a contributor's invitation, or let them wait for the organizer's
    approval."""
    event = invitation.event
    # The admission and the use of the link come together.
    with transaction.atomic():
        application = Application.objects.filter(event=event, user=user).first()
        if application is not None:
            return application
        take_use(invitation, now)
        defaults: dict[str, Any] = {"asked_at": now}
        if not event.needs_approval:
            defaults |= {"granted": True, "decided_at": now, "decided_by": invitation.created_by}
        application, _made = Application.objects.get_or_create(
            event=event, user=user, defaults=defaults
        )
    return application


def decide_application(application: Application, now: datetime, *, granted: bool, by: User) -> None:
    """Grant or decline an application; a later decision replaces an earlier one."""
    Application.objects.filter(pk=application.pk).update(
        granted=granted, decided_at=now, decided_by=by
    )


def is_sole_organizer(event: Event, username: str) -> bool:
    """Whether nobody else organizes the event."""
    organizers = event.memberships.filter(role=Office.ORGANIZER).values_list("user__username")
    return [name for (name,) in organizers] == [username]


def remove_member(event: Event, username: str) -> None:
    """End somebody's office. Raises `ConflictError` for the only organizer."""
    # Closes the race of two organizers who remove each other.
    with transaction.atomic():
        members = Membership.objects.select_for_update().filter(event=event)
        member = members.filter(user__username=username).first()
        if member is None:
            raise NotFoundError
        organizers = [m.pk for m in members if m.role == Office.ORGANIZER]
        if organizers == [member.pk]:
            raise ConflictError("An event keeps at least one organizer.", "sole_organizer")
        member.delete()
