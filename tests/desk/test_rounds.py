"""Rounds and the final result, from the desk."""

import pytest
from django.test import Client
from django.urls import reverse

from arena.events.models import Event
from arena.exports.tasks import keep_bundle
from arena.judging.ledger import seal_event
from leaderboard.models import Snapshot
from leaderboard.snapshots.refresh import refresh_fully
from tests.factories import NOW, make_enrollment, make_judgment

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Snapshots whose bundle a worker is asked for."""
    sent: list[int] = []
    monkeypatch.setattr(keep_bundle, "delay", sent.append)
    return sent


@pytest.fixture
def judged(event: Event) -> Event:
    for posted in ("a1", "tie", "b2"):
        make_judgment(make_enrollment(event), posted)
    seal_event(event.pk, NOW)
    refresh_fully(event, now=NOW)
    return event


def post(desk: Client, event: Event, **data: str):
    return desk.post(reverse("desk:state", args=[event.slug]), data | {"sure": "yes"}, follow=True)


def test_a_round_is_sealed_under_a_name(desk: Client, judged: Event, kept: list[int]) -> None:
    assert b"Give the round a name" in post(desk, judged, to="sealed", name=" ").content
    assert b"Week 1" in post(desk, judged, to="sealed", name="Week 1").content
    assert b"Nothing has changed" in post(desk, judged, to="sealed", name="Week 2").content
    assert kept == [Snapshot.objects.get(name="Week 1").pk]


def test_publishing_takes_a_closed_event_and_its_computed_board(
    desk: Client, judged: Event, kept: list[int]
) -> None:
    post(desk, judged, to="published")
    judged.refresh_from_db()
    assert judged.state == "open"
    post(desk, judged, to="closed")
    refresh_fully(Event.objects.get(), now=NOW)
    post(desk, judged, to="published")
    judged.refresh_from_db()
    assert judged.state == "published"
    keep_bundle(kept[0])
    bundle = reverse("exports:bundle", args=[judged.slug, Snapshot.objects.get(pk=kept[0]).name])
    assert Client().get(bundle).status_code == 200


def test_a_correction_is_offered_once_something_has_changed(
    desk: Client, judged: Event, kept: list[int]
) -> None:
    post(desk, judged, to="closed")
    refresh_fully(Event.objects.get(), now=NOW)
    assert b"Publish the correction" not in post(desk, judged, to="published").content
    judgment = judged.judgments.select_related("enrollment").first()
    address = reverse("desk:contributor", args=[judged.slug, judgment.enrollment.public_id])
    desk.post(address, {"act": "exclude", "reason": "unreliable", "note": "So."})
    refresh_fully(Event.objects.get(), now=NOW)
    page = reverse("events:event", args=[judged.slug])
    assert Client().get(page).context["event"].judged == 3
    desk_page = desk.get(reverse("desk:overview", args=[judged.slug]))
    assert b"Publish the correction" in desk_page.content
    post(desk, judged, to="sealed", name="Corrected")
    shown = Client().get(page).context["event"]
    assert (shown.judged, shown.round, shown.earlier) == (2, "Corrected", ["Final result"])
    for name in (shown.round, *shown.earlier):
        bundle = reverse("exports:bundle", args=[judged.slug, name])
        assert bundle.encode() in Client().get(page).content
    assert len(kept) == 2


def test_an_event_without_judgments_says_that_it_has_no_result(desk: Client, event: Event) -> None:
    assert b"no result to publish" in post(desk, event, to="closed").content
    assert b"Nobody has judged" in post(desk, event, to="published").content


def test_an_unknown_step_is_refused(desk: Client, event: Event) -> None:
    assert b"This action does not exist" in post(desk, event, to="sideways").content


def test_a_note_is_shown_once_to_each_and_until_it_ends(desk: Client, event: Event) -> None:
    enrollment = make_enrollment(event)
    judge = Client()
    judge.force_login(enrollment.user)
    following = reverse("judging:next", args=[event.slug])
    assert b"Tea is ready" not in judge.get(following, follow=True).content
    post(desk, event, to="noted", text="Tea is ready.")
    seen = []
    for _ in range(3):
        shown = enrollment.assignments.get(state="shown")
        url = reverse("judging:judge", args=[shown.uuid])
        headers = {"HX-Request": "true"}
        reply = judge.post(url, {"preference": "a1", "comment": ""}, headers=headers)
        again = judge.post(url, {"preference": "a1", "comment": ""}, headers=headers)
        assert reply.content == again.content
        seen.append(b"Tea is ready" in reply.content)
    assert seen == [True, False, False]
    page = reverse("events:event", args=[event.slug])
    assert b"Tea is ready" in Client().get(page).content
    post(desk, event, to="noted", text="")
    assert b"Tea is ready" not in Client().get(page).content
    assert event.notes.get().ended_at is not None
