"""What the desk's views look up for a request, each thing through its owner, or a 404."""

from uuid import UUID

from django.http import HttpRequest, QueryDict

from arena.errors import NotFoundError
from arena.events.access import Role, event_for
from arena.events.models import Event, Record
from arena.people.models import User


def get_desk_event(request: HttpRequest, slug: str, role: Role = Role.ORGANIZER) -> Event:
    """The event, for its organizers (or its reviewers too, where the page is theirs)."""
    return event_for(request.user, slug, role)


def get_record(event: Event, external_id: str) -> Record:
    """A record of this event by the organizer's own identifier."""
    named = event.records.filter(external_id=external_id).exclude(imported_at=None)
    found = named.select_related("event", "replaces").first()
    if found is None:
        raise NotFoundError
    return found


def get_reviewer(request: HttpRequest) -> User:
    """The signed-in user, who decides; every page here has checked their role before."""
    assert isinstance(request.user, User)
    return request.user


def parse_uuid(posted: QueryDict, name: str) -> UUID:
    """The UUID in a field of a form. Raises `NotFoundError` where there is none."""
    try:
        return UUID(posted.get(name, ""))
    except ValueError as error:
        raise NotFoundError from error
