"""The one door to an event: every view fetches it here, by user, slug and role.

No access is "there is nothing here", never "you may not": the two answers are alike.
"""

from enum import Enum

from django.contrib.auth.models import AnonymousUser

from arena.errors import NotFoundError
from arena.events.models import Application, Enrollment, Event, Membership
from arena.people.accounts.identity import get_verified_domains
from arena.people.models import User

Viewer = User | AnonymousUser


class Role(Enum):
    """What somebody wants to be in an event to see a page."""

    VISITOR = "visitor"  # anybody who may know of the event at all
    CONTRIBUTOR = "contributor"  # has an enrollment
    REVIEWER = "reviewer"  # reviewer or organizer
    DECIDER = "decider"  # the same, who does not judge here: decides about contributors
    ORGANIZER = "organizer"


MEMBERSHIPS_BY_ROLE = {
    Role.REVIEWER: (Membership.Role.REVIEWER, Membership.Role.ORGANIZER),
    Role.DECIDER: (Membership.Role.REVIEWER, Membership.Role.ORGANIZER),
    Role.ORGANIZER: (Membership.Role.ORGANIZER,),
}


def event_for(user: Viewer, slug: str, role: Role = Role.VISITOR) -> Event:
    """The event of this slug, if this user has this role in it. Raises `NotFoundError`."""
    event = Event.objects.filter(slug=slug).first()
    if event is None or not has_role(user, event, role):
        raise NotFoundError
    return event


def has_role(user: Viewer, event: Event, role: Role) -> bool:
    """Whether this user may act in this role; organizers may visit their own drafts."""
    if role in MEMBERSHIPS_BY_ROLE:
        is_impartial = role is not Role.DECIDER or enrollment_of(user, event) is None
        return is_impartial and is_member(user, event, *MEMBERSHIPS_BY_ROLE[role])
    if role is Role.CONTRIBUTOR:
        return enrollment_of(user, event) is not None
    if event.state != Event.State.DRAFT and (not event.is_private or is_admitted(user, event)):
        return True
    return is_member(user, event) or enrollment_of(user, event) is not None


def is_admitted(user: Viewer, event: Event) -> bool:
    """Whether a private event lets this user in: by an organizer's word, or by their address.

    An address counts only where it is verified; where approval is wanted, it does not suffice.
    """
    if not user.is_authenticated:
        return False
    if Application.objects.filter(event=event, user=user, granted=True).exists():
        return True
    domains = set(event.email_domains.lower().split())
    return bool(domains) and not event.needs_approval and bool(domains & get_verified_domains(user))


def is_member(user: Viewer, event: Event, *roles: str) -> bool:
    """Whether this user holds one of these offices (any office if none is named)."""
    if not user.is_authenticated:
        return False
    memberships = Membership.objects.filter(event=event, user=user)
    return (memberships.filter(role__in=roles) if roles else memberships).exists()


def enrollment_of(user: Viewer, event: Event) -> Enrollment | None:
    """This user's place among the event's contributors."""
    if not user.is_authenticated:
        return None
    return Enrollment.objects.filter(event=event, user=user).select_related("guidelines").first()
