"""Roles by invitation link, and the ways into a private event."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import F, Q

from arena.errors import ConflictError, NotFoundError
from arena.events.access import enrollment_of, is_member
from arena.events.models import Application, Event, Invitation, Membership
from arena.people.codes import draw_token, hash_token
from arena.people.models import User

Office = Membership.Role
# A further invitation raises somebody's office and never lowers it.
RANK = {Office.READER: 0, Office.REVIEWER: 1, Office.ORGANIZER: 2}


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


def invitation_of(token: str, user: User | AnonymousUser, now: datetime) -> Invitation:
    """The invitation behind a link, if it still invites anybody or has let this user in."""
    invitation = (
        Invitation.objects.filter(token_hash=hash_token(token))
        .select_related("event__seats")
        .first()
    )
    if invitation is None:
        raise NotFoundError
    usable = Invitation.objects.filter(still_usable(now), pk=invitation.pk).exists()
    if not usable and not is_known(user, invitation.event):
        raise NotFoundError
    return invitation


def is_known(user: User | AnonymousUser, event: Event) -> bool:
    """Whether this user has an office, an enrollment or an application in the event."""
    return user.is_authenticated and (
        is_member(user, event)
        or enrollment_of(user, event) is not None
        or Application.objects.filter(event=event, user=user).exists()
    )


def still_usable(now: datetime) -> Q:
    """Invitations with a use left and time left."""
    return Q(uses_left__gt=0) & (Q(expires_at=None) | Q(expires_at__gt=now))


def use_up(invitation: Invitation, now: datetime) -> None:
    """Take one use of an invitation; refused where others were faster."""
    usable = Invitation.objects.filter(still_usable(now), pk=invitation.pk)
    if not usable.update(uses_left=F("uses_left") - 1):
        raise NotFoundError


def accept_office(invitation: Invitation, user: User, now: datetime) -> Membership:
    """Take the office that the invitation offers; one's own higher office stays.

    Raises `ConflictError` ("contributor") for somebody who judges in the event.
    """
    event, role = invitation.event, Office(invitation.role)
    if role is not Office.READER and enrollment_of(user, event) is not None:
        raise ConflictError(
            "You take part in this event as a contributor, so you cannot look after it. "
            "Sign in with another account to accept.",
            "contributor",
        )
    # The office and the use of the link come together.
    with transaction.atomic():
        membership = Membership.objects.select_for_update().filter(event=event, user=user).first()
        if membership is not None and RANK[Office(membership.role)] >= RANK[role]:
            return membership
        use_up(invitation, now)
        membership, _ = Membership.objects.update_or_create(
            event=event, user=user, defaults={"role": role}
        )
    return membership


def admit(invitation: Invitation, user: User, now: datetime) -> Application:
    """Let the holder of a contributor's invitation in, or put them before the organizer."""
    event = invitation.event
    # The admission and the use of the link come together.
    with transaction.atomic():
        application = Application.objects.filter(event=event, user=user).first()
        if application is not None:
            return application
        use_up(invitation, now)
        defaults: dict[str, Any] = {"asked_at": now}
        if not event.needs_approval:
            defaults |= {"granted": True, "decided_at": now, "decided_by": invitation.created_by}
        application, _ = Application.objects.get_or_create(
            event=event, user=user, defaults=defaults
        )
    return application


def decide(application: Application, now: datetime, *, granted: bool, by: User) -> None:
    """Let somebody in or not; the last word counts."""
    Application.objects.filter(pk=application.pk).update(
        granted=granted, decided_at=now, decided_by=by
    )


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
