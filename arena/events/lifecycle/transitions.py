"""The life of an event: draft → open → frozen → closed → published.

Each step is a conditional UPDATE of the state, so that two people, or a person and the clock,
never take it twice. The server's clock alone decides; publishing is the leaderboard's affair.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from arena.errors import ArenaError, ConflictError
from arena.events.decision_record import Ruling
from arena.events.lifecycle.batches import LIVE, SMALLEST
from arena.events.lifecycle.event_settings import recorded_settings
from arena.events.lifecycle.hiding import (
    count_pool,
    describe_missing_responses,
    describe_regime,
    find_hiding_obstacle,
)
from arena.events.lifecycle.prizes import (
    count_serving_matchups,
    find_batch_obstacle,
    find_identity_obstacle,
    find_prize_obstacle,
)
from arena.events.lifecycle.registration.writing import register
from arena.events.lifecycle.shared_keys import describe_public_keys, list_public_keys
from arena.events.models import Event
from arena.people.seats.claiming import SeatAvailability, get_seat_availability

State = Event.State
# Where what a check speaks of is put right, if not in the step of its own name.
STEP_OF_CHECK = {
    "guidelines": "event",
    "deadline": "event",
    "records": "import",
    "competitors": "import",
    "publish_batch": "questions",
}
# Why visitors without an account find no way in, by what room there is and for private events.
NO_OPEN_SEAT = {
    (SeatAvailability.NONE, False): lazy(
        "There are no seats, so nobody can join with the link. Add open ones."
    ),
    (SeatAvailability.PRINTED, False): lazy(
        "All seats are printed, so nobody can join with the link, only with a slip. Add open seats "
        "for visitors."
    ),
    (SeatAvailability.TAKEN, False): lazy(
        "Every open seat is taken, so nobody can join with the link. Add more."
    ),
    (SeatAvailability.NONE, True): lazy(
        "There are no seats: invitations work only for people with an account. Add open ones."
    ),
    (SeatAvailability.PRINTED, True): lazy(
        "All seats are printed: invitations work only for people with an account. Add open seats."
    ),
    (SeatAvailability.TAKEN, True): lazy(
        "Every open seat is taken: invitations work only for people with an account. Add more."
    ),
}


@dataclass(frozen=True)
class ReadinessCheck:
    """One line of the checklist before opening."""

    code: str
    message: str
    # Whether opening has to wait for it, or it is only worth knowing.
    blocks: bool

    @property
    def step(self) -> str:
        """The step of the set-up where it is put right."""
        return STEP_OF_CHECK.get(self.code, self.code)


def check_readiness(event: Event, now: datetime) -> list[ReadinessCheck]:
    """What stands between this event and its opening, and what is worth knowing besides."""
    ordinary, controls = count_serving_matchups(event)
    return [
        *check_basics(event, now),
        *check_matchups(event, ordinary),
        *check_controls(event, controls),
        *check_open_seats(event),
        *check_identities(event),
    ]


def check_basics(event: Event, now: datetime) -> list[ReadinessCheck]:
    """Guidelines and a deadline that lies ahead."""
    checks = []
    if not event.guidelines.exists():
        checks.append(ReadinessCheck("guidelines", _("Write the guidelines."), blocks=True))
    if not event.questions.filter(required=True).exists():
        checks.append(ReadinessCheck("questions", _("Ask at least one question."), blocks=True))
    if event.closes_at is None:
        message = _("There is no deadline: the event stays open until you close it.")
        checks.append(ReadinessCheck("deadline", message, blocks=False))
    elif event.closes_at <= now:
        checks.append(ReadinessCheck("deadline", _("The deadline has passed."), blocks=True))
    return checks


def check_matchups(event: Event, ordinary: int) -> list[ReadinessCheck]:
    """Something to judge, from at least two models."""
    if ordinary == 0:
        message = _("Import records with responses of at least two models.")
        return [ReadinessCheck("records", message, blocks=True)]
    if event.competitors.count() < 2:
        message = _("There is only one model, so there is nothing to compare.")
        return [ReadinessCheck("competitors", message, blocks=True)]
    return []


def check_controls(event: Event, controls: int) -> list[ReadinessCheck]:
    """Controls: not to be done without where a prize is at stake, what hides them, and boards that
    do not give them away."""
    if missing := find_prize_obstacle(event):
        return [ReadinessCheck("controls", missing, blocks=True)]
    if controls == 0:
        message = _("Without controls nobody’s reliability can be measured.")
        return [ReadinessCheck("controls", message, blocks=False)]
    checks = [*check_batches(event), *check_shared_keys(event)]
    obstacle = find_hiding_obstacle(event)
    message = obstacle or describe_regime(count_pool(event))
    checks.append(ReadinessCheck("controls", message, blocks=bool(obstacle)))
    if missing := describe_missing_responses(event):
        checks.append(ReadinessCheck("controls", missing, blocks=False))
    return checks


def check_shared_keys(event: Event) -> list[ReadinessCheck]:
    """Keys that anybody can read in the bundle of the event that this one is a copy of."""
    return [
        ReadinessCheck("controls", describe_public_keys(title, keys), blocks=False)
        for title, keys in list_public_keys(event)
    ]


def check_batches(event: Event) -> list[ReadinessCheck]:
    """What the boards of an event with controls give away, or keep from those who judge."""
    if obstacle := find_batch_obstacle(event):
        return [ReadinessCheck("publish_batch", obstacle, blocks=True)]
    message = ""
    if event.publish_batch == LIVE:
        message = _(
            "The boards are live: anyone watching them can tell which matchups are controls. "
            "Updates every 20 judgments hide it."
        )
    elif event.is_private and not event.prize:
        message = _(
            "If fewer than %(people)s people judge, the boards come only when the event closes. "
            "In a small circle without a prize, choose live boards: 0 judgments between updates."
        ) % {"people": SMALLEST.people}
    return [ReadinessCheck("publish_batch", message, blocks=False)] if message else []


def check_open_seats(event: Event) -> list[ReadinessCheck]:
    """Open seats: without one, no visitor gets in by the event's link or an invitation's."""
    room = get_seat_availability(event.seats)
    if room is SeatAvailability.FREE or (event.is_private and event.needs_approval):
        return []
    words = NO_OPEN_SEAT[room, event.is_private]
    return [ReadinessCheck("seats", str(words), blocks=False)]


def check_identities(event: Event) -> list[ReadinessCheck]:
    """A way to confirm who one is, which a prize needs."""
    missing = find_identity_obstacle(event)
    return [ReadinessCheck("identities", missing, blocks=True)] if missing else []


def open_event(event: Event, now: datetime) -> None:
    """Let judging begin (from `opens_at` on), by the rules that are registered now. Raises
    `ArenaError` naming what is missing."""
    missing = [check.message for check in check_readiness(event, now) if check.blocks]
    if missing:
        raise ArenaError(" ".join(missing), "not_ready")
    # Whoever finds the event open finds its registration, and nothing changes between the two.
    with transaction.atomic():
        change_state(event, State.OPEN, State.DRAFT, opens_at=event.opens_at or now)
        register(event, now)


def close_event(event: Event, ruling: Ruling) -> None:
    """End judging now: from here on it is as after a deadline.

    What is on somebody's screen may be answered until its lease or the grace period ends. Where
    there is nothing of that kind, the event is closed at once.
    """
    now = ruling.now
    if event.opens_at is not None and event.opens_at >= now:
        change_state(event, State.CLOSED, State.OPEN, State.FROZEN)
        return
    closes_at = min(event.closes_at or now, now)
    # Nothing more is handed out from the first statement on, so what the second one finds on
    # screens is all there is; a person who was being served meanwhile is late.
    with recorded_settings(event, replace(ruling, note=ruling.note or _("Closed by hand."))):
        change_state(event, State.FROZEN, State.OPEN, State.FROZEN, closes_at=closes_at)
    if not event.takes_answer(now) or not count_on_screens(event, now):
        change_state(event, State.CLOSED, State.FROZEN)


def count_on_screens(event: Event, now: datetime) -> int:
    """How many people have a matchup before them that they may still answer."""
    shown = event.enrollments.filter(assignments__state="shown", assignments__lease_until__gt=now)
    return shown.count()


def extend_event(event: Event, closes_at: datetime, ruling: Ruling) -> None:
    """Move the deadline of a running event; ranks that stood still move again if it is far."""
    now = ruling.now
    if closes_at <= now:
        raise ArenaError(_("The new deadline is in the past."), "deadline_past")
    if event.opens_at is not None and closes_at <= event.opens_at:
        raise ArenaError(_("The new deadline is before the opening."), "deadline_early")
    running = Event.objects.running().filter(pk=event.pk)
    state = State.FROZEN if now >= freeze_time(event, closes_at) else State.OPEN
    with recorded_settings(event, ruling):
        if not running.update(closes_at=closes_at, state=state):
            raise ConflictError(_("This event is not running."), "not_running")
    event.refresh_from_db()


def advance_events(now: datetime) -> list[Event]:
    """Freeze and close the events whose time has come; returns those that changed."""
    changed = []
    for event in Event.objects.running().exclude(closes_at=None):
        assert event.closes_at is not None
        due = due_state(event, event.closes_at, now)
        # Closes the race with an organizer who extends or closes: the deadline is compared again.
        rows = Event.objects.filter(pk=event.pk, state=event.state, closes_at=event.closes_at)
        if due != event.state and rows.update(state=due):
            event.state = due
            changed.append(event)
    return changed


def due_state(event: Event, closes_at: datetime, now: datetime) -> str:
    """The state in which a running event ought to be at this moment."""
    if now >= closes_at + timedelta(minutes=event.grace_minutes):
        return State.CLOSED
    return State.FROZEN if now >= freeze_time(event, closes_at) else State.OPEN


def freeze_time(event: Event, closes_at: datetime) -> datetime:
    """When ranks freeze before the deadline; never more than half of the event before it."""
    span = timedelta(minutes=event.freeze_minutes)
    if event.opens_at is not None:
        span = min(span, (closes_at - event.opens_at) / 2)
    return closes_at - span


def change_state(event: Event, to: str, *expected: str, **changes: datetime) -> None:
    """Change an event's state. Raises `ConflictError` where it is in none of the expected ones."""
    rows = Event.objects.filter(pk=event.pk, state__in=expected)
    if not rows.update(state=to, **changes):
        raise ConflictError(_("The event’s state has changed meanwhile."), "state_changed")
    event.state = to
    for name, value in changes.items():
        setattr(event, name, value)
