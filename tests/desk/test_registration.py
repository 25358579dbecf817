"""From the opening on, whatever an organizer changes at the desk leaves a record that verifies."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from arena.events.models import Act, Control, Decision, Event, Matchup, Registration
from arena.people.models import User
from tests.desk.cast import url
from tests.desk.test_controls import post
from tests.desk.test_desk import FORM, QUESTIONS
from tests.factories import make_competitors, make_control, make_event, make_matchups

pytestmark = pytest.mark.django_db
WORDS = FORM | {"slug": "fair", "title": "Fair", "opens_at": "2026-01-01T10:00"}
TERMS = {
    "licence": "CC-BY-4.0",
    "public_release": "All of it.",
    "minimum_age": "18",
    "why": "It was asked for.",
}
# What is posted where, beside what stays, and the settings that it changes.
CHANGES = {
    "title": ("event", {"title": "Fairer"}),
    "summary": ("event", {"summary": "In one line."}),
    "description": ("event", {"description": "Two lines.\r\n\r\nOf text."}),
    "guidelines": ("event", {"guidelines": "# Be quick\r\n\r\nAnd fair."}),
    "timezone": ("event", {"timezone": "Asia/Tokyo"}),
    "closes_at": ("event", {"closes_at": "2032-05-01T18:00"}),
    "licence": ("event", {"licence": "CC0-1.0"}),
    "is_private": ("event", {"is_private": "on", "needs_approval": "on"}),
    "grace_minutes": ("event", {"freeze_minutes": "30", "grace_minutes": "5"}),
    "scale": ("questions", {"scale": "3", "both_bad": "on"}),
    "overlap": ("questions", {"overlap": "5"}),
    "publish_batch": ("questions", {"publish_batch": "40"}),
    "control_interval": ("questions", {"control_interval": "12", "recurrence_gap": "7"}),
    "counts_imported": ("questions", {"counts_imported": "on", "counts_machine": "on"}),
    "questions": ("questions", {"comment": ""}),
    "terms": ("terms", {"minimum_age": "21", "assistance": "None."}),
}
POSTED = {"event": WORDS, "questions": QUESTIONS, "terms": TERMS}


@pytest.fixture
def event(organizer: User, desk: Client) -> Event:
    """Opened at the desk, with two controls."""
    event = make_event("fair", organizer=organizer, state=Event.State.DRAFT, publish_batch=20)
    make_matchups(event, make_competitors(event, 2), 4)
    for _ in range(2):
        make_control(event)
    for page, said in POSTED.items():
        assert desk.post(url(page, event), said | {"sure": "yes"}).status_code == 302
    desk.post(url("state", event), {"to": "open", "sure": "yes"})
    event.refresh_from_db()
    assert event.state == Event.State.OPEN
    return event


def is_as_recorded() -> bool:
    try:
        call_command("registration", "fair", "--verify", stdout=io.StringIO())
    except CommandError:
        return False
    return True


def test_opening_at_the_desk_registers(event: Event) -> None:
    assert Registration.objects.get().event == event
    assert not Decision.objects.exists()
    assert is_as_recorded()


@pytest.mark.parametrize("name", CHANGES)
def test_every_setting_changed_at_the_desk_verifies(desk: Client, event: Event, name: str) -> None:
    page, said = CHANGES[name]
    reply = desk.post(url(page, event), POSTED[page] | said | {"sure": "yes"})
    assert reply.status_code == 302
    decision = Decision.objects.get(act=Act.SETTING_CHANGED)
    assert name in decision.new
    assert is_as_recorded()
    Event.objects.update(lease_minutes=99)
    assert not is_as_recorded()


def test_saving_without_a_change_leaves_no_record(desk: Client, event: Event) -> None:
    for page, said in POSTED.items():
        desk.post(url(page, event), said | {"sure": "yes"})
    assert not Decision.objects.exists()
    assert is_as_recorded()


def test_another_deadline_verifies(desk: Client, event: Event) -> None:
    later = timezone.now() + timedelta(days=400)
    said = {"to": "extended", "closes_at": f"{later:%Y-%m-%dT%H:%M}", "why": "More time."}
    desk.post(url("state", event), said | {"sure": "yes"})
    assert Decision.objects.get().new.keys() == {"closes_at"}
    assert is_as_recorded()
    desk.post(url("state", event), {"to": "closed", "sure": "yes"})
    assert is_as_recorded()


def test_keys_changed_at_the_desk_verify(desk: Client, event: Event) -> None:
    control, ordinary = (Matchup.objects.filter(role=role)[0] for role in ("control", "ordinary"))
    post(desk, event, ordinary, "control", expected="a", reason="It is so.")
    assert is_as_recorded()
    post(desk, event, control, "change", expected="b", reason="No: B.")
    assert is_as_recorded()
    post(desk, event, control, "withdraw", reason="Neither.")
    acts = list(Decision.objects.order_by("pk").values_list("act", flat=True))
    assert acts == [Act.KEY_SET, Act.KEY_CHANGED, Act.KEY_WITHDRAWN]
    assert is_as_recorded()
    Control.objects.filter(matchup=ordinary).update(key={"sign": 0})
    assert not is_as_recorded()
