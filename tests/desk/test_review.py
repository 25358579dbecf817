"""The review queue and the page of a case: what is listed in which order, and deciding it."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from arena.events.decision_record import Ruling, name_staff
from arena.events.lifecycle.decisions import Plan, propose
from arena.events.models import Act, Decision, Enrollment, Event
from arena.judging.models import Appeal, Case, Exclusion, Judgment, ReviewWarning
from arena.judging.review.cases import dismiss, exclude_on_review
from arena.people.models import User
from tests.desk.cast import signed_in, url
from tests.factories import (
    NOW,
    make_enrollment,
    make_event,
    make_judgment,
    make_membership,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
State, Reason = Case.State, Case.Reason
GAP = {"on_controls": 1.02, "on_others": 0.1, "controls": 12}


def open_case(
    who: Enrollment, reason: str = Reason.GAP, opened_at: datetime = NOW, **found: object
) -> Case:
    return Case.objects.create(
        event=who.event,
        enrollment=who,
        reason=reason,
        evidence=found or GAP,
        judgments=3,
        opened_at=opened_at,
    )


class Scene:
    """Three open cases, the oldest first, and a reviewer who looks at them."""

    def __init__(self, event: Event) -> None:
        self.event = event
        self.people = [make_enrollment(event) for _ in range(3)]
        for who in self.people:
            for minute in range(3):
                make_judgment(who, now=NOW + timedelta(minutes=minute))
        self.cases = [
            open_case(who, opened_at=NOW + timedelta(hours=hour))
            for hour, who in enumerate(self.people)
        ]
        self.reviewer = make_user("rita")
        make_membership(event, self.reviewer)
        self.client = signed_in(self.reviewer)

    def case(self, index: int = 0) -> Case:
        return Case.objects.get(pk=self.cases[index].pk)

    def page(self, case: Case, query: str = "") -> str:
        response = self.client.get(url("case", self.event, case.uuid) + query)
        assert response.status_code == 200
        return words(response)

    def queue(self, query: str = "") -> str:
        response = self.client.get(url("review", self.event) + query)
        assert response.status_code == 200
        return words(response)

    def decide(self, case: Case, act: str, note: str = "Looked at.", **said: object) -> str:
        """What the page after the decision says."""
        return words(self.post(case, act, note, **said))

    def post(
        self, case: Case, act: str, note: str = "Looked at.", query: str = "", **said: object
    ) -> HttpResponse:
        address = url("case", self.event, case.uuid) + query
        seen = self.client.get(address).context["seen"]
        fields = {"act": act, "note": note, "seen": seen} | said
        return self.client.post(address, fields, follow=True)


def words(response: HttpResponse) -> str:
    return " ".join(response.content.decode().split())


@pytest.fixture
def scene(event: Event) -> Scene:
    return Scene(event)


def in_order(page: str, *found: str) -> bool:
    places = [page.index(word) for word in found]
    return places == sorted(places)


# --- the queue --------------------------------------------------------------------------------


def test_the_queue_lists_what_waits_and_narrows_it(scene: Scene) -> None:
    names = [who.pseudonym for who in scene.people]
    page = scene.queue()
    assert in_order(page, *names)
    assert "Reliability is 1.02 on controls and 0.10 on all else, after 12 controls." in page
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


# --- deciding -----------------------------------------------------------------------------------


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
