"""Guesses at codes, and the messages that carry some, counted in the database.

Other limits are counted in the cache, and by each process for itself while that is away. Guessing
must not become easier meanwhile, and signing in must go on.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps

import structlog
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from arena.errors import LimitError
from arena.people.limits import HOUR_SECONDS, SAFE_METHODS, Rate, View, get_network
from arena.people.models import GuessCount

log = structlog.get_logger(__name__)

# Guesses at one name: from one network, and by everybody together, which are too many for a few
# strangers to lock its owner out, and too few to find a password.
GUESS_RATE_PER_NETWORK = Rate(5, 300)
GUESS_RATE = Rate(100, HOUR_SECONDS)
# Codes of somebody's second step, which are short.
SECOND_STEP_RATE = Rate(5, 300)
# Messages to one address: from one network, and from all of them together.
MAIL_RATES_PER_NETWORK = (Rate(3, 60), Rate(10, HOUR_SECONDS))
MAIL_RATE_PER_ADDRESS = Rate(40, HOUR_SECONDS)


def count_guess(action: str, whose: str, rate: Rate, now: datetime, message: str = "") -> None:
    """Count one guess; raises `LimitError` past the rate. Refused guesses do not count."""
    window = int(now.timestamp()) // rate.seconds
    ends = (window + 1) * rate.seconds
    name = name_guess(action, whose, rate, now)
    left = GuessCount.objects.filter(name=name, count__lt=rate.amount)
    # Closes the race of many guesses at once: the condition and the count are one statement.
    if left.update(count=F("count") + 1):
        return
    first = {"count": 1, "ends_at": datetime.fromtimestamp(ends, UTC)}
    _row, is_new = GuessCount.objects.get_or_create(name=name, defaults=first)
    if is_new or left.update(count=F("count") + 1):
        return
    log.warning("rate limit", action=action)
    message = message or _("Too many attempts. Please wait a moment and try again.")
    raise LimitError(message, "too_many", retry_after=ends - int(now.timestamp()))


def undo_guess(action: str, whose: str, rate: Rate, now: datetime) -> None:
    """Undo one `count_guess` in the same window: it was right."""
    row = GuessCount.objects.filter(name=name_guess(action, whose, rate, now), count__gt=0)
    row.update(count=F("count") - 1)


def name_guess(action: str, whose: str, rate: Rate, now: datetime) -> str:
    """A keyed hash of what is guessed by whom in this window, hexadecimal: the database and its
    backups hold no network and no address."""
    window = int(now.timestamp()) // rate.seconds
    guessed = f"{action}:{whose}:{rate.seconds}:{window}"
    return salted_hmac("arena.people.guesses", guessed, algorithm="sha256").hexdigest()


def forget_guesses(now: datetime) -> int:
    """Delete the counts whose time is over; returns how many."""
    return GuessCount.objects.filter(ends_at__lt=now).delete()[0]


def count_sign_in(login: str, request: HttpRequest, now: datetime) -> None:
    """Count a guess at the code or password of this name or address; raises `LimitError` past the
    rates.

    Usernames are public: wrong guesses from other networks do not lock the owner out.
    """
    count_guess("sign-in", f"{login}@{get_network(request)}", GUESS_RATE_PER_NETWORK, now)
    count_guess("sign-in", login, GUESS_RATE, now)


def undo_sign_in(login: str, request: HttpRequest, now: datetime) -> None:
    """Undo one `count_sign_in`: it was no guess."""
    undo_guess("sign-in", f"{login}@{get_network(request)}", GUESS_RATE_PER_NETWORK, now)
    undo_guess("sign-in", login, GUESS_RATE, now)


def forget_sign_ins(login: str, request: HttpRequest, now: datetime) -> None:
    """Forget the wrong guesses from this network at this name: its owner has a new password."""
    guess = ("sign-in", f"{login}@{get_network(request)}", GUESS_RATE_PER_NETWORK, now)
    GuessCount.objects.filter(name=name_guess(*guess)).delete()


def count_message(kind: str, address: str, request: HttpRequest, now: datetime) -> None:
    """Count a message to an address that a visitor typed; raises `LimitError` past the rates.

    Anybody can type an address. Each network has a small allowance of its own, so that nobody uses
    up the owner's, and all of them together cannot fill a mailbox, nor guess the codes in it.
    """
    action, whose = f"mail-{kind}", address.lower()
    message = _(
        "Several messages have already been sent to this address. Check your inbox, or try again "
        "later."
    )
    for rate in MAIL_RATES_PER_NETWORK:
        count_guess(action, f"{whose}@{get_network(request)}", rate, now, message)
    count_guess(action, whose, MAIL_RATE_PER_ADDRESS, now, message)


def limit_guesses(action: str, rate: Rate) -> Callable[[View], View]:
    """Decorate a view behind a secret link: limit its unsafe requests per network."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if request.method not in SAFE_METHODS:
                count_guess(action, get_network(request), rate, timezone.now())
            return view(request, *args, **kwargs)

        return guarded

    return decorate
