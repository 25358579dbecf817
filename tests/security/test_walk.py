"""Every URL of the site, as everybody, against the table in `policy.py`.

Nothing breaks; nobody reaches what the table keeps from them, above all what belongs to another
event; no answer holds what its reader must not know; and reading changes nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

from tests.security.cast import Actor, Side, World
from tests.security.policy import (
    ANONYMOUS,
    NOBODY,
    ORGANIZER,
    OUTSIDER,
    POLICY,
    REVIEWERS,
    STAFF,
    URLS,
    Url,
)
from tests.undoing import undone

pytestmark = pytest.mark.django_db
WALKED = pytest.mark.parametrize("url", URLS, ids=lambda url: url.name)
IN_PARTS = [url for url in URLS if url.name.startswith(("judging:", "leaderboard:", "imports:"))]
# Formats of exports are the site's, and no event's.
NOT_OWNED = {"file", "export"}
TWO_OBJECTS = [
    url for url in URLS if "slug" in url.arguments and len({*url.arguments} - NOT_OWNED) > 1
]

WRITTEN = re.compile(r'^\s*(?:INSERT INTO|UPDATE|DELETE FROM|REPLACE INTO)\s+"(\w+)"')
# What may be written by reading: sentences waiting for the next page, and a matchup's lease.
SESSION = {"django_session"}
LEASES = {"judging_assignment", "events_matchup", "events_enrollment"}
LEASING = {"judging:next", "judging:judge", "judging:undo"}
# A round's bundle is made by whoever asks first, if no worker has yet, and kept.
BUNDLES = {"files_storedfile", "files_storedpiece"}
MAY_WRITE = dict.fromkeys(LEASING, LEASES) | {"exports:bundle": BUNDLES}

UNSAFE_POLICY = ("unsafe-inline", "unsafe-eval", "http:", "https:", "*")


@dataclass(frozen=True)
class Visit:
    """One request and its answer."""

    url: Url
    actor: Actor
    side: Side
    method: str
    response: HttpResponse
    text: str
    # The tables that were written to.
    written: frozenset[str] = field(default=frozenset())

    def __str__(self) -> str:
        status = self.response.status_code
        return (
            f"{self.actor.label}: {self.method} of {self.side.event.slug} → {status} {self.there}"
        )

    @property
    def there(self) -> str:
        """Where a redirect leads."""
        return self.response.headers.get("Location", "")

    @property
    def is_refused(self) -> bool:
        """Whether this says no more than what is said of an address that does not exist."""
        away = self.there.startswith(("/account/login/?next=", "/admin/login/"))
        sent_off = self.url.is_admin and (
            self.response.status_code == 403 or self.there == "/admin/"
        )
        return self.response.status_code == 404 or away or sent_off

    @property
    def role(self) -> str:
        """What the visitor is to the event in question."""
        return self.actor.role_in(self.side.event) if self.url.arguments else self.actor.role

    @property
    def is_allowed(self) -> bool:
        """What the policy says."""
        doors = self.url.doors
        allowed = doors.get if self.method == "GET" else doors.post
        if self.side.event.is_private and "slug" in self.url.arguments and not doors.is_keyed:
            allowed -= {ANONYMOUS, OUTSIDER, STAFF}
        return self.role in allowed

    @property
    def trouble(self) -> str:
        """What is wrong with this visit; empty where nothing is."""
        status, doors = self.response.status_code, self.url.doors
        if status >= 500:
            return "broken"
        if self.is_refused or status == 405:
            # allauth and the admin have further rules of their own, such as a sign-in under way.
            return "kept out" if self.is_allowed and self.url.is_ours else ""
        taken = (doors.get if self.method == "GET" else doors.post) != NOBODY
        if not taken:
            return "takes the method"
        return "" if self.is_allowed else "let in"


def visit(world: World, url: Url, actor: Actor, side: Side, method: str, **headers: str) -> Visit:
    """Somebody asks for a URL; what it changes is undone."""
    client, path = world.client(actor, **headers), url.path(side.arguments(url))
    with undone(), CaptureQueriesContext(connection) as queries:
        response = client.get(path) if method == "GET" else client.post(path, side.form(url))
        body = b"".join(response) if response.streaming else response.content
    found = (WRITTEN.match(query["sql"]) for query in queries)
    tables = frozenset(match[1] for match in found if match)
    text = f"{dict(response.headers)}\n{body.decode(errors='replace')}"
    return Visit(url, actor, side, method, response, text, tables)


def visits(world: World, url: Url, method: str) -> Iterator[Visit]:
    """Everybody asks for a URL: of both events, where it says of which."""
    has_two = url.arguments and url.is_ours and not world.is_few
    sides = world.sides if has_two else world.sides[:1]
    for side in sides:
        for actor in world.party(url):
            yield visit(world, url, actor, side, method)


def test_every_url_has_its_line_in_the_policy() -> None:
    names = {url.name for url in URLS if not url.is_admin}
    assert not names - set(POLICY), "say in policy.py who may see these"
    assert not set(POLICY) - names, "these are gone"


@WALKED
@pytest.mark.all_cases
def test_reading(world: World, url: Url) -> None:
    wrong = []
    may_write = SESSION | MAY_WRITE.get(url.name, set())
    for seen in visits(world, url, "GET"):
        wrong.append(f"{seen}: {seen.trouble}" if seen.trouble else "")
        wrong += [f"{seen}: holds {secret!r}" for secret in leaks(world, seen)]
        wrong += [f"{seen}: writes {table}" for table in seen.written - may_write]
        wrong += [f"{seen}: {fault}" for fault in faulty_headers(seen.response)]
    assert not any(wrong), "\n".join(filter(None, wrong))


@WALKED
@pytest.mark.all_cases
def test_writing(world: World, url: Url) -> None:
    wrong = []
    for seen in visits(world, url, "POST"):
        wrong.append(f"{seen}: {seen.trouble}" if seen.trouble else "")
        wrong += [f"{seen}: holds {secret!r}" for secret in leaks(world, seen)]
    assert not any(wrong), "\n".join(filter(None, wrong))


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("url", IN_PARTS, ids=lambda url: url.name)
def test_a_part_of_a_page_holds_no_more_than_the_page(world: World, url: Url, method: str) -> None:
    """What htmx is answered."""
    wrong = []
    for label in ("anonymous", "tea contributor", "tea organizer"):
        seen = visit(world, url, world.actor(label), world.public, method, HTTP_HX_REQUEST="true")
        wrong.append(f"{seen}: {seen.trouble}" if seen.trouble else "")
        wrong += [f"{seen}: holds {secret!r}" for secret in leaks(world, seen)]
    assert not any(wrong), "\n".join(filter(None, wrong))


@pytest.mark.parametrize("url", TWO_OBJECTS, ids=lambda url: url.name)
def test_no_event_reaches_what_is_anothers(world: World, url: Url) -> None:
    """The organizer's own event in the address, and an object of the other one behind it."""
    mixed = world.private.arguments(url) | {"slug": world.public.event.slug}
    with undone():
        client = world.client(world.actor(f"tea {ORGANIZER}"))
        if url.doors.get == NOBODY:
            answer = client.post(url.path(mixed), world.private.form(url))
        else:
            answer = client.get(url.path(mixed))
        assert answer.status_code == 404


# --- what nobody is to read -------------------------------------------------------------------

# Pages of judging: no model is named before, between or after one's votes.
BLIND = {url.name for url in URLS if url.name.startswith("judging:")} | {
    "events:guidelines",
    "events:join",
    "events:claim",
    "events:event",
}


def leaks(world: World, seen: Visit) -> list[str]:
    """What this answer holds and its reader must not know, nor has named in asking."""
    if seen.actor.role == STAFF and seen.url.is_admin:
        return []
    asked = seen.url.path(seen.side.arguments(seen.url))
    kept = (secret for secret in secrets_from(world, seen) if secret not in asked)
    return [secret for secret in kept if secret in seen.text]


def secrets_from(world: World, seen: Visit) -> Iterator[str]:
    """What is kept from this visitor on this page."""
    for side in world.sides:
        yield side.event.secret
        yield from side.hashes
        yield from side.emails - {seen.actor.user.email if seen.actor.user else ""}
        if seen.actor.role_in(side.event) not in REVIEWERS:
            yield from side.reasons
            yield from side.usernames - names_known_to(seen)
        if seen.url.name in BLIND:
            yield from side.models


def names_known_to(seen: Visit) -> set[str]:
    """One's own, and that of the seat whose link one holds."""
    own = {seen.actor.user.username} if seen.actor.user else set()
    return own | ({seen.side.slip.username} if seen.url.name == "events:claim" else set())


def faulty_headers(response: HttpResponse) -> Iterator[str]:
    """What is missing from the headers that every page has, whatever its status."""
    headers = response.headers
    directives = dict(
        part.strip().partition(" ")[::2]
        for part in headers.get("Content-Security-Policy", "").split(";")
    )
    for name in ("default-src", "object-src", "base-uri", "frame-ancestors"):
        if directives.get(name) != "'none'":
            yield f"policy has no {name} 'none'"
    if any(word in value.split() for value in directives.values() for word in UNSAFE_POLICY):
        yield "policy is open"
    wanted = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    for name, value in wanted.items():
        if headers.get(name) != value:
            yield f"{name}: {headers.get(name)}"
