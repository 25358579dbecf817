"""Whoever is invited gets in: with an account made for the role, or with a word on what to do."""

import re
from typing import Any

import pytest
from django.test import Client

from arena.errors import ConflictError
from arena.events.joining.enrolling import provision_event_seats
from arena.events.joining.invitations import accept_with_account, invite
from arena.events.models import Application, Enrollment, Event, Invitation, Membership
from arena.people.models import Seat, User
from tests.factories import (
    NOW,
    make_assignment,
    make_competitors,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchups,
    make_membership,
    make_user,
)

Role, Office = Invitation.Role, Membership.Role
CODE = re.compile(r"(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}")


@pytest.fixture
def event(db: None) -> Event:
    event = make_event("fair")
    models = make_competitors(event, 2)
    make_matchups(event, models, 3)
    return event


def link_to(event: Event, role: str, uses: int = 1) -> str:
    return f"/invitations/{invite(event, role, NOW, by=None, uses=uses)[1]}/"


def text(response: Any) -> str:
    return response.content.decode()


@pytest.mark.parametrize(
    ("role", "home"),
    [
        (Role.REVIEWER, "/events/fair/desk/"),
        (Role.ORGANIZER, "/events/fair/desk/"),
        (Role.READER, "/events/fair/"),
    ],
)
def test_an_invited_person_without_an_account_reaches_their_place(
    client: Client, event: Event, role: str, home: str
) -> None:
    link = link_to(event, role)
    assert 'name="username"' in text(client.get(link))
    page = client.post(link, {"username": "Rita Meyer"}, follow=True)
    user = User.objects.get(username="Rita-Meyer")
    found = CODE.search(text(page))
    assert found
    assert found[0] in text(client.get(page.request["PATH_INFO"]))  # the page loaded again
    assert Membership.objects.get(user=user).role == role
    assert not Enrollment.objects.exists()
    onward = client.post("/account/seat/saved/", {"next": page.context["next"]})
    assert onward.headers["Location"] == home
    assert client.get(home).status_code == 200
    again = Client()
    again.post("/account/login/", {"login": "rita-meyer", "password": found[0]})
    assert again.get(home).status_code == 200


def test_a_taken_or_impossible_name_is_said_and_uses_nothing_up(
    client: Client, event: Event
) -> None:
    make_user("rita")
    link = link_to(event, Role.REVIEWER)
    for name in ("RITA", "", "no/slash", "x" * 61):
        assert client.post(link, {"username": name}).status_code == 422
    assert not Membership.objects.exists()
    taken = client.post(link, {"username": "rita"}).content.decode()
    assert "This username is taken. Choose another one." in taken
    assert client.post(link, {"username": "rita-2"}).status_code == 302


def test_two_people_with_one_name_at_once(event: Event) -> None:
    make_user("rita")
    invitation = Invitation.objects.get(pk=invite(event, Role.REVIEWER, NOW, by=None)[0].pk)
    with pytest.raises(ConflictError):
        accept_with_account(invitation, "rita", NOW)
    assert Invitation.objects.get().uses_left == 1


def test_a_used_up_link_makes_no_account(client: Client, event: Event) -> None:
    link = link_to(event, Role.REVIEWER)
    client.post(link, {"username": "first"})
    page = Client().post(link, {"username": "second"})
    assert page.status_code == 404
    assert "Ask the person who sent it for a new one" in text(page)
    assert not User.objects.filter(username="second").exists()
    unknown = Client().get("/invitations/no-such-link/")
    assert "Ask the person who sent it for a new one" in text(unknown)  # no telling them apart


def test_signing_in_from_an_invitation_leads_back_to_it(client: Client, event: Event) -> None:
    link = link_to(event, Role.REVIEWER)
    page = text(client.get(f"/account/login/?next={link}"))
    assert "Your invitation creates one" in page
    assert "New here?" not in page
    for elsewhere in ("javascript:alert(1)//invitations/", "//evil.example/invitations/"):
        page = text(client.get("/account/login/", {"next": elsewhere}))
        assert "Back to the invitation" not in page


def test_a_contributor_who_has_judged_is_told_what_to_do_instead(
    client: Client, event: Event
) -> None:
    enrollment = make_enrollment(event)
    make_judgment(enrollment)
    assert enrollment.user
    client.force_login(enrollment.user)
    link = link_to(event, Role.REVIEWER)
    page = text(client.get(link))
    assert "so you cannot help run it" in page
    assert "/events/fair/judge/" in page
    assert f"/account/logout/?next={link}" in page
    assert "Accept" not in page
    refused = client.post(link)
    assert refused.status_code == 409
    assert "Tell the person who sent you the link" in text(refused)
    assert Invitation.objects.get().uses_left == 1
    assert not Membership.objects.exists()
    assert client.post("/account/logout/", {"next": link}).headers["Location"] == link


def test_somebody_who_joined_by_mistake_gives_that_up_and_reviews(
    client: Client, event: Event
) -> None:
    enrollment = make_enrollment(event)
    assignment = make_assignment(enrollment)
    user = enrollment.user
    assert user
    client.force_login(user)
    link = link_to(event, Role.REVIEWER)
    assert "gives up that seat" in text(client.get(link))
    assert client.post(link).headers["Location"] == "/events/fair/desk/"
    enrollment.refresh_from_db()
    assert (enrollment.user, enrollment.left_at is None) == (None, False)
    assert client.get(f"/judge/{assignment.uuid}/").status_code == 404
    assert client.get("/events/fair/desk/").status_code == 200


def test_whoever_has_the_office_is_led_to_the_desk(client: Client, event: Event) -> None:
    client.force_login(make_membership(event, make_user(), Office.ORGANIZER).user)
    link = link_to(event, Role.REVIEWER)
    assert client.get(link).headers["Location"] == "/events/fair/desk/"
    assert Invitation.objects.get().uses_left == 1


def test_a_contributors_link_makes_an_account_where_somebody_decides(
    client: Client, db: None
) -> None:
    event = make_event("shut", is_private=True, needs_approval=True)
    link = link_to(event, Role.CONTRIBUTOR)
    page = client.post(link, {"username": "hopeful"}, follow=True)
    onward = client.post("/account/seat/saved/", {"next": page.context["next"]}, follow=True)
    assert "An organizer decides" in text(onward)
    assert Application.objects.get().user.username == "hopeful"
    assert not Enrollment.objects.exists()


def test_a_contributors_link_works_without_a_free_seat(client: Client, event: Event) -> None:
    link = link_to(event, Role.CONTRIBUTOR, uses=2)
    page = client.post(link, {"username": "hopeful"}, follow=True)
    assert page.context["next"] == "/events/fair/join/"
    provision_event_seats(event, 1, Seat.Kind.OPEN, NOW)
    assert 'name="accept"' in text(Client().get(link))  # with a seat, as ever


def test_an_account_of_an_invitation_gets_a_new_code(client: Client, event: Event) -> None:
    client.post(link_to(event, Role.REVIEWER), {"username": "rita"})
    assert "Create a new access code" in text(client.get("/account/seat/"))
    page = client.post("/account/seat/code/", {"sure": "yes"}, follow=True)
    found = CODE.search(text(page))
    assert found
    assert User.objects.get(username="rita").check_password(found[0])


def test_a_reviewer_at_the_door_for_contributors_is_shown_the_desk(
    client: Client, event: Event
) -> None:
    client.force_login(make_membership(event, make_user()).user)
    page = text(client.get("/events/fair/join/"))
    assert "Open the desk" in page
