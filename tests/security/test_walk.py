"""Every URL of the site, as everybody, against the table in `policy.py`.

Nothing breaks; nobody reaches what the table keeps from them, above all what belongs to another
event; no answer holds what its reader must not know; and reading changes nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

from arena.events.models import Event
from tests.security.cast import Actor, Side, World
from tests.security.policy import (
    ANONYMOUS,
    CONTRIBUTOR,
    NOBODY,
    ORGANIZER,
    OUTSIDER,
    POLICY,
    REVIEWERS,
    STAFF,
    URLS,
    Url,
)
from tests.security.reviews import REVIEW_TEXTS
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


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_a_review_says_of_one_reaches_no_other_contributor(world: World, method: str) -> None:
    """Somebody of the same event, with a case and appeals of their own."""
    for side in world.sides:
        another = Actor("another contributor", CONTRIBUTOR, side.event.slug, side.another.user)
        world.sessions[another.label] = another.client().cookies[settings.SESSION_COOKIE_NAME].value
        seen = [visit(world, url, another, side, method) for url in URLS if not url.is_admin]
        held = [f"{one}: holds {secret!r}" for one in seen for secret in leaks(world, one)]
        assert held == []
        assert sum(one.response.status_code == 200 for one in seen) > (5 if method == "GET" else 0)


def test_a_text_of_a_review_that_is_on_a_page_is_found(world: World) -> None:
    """Each of them, planted where everybody reads, and where its own author does."""
    side, page = world.public, next(url for url in URLS if url.name == "events:event")
    texts = {f"tea-{what}" for what in REVIEW_TEXTS} | side.texts_of(side.contributor)
    texts |= side.texts_of(side.another)
    assert texts < side.reasons
    assert len(side.reasons - texts) == 3 + 2 * 2
    with undone():
        Event.objects.filter(pk=side.event.pk).update(description=" ".join(side.reasons))
        for label in ("anonymous", "outsider", "tea contributor", "tea reader", "wine reviewer"):
            found = leaks(world, visit(world, page, world.actor(label), side, "GET"))
            assert set(found) >= side.reasons, label
        assert not leaks(world, visit(world, page, world.actor("tea reviewer"), side, "GET"))


# --- what nobody is to read -------------------------------------------------------------------

# Where somebody reads what was written to them; nowhere else, public pages least of all.
OWN = {url.name for url in URLS if url.name.startswith("judging:")}
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
            yield from side.reasons - texts_addressed_to(seen, side)
            yield from side.usernames - names_known_to(seen)
        if seen.url.name in BLIND:
            yield from side.models


def texts_addressed_to(seen: Visit, side: Side) -> set[str]:
    """What was written to this visitor in the course of a review, or by them: it is on pages of
    their own judging alone."""
    if seen.url.name not in OWN or seen.actor.user is None:
        return set()
    own = side.event.enrollments.filter(user=seen.actor.user).first()
    return side.texts_of(own) if own else set()


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
