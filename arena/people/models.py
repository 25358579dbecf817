"""Who: users, and the seats that are provisioned for them."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q

from arena.people.hashers import AccessCodeHasher
from arena.people.user_manager import UserManager


class User(AbstractUser):
    """Anybody who signs in: by password, access code, e-mailed code or social identity.

    A person's place in an event is an Enrollment or a Membership, never a field here.
    """

    # Shown on boards instead of the pseudonym where the person chose so; empty: pseudonym.
    display_name = models.CharField(max_length=40, blank=True)

    objects: ClassVar[UserManager["User"]] = UserManager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.username

    @property
    def colleague_name(self) -> str:
        """What the staff of an event call this person; never an address, as usernames may be."""
        shown = self.display_name or self.username
        return shown.partition("@")[0] or shown

    @property
    def has_access_code(self) -> bool:
        """Whether this person signs in with a code that the machine drew, not a chosen password."""
        return self.password.startswith(f"{AccessCodeHasher.algorithm}$")

    def check_password(self, raw_password: str | None) -> bool:
        """Whether this is the password or access code.

        A code's hash is never replaced by a slow one. A wrong code costs as much time as a wrong
        password or an unknown name, so that the clock does not tell which names are seats.
        """
        if not self.has_access_code or raw_password is None:
            return super().check_password(raw_password)
        correct = AccessCodeHasher().verify(raw_password, self.password)
        if not correct:
            make_password(raw_password)
        return correct


class SeatPool(models.Model):
    """The seats of one occasion; an event owns one."""

    name = models.SlugField(max_length=80, unique=True)
    # Claims of open seats per network and day, and four times that per /32 of IPv6 (limits.py);
    # raised for a lecture hall behind one address.
    claims_per_network = models.PositiveIntegerField(default=30)

    def __str__(self) -> str:
        return self.name


class SeatQuerySet(models.QuerySet["Seat"]):
    """Chainable questions about seats."""

    def open_unclaimed(self) -> "SeatQuerySet":
        """Open seats that a visitor can still claim by a click."""
        return self.filter(kind=Seat.Kind.OPEN, claimed_at=None)

    def printed_unclaimed(self) -> "SeatQuerySet":
        """Printed seats that nobody has taken yet."""
        return self.filter(kind=Seat.Kind.PRINTED, claimed_at=None)


class Seat(models.Model):
    """An auto-provisioned account.

    A printed seat's code stands on the organizer's sheet; an open seat's code is made when a
    visitor claims it. Only hashes are stored: the code's as the user's password.
    """

    class Kind(models.TextChoices):
        PRINTED = "printed"
        OPEN = "open"

    pool = models.ForeignKey(SeatPool, on_delete=models.CASCADE, related_name="seats")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="seat")
    # SHA-256 of the claim link's token, hexadecimal; null on open seats, which have no link.
    link_hash = models.CharField(max_length=64, null=True, unique=True)
    # Null until somebody takes the seat.
    claimed_at = models.DateTimeField(null=True)
    # When the holder said that the code is saved; a claim without it returns after two
    # hours, or 20 minutes where seats are short (judging/leaving/unused_seats.py).
    saved_at = models.DateTimeField(null=True)
    # How often a claim of this seat has come back unused: fresh seats are handed out first, so
    # that the code of a returned one works as long as there is room.
    returns = models.PositiveSmallIntegerField(default=0)

    objects = SeatQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind="open", link_hash=None)
                | Q(kind="printed", link_hash__isnull=False),
                name="seat_link_only_when_printed",
            ),
            models.CheckConstraint(
                condition=Q(saved_at=None) | Q(claimed_at__isnull=False),
                name="seat_saved_after_claimed",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["pool", "returns", "id"],
                condition=Q(kind="open", claimed_at=None),
                name="seat_open_unclaimed",
            ),
            models.Index(
                fields=["claimed_at"],
                condition=Q(kind="open", saved_at=None),
                name="seat_unsaved",
            ),
        ]

    def __str__(self) -> str:
        return self.user.username


class WaitingPlaceQuerySet(models.QuerySet["WaitingPlace"]):
    """Chainable questions about places in line."""

    def offered(self, now: datetime) -> Self:
        """Places for which a seat is kept now."""
        return self.filter(offered_until__gt=now)

    def in_line(self, now: datetime) -> Self:
        """Places that have not lapsed: offered a seat, or looked at within half an hour."""
        waiting = Q(offered_until=None, seen_at__gt=now - WaitingPlace.LAPSES_AFTER)
        return self.filter(Q(offered_until__gt=now) | waiting)

    def present(self, now: datetime) -> Self:
        """Places of those who are looking: the others keep theirs, and are not waited for."""
        waiting = Q(offered_until=None, seen_at__gt=now - WaitingPlace.ABSENT_AFTER)
        return self.filter(Q(offered_until__gt=now) | waiting)


class WaitingPlace(models.Model):
    """A visitor's place in line for an open seat, known by a token in their session alone."""

    # An open page looks every 20 seconds; a sleeping phone keeps its place for half an hour.
    ABSENT_AFTER: ClassVar = timedelta(minutes=2)
    LAPSES_AFTER: ClassVar = timedelta(minutes=30)

    pool = models.ForeignKey(SeatPool, on_delete=models.CASCADE, related_name="waiting")
    # SHA-256 of the token, hexadecimal.
    token_hash = models.CharField(max_length=64, unique=True)
    joined_at = models.DateTimeField()
    # When the visitor looked last.
    seen_at = models.DateTimeField()
    # Until when a free seat is kept for this place; null while there is none.
    offered_until = models.DateTimeField(null=True)

    objects = WaitingPlaceQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.pool}, {self.joined_at:%H:%M:%S}"


class GuessCount(models.Model):
    """How often a code was guessed in a window of time (guesses.py)."""

    # A keyed hash of what is guessed, by whom, and of the window; hexadecimal.
    name = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField()
    # When the window ends, and nobody asks for the row any more.
    ends_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.count} until {self.ends_at:%H:%M:%S}"


class OutgoingMail(models.Model):
    """A message that waits to be sent (outbox.py): deleted once it is, or after a day.

    It holds an address and often a code, so it is gone with its recipient's account as well.
    """

    address = models.CharField(max_length=320)
    sender = models.CharField(max_length=320)
    subject = models.TextField()
    text = models.TextField()
    # The same as HTML; empty where there is none.
    html = models.TextField(blank=True)
    created_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    # When it is due. Whoever sends it moves this on first, so that nobody else takes it meanwhile.
    next_try_at = models.DateTimeField(db_index=True)
    # What went wrong last, as a kind of error and a code of SMTP: never words of the server's, in
    # which addresses stand. Empty before the first failure.
    last_error = models.CharField(max_length=80, blank=True)

    def __str__(self) -> str:
        return f"message {self.pk}, {self.attempts} attempts"


class SetupLink(models.Model):
    """The link that makes the first account of an empty site; the latest one alone is there.

    Its token was printed where the site was started; only its SHA-256 is kept.
    """

    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"made {self.created_at:%Y-%m-%d %H:%M}"
