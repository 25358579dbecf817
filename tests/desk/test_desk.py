"""The desk: an organizer sets an event up alone, watches it, reviews; nobody else gets in."""

import io
import zipfile
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from arena.events.models import Enrollment, Event, Matchup, Membership
from arena.judging.models import Assignment, Exclusion, Flag, Judgment
from arena.judging.serving.leases import return_reserves
from arena.judging.skipping import flag_assignment
from arena.people.models import Seat
from tests.desk.cast import signed_in, url
from tests.factories import (
    NOW,
    make_assignment,
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchup,
    make_membership,
    make_user,
)

pytestmark = pytest.mark.django_db
FORM = {
    "title": "Tea or coffee",
    "guidelines": "# Be kind",
    "timezone": "Europe/Berlin",
    "closes_at": "2031-05-01T18:00",
    "licence": "CC-BY-4.0",
    "freeze_minutes": "60",
    "grace_minutes": "10",
    "why": "It was asked for.",
}
QUESTIONS = {
    "scale": "5",
    "overlap": "3",
    "choosing": "coverage",
    "matchups_per_record": "0",
    "control_interval": "20",
    "publish_batch": "0",
    "daily_cap": "400",
    "lease_minutes": "30",
    "undo_seconds": "120",
    "recurrence_gap": "5",
    "keeps_behaviour": "on",
    "comment": "on",
    "why": "It was asked for.",
}


def test_from_nothing_to_an_open_event(desk: Client) -> None:
    response = desk.post(reverse("desk:new"), FORM)
    assert response.headers["Location"] == "/events/tea-or-coffee/desk/questions/"
    event = Event.objects.get()
    assert event.state == "draft"
    assert event.closes_at is not None
    assert event.closes_at.isoformat() == "2031-05-01T16:00:00+00:00"
    assert desk.post(url("questions", event), QUESTIONS | {"scale": "3"}).status_code == 302
    page = desk.get(url("overview", event))
    assert b"Import records with responses" in page.content
    page = desk.post(url("state", event), {"to": "open", "sure": "yes"}, follow=True)
    assert b"Import records with responses" in page.content
    make_matchup(event, make_competitors(event, 2))
    page = desk.post(url("state", event), {"to": "open", "sure": "yes"}, follow=True)
    assert b"The event is open." in page.content
    event.refresh_from_db()
    assert (event.state, event.scale) == ("open", 3)


@pytest.mark.parametrize(
    ("prize", "typed", "saved"),
    [
        *(("", "0", 0), ("", "20", 20), ("", "19", None)),
        *(("A pen", "100", 100), ("A pen", "99", None), ("A pen", "0", None)),
    ],
)
def test_boards_are_live_or_wait_for_a_batch_that_hides_a_judgment(
    desk: Client, event: Event, prize: str, typed: str, saved: int | None
) -> None:
    Event.objects.filter(pk=event.pk).update(prize=prize, publish_batch=30)
    response = desk.post(url("questions", event), QUESTIONS | {"publish_batch": typed})
    event.refresh_from_db()
    assert response.status_code == (422 if saved is None else 302)
    assert event.publish_batch == (30 if saved is None else saved)


def test_the_form_shows_the_batch_that_a_prize_asks_for(desk: Client, event: Event) -> None:
    Event.objects.filter(pk=event.pk).update(prize="A pen", publish_batch=20)
    assert b'name="publish_batch" value="100"' in desk.get(url("questions", event)).content
    Event.objects.filter(pk=event.pk).update(state="closed")
    assert b'name="publish_batch" value="20"' in desk.get(url("questions", event)).content


def test_the_desk_says_once_that_a_release_chose_the_batch(desk: Client, event: Event) -> None:
    Event.objects.filter(pk=event.pk).update(publish_batch=20, batch_is_new=True)
    words = b"The public boards of this event now move every 20 judgments"
    assert words in desk.get(url("overview", event)).content
    desk.post(url("event", event), FORM)
    assert words in desk.get(url("overview", event)).content
    desk.post(url("questions", event), QUESTIONS | {"publish_batch": "20"})
    assert words not in desk.get(url("overview", event)).content


def test_matchups_can_be_chosen_actively(desk: Client, event: Event) -> None:
    assert "Most informative pairs more often" in desk.get(url("questions", event)).content.decode()
    desk.post(url("questions", event), QUESTIONS | {"choosing": "active"})
    event.refresh_from_db()
    assert event.choosing == Event.Choosing.ACTIVE


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("timezone", "Mars/Olympus"),
        ("closes_at", "soon"),
        ("guidelines", ""),
        ("slug", "../x"),
    ],
)
def test_a_form_that_is_wrong_comes_back_with_what_was_typed(
    desk: Client, field: str, value: str
) -> None:
    response = desk.post(reverse("desk:new"), FORM | {"summary": "kept", field: value})
    assert response.status_code == 422
    assert b"kept" in response.content
    assert not Event.objects.exists()


def test_an_address_is_taken_once(desk: Client) -> None:
    named = FORM | {"slug": "tea-or-coffee"}
    desk.post(reverse("desk:new"), named)
    assert desk.post(reverse("desk:new"), named).status_code == 422
    assert Event.objects.count() == 1


def test_a_seat_opens_no_events(event: Event) -> None:
    user = make_user()
    Seat.objects.create(pool=event.seats, kind="open", user=user)
    assert signed_in(user).get(reverse("desk:new")).status_code == 404


def test_changed_guidelines_are_a_new_version(desk: Client, event: Event) -> None:
    desk.post(url("event", event), FORM | {"guidelines": "# New"})
    desk.post(url("event", event), FORM | {"guidelines": "# New"})
    assert list(event.guidelines.values_list("version", flat=True)) == [1, 2]


def test_the_scale_is_fixed_by_the_first_judgment(desk: Client, event: Event) -> None:
    make_judgment(make_enrollment(event))
    desk.post(url("questions", event), QUESTIONS | {"scale": "7", "overlap": "4"})
    event.refresh_from_db()
    assert (event.scale, event.overlap) == (5, 4)
    return_reserves(Assignment.objects.all())
    assert sum(event.matchups.values_list("open_slots", flat=True)) == 6 * 4 - 1


def test_the_sheet_of_printed_seats_downloads_once(desk: Client, event: Event) -> None:
    response = desk.post(url("print_seats", event), {"printed": "3"})
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert {name.rsplit(".")[-1] for name in archive.namelist()} == {"csv", "pdf"}
    assert Seat.objects.filter(kind="printed").count() == 3
    assert desk.get(url("print_seats", event)).status_code == 405
    assert desk.post(url("print_seats", event), {"printed": "0"}).status_code == 302
    assert (
        desk.post(url("seats", event), {"open": "5", "claims_per_network": "9"}).status_code == 302
    )
    assert Seat.objects.filter(kind="open").count() == 5
    assert b"5" in desk.get(url("seats", event)).content


def test_records_are_found_and_opened(desk: Client, event: Event) -> None:
    record = event.records.first()
    page = desk.get(url("records", event), {"q": record.external_id})
    assert url("record", event, record.external_id).encode() in page.content
    assert b"No matching records" in desk.get(url("records", event), {"q": "zzz"}).content
    assert b"Zyxomodel" in desk.get(url("record", event, record.external_id)).content
    assert desk.get(url("record", event, "none")).status_code == 404


def test_a_matchup_becomes_a_control_and_rates_no_model(desk: Client, event: Event) -> None:
    matchup = event.matchups.first()
    address = url("matchup", event, matchup.record.external_id)
    desk.post(address, {"key": matchup.key, "act": "control", "expected": "b", "reason": ""})
    matchup.refresh_from_db()
    assert matchup.role == Matchup.Role.ORDINARY
    posted = {"key": matchup.key, "act": "control", "expected": "b", "reason": "So.", "sure": "yes"}
    desk.post(address, posted)
    desk.post(address, posted)
    matchup.refresh_from_db()
    assert (matchup.role, matchup.open_slots) == ("control", 0)
    assert matchup.control.key == {"sign": -1}
    assert b"So." in desk.get(url("controls", event)).content


def test_a_retired_matchup_is_not_served_until_it_is_restored(desk: Client, event: Event) -> None:
    for matchup in event.matchups.all():
        address = url("matchup", event, matchup.record.external_id)
        desk.post(address, {"key": matchup.key, "act": "retire", "reason": "So."})
    assert not Matchup.objects.serving().exists()
    desk.post(address, {"key": matchup.key, "act": "restore", "reason": "So."})
    assert Matchup.objects.serving().count() == 1


def test_flags_wait_until_somebody_has_dealt_with_them(desk: Client, event: Event) -> None:
    assignment = make_assignment(make_enrollment(event))
    flag_assignment(assignment, "broken", "cut off", now=NOW)
    assert b"cut off" in desk.get(url("flags", event)).content
    desk.post(url("flags", event), {"assignment": str(assignment.uuid), "act": "retire"})
    assert b"No flags are waiting" in desk.get(url("flags", event)).content
    assert Flag.objects.get().resolved_by is not None
    assignment.matchup.refresh_from_db()
    assert assignment.matchup.retired_at is not None


def test_excluding_and_reinstating_a_contributor(desk: Client, event: Event) -> None:
    enrollment = make_enrollment(event)
    make_judgment(enrollment)
    address = url("contributor", event, enrollment.public_id)
    desk.post(address, {"act": "exclude", "reason": ""})
    assert not Exclusion.objects.exists()
    desk.post(address, {"act": "exclude", "reason": "unreliable", "note": "random"})
    assert not Judgment.objects.counted().exists()
    assert b"random" in desk.get(address).content
    assert b"Say why." in desk.post(address, {"act": "reinstate"}, follow=True).content
    desk.post(address, {"act": "reinstate", "because": "It was the network."})
    assert b"It was the network." in desk.get(address).content
    assert Judgment.objects.counted().count() == 1
    assert b"lifted" in desk.get(address).content


def test_the_overview_shows_how_the_event_is_doing(desk: Client, event: Event) -> None:
    make_control(event)
    enrollment = make_enrollment(event)
    for _ in range(5):
        make_judgment(enrollment, now=timezone.now())
    page = desk.get(url("overview", event))
    assert page.context["health"].judged == 5
    assert page.context["health"].control_judgments == 1
    assert page.context["health"].taken == 4
    assert sum(hour.judgments for hour in page.context["health"].hourly) == 5


def test_what_is_only_on_a_screen_is_no_judgment_yet(desk: Client, event: Event) -> None:
    enrollment = make_enrollment(event)
    make_judgment(enrollment)
    make_assignment(enrollment, now=timezone.now())
    health = desk.get(url("overview", event)).context["health"]
    assert (health.taken, health.leases) == (1, 1)


def test_a_running_event_shows_the_link_to_share(desk: Client, event: Event) -> None:
    link = f'value="http://testserver{reverse("events:event", args=[event.slug])}"'
    shown = {}
    for state in ("draft", "open", "closed"):
        Event.objects.update(state=state)
        shown[state] = link in desk.get(url("overview", event)).content.decode()
    assert shown == {"draft": False, "open": True, "closed": False}


def test_the_way_to_the_desk_is_on_every_tab_of_an_event(desk: Client, event: Event) -> None:
    tabs = [
        reverse(name, args=[event.slug])
        for name in (
            *("events:event", "events:guidelines"),
            *("leaderboard:board", "leaderboard:contributors", "leaderboard:method"),
        )
    ]
    way = f'href="{url("overview", event)}"'
    visitor = Client()
    assert [tab for tab in tabs if way not in desk.get(tab).content.decode()] == []
    assert [tab for tab in tabs if way in visitor.get(tab).content.decode()] == []


def test_a_page_kept_by_the_browser_gets_the_way_to_the_desk(desk: Client, event: Event) -> None:
    helper = make_user("helper")
    client, board = signed_in(helper), reverse("leaderboard:board", args=[event.slug])
    kept = {"If-None-Match": client.get(board)["ETag"]}
    assert client.get(board, headers=kept).status_code == 304
    make_membership(event, helper)
    assert client.get(board, headers=kept).status_code == 200


def test_every_figure_leads_to_its_list_and_follows(desk: Client, event: Event) -> None:
    make_assignment(make_enrollment(event), now=timezone.now())
    address = url("overview", event)
    part = desk.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert f'hx-get="{address}"' in part
    for figure in part.split("<dt>")[1:]:
        assert figure.lstrip().startswith("<a "), figure
    assert f"{url('records', event)}?show=judging" in part
    Event.objects.update(state="closed")
    assert b"hx-get" not in desk.get(address, headers={"HX-Request": "true"}).content


def test_the_deadline_moves_in_the_events_own_zone(desk: Client, event: Event) -> None:
    Event.objects.update(timezone="Asia/Tokyo")
    desk.post(
        url("state", event), {"to": "extended", "closes_at": "2031-01-01T09:00", "why": "So."}
    )
    event.refresh_from_db()
    assert event.closes_at is not None
    assert event.closes_at.isoformat() == "2031-01-01T00:00:00+00:00"
    past = (timezone.now() - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    page = desk.post(
        url("state", event), {"to": "extended", "closes_at": past, "why": "So."}, follow=True
    )
    assert b"is in the past" in page.content
    desk.post(url("state", event), {"to": "closed", "sure": "yes"})
    event.refresh_from_db()
    assert event.state == "closed"


def test_each_step_of_an_event_says_what_is_so_then(desk: Client, event: Event) -> None:
    Event.objects.update(state="draft")

    def said(to: str, **more: str) -> list[str]:
        posted = {"to": to, "sure": "yes", **more}
        page = desk.post(url("state", event), posted, follow=True)
        return [str(message) for message in page.context["messages"]]

    assert said("open") == ["The event is open."]
    assert said("extended", closes_at="2031-01-01T09:00", why="So.") == [
        "The deadline was changed."
    ]
    assert said("noted", text="Read slowly.") == ["The note is published."]
    assert said("noted", text="") == ["The note was removed."]
    make_assignment(make_enrollment(event), now=timezone.now())
    assert said("closed") == ["The event is closing."]
    Event.objects.update(state="open", closes_at=None)
    Assignment.objects.all().delete()
    assert said("closed") == ["The event is closed."]


def test_closing_says_until_when_screens_may_be_answered(desk: Client, event: Event) -> None:
    make_assignment(make_enrollment(event), now=timezone.now())
    assert b"for 10 minutes" in desk.get(url("overview", event)).content
    page = desk.post(url("state", event), {"to": "closed", "sure": "yes"}, follow=True)
    assert b"may be answered until" in page.content
    event.refresh_from_db()
    assert event.takes_answer(timezone.now())


PAGES = [
    *("overview", "event", "questions", "controls", "seats"),
    *("records", "flags", "comments", "contributors"),
]
FOR_REVIEWERS = ["overview", "records", "flags", "comments", "contributors"]


@pytest.mark.parametrize("name", PAGES)
def test_the_desk_is_there_for_its_people_alone(event: Event, desk: Client, name: str) -> None:
    reviewer, outsider = make_user(), make_user()
    make_membership(event, reviewer)
    make_membership(make_event(), outsider, Membership.Role.ORGANIZER)
    address = url(name, event)
    assert desk.get(address).status_code == 200
    assert signed_in(reviewer).get(address).status_code == (200 if name in FOR_REVIEWERS else 404)
    assert signed_in(outsider).get(address).status_code == 404
    assert signed_in(make_enrollment(event).user).get(address).status_code == 404
    assert Client().get(address).status_code == 302


def test_one_events_desk_reaches_nothing_of_anothers(event: Event, desk: Client) -> None:
    other = make_event()
    make_matchup(other, make_competitors(other, 2))
    record, enrollment = other.records.get(), make_enrollment(other)
    assert desk.get(url("record", event, record.external_id)).status_code == 404
    assert desk.get(url("contributor", event, enrollment.public_id)).status_code == 404
    posted = {"key": other.matchups.get().key, "act": "retire", "reason": "So."}
    mine = event.records.first()
    assert desk.post(url("matchup", event, mine.external_id), posted).status_code == 404
    assert Enrollment.objects.get(pk=enrollment.pk).exclusions.count() == 0


def test_people_sit_in_the_frame_of_the_desk(desk: Client, event: Event) -> None:
    page = desk.get(reverse("events:people", args=[event.slug]))
    assert url("overview", event).encode() in page.content
    assert page.content.count(b'aria-current="true"') == 1
