"""Becoming a contributor: the act itself."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from arena.errors import ArenaError, ConflictError, LimitError, NotFoundError
from arena.events.access import is_admitted
from arena.events.joining.enrolling import (
    JoinResult,
    join_event,
    join_with_open_seat,
    join_with_printed_seat,
    provision_event_seats,
)
from arena.events.joining.pseudonyms import make_pseudonym
from arena.events.joining.terms import current_terms, has_consented, publish_terms
from arena.events.models import Application, Enrollment, Event, Membership
from arena.people.models import Seat
from tests.factories import NOW, make_event, make_membership, make_user
from tests.threads import parallel_map

PRINTED, OPEN = Seat.Kind.PRINTED, Seat.Kind.OPEN
State = Event.State


@pytest.fixture
def event(db: None) -> Event:
    return make_event("fair")


def test_a_signed_in_user_joins_once(event: Event) -> None:
    user = make_user()
    enrollment = join_event(user, event, NOW, terms=1)
    assert enrollment.user == user
    assert enrollment.joined_at == NOW
    assert join_event(user, event, NOW + timedelta(hours=1), terms=1) == enrollment
    assert Enrollment.objects.count() == 1


def test_the_consent_is_recorded_with_its_version(event: Event) -> None:
    enrollment = join_event(make_user(), event, NOW, terms=1)
    assert enrollment.terms is not None
    assert (enrollment.terms.version, enrollment.terms_at) == (1, NOW)
    assert enrollment.terms.licence == event.licence
    assert has_consented(enrollment)


def test_newer_terms_are_asked_for_again(event: Event) -> None:
    user = make_user()
    enrollment = join_event(user, event, NOW, terms=1)
    newer = publish_terms(event, content_warning="There are spiders.")
    assert newer.version == 2
    assert publish_terms(event, content_warning="There are spiders.") == newer
    assert current_terms(event) == newer
    assert not has_consented(enrollment)
    with pytest.raises(ConflictError) as changed:
        join_event(user, event, NOW, terms=1)
    assert changed.value.code == "terms_changed"
    later = NOW + timedelta(days=1)
    again = join_event(user, event, later, terms=2)
    assert again.pk == enrollment.pk
    assert (again.terms, again.terms_at) == (newer, later)


@pytest.mark.parametrize("role", [Membership.Role.ORGANIZER, Membership.Role.REVIEWER])
def test_organizers_and_reviewers_do_not_judge_in_their_own_event(event: Event, role: str) -> None:
    user = make_membership(event, make_user(), role).user
    with pytest.raises(ArenaError) as refused:
        join_event(user, event, NOW, terms=1)
    assert refused.value.code == "own_event"
    assert join_event(user, make_event("elsewhere"), NOW, terms=1).user == user


@pytest.mark.parametrize(
    "settings",
    [
        {"state": State.DRAFT},
        {"state": State.CLOSED},
        {"state": State.PUBLISHED},
        {"closes_at": NOW},
    ],
)
def test_nobody_joins_an_event_that_takes_nobody(db: None, settings: dict[str, Any]) -> None:
    event = make_event(**settings)
    provision_event_seats(event, 1, OPEN, NOW)
    (slip,) = provision_event_seats(event, 1, PRINTED, NOW)
    for join in (
        partial(join_event, make_user(), event, NOW, terms=1),
        partial(join_with_open_seat, event, NOW, terms=1),
        partial(join_with_printed_seat, slip.token, event, NOW, terms=1),
    ):
        with pytest.raises(ConflictError) as refused:
            join()
        assert refused.value.code == "not_taking"
    assert not Seat.objects.filter(claimed_at__isnull=False).exists()


def test_one_may_join_before_the_opening_time(db: None) -> None:
    event = make_event(opens_at=NOW + timedelta(days=1))
    assert join_event(make_user(), event, NOW, terms=1).event == event


def test_a_visitor_gets_an_open_seat(event: Event) -> None:
    provision_event_seats(event, 1, OPEN, NOW)
    arrival = join_with_open_seat(event, NOW, terms=1)
    assert arrival.user.check_password(arrival.code)
    assert arrival.enrollment.user == arrival.user
    assert has_consented(arrival.enrollment)
    with pytest.raises(LimitError):
        join_with_open_seat(event, NOW, terms=1)


def test_outdated_terms_cost_no_seat(event: Event) -> None:
    provision_event_seats(event, 1, OPEN, NOW)
    publish_terms(event, minimum_age=21)
    publish_terms(event, minimum_age=16)
    with pytest.raises(ConflictError):
        join_with_open_seat(event, NOW, terms=1)
    assert Seat.objects.open_unclaimed().count() == 1


def test_the_next_holder_of_a_returned_seat_is_somebody_else(event: Event) -> None:
    provision_event_seats(event, 1, OPEN, NOW)
    first = join_with_open_seat(event, NOW, terms=1)
    Seat.objects.update(claimed_at=None, returns=1)
    later = NOW + timedelta(hours=3)
    second = join_with_open_seat(event, later, terms=1)
    assert second.user == first.user
    assert second.enrollment.pk != first.enrollment.pk
    assert second.enrollment.pseudonym != first.enrollment.pseudonym
    first.enrollment.refresh_from_db()
    assert (first.enrollment.user, first.enrollment.left_at) == (None, later)


def test_joining_takes_a_returned_seat_again(event: Event) -> None:
    provision_event_seats(event, 1, OPEN, NOW)
    arrival = join_with_open_seat(event, NOW, terms=1)
    Seat.objects.update(claimed_at=None, returns=1)
    again = join_event(arrival.user, event, NOW + timedelta(hours=3), terms=1)
    assert again == arrival.enrollment
    assert not Seat.objects.open_unclaimed().exists()


def test_a_printed_link_seats_and_enrolls_once(event: Event) -> None:
    (slip,) = provision_event_seats(event, 1, PRINTED, NOW)
    arrival = join_with_printed_seat(slip.token, event, NOW, terms=1)
    assert arrival.user.username == slip.username
    assert arrival.code == ""
    with pytest.raises(ConflictError) as taken:
        join_with_printed_seat(slip.token, event, NOW, terms=1)
    assert taken.value.code == "seat_taken"


def test_a_link_of_another_event_leads_nowhere(event: Event) -> None:
    (slip,) = provision_event_seats(make_event("other"), 1, PRINTED, NOW)
    with pytest.raises(NotFoundError):
        join_with_printed_seat(slip.token, event, NOW, terms=1)
    assert Seat.objects.printed_unclaimed().count() == 1


def test_a_pseudonym_is_stable_keyed_and_tells_nothing(event: Event) -> None:
    enrollment = join_event(make_user("jane-doe"), event, NOW, terms=1)
    assert enrollment.pseudonym == make_pseudonym(event.secret, enrollment.public_id)
    assert enrollment.pseudonym != make_pseudonym("another secret", enrollment.public_id)
    assert "jane" not in enrollment.pseudonym.lower()


def test_a_taken_pseudonym_is_drawn_again(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    names = iter(["Teal Heron 4127", "Teal Heron 4127", "Rust Owl 1001"])
    monkeypatch.setattr("arena.events.joining.enrolling.make_pseudonym", lambda *_: next(names))
    join_event(make_user(), event, NOW, terms=1)
    assert join_event(make_user(), event, NOW, terms=1).pseudonym == "Rust Owl 1001"


# --- private events --------------------------------------------------------------------------
@pytest.fixture
def private(db: None) -> Event:
    return make_event("private", is_private=True, email_domains="uni.example\nlab.example")


def test_a_private_event_lets_in_verified_addresses_of_its_domains(private: Event) -> None:
    outsider, insider, pretender = make_user(), make_user(), make_user()
    insider.emailaddress_set.create(email="a@Uni.example", verified=True)
    pretender.emailaddress_set.create(email="b@uni.example", verified=False)
    outsider.emailaddress_set.create(email="c@notuni.example", verified=True)
    assert join_event(insider, private, NOW, terms=1).user == insider
    for user in (outsider, pretender):
        with pytest.raises(NotFoundError):
            join_event(user, private, NOW, terms=1)


def test_where_approval_is_wanted_an_address_does_not_suffice(private: Event) -> None:
    Event.objects.filter(pk=private.pk).update(needs_approval=True)
    private.refresh_from_db()
    user = make_user()
    user.emailaddress_set.create(email="a@uni.example", verified=True)
    assert not is_admitted(user, private)
    application = Application.objects.create(event=private, user=user, asked_at=NOW)
    assert not is_admitted(user, private)
    Application.objects.filter(pk=application.pk).update(granted=True, decided_at=NOW)
    assert is_admitted(user, private)


def test_nobody_clicks_into_a_private_event_but_its_printed_seats_open_it(private: Event) -> None:
    provision_event_seats(private, 1, OPEN, NOW)
    (slip,) = provision_event_seats(private, 1, PRINTED, NOW)
    with pytest.raises(NotFoundError):
        join_with_open_seat(private, NOW, terms=1)
    assert join_with_printed_seat(slip.token, private, NOW, terms=1).user.username == slip.username


# --- many at once ----------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_100_visitors_at_once_are_100_contributors() -> None:
    event = make_event()
    provision_event_seats(event, 80, OPEN, NOW)
    arrivals = parallel_map([partial(join_with_open_seat, event, NOW, terms=1)] * 100, threads=40)
    seated = [arrival for arrival in arrivals if isinstance(arrival, JoinResult)]
    assert len(seated) == 80
    assert all(isinstance(a, (JoinResult, LimitError)) for a in arrivals)
    assert len({arrival.enrollment.pseudonym for arrival in seated}) == 80
    assert event.terms.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_user_joining_50_times_at_once_is_enrolled_once() -> None:
    event, user = make_event(), make_user()
    results = parallel_map([partial(join_event, user, event, NOW, terms=1)] * 50, threads=25)
    assert {result.pk for result in results if isinstance(result, Enrollment)} == {
        Enrollment.objects.get().pk
    }
    assert not [result for result in results if isinstance(result, BaseException)]


@pytest.mark.django_db(transaction=True)
def test_one_printed_link_used_by_200_at_once_seats_one() -> None:
    event = make_event()
    (slip,) = provision_event_seats(event, 1, PRINTED, NOW)
    results = parallel_map([partial(join_with_printed_seat, slip.token, event, NOW, terms=1)] * 200)
    assert sum(isinstance(result, JoinResult) for result in results) == 1
    refused = [result for result in results if isinstance(result, ConflictError)]
    assert len(refused) == 199
    assert Enrollment.objects.count() == 1
