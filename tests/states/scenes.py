"""Events in every state of their life, full and bare, and every page as each person sees it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import unescape
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from arena.events.decision_record import Ruling
from arena.events.joining.enrolling import provision_event_seats
from arena.events.models import Enrollment, Event
from arena.judging.ledger import seal_event
from arena.judging.models import Assignment, Exclusion, Judgment
from arena.judging.review.exclusions import exclude, lift_exclusion
from arena.judging.skipping import FREE_SKIPS
from arena.people.models import Seat, User
from leaderboard.models import Snapshot
from leaderboard.results.rounds import FINAL
from leaderboard.snapshots.publishing import publish_snapshot
from leaderboard.snapshots.refresh import refresh_fully
from tests.factories import (
    make_assignment,
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchups,
    make_membership,
    make_user,
)

State = Event.State
HOUR = timedelta(hours=1)

# state, opens and closes at so many hours from now (None: not said)
TIMES: dict[str, tuple[str, float | None, float | None]] = {
    "draft": (State.DRAFT, None, None),
    "draft with dates": (State.DRAFT, 24, 48),
    "draft, deadline passed": (State.DRAFT, None, -1),
    "scheduled": (State.OPEN, 24, 48),
    "open": (State.OPEN, -24, 48),
    "open without a deadline": (State.OPEN, -24, None),
    "frozen": (State.FROZEN, -24, 0.5),
    "grace": (State.FROZEN, -24, -0.05),
    "ended": (State.FROZEN, -24, -1),
    "closed": (State.CLOSED, -24, -1),
    "closed before it opened": (State.CLOSED, 24, 48),
    "published": (State.PUBLISHED, -24, -1),
    "corrected": (State.PUBLISHED, -24, -1),
}
AHEAD = {"draft", "draft with dates", "draft, deadline passed", "scheduled"}
DRAFTS = AHEAD - {"scheduled"}
OPEN = {"open", "open without a deadline", "frozen"}
PUBLISHED = {"published", "corrected"}
CLOSED = {"closed", "closed before it opened"}
OVER = {"ended"} | CLOSED | PUBLISHED
PAST = {"grace"} | OVER


@dataclass(frozen=True)
class Scene:
    """An event in one state. `full`: with seats, prize, controls, judgments; else with none
    of them, but judgments where a result is published."""

    name: str
    full: bool
    event: Event
    people: dict[str, User | None] = field(default_factory=dict)
    excluded: Enrollment | None = None


@dataclass(frozen=True)
class Sight:
    """What somebody reads on a page: its words on one line, and its source."""

    who: str
    page: str
    words: str
    source: str

    @property
    def is_desk(self) -> bool:
        return self.page.startswith(("desk:", "imports:", "exports:", "events:people"))


def set_scene(name: str, *, full: bool) -> Scene:
    """An event in this state, and a person of each kind."""
    now = timezone.now()
    organizer = make_user()
    event = make_event(organizer=organizer, overlap=9, publish_batch=0)
    models = make_competitors(event, 2)
    make_matchups(event, models, 6)
    reviewer = make_user()
    make_membership(event, reviewer)
    people: dict[str, User | None] = {
        "visitor": None,
        "stranger": make_user(),
        "reviewer": reviewer,
        "organizer": organizer,
    }
    excluded = None
    if (full or name in PUBLISHED) and name not in AHEAD | {"closed before it opened"}:
        excluded = judge(event, now, with_control=full)
        people["contributor"] = event.enrollments.exclude(pk=excluded.pk).first().user
        people["excluded"] = excluded.user
    elif name not in DRAFTS:
        people["contributor"] = make_enrollment(event).user
    if full:
        for _ in range(3):
            make_control(event)
        provision_event_seats(event, 3, Seat.Kind.OPEN, now)
        Event.objects.filter(pk=event.pk).update(prize="A teapot.")
    move_to(event, name, now)
    return Scene(name, full, event, people, excluded)


def judge(event: Event, now: datetime, *, with_control: bool) -> Enrollment:
    """Judgments of two people and of a third one, who is excluded, on a board."""
    if with_control:
        make_control(event)
    crowd = [make_enrollment(event) for _ in range(3)]
    for enrollment in crowd:
        for posted in ("a1", "b1", "tie", "a2", "b2"):
            make_judgment(enrollment, posted, now=now - HOUR)
    make_assignment(crowd[0], now=now)
    exclude(crowd[2], Exclusion.Reason.UNRELIABLE, Ruling(None, now))
    compute(event, now)
    return crowd[2]


def compute(event: Event, now: datetime) -> Snapshot:
    """The board of everything judged so far, where readers see it."""
    seal_event(event.pk, now)
    snapshot = refresh_fully(event, now=now) or event.snapshots.latest()
    publish_snapshot(snapshot, now)
    return snapshot


def move_to(event: Event, name: str, now: datetime) -> None:
    """Bring an event into a state."""
    state, opens, closes = TIMES[name]
    event.state = state
    event.opens_at = None if opens is None else now + opens * HOUR
    event.closes_at = None if closes is None else now + closes * HOUR
    event.published_at = now if state == State.PUBLISHED else None
    event.save(update_fields=["state", "opens_at", "closes_at", "published_at"])
    event.refresh_from_db()
    judged = Judgment.objects.filter(event=event).exists()
    if name in OVER - {"ended"} and judged:
        final = compute(event, now)
        if name in PUBLISHED:
            seal(final, FINAL, now)
    if name == "corrected" and judged:
        lift_exclusion(event.exclusions.get(), Ruling(None, now))
        seal(compute(event, now), "Corrected result", now)
        exclude(event.enrollments.latest("pk"), Exclusion.Reason.UNRELIABLE, Ruling(None, now))


def seal(snapshot: Snapshot, name: str, now: datetime) -> None:
    """End a round."""
    Snapshot.objects.filter(pk=snapshot.pk).update(name=name, sealed_at=now)


PUBLIC = ["home", "events:event", "leaderboard:board", "leaderboard:contributors"]
PUBLIC += ["leaderboard:method", "events:guidelines", "events:join"]
OWN = ["home", "events:event", "judging:me", "judging:next", "events:guidelines"]
OWN += ["leaderboard:contributors"]
REVIEW = ["home", "events:event", "events:join", "desk:overview", "desk:records", "desk:record"]
REVIEW += ["desk:contributors", "desk:contributor", "desk:flags"]
ORGANIZE = PUBLIC[:-1]
ORGANIZE += ["desk:overview", "desk:event", "desk:terms", "desk:questions", "desk:preview"]
ORGANIZE += ["desk:controls", "desk:seats", "desk:winner", "desk:record", "desk:contributor"]
ORGANIZE += ["imports:new", "exports:downloads", "events:people"]
PAGES = {
    "visitor": PUBLIC,
    "stranger": ["home", "events:event", "events:join"],
    "contributor": OWN,
    "excluded": OWN,
    "reviewer": REVIEW,
    "organizer": ORGANIZE,
}


def sights_of(scene: Scene) -> Iterator[Sight]:
    """Every page of the event as everybody sees it; what is not there for somebody is left out."""
    for who, user in scene.people.items():
        client = Client()
        if user is not None:
            client.force_login(user)
        for page in PAGES[who]:
            for url in addresses(scene, page):
                response = client.get(url, follow=True)
                if response.status_code == 200:
                    source = response.content.decode()
                    yield Sight(who, page, words_of(source), source)


def sights_under_pressure(scene: Scene) -> Iterator[Sight]:
    """What is read where seats are short and somebody skips; the scene is not the same after it."""
    now = timezone.now()
    Seat.objects.open_unclaimed().update(claimed_at=now)
    waiting = Client()
    response = waiting.post(reverse("events:line", args=[scene.event.slug]), follow=True)
    if response.status_code == 200:
        source = response.content.decode()
        yield Sight("waiting", "events:join", words_of(source), source)
    skipper, matchup = make_enrollment(scene.event), scene.event.matchups.first()
    assert skipper.user is not None
    for ordinal in range(FREE_SKIPS):
        Assignment.objects.create(
            enrollment=skipper,
            matchup=matchup,
            ordinal=ordinal,
            order=[0, 1],
            state=Assignment.State.SKIPPED,
            reserved_at=now,
            shown_at=now,
            lease_until=now,
            finished_at=now + HOUR,
        )
    client = Client()
    client.force_login(skipper.user)
    response = client.get(reverse("judging:next", args=[scene.event.slug]), follow=True)
    if response.status_code == 200:
        source = response.content.decode()
        yield Sight("skipper", "judging:next", words_of(source), source)


def addresses(scene: Scene, page: str) -> list[str]:
    """Where a page is; one of each kind of object."""
    slug: list[Any] = [scene.event.slug]
    if page == "home":
        return ["/"]
    if page == "desk:record":
        first, last = scene.event.records.first(), scene.event.records.last()
        return [reverse(page, args=[*slug, record.external_id]) for record in (first, last)]
    if page == "desk:contributor":
        found = [scene.excluded] if scene.excluded else scene.event.enrollments.all()[:1]
        return [reverse(page, args=[*slug, each.public_id]) for each in found]
    return [reverse(page, args=slug)]


def words_of(source: str) -> str:
    """What can be read in a page, on one line: labels of buttons and links as well."""
    main = re.sub(r"(?s)<(script|style|template)\b.*?</\1>|<!--.*?-->", " ", source)
    main = re.sub(r"(?s)^.*?<header class=\"site-head\">.*?</header>", " ", main)
    labels = re.sub(r'<[^>]*\baria-label="([^"]*)"[^>]*>', r" \1 ", main)
    return unescape(" ".join(re.sub(r"<[^>]*>", " ", labels).split()))


def sentences_of(source: str) -> list[str]:
    """A page's sentences one by one: what stands in an element of its own."""
    main = re.sub(r"(?s)<(script|style|template|head)\b.*?</\1>|<!--.*?-->", " ", source)
    inline = re.sub(r"</?(a|b|em|strong|small|span|sub|sup|time|kbd|svg|use)\b[^>]*>", " ", main)
    parts = (" ".join(unescape(part).split()) for part in re.split(r"<[^>]*>", inline))
    return [part for part in parts if re.search(r"[A-Za-z]{2}", part)]
