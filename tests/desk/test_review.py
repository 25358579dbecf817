"""The review queue: what is listed, in which order, and for whom."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from arena.events.decision_record import Ruling
from arena.events.lifecycle.decisions import Plan, propose
from arena.events.models import Act, Event
from arena.judging.models import Appeal, Case, Exclusion
from arena.judging.review.cases import dismiss, exclude_on_review
from arena.people.models import User
from leaderboard.models import CaseEffect
from tests.desk.cast import signed_in, url
from tests.desk.review_scene import Scene, in_order, open_case, words
from tests.factories import (
    NOW,
    make_enrollment,
    make_event,
    make_judgment,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
State, Reason = Case.State, Case.Reason


@pytest.fixture
def scene(event: Event) -> Scene:
    return Scene(event)


def test_the_queue_lists_what_waits_and_narrows_it(scene: Scene) -> None:
    names = [who.pseudonym for who in scene.people]
    page = scene.queue()
    assert in_order(page, *names)
    assert "reliability 0.10 there" in page
    other = open_case(scene.people[0], Reason.SIDES, side_evidence=20.0)
    page = scene.queue("?reason=sides")
    assert names[0] in page
    assert names[1] not in page
    dismiss(other, Ruling(scene.reviewer, NOW, "Left-handed."))
    assert "No case with this reason is open." in scene.queue("?reason=sides")
    page = scene.queue("?show=decided")
    assert "Left-handed." in page
    assert "by rita" in page
    assert names[1] not in page
    assert names[1] in scene.queue("?reason=nonsense&show=nonsense&page=99")


def test_cases_are_in_the_order_of_what_hangs_on_them(scene: Scene) -> None:
    """What nobody has weighed yet comes last."""
    for case, priority, on_first in ((scene.cases[1], 2.0, 0.3), (scene.cases[2], 9.0, 1.0)):
        CaseEffect.objects.create(case=case, priority=priority, evidence=9.0, on_first=on_first)
    names = [who.pseudonym for who in scene.people]
    page = scene.queue()
    assert in_order(page, names[2], "another model is first", names[1], names[0])
    assert scene.page(scene.case(2)).count("1 of 3") == 1


def test_an_empty_queue_says_so(event: Event, desk: Client) -> None:
    for query, said in (
        ("", "Nothing to review"),
        ("?show=mine", "Nothing waits for your confirmation."),
        ("?show=decided", "No case has been decided yet."),
    ):
        assert said in words(desk.get(url("review", event) + query))


def test_appeals_head_the_queue_and_proposals_follow(
    scene: Scene, organizer: User, desk: Client
) -> None:
    whom = make_enrollment(scene.event)
    make_judgment(whom)
    exclusion = exclude_on_review(whom, Exclusion.Reason.UNRELIABLE, Ruling(organizer, NOW, "No."))
    appeal = Appeal.objects.create(
        event=scene.event,
        enrollment=whom,
        decision=exclusion.decision,
        text="I did read them.",
        opened_at=timezone.now() - timedelta(days=8),
    )
    proposal = propose(
        scene.event,
        Plan(Act.WINNER_CONFIRMED, "winner", {"contributor": scene.people[2].pk}),
        Ruling(organizer, NOW, "The best of all."),
    )
    page = scene.queue()
    assert in_order(page, "I did read them.", "The best of all.", scene.people[0].pseudonym)
    assert "Unanswered for 8 days" in page
    assert url("case", scene.event, Case.objects.get(enrollment=whom).uuid) in page
    mine = scene.queue("?show=mine")
    assert url("proposal", scene.event, proposal.uuid) in mine
    assert scene.people[0].pseudonym not in mine
    # Its author cannot confirm it, and finds it at the end.
    assert "Nothing waits" in words(desk.get(url("review", scene.event) + "?show=mine"))
    own = words(desk.get(url("review", scene.event)))
    assert in_order(own, scene.people[0].pseudonym, "The best of all.")
    assert "Waits for somebody else" in own
    Appeal.objects.filter(pk=appeal.pk).update(opened_at=timezone.now())
    assert "Unanswered" not in scene.queue()


def test_an_appeal_without_a_case_leads_to_its_author(scene: Scene) -> None:
    whom = scene.people[0]
    Appeal.objects.create(event=scene.event, enrollment=whom, text="Why?", opened_at=NOW)
    assert url("contributor", scene.event, whom.public_id) in scene.queue()


def test_the_queue_takes_as_many_statements_for_many_as_for_few(scene: Scene) -> None:
    with CaptureQueriesContext(connection) as few:
        scene.queue()
    for _ in range(30):
        open_case(make_enrollment(scene.event))
    with CaptureQueriesContext(connection) as many:
        page = scene.queue()
    assert "Page 1 of 2" in page
    assert len(many) == len(few) <= 20


def test_a_case_takes_as_many_statements_for_many_judgments_as_for_few(scene: Scene) -> None:
    address = url("case", scene.event, scene.cases[0].uuid)
    with CaptureQueriesContext(connection) as few:
        scene.client.get(address)
    for minute in range(3):
        make_judgment(scene.people[0], now=NOW + timedelta(hours=1, minutes=minute))
    for _ in range(5):
        open_case(make_enrollment(scene.event))
    with CaptureQueriesContext(connection) as many:
        scene.client.get(address)
    assert len(many) == len(few) <= 40


# --- who ----------------------------------------------------------------------------------------


def test_cases_are_for_staff_who_do_not_judge_here(scene: Scene) -> None:
    names = [("review",), ("decisions",), ("case", scene.cases[0].uuid)]
    addresses = [url(name, scene.event, *args) for name, *args in names]
    assert {scene.client.get(address).status_code for address in addresses} == {200}
    subject, outsider = signed_in(scene.people[0].user), signed_in(make_user())
    for client in (subject, outsider):
        assert {client.get(address).status_code for address in addresses} == {404}
    make_enrollment(scene.event, scene.reviewer)
    assert {scene.client.get(address).status_code for address in addresses} == {404}
    fields = {"act": "dismiss", "note": "I like myself."}
    assert scene.client.post(addresses[2], fields).status_code == 404
    assert scene.case().state == State.OPEN


def test_a_case_of_another_event_is_not_there(scene: Scene) -> None:
    foreign = open_case(make_enrollment(make_event()))
    address = url("case", scene.event, foreign.uuid)
    assert scene.client.get(address).status_code == 404
    assert scene.client.post(address, {"act": "dismiss", "note": "No."}).status_code == 404


def test_no_page_holds_an_address(scene: Scene) -> None:
    scene.reviewer.username = scene.reviewer.email = "rita@mail.example"
    scene.reviewer.save()
    make_enrollment(scene.event, make_user("joe@mail.example"))
    scene.decide(scene.case(), "dismiss")
    shown = [scene.queue("?show=decided"), scene.page(scene.case())]
    shown.append(words(scene.client.get(url("decisions", scene.event))))
    for page in shown:
        main = page.split("<main")[1]
        assert "rita" in main
        assert "mail.example" not in main
