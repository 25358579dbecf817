"""Taking a seat, by one person or by hundreds at once."""

from datetime import timedelta
from functools import partial

import pytest
from django.contrib.auth import authenticate

from arena.errors import ConflictError, LimitError, NotFoundError
from arena.people.models import Seat, SeatPool
from arena.people.seats.claiming import (
    claim_open_seat,
    claim_printed_seat,
    confirm_saved,
    record_sign_in,
    renew_code,
    retake_seat,
)
from arena.people.seats.provisioning import provision_seats
from tests.factories import NOW
from tests.threads import parallel_map

PRINTED, OPEN = Seat.Kind.PRINTED, Seat.Kind.OPEN


@pytest.fixture
def pool(db: None) -> SeatPool:
    return SeatPool.objects.create(name="hall")


def test_an_open_seat_comes_with_a_fresh_code(pool: SeatPool) -> None:
    provision_seats(pool, 2, OPEN, NOW)
    seat, code = claim_open_seat(pool, NOW)
    assert seat.claimed_at == NOW
    assert seat.saved_at is None
    assert authenticate(None, username=seat.user.username, password=code) == seat.user
    other, _ = claim_open_seat(pool, NOW)
    assert other.pk != seat.pk


def test_a_full_pool_says_so(pool: SeatPool) -> None:
    with pytest.raises(LimitError) as full:
        claim_open_seat(pool, NOW)
    assert full.value.code == "seats_full"


def test_printed_seats_are_never_handed_out_by_a_click(pool: SeatPool) -> None:
    provision_seats(pool, 3, PRINTED, NOW)
    with pytest.raises(LimitError):
        claim_open_seat(pool, NOW)


def test_seats_of_another_pool_are_not_handed_out(pool: SeatPool) -> None:
    provision_seats(SeatPool.objects.create(name="other"), 3, OPEN, NOW)
    with pytest.raises(LimitError):
        claim_open_seat(pool, NOW)


def test_a_link_works_once(pool: SeatPool) -> None:
    (slip,) = provision_seats(pool, 1, PRINTED, NOW)
    assert claim_printed_seat(slip.token, NOW).user.username == slip.username
    with pytest.raises(ConflictError) as taken:
        claim_printed_seat(slip.token, NOW)
    assert taken.value.code == "seat_taken"
    # The code beside the link goes on working, on any device.
    assert authenticate(None, username=slip.username, password=slip.code) is not None


def test_an_unknown_link_leads_nowhere(pool: SeatPool) -> None:
    with pytest.raises(NotFoundError):
        claim_printed_seat("no-such-token", NOW)


def test_a_returned_seat_is_handed_out_last_and_then_forgets_its_claim(pool: SeatPool) -> None:
    provision_seats(pool, 2, OPEN, NOW)
    first, old_code = claim_open_seat(pool, NOW)
    Seat.objects.filter(pk=first.pk).update(claimed_at=None, returns=1)
    second, _ = claim_open_seat(pool, NOW)
    assert second.pk != first.pk
    assert authenticate(None, username=first.user.username, password=old_code) is not None
    again, new_code = claim_open_seat(pool, NOW)
    assert again.pk == first.pk
    assert authenticate(None, username=first.user.username, password=old_code) is None
    assert authenticate(None, username=first.user.username, password=new_code) is not None


def test_signing_in_takes_a_returned_seat_again(pool: SeatPool) -> None:
    provision_seats(pool, 1, OPEN, NOW)
    seat, _ = claim_open_seat(pool, NOW)
    Seat.objects.filter(pk=seat.pk).update(claimed_at=None, returns=1)
    record_sign_in(seat.user, NOW)
    seat.refresh_from_db()
    assert (seat.claimed_at, seat.saved_at) == (NOW, NOW)
    with pytest.raises(LimitError):
        claim_open_seat(pool, NOW)


def test_an_outdated_sign_in_takes_nothing(pool: SeatPool) -> None:
    provision_seats(pool, 1, OPEN, NOW)
    seat, _ = claim_open_seat(pool, NOW)
    earlier_holder = seat.user
    Seat.objects.filter(pk=seat.pk).update(claimed_at=None, returns=1)
    claim_open_seat(pool, NOW)
    record_sign_in(earlier_holder, NOW)
    retake_seat(earlier_holder, NOW)
    seat.refresh_from_db()
    assert seat.saved_at is None  # it is the new holder's, who has not saved the code


def test_the_holder_confirms_and_renews(pool: SeatPool) -> None:
    provision_seats(pool, 1, OPEN, NOW)
    seat, code = claim_open_seat(pool, NOW)
    confirm_saved(seat.user, NOW + timedelta(minutes=1))
    confirm_saved(seat.user, NOW + timedelta(minutes=2))
    seat.refresh_from_db()
    assert seat.saved_at == NOW + timedelta(minutes=1)
    fresh = renew_code(seat.user, NOW)
    assert authenticate(None, username=seat.user.username, password=code) is None
    assert authenticate(None, username=seat.user.username, password=fresh) is not None


@pytest.mark.django_db(transaction=True)
def test_500_claims_at_once_get_500_seats_and_the_next_is_told_that_it_is_full() -> None:
    pool = SeatPool.objects.create(name="rush")
    provision_seats(pool, 500, OPEN, NOW)
    claims = parallel_map([partial(claim_open_seat, pool, NOW)] * 500)
    assert [claim for claim in claims if isinstance(claim, Exception)] == []
    assert len({seat.pk for seat, _ in claims}) == 500
    assert len({code for _, code in claims}) == 500
    with pytest.raises(LimitError):
        claim_open_seat(pool, NOW)
    for seat, code in claims[::50]:
        assert authenticate(None, username=seat.user.username, password=code) is not None


@pytest.mark.django_db(transaction=True)
def test_more_claims_than_seats_at_once_fill_the_pool_exactly() -> None:
    pool = SeatPool.objects.create(name="rush")
    provision_seats(pool, 20, OPEN, NOW)
    claims = parallel_map([partial(claim_open_seat, pool, NOW)] * 60)
    refused = [claim for claim in claims if isinstance(claim, Exception)]
    assert len(refused) == 40
    assert all(isinstance(error, LimitError) for error in refused)
    assert pool.seats.open_unclaimed().count() == 0


@pytest.mark.django_db(transaction=True)
def test_one_link_claimed_200_times_at_once_is_claimed_once() -> None:
    pool = SeatPool.objects.create(name="rush")
    (slip,) = provision_seats(pool, 1, PRINTED, NOW)
    claims = parallel_map([partial(claim_printed_seat, slip.token, NOW)] * 200)
    refused = [claim for claim in claims if isinstance(claim, Exception)]
    assert len(refused) == 199
    assert all(isinstance(error, ConflictError) for error in refused)
