"""Every page of the site as a list: what there is to look at, and whose eyes see it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from arena.events.importing.uploads import save_upload
from arena.events.models import Enrollment, Event, ImportJob
from arena.people.models import User
from tests.factories import make_event
from tests.security.cast import World
from tests.security.policy import ANONYMOUS, CONTRIBUTOR, ORGANIZER, OUTSIDER, URLS
from tests.undoing import undone

State = Event.State
# From the least to the most that somebody may see of an event.
EYES = (ANONYMOUS, OUTSIDER, CONTRIBUTOR, ORGANIZER)
# An event's pages have another tab for its contributors.
INSIDE = (CONTRIBUTOR,)
# Pages that differ from state to state.
STAGES = {
    State.DRAFT: ("desk/", "desk/event/", "leaderboard/", "registration/"),
    State.OPEN: ("", "leaderboard/", "contributors/", "desk/"),
    State.FROZEN: (),
    State.CLOSED: ("", "desk/", "desk/winner/", "leaderboard/", "registration/"),
    State.PUBLISHED: ("", "desk/"),
}


@dataclass(frozen=True)
class Sight:
    """A page and the label of the actor who looks at it."""

    path: str
    label: str


def sights(world: World) -> list[Sight]:
    """Every page that is there: HTML, with the status of a page."""
    found = {*walked(world), *staged(world)}
    return sorted(found, key=lambda sight: (sight.label, sight.path))


def walked(world: World) -> Iterator[Sight]:
    """What the URLs lead to, seen by whoever may see least, and by some who may see more."""
    for url in (url for url in URLS if not url.is_admin):
        allowed = [role for role in EYES if role in url.doors.get]
        inside = [role for role in INSIDE if role in allowed and "slug" in url.arguments]
        for role in dict.fromkeys([*allowed[:1], *inside]):
            label = role if role in (ANONYMOUS, OUTSIDER) else f"tea {role}"
            sight = Sight(url.path(world.public.arguments(url)), label)
            if is_page(world, sight):
                yield sight


def is_page(world: World, sight: Sight) -> bool:
    """Whether there is a page to look at, and no redirect or file."""
    with undone():
        response = world.client(world.actor(sight.label)).get(sight.path)
        html = response.headers.get("Content-Type", "").startswith("text/html")
        return html and response.status_code == 200


def staged(world: World) -> Iterator[Sight]:
    """Events in other states, made for this, as their people see them."""
    side, now = world.public, timezone.now()
    organizer, contributor = side.people[ORGANIZER], side.people[CONTRIBUTOR]
    for state, pages in STAGES.items():
        event = make_event(f"all-{state}", organizer=organizer, state=state)
        yield from (Sight(f"/events/{event.slug}/{page}", f"tea {ORGANIZER}") for page in pages)
        if state != State.DRAFT:
            join(event, contributor, now)
            yield Sight(f"/events/{event.slug}/judge/", f"tea {CONTRIBUTOR}")
            yield Sight(f"/events/{event.slug}/join/", ANONYMOUS)
    for name, fields in (("warned", {"has_warning": True}), ("blocked", {"blocked_at": now})):
        join(make_event(f"all-{name}"), contributor, now, **fields)
        # Whoever is warned is led to the warning, which is a page of its own.
        page = "judge/warning/" if name == "warned" else "judge/"
        yield Sight(f"/events/all-{name}/{page}", f"tea {CONTRIBUTOR}")
    for job in uploads(world):
        yield Sight(f"/events/tea/import/{job.uuid}/", f"tea {ORGANIZER}")
    yield Sight("/events/tea/", f"tea {ORGANIZER}")
    yield Sight("/no/such/page/", ANONYMOUS)
    yield Sight("/no/such/page/", f"tea {CONTRIBUTOR}")


def join(event: Event, user: User, now: datetime, **fields: object) -> None:
    """A contributor of this event who has read its guidelines."""
    Enrollment.objects.create(
        event=event,
        user=user,
        pseudonym="Teal Heron 1",
        joined_at=now,
        guidelines=event.guidelines.latest(),
        guidelines_at=now,
        **fields,
    )


def uploads(world: World) -> Iterator[ImportJob]:
    """One that waits for its mapping, one that was refused line by line, one under way."""
    side, now = world.public, timezone.now()
    content = b"id,question,model,answer\n1,Why?,A,Because.\n"
    for state in (ImportJob.State.UPLOADED, ImportJob.State.REFUSED, ImportJob.State.QUEUED):
        file = SimpleUploadedFile("records.csv", content)
        job = save_upload(side.event, file, side.people[ORGANIZER], now)
        wrong = [{"line": n, "field": "prompt", "message": "is missing"} for n in range(2, 9)]
        job.report = {"errors": wrong} if state == ImportJob.State.REFUSED else {}
        job.state = state
        job.save()
        yield job
