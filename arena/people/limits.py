"""Rate limits on requests, counted in the shared cache.

No address is stored: a network is known by a keyed hash of its prefix, and the key is deleted after
two days.
"""

import hmac
import ipaddress
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from arena.cache import count
from arena.errors import ArenaError, LimitError

log = structlog.get_logger(__name__)
View = Callable[..., HttpResponse]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

HOUR_SECONDS = 60 * 60
DAY_SECONDS = 24 * HOUR_SECONDS
NETWORK_PREFIX_LENGTHS = {4: 24, 6: 48}
# A provider's whole allocation of IPv6 has 65,536 networks, and anybody can rent one: it is counted
# as well, and may do so many times what one network may.
PROVIDER_PREFIX_LENGTH = 32
PROVIDER_FACTOR = 4
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


@dataclass(frozen=True)
class Rate:
    """At most `amount` in each window of `seconds`."""

    amount: int
    seconds: int


def get_network(request: HttpRequest) -> str:
    """The visitor's network (/24 or /48), as it is written.

    Raises `ArenaError` ("bad_address") if the proxies pass on no valid address.
    """
    address = read_address(request)
    return get_block(address, NETWORK_PREFIX_LENGTHS[address.version])


def anonymize_network(request: HttpRequest, now: datetime) -> str:
    """An anonymous name for the visitor's network (/24 or /48), valid for one day.

    Raises `ArenaError` ("bad_address") if the proxies pass on no valid address.
    """
    return anonymize(get_network(request), now)


def list_network_rates(request: HttpRequest, rate: Rate, now: datetime) -> list[tuple[str, Rate]]:
    """The blocks of addresses that a visitor's use counts for, each with its rate: the network,
    and of IPv6 the /32 around it.

    Raises `ArenaError` ("bad_address") as `anonymize_network` does.
    """
    counted = [(anonymize_network(request, now), rate)]
    address = read_address(request)
    if address.version == 6:
        wide = Rate(PROVIDER_FACTOR * rate.amount, rate.seconds)
        counted.append((anonymize(get_block(address, PROVIDER_PREFIX_LENGTH), now), wide))
    return counted


def read_address(request: HttpRequest) -> Address:
    """The visitor's address; IPv4 written as IPv6 is IPv4."""
    try:
        address = ipaddress.ip_address(DefaultAccountAdapter(request).get_client_ip(request))
    except (PermissionDenied, ImproperlyConfigured, ValueError) as error:
        # One line: whoever sends garbage fills no log. An operator who counted proxies wrongly
        # sees it at every request.
        log.warning("no address in X-Forwarded-For: see TRUSTED_PROXIES")
        message = _("The network address of this request cannot be determined.")
        raise ArenaError(message, "bad_address") from error
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def get_block(address: Address, prefix_length: int) -> str:
    """The addresses that share so many first bits with this one."""
    return str(ipaddress.ip_network((int(address), prefix_length), strict=False))


def anonymize(text: str, now: datetime) -> str:
    """A keyed hash of a network; the key changes every day."""
    return hmac.digest(get_daily_key(now), text.encode(), "sha256").hex()[:32]


def get_daily_key(now: datetime) -> bytes:
    """The random key of this day (UTC), created on first use."""
    name = f"network-key:{now:%Y-%m-%d}"
    key = cache.get(name)
    if key is None:
        cache.add(name, secrets.token_bytes(32), timeout=2 * DAY_SECONDS)
        key = cache.get(name)
    return bytes(key)


def count_use(action: str, who: str, rate: Rate, now: datetime, message: str = "") -> None:
    """Count one use of an action; raises `LimitError` past the rate. Refused uses do not count."""
    window = int(now.timestamp()) // rate.seconds
    key = f"limit:{action}:{who}:{rate.seconds}:{window}"
    if count(key, rate.seconds) > rate.amount:
        undo_use(action, who, rate, now)
        log.warning("rate limit", action=action)
        message = message or _("Too many attempts. Please wait a moment and try again.")
        left = (window + 1) * rate.seconds - int(now.timestamp())
        raise LimitError(message, "too_many", retry_after=left)


def undo_use(action: str, who: str, rate: Rate, now: datetime) -> None:
    """Undo one `count_use` in the same window, because the action did not happen."""
    window = int(now.timestamp()) // rate.seconds
    try:
        cache.decr(f"limit:{action}:{who}:{rate.seconds}:{window}")
    except ValueError:
        return


def count_network_use(
    action: str, request: HttpRequest, rate: Rate, now: datetime, message: str = ""
) -> None:
    """Count one use for the visitor's network, and for the /32 around it; raises `LimitError`."""
    counted: list[tuple[str, Rate]] = []
    for block, allowed in list_network_rates(request, rate, now):
        try:
            count_use(action, block, allowed, now, message)
        except LimitError:
            for earlier, its_rate in counted:
                undo_use(action, earlier, its_rate, now)
            raise
        counted.append((block, allowed))


def undo_network_use(action: str, request: HttpRequest, rate: Rate, now: datetime) -> None:
    """Undo one `count_network_use` in the same window."""
    for block, allowed in list_network_rates(request, rate, now):
        undo_use(action, block, allowed, now)


def limit_requests(
    action: str, *, network: Rate | None = None, user: Rate | None = None
) -> Callable[[View], View]:
    """Decorate a view: limit its unsafe requests per network and per signed-in user."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if request.method not in SAFE_METHODS:
                now = timezone.now()
                if network is not None:
                    count_network_use(action, request, network, now)
                if user is not None and request.user.is_authenticated:
                    count_use(action, f"user-{request.user.pk}", user, now)
            return view(request, *args, **kwargs)

        return guarded

    return decorate
