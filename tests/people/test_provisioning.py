"""Making seats and giving their codes anew."""

import re
import time

import pytest
from django.contrib.auth import authenticate
from django.utils import timezone

from arena.errors import ConflictError, NotFoundError
from arena.people.codes import ALPHABET, hash_token
from arena.people.models import Seat, SeatPool, User
from arena.people.seats.claiming import claim_open_seat, claim_printed_seat
from arena.people.seats.provisioning import (
    draw_username,
    provision_seats,
    reissue_code,
    reissue_unclaimed,
)
from tests.factories import NOW

PRINTED, OPEN = Seat.Kind.PRINTED, Seat.Kind.OPEN
pytestmark = pytest.mark.django_db


@pytest.fixture
def pool() -> SeatPool:
    return SeatPool.objects.create(name="hall")


def test_printed_seats_have_a_name_a_code_and_a_link(pool: SeatPool) -> None:
    slips = provision_seats(pool, 20, PRINTED, NOW)
    assert len({slip.username for slip in slips}) == 20
    for slip in slips:
        assert re.fullmatch(r"[a-z]+-[a-z]+-\d{3}", slip.username)
        assert re.fullmatch(rf"([{ALPHABET}]{{4}}-){{3}}[{ALPHABET}]{{4}}", slip.code)
        assert len(slip.token) >= 22
        seat = Seat.objects.get(user__username=slip.username)
        assert seat.link_hash == hash_token(slip.token)
        assert seat.claimed_at is None


def test_codes_and_tokens_are_stored_as_hashes_only(pool: SeatPool) -> None:
    (slip,) = provision_seats(pool, 1, PRINTED, NOW)
    stored = [
        str(value) for model in (User, Seat) for row in model.objects.values_list() for value in row
    ]
    for secret in (slip.code, slip.code.replace("-", ""), slip.token):
        assert not any(secret in value for value in stored)


def test_open_seats_have_no_code_until_they_are_claimed(pool: SeatPool) -> None:
    assert provision_seats(pool, 5, OPEN, NOW) == []
    assert pool.seats.open_unclaimed().count() == 5
    assert not any(seat.user.has_usable_password() for seat in pool.seats.all())


def test_a_code_signs_in_however_it_is_typed(pool: SeatPool) -> None:
    (slip,) = provision_seats(pool, 1, PRINTED, NOW)
    plain = slip.code.replace("-", "")
    for typed in (slip.code, plain, plain.lower(), f" {plain.lower()} ", plain.replace("0", "o")):
        assert authenticate(None, username=slip.username, password=typed) is not None, typed
    assert authenticate(None, username=slip.username, password=plain[:-1]) is None
    assert authenticate(None, username=slip.username, password="") is None
    user = User.objects.get(username=slip.username)
    assert user.has_access_code  # signing in did not replace the hash by a slow one


def test_a_taken_name_is_drawn_again(pool: SeatPool, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["calm-otter-200", "calm-otter-200", "calm-otter-201", "calm-otter-202"])
    monkeypatch.setattr("arena.people.seats.provisioning.draw_username", lambda: next(drawn))
    User.objects.create(username="calm-otter-200")
    assert provision_seats(pool, 2, OPEN, NOW) == []
    names = set(pool.seats.values_list("user__username", flat=True))
    assert names == {"calm-otter-201", "calm-otter-202"}


def test_a_name_taken_at_the_last_moment_costs_nothing_but_an_attempt(
    pool: SeatPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.create(username="calm-otter-200")
    names = iter([["calm-otter-200"], ["calm-otter-201"]])
    monkeypatch.setattr(
        "arena.people.seats.provisioning.draw_free_usernames", lambda count: next(names)
    )
    provision_seats(pool, 1, OPEN, NOW)
    assert pool.seats.get().user.username == "calm-otter-201"


def test_usernames_are_ascii_and_short() -> None:
    names = {draw_username() for _ in range(2000)}
    assert len(names) > 1990
    assert all(name.isascii() and len(name) <= 24 for name in names)


def test_reissuing_one_seat_kills_its_code_and_link(pool: SeatPool) -> None:
    (old,) = provision_seats(pool, 1, PRINTED, NOW)
    seat = claim_printed_seat(old.token, NOW)
    session_hash = seat.user.get_session_auth_hash()
    new = reissue_code(seat)
    assert new.username == old.username
    assert authenticate(None, username=old.username, password=old.code) is None
    user = authenticate(None, username=new.username, password=new.code)
    assert isinstance(user, User)
    assert user.pk == seat.user_id  # the same account: its judgments stay
    assert user.get_session_auth_hash() != session_hash
    with pytest.raises(NotFoundError):
        claim_printed_seat(old.token, NOW)
    assert claim_printed_seat(new.token, NOW).pk == seat.pk


def test_reissuing_an_open_seat_gives_a_code_without_a_link(pool: SeatPool) -> None:
    provision_seats(pool, 1, OPEN, NOW)
    with pytest.raises(ConflictError):
        reissue_code(pool.seats.get())
    seat, code = claim_open_seat(pool, NOW)
    new = reissue_code(seat)
    assert new.token == ""
    assert authenticate(None, username=new.username, password=code) is None
    assert authenticate(None, username=new.username, password=new.code) is not None


def test_reissuing_all_unclaimed_leaves_the_claimed_ones_alone(pool: SeatPool) -> None:
    kept, *old = provision_seats(pool, 4, PRINTED, NOW)
    provision_seats(pool, 1, OPEN, NOW)
    claim_printed_seat(kept.token, NOW)
    new = reissue_unclaimed(pool)
    assert {slip.username for slip in new} == {slip.username for slip in old}
    assert authenticate(None, username=kept.username, password=kept.code) is not None
    for slip in old:
        assert authenticate(None, username=slip.username, password=slip.code) is None
    for slip in new:
        assert authenticate(None, username=slip.username, password=slip.code) is not None
        assert claim_printed_seat(slip.token, NOW).user.username == slip.username


def test_ten_thousand_seats_take_under_twelve_seconds(pool: SeatPool) -> None:
    begun = time.process_time()
    slips = provision_seats(pool, 10_000, PRINTED, timezone.now())
    seconds = time.process_time() - begun
    assert len({slip.username for slip in slips}) == 10_000
    assert Seat.objects.count() == 10_000
    assert seconds < 12, f"{seconds:.1f} s"
