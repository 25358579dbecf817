"""The page of a case, on which it is decided and undone, and the record of decisions."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from arena.events.decision_record import Ruling, name_staff
from arena.events.models import Act, Decision, Enrollment, Event
from arena.judging.models import Case, Exclusion, Judgment, ReviewWarning
from arena.judging.review.cases import dismiss
from arena.people.models import User
from tests.desk.cast import url
from tests.desk.review_scene import Scene, in_order, open_case, words
from tests.factories import (
    NOW,
    make_judgment,
)

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
State, Reason = Case.State, Case.Reason


@pytest.fixture
def scene(event: Event) -> Scene:
    return Scene(event)


def test_a_dismissed_case_leads_to_the_next_one(scene: Scene) -> None:
    page = scene.page(scene.case())
    assert "1 of 3" in page
    assert url("case", scene.event, scene.cases[1].uuid) in page
    response = scene.post(scene.case(), "dismiss", "Their own taste.")
    assert response.redirect_chain[0][0].startswith(url("case", scene.event, scene.cases[1].uuid))
    assert f"{scene.people[0].pseudonym}: Dismissed." in words(response)
    decision = Decision.objects.get()
    assert (decision.act, decision.note) == (Act.DISMISSED, "Their own taste.")
    assert (decision.contributor, decision.reason) == (scene.people[0].pseudonym, Reason.GAP)
    assert len(decision.seen) == 64
    scene.decide(scene.case(1), "dismiss")
    response = scene.post(scene.case(2), "dismiss")
    assert response.redirect_chain[0][0].startswith(url("review", scene.event))
    assert "Nothing to review" in words(response)


def test_what_narrows_the_queue_stays_from_case_to_case(scene: Scene) -> None:
    others = [open_case(who, Reason.SIDES, side_evidence=9.0) for who in scene.people[:2]]
    page = scene.page(others[0], "?reason=sides")
    assert "1 of 2" in page
    response = scene.post(others[0], "dismiss", query="?reason=sides")
    address = response.redirect_chain[0][0]
    assert address.startswith(url("case", scene.event, others[1].uuid))
    assert "reason=sides" in address


def test_undo_opens_it_again(scene: Scene) -> None:
    scene.decide(scene.case(), "dismiss")
    address = url("case", scene.event, scene.cases[0].uuid)
    page = words(scene.client.post(address, {"act": "undo"}, follow=True))
    assert "The case is open again." in page
    assert scene.case().state == State.OPEN
    assert [one.act for one in Decision.objects.all()] == [Act.DISMISSED, Act.REOPENED]
    page = words(scene.client.post(address, {"act": "undo"}, follow=True))
    assert "There is nothing to undo." in page


def test_undoing_somebody_elses_decision_wants_a_reason(
    scene: Scene, organizer: User, desk: Client
) -> None:
    dismiss(scene.case(), Ruling(organizer, NOW, "Fine."))
    address = url("case", scene.event, scene.cases[0].uuid)
    assert "Say why." in words(scene.client.post(address, {"act": "undo"}, follow=True))
    assert scene.case().state == State.DISMISSED
    scene.client.post(address, {"act": "undo", "note": "Look again."})
    assert scene.case().state == State.OPEN


@pytest.mark.parametrize("note", ["", "  ", "Ask anna@mail.example."])
def test_a_reason_is_wanted_and_kept_on_the_page(scene: Scene, note: str) -> None:
    response = scene.post(scene.case(), "dismiss", note)
    assert response.status_code == 422
    assert "Not decided" in words(response)
    assert note.strip() in response.content.decode()
    assert scene.case().state == State.OPEN
    assert not Decision.objects.exists()


@pytest.mark.parametrize("forge", ["", "nonsense", "another"])
def test_whoever_has_not_seen_the_page_decides_nothing(scene: Scene, forge: str) -> None:
    address = url("case", scene.event, scene.cases[0].uuid)
    seen = forge
    if forge == "another":
        other = scene.client.get(url("case", scene.event, scene.cases[1].uuid))
        seen = other.context["seen"]
    fields = {"act": "dismiss", "note": "Fine.", "seen": seen}
    response = scene.client.post(address, fields)
    assert response.status_code == 422
    assert "Look at the case again" in words(response)
    assert scene.case().state == State.OPEN


def test_the_digest_follows_from_what_is_shown(scene: Scene) -> None:
    scene.decide(scene.case(), "dismiss")
    scene.client.post(url("case", scene.event, scene.cases[0].uuid), {"act": "undo"})
    scene.decide(scene.case(), "dismiss")
    make_judgment(scene.people[0], now=NOW + timedelta(hours=1))
    scene.client.post(url("case", scene.event, scene.cases[0].uuid), {"act": "undo"})
    scene.decide(scene.case(), "dismiss")
    first, again, later = Decision.objects.filter(act=Act.DISMISSED).values_list("seen", flat=True)
    assert first == again != later


def test_a_warned_person_has_a_warning_to_read(scene: Scene) -> None:
    scene.decide(scene.case(), "warn", text="Please read both answers.")
    warning = ReviewWarning.objects.get()
    assert warning.text == "Please read both answers."
    assert Enrollment.objects.get(pk=scene.people[0].pk).has_warning
    assert Judgment.objects.counted().filter(enrollment=scene.people[0]).count() == 3


def test_a_blocked_person_judges_no_more(scene: Scene) -> None:
    assert "Blocked" in scene.decide(scene.case(), "block")
    assert Enrollment.objects.get(pk=scene.people[0].pk).blocked_at is not None
    assert "Blocked" in scene.page(scene.case())


def test_excluding_everything(scene: Scene) -> None:
    page = scene.decide(scene.case(), "exclude", scope="all")
    assert "Excluded. Boards update within seconds." in page
    assert not Judgment.objects.counted().filter(enrollment=scene.people[0]).exists()
    assert Decision.objects.get().judgments == 3


def test_excluding_from_a_moment_on_blocks_too_and_is_one_decision(scene: Scene) -> None:
    zone = scene.event.zone()
    since = (NOW + timedelta(minutes=1)).astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S")
    scene.decide(scene.case(), "exclude", scope="since", since=since)
    counted = Judgment.objects.counted().filter(enrollment=scene.people[0])
    assert counted.count() == 1
    decision = Decision.objects.get()
    assert (decision.act, decision.judgments) == (Act.EXCLUDED, 2)
    assert decision.new == {"since": (NOW + timedelta(minutes=1)).astimezone(zone).isoformat()}
    assert Enrollment.objects.get(pk=scene.people[0].pk).blocked_at == decision.made_at
    scene.client.post(url("case", scene.event, scene.cases[0].uuid), {"act": "undo"})
    assert counted.count() == 3
    assert Enrollment.objects.get(pk=scene.people[0].pk).blocked_at is None
    assert scene.case().state == State.OPEN


def test_excluding_from_a_moment_on_wants_the_moment(scene: Scene) -> None:
    response = scene.post(scene.case(), "exclude", scope="since")
    assert "Say from when on." in words(response)
    response = scene.post(scene.case(), "exclude", scope="since", since="2031-01-01T00:00:00")
    assert "Choose judgments that count." in words(response)
    assert not Exclusion.objects.exists()
    assert Enrollment.objects.get(pk=scene.people[0].pk).blocked_at is None


def test_excluding_chosen_judgments(scene: Scene) -> None:
    mine = list(Judgment.objects.filter(enrollment=scene.people[0]).order_by("pk"))
    foreign = Judgment.objects.filter(enrollment=scene.people[1]).first()
    assert foreign is not None
    picked = [mine[0].uuid, mine[2].uuid, foreign.uuid]
    scene.decide(scene.case(), "exclude", scope="chosen", judgments=picked)
    left = Judgment.objects.counted().filter(enrollment=scene.people[0])
    assert list(left) == [mine[1]]
    assert Judgment.objects.counted().filter(enrollment=scene.people[1]).count() == 3
    assert Decision.objects.get().judgments == 2


def test_choosing_none_is_told(scene: Scene) -> None:
    response = scene.post(scene.case(), "exclude", scope="chosen")
    assert "Tick the judgments" in words(response)
    bad = scene.post(scene.case(), "exclude", scope="chosen", judgments=["nonsense"])
    assert "Tick the judgments" in words(bad)
    assert scene.case().state == State.OPEN


def test_two_reviewers_decide_it_once(scene: Scene, desk: Client) -> None:
    address = url("case", scene.event, scene.cases[0].uuid)
    seen = scene.client.get(address).context["seen"]
    scene.client.post(address, {"act": "dismiss", "note": "Fine.", "seen": seen})
    late = desk.post(address, {"act": "block", "note": "Bad.", "seen": seen})
    assert late.status_code == 422
    assert "decided already" in words(late)
    assert scene.case().state == State.DISMISSED
    assert Enrollment.objects.get(pk=scene.people[0].pk).blocked_at is None


def test_once_it_is_over_nobody_is_warned_or_blocked(scene: Scene) -> None:
    Event.objects.filter(pk=scene.event.pk).update(state=Event.State.CLOSED)
    page = scene.page(scene.case())
    assert "decide-exclude" in page
    assert "decide-warn" not in page
    assert "decide-block" not in page
    assert "to come" not in page
    response = scene.post(scene.case(), "block")
    assert response.status_code == 404


def test_the_history_names_staff_by_both_names(scene: Scene) -> None:
    scene.decide(scene.case(), "dismiss", "Their own taste.")
    page = scene.page(scene.case())
    assert f"{name_staff(scene.event, scene.reviewer)} (rita)" in page
    assert "Their own taste." in page


def test_the_record_of_decisions_has_all_of_them(scene: Scene) -> None:
    assert "Nothing has been decided yet." in words(scene.client.get(url("decisions", scene.event)))
    scene.decide(scene.case(), "dismiss", "One.")
    scene.decide(scene.case(1), "exclude", "Two.", scope="all")
    page = words(scene.client.get(url("decisions", scene.event)))
    assert in_order(page, "Two.", "One.")
    assert "3 judgments" in page
    assert "Not reliable enough" in page
    with CaptureQueriesContext(connection) as few:
        scene.client.get(url("decisions", scene.event))
    scene.decide(scene.case(2), "block", "Three.")
    with CaptureQueriesContext(connection) as many:
        scene.client.get(url("decisions", scene.event))
    assert len(few) == len(many)
