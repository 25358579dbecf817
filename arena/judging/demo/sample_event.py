"""The sample event that `make demo` serves: invented models, simulated contributors."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from arena.events.importing import CompetitorRow, import_records
from arena.events.joining.enrolling import provision_event_seats
from arena.events.lifecycle.batches import LIVE
from arena.events.lifecycle.creation import NewEvent, create_event
from arena.events.lifecycle.transitions import open_event
from arena.events.models import Event, Membership
from arena.judging.demo.simulation import simulate_judgments
from arena.judging.ledger import seal_event
from arena.people.codes import draw_code
from arena.people.hashers import hash_code
from arena.people.models import Seat, User

SAMPLE_FOLDER = Path(__file__).resolve().parent / "sample"
PEOPLE, JUDGMENTS, DAYS = 60, 1_800, 6
OPEN_SEATS, PRINTED_SEATS = 200, 20
ORGANIZER, CONTRIBUTOR = "sample-organizer", "sample-contributor"


@dataclass(frozen=True)
class Login:
    """A username and its access code in plain text: printed once and not stored."""

    username: str
    code: str


def get_or_create_sample_event(now: datetime, seed: int = 2026) -> Event:
    """The sample event, created if it does not exist."""
    plan = json.loads((SAMPLE_FOLDER / "event.json").read_text(encoding="utf-8"))
    event = Event.objects.filter(slug=plan["slug"]).first()
    return event or make_sample_event(plan, now, Random(seed))  # noqa: S311 - a reproducible sample


def make_sample_event(plan: dict[str, object], now: datetime, rng: Random) -> Event:
    """Create the event, import its records and controls, and let the simulated crowd judge."""
    opened = now - timedelta(days=DAYS)
    event, strengths = open_sample_event(plan, now, rng)
    simulate_judgments(
        event, strengths, people=PEOPLE, judgments=JUDGMENTS, span=(opened, now), rng=rng
    )
    seal_event(event.pk, now)
    return event


def open_sample_event(
    plan: dict[str, object], now: datetime, rng: Random
) -> tuple[Event, dict[str, float]]:
    """Create the event, open for `DAYS` already, that nobody has judged in; and the competitors'
    simulated strengths (not stored)."""
    organizer, _ = User.objects.get_or_create(username=ORGANIZER)
    opened = now - timedelta(days=DAYS)
    fields = ("summary", "description", "licence")
    settings = {field: plan[field] for field in fields} | {
        "matchups_per_record": 2,
        "overlap": 20,
        "choosing": "uniform",
        "control_interval": 12,
        "counts_simulated": True,
        "publish_batch": LIVE,
        "opens_at": opened - timedelta(hours=1),
        "closes_at": now + timedelta(days=21),
    }
    guidelines = (SAMPLE_FOLDER / "guidelines.md").read_text(encoding="utf-8")
    event = create_event(
        NewEvent(str(plan["slug"]), str(plan["title"]), guidelines, settings), organizer=organizer
    )
    strengths = import_sample_records(event, plan["competitors"], opened, rng)
    provision_event_seats(event, OPEN_SEATS, Seat.Kind.OPEN, now)
    provision_event_seats(event, PRINTED_SEATS, Seat.Kind.PRINTED, now)
    open_event(event, opened)
    return event, strengths


def import_sample_records(
    event: Event, competitors: object, now: datetime, rng: Random
) -> dict[str, float]:
    """Import records and controls; returns the competitors' simulated strengths (not stored)."""
    assert isinstance(competitors, list)
    rows = [
        CompetitorRow(row["name"], row["organization"], row["licence"], row["version"])
        for row in competitors
    ]
    for name in ("records.jsonl", "controls.jsonl"):
        report = import_records(event, SAMPLE_FOLDER / name, competitors=rows, now=now, rng=rng)
        assert report.landed, (report.errors, report.doubts)
    return {row["name"]: float(row["strength"]) for row in competitors}


def reissue_sample_logins(event: Event, now: datetime) -> dict[str, Login]:
    """New codes for the sample's organizer and one contributor; earlier ones become invalid."""
    logins = {}
    for role, username in (("organizer", ORGANIZER), ("contributor", CONTRIBUTOR)):
        login = Login(username, draw_code())
        User.objects.get_or_create(username=username, defaults={"date_joined": now})
        User.objects.filter(username=username).update(password=hash_code(login.code))
        logins[role] = login
    organizer = User.objects.get(username=ORGANIZER)
    Membership.objects.get_or_create(
        event=event, user=organizer, defaults={"role": Membership.Role.ORGANIZER}
    )
    return logins
