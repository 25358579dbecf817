"""Roles by invitation link, and the ways into a private event."""

import re
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from arena.errors import ConflictError, NotFoundError
from arena.events.access import is_admitted
from arena.events.joining.enrolling import join_with_open_seat, provision_event_seats
from arena.events.joining.invitations import (
    accept_office,
    admit,
    decide_application,
    get_invitation,
    invite,
    remove_member,
)
from arena.events.models import Application, Enrollment, Event, Invitation, Membership
from arena.people.codes import hash_token
from arena.people.models import Seat, User
from tests.factories import (
    NOW,
    make_competitors,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchup,
    make_membership,
    make_user,
)
from tests.threads import parallel_map

Role, Office = Invitation.Role, Membership.Role
CONSENT = {"accept": "yes", "version": "1"}


@pytest.fixture
def event(db: None) -> Event:
    return make_event("fair", is_private=True)


def make_invitation(event: Event, role: str, **fields: Any) -> Invitation:
    return invite(event, role, NOW, by=None, **fields)[0]


def text(response: Any) -> str:
    return response.content.decode()


def test_the_token_is_stored_as_a_hash(event: Event) -> None:
    invitation, token = invite(event, Role.READER, NOW, by=None)
    assert invitation.token_hash == hash_token(token)
    assert get_invitation(token, make_user(), NOW) == invitation


@pytest.mark.parametrize("role", [Role.ORGANIZER, Role.REVIEWER, Role.READER])
def test_an_office_is_accepted_once(event: Event, role: str) -> None:
    invitation, user = make_invitation(event, role), make_user()
    assert accept_office(invitation, user, NOW).role == role
    accept_office(invitation, user, NOW)  # again: nothing changes
    with pytest.raises(NotFoundError):
        accept_office(invitation, make_user(), NOW)
    assert Membership.objects.get().user == user


def test_an_expired_link_invites_nobody(event: Event) -> None:
    invitation, token = invite(event, Role.READER, NOW, by=None, expires_at=NOW + timedelta(days=1))
    later = NOW + timedelta(days=1)
    with pytest.raises(NotFoundError):
        accept_office(invitation, make_user(), later)
    with pytest.raises(NotFoundError):
        get_invitation(token, make_user(), later)


def test_a_link_raises_an_office_and_never_lowers_it(event: Event) -> None:
    user = make_membership(event, make_user(), Office.REVIEWER).user
    assert accept_office(make_invitation(event, Role.READER), user, NOW).role == Office.REVIEWER
    raised = accept_office(make_invitation(event, Role.ORGANIZER), user, NOW)
    assert raised.role == Office.ORGANIZER
    assert Membership.objects.count() == 1


def test_a_contributor_cannot_look_after_the_event(db: None) -> None:
    event, user = make_event(), make_user()
    make_matchup(event, make_competitors(event, 2))
    make_judgment(make_enrollment(event, user))
    for role in (Role.ORGANIZER, Role.REVIEWER):
        with pytest.raises(ConflictError):
            accept_office(make_invitation(event, role), user, NOW)
    assert accept_office(make_invitation(event, Role.READER), user, NOW).role == Office.READER


def test_a_contributors_link_admits_to_a_private_event(event: Event) -> None:
    invitation, user = make_invitation(event, Role.CONTRIBUTOR), make_user()
    assert admit(invitation, user, NOW).granted
    assert is_admitted(user, event)
    with pytest.raises(NotFoundError):
        admit(invitation, make_user(), NOW)


def test_where_approval_is_wanted_the_organizer_decides(event: Event) -> None:
    event.needs_approval = True
    event.save()
    invitation, user = make_invitation(event, Role.CONTRIBUTOR), make_user()
    application = admit(invitation, user, NOW)
    assert application.granted is None
    assert not is_admitted(user, event)
    organizer = make_user()
    decide_application(application, NOW, granted=True, by=organizer)
    assert is_admitted(user, event)
    decide_application(application, NOW, granted=False, by=organizer)
    assert not is_admitted(user, event)


def test_a_visitor_joins_a_private_event_by_its_link(event: Event) -> None:
    provision_event_seats(event, 2, Seat.Kind.OPEN, NOW)
    invitation = make_invitation(event, Role.CONTRIBUTOR)
    arrival = join_with_open_seat(event, NOW, terms=1, invitation=invitation)
    assert arrival.enrollment.event == event
    with pytest.raises(NotFoundError):
        join_with_open_seat(event, NOW, terms=1, invitation=invitation)
    assert Seat.objects.open_unclaimed().count() == 1  # the used-up link cost no seat


def test_an_event_keeps_an_organizer(event: Event) -> None:
    first = make_membership(event, make_user("first"), Office.ORGANIZER)
    make_membership(event, make_user("second"), Office.REVIEWER)
    with pytest.raises(ConflictError):
        remove_member(event, "first")
    with pytest.raises(NotFoundError):
        remove_member(event, "nobody")
    remove_member(event, "second")
    assert Membership.objects.get() == first


@pytest.mark.django_db(transaction=True)
def test_a_link_for_five_admits_five_of_thirty_at_once() -> None:
    event = make_event(is_private=True)
    invitation = make_invitation(event, Role.CONTRIBUTOR, uses=5)
    users = [User.objects.create(username=f"u{number}") for number in range(30)]
    results = parallel_map([partial(admit, invitation, user, NOW) for user in users], threads=30)
    assert sum(isinstance(result, Application) for result in results) == 5
    assert sum(isinstance(result, NotFoundError) for result in results) == 25
    assert Application.objects.count() == 5


# --- in the browser --------------------------------------------------------------------------
@pytest.fixture
def organizer(event: Event) -> Client:
    client = Client()
    client.force_login(make_membership(event, make_user(), Office.ORGANIZER).user)
    return client


def link_from(organizer: Client, role: str, uses: int = 1) -> str:
    wish = {"role": role, "uses": uses, "days": 7}
    page = organizer.post("/events/fair/people/", wish, follow=True)
    found = re.search(r"/invitations/[\w-]+/", text(page))
    assert found
    return found[0]


def test_an_organizer_makes_a_link_and_somebody_accepts_it(
    client: Client, organizer: Client
) -> None:
    link = link_from(organizer, "reviewer")
    assert link in text(organizer.get("/events/fair/people/"))  # the page loaded again
    organizer.post("/events/fair/people/", {"copied": "yes"})
    assert link not in text(organizer.get("/events/fair/people/"))
    assert f"/account/login/?next={link}" in text(client.get(link))
    reviewer = make_user()
    client.force_login(reviewer)
    assert "Reviewer" in text(client.get(link))
    assert not Membership.objects.filter(user=reviewer).exists()
    assert client.post(link).headers["Location"] == "/events/fair/desk/"
    assert client.get("/events/fair/").status_code == 200
    outsider = Client()
    outsider.force_login(make_user())
    assert outsider.get(link).status_code == 404
    assert outsider.get("/events/fair/").status_code == 404


def test_a_visitor_takes_a_seat_by_the_contributors_link(
    client: Client, organizer: Client, event: Event
) -> None:
    provision_event_seats(event, 1, Seat.Kind.OPEN, timezone.now())
    link = link_from(organizer, "contributor")
    assert 'name="accept"' in text(client.get(link))
    assert client.post(link, CONSENT).status_code == 302
    assert Enrollment.objects.get().event == event
    assert client.get("/events/fair/").status_code == 200


def test_a_signed_in_contributor_is_let_in_by_approval(
    client: Client, organizer: Client, event: Event
) -> None:
    Event.objects.update(needs_approval=True)
    link, user = link_from(organizer, "contributor"), make_user("hopeful")
    assert "create my account" in text(client.get(link))  # a decision needs somebody to be for
    client.force_login(user)
    client.post(link)
    assert "An organizer decides" in text(client.get(link))
    assert client.get("/events/fair/join/").status_code == 404
    assert "hopeful" in text(organizer.get("/events/fair/people/"))
    uuid = Application.objects.get().uuid
    organizer.post(f"/events/fair/people/applications/{uuid}/", {"decision": "admit"})
    assert client.get(link).headers["Location"] == "/events/fair/join/"
    assert client.post("/events/fair/join/", CONSENT).status_code == 302
    assert Enrollment.objects.get().user == user


def test_a_declined_application_says_so(client: Client, organizer: Client) -> None:
    Event.objects.update(needs_approval=True)
    link = link_from(organizer, "contributor")
    client.force_login(make_user())
    client.post(link)
    uuid = Application.objects.get().uuid
    organizer.post(f"/events/fair/people/applications/{uuid}/", {"decision": "decline"})
    assert "declined your request" in text(client.get(link))


def test_a_declined_application_can_be_granted_after_all(client: Client, organizer: Client) -> None:
    Event.objects.update(needs_approval=True)
    link = link_from(organizer, "contributor")
    user = make_user("late")
    client.force_login(user)
    client.post(link)
    address = f"/events/fair/people/applications/{Application.objects.get().uuid}/"
    organizer.post(address, {"decision": "decline"})
    assert address in text(organizer.get("/events/fair/people/"))
    organizer.post(address, {"decision": "admit"})
    assert client.get(link).headers["Location"] == "/events/fair/join/"
    assert address not in text(organizer.get("/events/fair/people/"))


def test_a_withdrawn_link_leads_nowhere(client: Client, organizer: Client) -> None:
    link = link_from(organizer, "reader")
    uuid = Invitation.objects.get().uuid
    organizer.post(f"/events/fair/people/invitations/{uuid}/", {"sure": "yes"})
    client.force_login(make_user())
    assert client.get(link).status_code == 404


def test_organizers_remove_members_but_not_the_last_organizer(
    organizer: Client, event: Event
) -> None:
    make_membership(event, make_user("helper"), Office.REVIEWER)
    organizer.post("/events/fair/people/remove/", {"username": "helper", "sure": "yes"})
    last = Membership.objects.get()
    posted = {"username": last.user.username, "sure": "yes"}
    page = organizer.post("/events/fair/people/remove/", posted, follow=True)
    assert "at least one organizer" in text(page)
    posted.pop("sure")  # nothing is asked that would be refused anyhow
    page = organizer.post("/events/fair/people/remove/", posted, follow=True)
    assert "at least one organizer" in text(page)


def test_an_organizer_who_leaves_ends_on_a_page_that_is_there(
    organizer: Client, event: Event
) -> None:
    leaving = Membership.objects.get().user.username
    make_membership(event, make_user("helper"), Office.ORGANIZER)
    posted = {"username": leaving, "sure": "yes"}
    page = organizer.post("/events/fair/people/remove/", posted, follow=True)
    assert page.status_code == 200
    assert "You no longer help run this event." in text(page)


def test_nobody_but_organizers_manages_people(client: Client, event: Event) -> None:
    invitation = make_invitation(event, Role.READER)
    application = Application.objects.create(event=event, user=make_user(), asked_at=NOW)
    doors = [
        "/events/fair/people/",
        "/events/fair/people/remove/",
        f"/events/fair/people/invitations/{invitation.uuid}/",
        f"/events/fair/people/applications/{application.uuid}/",
    ]
    elsewhere = make_membership(make_event("other"), make_user(), Office.ORGANIZER).user
    reviewer = make_membership(event, make_user(), Office.REVIEWER).user
    for user in (elsewhere, reviewer, make_user()):
        client.force_login(user)
        for door in doors:
            assert client.post(door, {"decision": "admit"}).status_code == 404, door
    other_organizer = Client()
    other_organizer.force_login(elsewhere)
    for door in doors[2:]:  # another event's object through one's own door
        own_door = door.replace("fair", "other")
        assert other_organizer.post(own_door, {"decision": "admit"}).status_code == 404
    assert Invitation.objects.exists()
    assert Application.objects.get().granted is None


def test_an_invitation_made_in_a_hurry_gives_the_smaller_office(organizer: Client) -> None:
    page = organizer.get("/events/fair/people/").content.decode()
    assert '<option value="reviewer" selected>' in page
    assert "Reviewers work through flags" in page


def test_a_wrong_wish_is_said(organizer: Client) -> None:
    page = organizer.post("/events/fair/people/", {"role": "king", "uses": 0, "days": 7})
    assert page.status_code == 422
    assert not Invitation.objects.exists()
