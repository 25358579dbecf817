"""The winner: confirmed by the organizer among the top of the board, once the event is over."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from arena.errors import ConflictError
from arena.events.decision_record import Ruling
from arena.events.models import Enrollment, Event, Membership
from arena.judging.leaving.erasure import erase_contributor
from arena.people.models import User
from leaderboard.models import Standing, Winner
from leaderboard.results.winner import confirm_winner
from tests.factories import (
    NOW,
    make_enrollment,
    make_event,
    make_membership,
    make_user,
)
from tests.leaderboard.test_contributors_page import make_standing

pytestmark = pytest.mark.django_db


class Final:
    """A closed event of two rated contributors, a beginner and an organizer."""

    def __init__(self, state: str = Event.State.CLOSED, **settings: Any) -> None:
        self.organizer = make_user()
        self.event = make_event(organizer=self.organizer, state=state, **settings)
        self.first, self.second, self.beginner = (make_enrollment(self.event) for _ in range(3))
        make_standing(self.first, 200, quality=700_000, rank=1, band=5)
        make_standing(self.second, 100, quality=600_000, rank=2, band=5)
        make_standing(self.beginner, 30)
        self.snapshot()

    def snapshot(self, fingerprint: str = "") -> None:
        """Boards computed from a state of the event; "" is that of one without judgments."""
        self.event.snapshots.create(
            created_at=NOW, ledger_seq=1, fingerprint=fingerprint, judgments=1, contributors=1
        )

    def desk(self, user: User | None = None) -> Client:
        client = Client()
        client.force_login(user or self.organizer)
        return client

    @property
    def url(self) -> str:
        return reverse("desk:winner", args=[self.event.slug])

    @property
    def public_url(self) -> str:
        return reverse("leaderboard:winner", args=[self.event.slug])

    def confirm(self, who: Enrollment, user: User | None = None) -> str:
        """What the desk says to it."""
        data = {"contributor": str(who.public_id)}
        return (
            self.desk(user)
            .post(self.url, data | {"note": "Reviewed.", "sure": "yes"}, follow=True)
            .content.decode()
        )


def verify(user: User) -> None:
    EmailAddress.objects.create(user=user, email=f"{user.username}@example.org", verified=True)


def test_the_organizer_confirms_and_everybody_sees_it() -> None:
    final = Final()
    assert final.public_url == f"/events/{final.event.slug}/winner/"
    assert Client().get(final.public_url).status_code == 404
    page = final.desk().get(final.url).content.decode()
    assert page.index(final.first.pseudonym) < page.index(final.second.pseudonym)
    assert final.beginner.pseudonym not in page
    assert reverse("desk:contributor", args=[final.event.slug, final.first.public_id]) in page

    assert "is confirmed" in final.confirm(final.first)

    winner = Winner.objects.get()
    assert (winner.enrollment, winner.confirmed_by) == (final.first, final.organizer)
    public = Client().get(final.public_url).content.decode()
    assert final.first.pseudonym in public
    assert "140.0" in public
    board = Client().get(reverse("leaderboard:contributors", args=[final.event.slug]))
    assert final.public_url in board.content.decode()


def test_there_is_one_winner_who_can_be_taken_back() -> None:
    final = Final()
    final.confirm(final.first)
    assert "There is already a winner." in final.confirm(final.second)
    assert Winner.objects.get().enrollment == final.first
    with pytest.raises(IntegrityError):
        Winner.objects.create(event=final.event, enrollment=final.second, confirmed_at=NOW)


def test_a_confirmation_can_be_taken_back() -> None:
    final = Final()
    final.confirm(final.first)
    for _ in range(2):
        final.desk().post(final.url, {"act": "withdraw", "note": "So."})
        assert not Winner.objects.exists()
    assert Client().get(final.public_url).status_code == 404
    assert "is confirmed" in final.confirm(final.second)


@pytest.mark.parametrize("state", [Event.State.OPEN, Event.State.FROZEN])
def test_not_while_the_event_runs(state: str) -> None:
    final = Final(state)
    page = final.desk().get(final.url).content.decode()
    assert "Once the event is closed" in page
    assert "140.0" not in page
    assert "The event is still running." in final.confirm(final.first)
    assert not Winner.objects.exists()


def test_a_prize_needs_a_verified_identity() -> None:
    final = Final(prize="A book")
    assert "which a prize requires" in final.confirm(final.first)
    assert not Winner.objects.exists()
    assert final.first.user is not None
    verify(final.first.user)
    assert "is confirmed" in final.confirm(final.first)


def link(user: User, uid: str) -> None:
    SocialAccount.objects.create(user=user, provider="github", uid=uid)


def test_two_accounts_of_one_mailbox_are_one_candidate() -> None:
    """Each has a linked account of its own, so that both have a verified identity."""
    final = Final(prize="A book")
    users = [final.second.user, final.first.user]
    for number, user in enumerate(users):
        assert user is not None
        EmailAddress.objects.create(user=user, email=f"m.e+{number}@gmail.com", verified=True)
        link(user, str(number))
    refused, winner = final.first, final.second
    assert "confirmed the same address first" in final.confirm(refused)
    assert not Winner.objects.exists()
    assert "is confirmed" in final.confirm(winner)


def test_an_account_that_does_not_take_part_is_in_nobodys_way() -> None:
    final = Final(prize="A book")
    elsewhere, mine = make_user(), final.first.user
    assert mine is not None
    for user, spelling in ((elsewhere, "me@uni.example"), (mine, "me+2@uni.example")):
        EmailAddress.objects.create(user=user, email=spelling, verified=True)
        link(user, spelling)
    assert "is confirmed" in final.confirm(final.first)


def test_nobody_off_the_top_of_the_board() -> None:
    final = Final()
    assert "Not among the top" in final.confirm(final.beginner)
    elsewhere = make_enrollment(make_event())
    data = {"contributor": str(elsewhere.public_id)}
    assert final.desk().post(final.url, data).status_code in (302, 404)
    assert final.desk().post(final.url, {"contributor": "nobody"}).status_code in (302, 404)
    assert not Winner.objects.exists()


def test_neither_programs_nor_people_who_left() -> None:
    final = Final()
    Standing.objects.filter(enrollment=final.first).update(simulated=5)
    assert "Not a person." in final.confirm(final.first)
    Standing.objects.filter(enrollment=final.first).update(simulated=0)
    Enrollment.objects.filter(pk=final.first.pk).update(kind=Enrollment.Kind.MACHINE)
    assert "Not a person." in final.confirm(final.first)
    Enrollment.objects.filter(pk=final.second.pk).update(user=None)
    assert "Unknown person" in final.confirm(final.second)
    assert not Winner.objects.exists()


def test_not_before_the_boards_are_computed() -> None:
    final = Final()
    final.snapshot("older")
    assert "being computed" in final.confirm(final.first)
    with pytest.raises(ConflictError):
        confirm_winner(final.event, final.first, Ruling(final.organizer, NOW, "They won."))


def test_the_desk_is_the_organizers() -> None:
    final = Final()
    reviewer = make_user()
    make_membership(final.event, reviewer, Membership.Role.REVIEWER)
    for user in (reviewer, final.first.user, make_user()):
        assert final.desk(user).get(final.url).status_code == 404
        data = {"contributor": str(final.first.public_id)}
        assert final.desk(user).post(final.url, data).status_code == 404
    assert Client().get(final.url).status_code == 302
    assert not Winner.objects.exists()


def test_a_private_events_winner_is_not_there_for_outsiders() -> None:
    final = Final(is_private=True)
    final.confirm(final.first)
    assert Client().get(final.public_url).status_code == 404
    assert final.desk(make_user()).get(final.public_url).status_code == 404
    assert final.desk(final.second.user).get(final.public_url).status_code == 200


def test_a_winner_who_leaves_stays_under_the_pseudonym() -> None:
    final = Final()
    assert final.first.user is not None
    User.objects.filter(pk=final.first.user.pk).update(display_name="Ada Somebody")
    final.confirm(final.first)
    assert "Ada Somebody" in Client().get(final.public_url).content.decode()
    erase_contributor(User.objects.get(pk=final.first.user.pk), NOW)
    page = Client().get(final.public_url).content.decode()
    assert "Ada Somebody" not in page
    assert final.first.pseudonym in page


def test_an_excluded_winner_is_one_no_more() -> None:
    final = Final()
    final.confirm(final.first)
    for who, stays in ((final.second, True), (final.first, False)):
        address = reverse("desk:contributor", args=[final.event.slug, who.public_id])
        page = final.desk().post(
            address, {"act": "exclude", "reason": "rigging", "note": "So."}, follow=True
        )
        assert (b"the winner was withdrawn" in page.content) != stays
        assert Client().get(final.public_url).status_code == (200 if stays else 404)
