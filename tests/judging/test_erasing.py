"""Leave and erase: nothing that tells who it was is left, and no board changes."""

import logging
from datetime import timedelta

import pytest
from django.apps import apps
from django.test import Client

from arena.errors import ConflictError
from arena.events.decision_record import Ruling
from arena.events.joining.enrolling import join_event, provision_event_seats
from arena.events.lifecycle.decisions import Plan, decline, propose
from arena.events.models import Act, Decision, Enrollment, Event, Membership, Proposal
from arena.judging.leaving.erasure import erase_contributor, finish_erasures
from arena.judging.leaving.repeating import repeat_erasures
from arena.judging.ledger import seal_event, verify_ledger
from arena.judging.models import (
    Answer,
    Appeal,
    Assignment,
    Case,
    Exclusion,
    Flag,
    Judgment,
    ReviewWarning,
)
from arena.judging.recording import check_answers, record_judgment
from arena.judging.review.appeals import answer_appeal, open_appeal
from arena.judging.review.cases import exclude_on_review, warn
from arena.judging.skipping import flag_assignment
from arena.people.erasures import ErasureNotes, digest_account
from arena.people.models import Seat, User
from tests.factories import (
    NOW,
    make_assignment,
    make_competitors,
    make_event,
    make_judgment,
    make_matchups,
    make_membership,
    make_user,
)

SEEDED = ("quixotic-walrus", "walrus@example.org", "octowalrus", "Sir Walrus", "I hail from Hull")


def everything() -> str:
    """Every value of every row of every table."""
    rows = [
        repr(row)
        for model in apps.get_models(include_auto_created=True)
        for row in model._base_manager.values_list()
    ]
    sessions = apps.get_model("sessions", "Session").objects.all()
    return "\n".join([*rows, *(str(session.get_decoded()) for session in sessions)])


@pytest.fixture
def event(db: None) -> Event:
    event = make_event("fair")
    pair = make_competitors(event, 2)
    make_matchups(event, pair, 6)
    return event


@pytest.fixture
def walrus(event: Event) -> User:
    """Somebody with every kind of trace: address, identity, name, comments, a flag, sessions."""
    user = make_user(SEEDED[0], email=SEEDED[1], display_name=SEEDED[3])
    user.emailaddress_set.create(email=SEEDED[1], verified=True, primary=True)
    user.socialaccount_set.create(
        provider="github", uid="7", extra_data={"login": SEEDED[2], "name": SEEDED[3]}
    )
    enrollment = join_event(user, event, NOW, terms=1)
    enrollment.guidelines = event.guidelines.latest()
    enrollment.save()
    first = make_judgment(enrollment, comment=SEEDED[4])
    revise = check_answers(first.assignment, {"preference": "b1", "comment": f"No, {SEEDED[4]}"})
    record_judgment(first.assignment, revise, now=NOW + timedelta(seconds=5), replaces="0")
    flag_assignment(make_assignment(enrollment), Flag.Reason.OTHER, SEEDED[4], now=NOW)
    make_judgment(enrollment)
    make_assignment(enrollment)  # left open
    return user


def test_nothing_of_the_person_is_left(
    client: Client, walrus: User, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture
) -> None:
    for login in SEEDED[:2]:
        response = Client().post("/account/login/", {"login": login, "password": "correct horse"})
        assert response.status_code == 302
    before = everything()
    for trace in SEEDED:
        assert trace in before
    client.force_login(walrus)
    with caplog.at_level(logging.DEBUG):
        response = client.post("/account/leave/", {"sure": "yes"})
    assert response.headers["Location"] == "/"
    after = everything() + caplog.text + "".join(capfd.readouterr())
    for trace in SEEDED:
        assert trace not in after
    assert "_auth_user_id" not in client.session


def test_judgments_and_the_ledger_stay_as_they_were(event: Event, walrus: User) -> None:
    seal_event(event.pk, NOW)

    def figures() -> list[tuple[object, ...]]:
        answers = Answer.objects.filter(
            judgment__in=Judgment.objects.counted(), outcome__isnull=False
        )
        return list(
            answers.order_by("pk").values_list(
                "judgment__enrollment__pseudonym", "first_id", "outcome", "judgment__ledger_seq"
            )
        )

    before = figures()
    assert len(before) == 2
    erase_contributor(walrus, NOW)
    assert figures() == before
    assert verify_ledger(event.pk) is None


def test_the_enrollment_is_nobodys_and_its_leases_are_free(event: Event, walrus: User) -> None:
    open_slots = sum(event.matchups.values_list("open_slots", flat=True))
    erase_contributor(walrus, NOW)
    enrollment = Enrollment.objects.get()
    assert (enrollment.user, enrollment.left_at) == (None, NOW)
    assert not Assignment.objects.live().exists()
    assert sum(event.matchups.values_list("open_slots", flat=True)) > open_slots


def test_a_seat_goes_with_its_account(event: Event) -> None:
    provision_event_seats(event, 2, Seat.Kind.PRINTED, NOW)
    erase_contributor(Seat.objects.all()[0].user, NOW)
    assert Seat.objects.count() == 1


def test_others_keep_what_is_theirs(event: Event, walrus: User) -> None:
    other = join_event(make_user(), event, NOW, terms=1)
    other.guidelines = event.guidelines.latest()
    other.save()
    make_judgment(other, comment="Mine.")
    erase_contributor(walrus, NOW)
    assert Answer.objects.filter(value={"text": "Mine."}).count() == 1
    other.refresh_from_db()
    assert other.user is not None


def test_an_answer_that_arrives_meanwhile_is_emptied_later(event: Event, walrus: User) -> None:
    enrollment = Enrollment.objects.get()
    assignment = Assignment.objects.live().get()
    answers = check_answers(assignment, {"preference": "a1", "comment": SEEDED[4]})
    erase_contributor(walrus, NOW)
    record_judgment(assignment, answers, now=NOW)
    assert Answer.objects.filter(value={"text": SEEDED[4]}).exists()
    assert finish_erasures(NOW + timedelta(minutes=10)) == 1
    assert not Answer.objects.filter(value={"text": SEEDED[4]}).exists()
    assert enrollment.judgments.standing().count() == 3


# --- what was written in reviews ----------------------------------------------------------------
def review(event: Event, enrollment: Enrollment) -> Appeal:
    """A warning, an exclusion with its case, and an appeal against it."""
    rita = make_user("rita")
    make_membership(event, rita)
    case = {"event": event, "enrollment": enrollment, "reason": "gap", "opened_at": NOW}
    warn(Case.objects.create(**case), Ruling(rita, NOW, SEEDED[4]), SEEDED[4])
    ruling = Ruling(rita, NOW, f"{SEEDED[4]}, twice")
    exclusion = exclude_on_review(enrollment, Exclusion.Reason.UNRELIABLE, ruling)
    return open_appeal(enrollment, exclusion.decision, SEEDED[4], NOW)


def review_texts() -> set[str]:
    """Every text of reviews, the record of decisions left out."""
    columns = [(Appeal, "text"), (Appeal, "answer"), (ReviewWarning, "text"), (Case, "note")]
    columns += [(Exclusion, "note"), (Proposal, "note")]
    return {text for model, name in columns for text in model.objects.values_list(name, flat=True)}


def test_texts_of_reviews_go_and_decisions_and_what_counts_stay(event: Event, walrus: User) -> None:
    enrollment = Enrollment.objects.get()
    review(event, enrollment)
    waiting = propose(
        event,
        Plan(Act.EXCLUDED, f"contributor {enrollment.pk}", {}),
        Ruling(User.objects.get(username="rita"), NOW, "To be confirmed."),
    )
    assert review_texts() >= {SEEDED[4], f"{SEEDED[4]}, twice", "To be confirmed."}
    decisions = list(Decision.objects.order_by("pk").values())
    assert len(decisions) == 2
    erase_contributor(walrus, NOW)
    assert review_texts() == {"", "To be confirmed."}
    assert list(Decision.objects.order_by("pk").values()) == decisions
    assert enrollment.exclusions.in_force().exists()
    # Once it is answered, nobody needs it either.
    decline(waiting, by=User.objects.get(username="rita"), now=NOW)
    finish_erasures(NOW + timedelta(minutes=10))
    assert review_texts() == {""}


def test_an_appeal_that_arrives_meanwhile_is_emptied_later(event: Event, walrus: User) -> None:
    enrollment = Enrollment.objects.get()
    appeal = review(event, enrollment)
    erase_contributor(walrus, NOW)
    Appeal.objects.filter(pk=appeal.pk).update(text=SEEDED[4])
    assert finish_erasures(NOW + timedelta(minutes=10)) == 1
    assert review_texts() == {""}


def test_texts_of_reviews_that_a_dump_brings_back_go_again(event: Event, walrus: User) -> None:
    review(event, Enrollment.objects.get())
    assert SEEDED[4] in review_texts()
    key = "00" * 32
    notes = ErasureNotes(key, frozenset({digest_account(key, walrus.pk, walrus.date_joined)}))
    assert repeat_erasures(notes, NOW).erased == 1
    assert review_texts() == {""}


def test_an_appeal_of_somebody_who_left_is_answered_without_a_word_to_them(
    event: Event, walrus: User
) -> None:
    appeal = review(event, Enrollment.objects.get())
    otto = make_user("otto")
    make_membership(event, otto, Membership.Role.ORGANIZER)
    erase_contributor(walrus, NOW)
    appeal = Appeal.objects.get(pk=appeal.pk)
    answer_appeal(appeal, Ruling(otto, NOW + timedelta(days=1), "We looked."), granted=True)
    appeal.refresh_from_db()
    assert (appeal.state, appeal.answer) == (Appeal.State.GRANTED, "")
    assert Judgment.objects.counted().count() == 2


def test_the_only_organizer_hands_over_first(client: Client, event: Event, walrus: User) -> None:
    mine = make_membership(make_event("mine"), walrus, Membership.Role.ORGANIZER).event
    with pytest.raises(ConflictError) as refused:
        erase_contributor(walrus, NOW)
    assert refused.value.code == "sole_organizer"
    client.force_login(walrus)
    page = client.post("/account/leave/", {"sure": "yes"})
    assert "only organizer" in page.content.decode()
    assert User.objects.filter(pk=walrus.pk).exists()
    make_membership(mine, make_user(), Membership.Role.ORGANIZER)
    erase_contributor(walrus, NOW)
    assert not User.objects.filter(pk=walrus.pk).exists()


def test_without_the_box_nothing_happens(client: Client, walrus: User) -> None:
    client.force_login(walrus)
    assert "2 judgments" in client.get("/account/leave/").content.decode()
    assert client.post("/account/leave/").status_code == 422
    assert User.objects.filter(pk=walrus.pk).exists()


def test_strangers_are_sent_to_sign_in(client: Client, db: None) -> None:
    assert client.get("/account/leave/").status_code == 302
    assert client.post("/account/leave/", {"sure": "yes"}).status_code == 302


def test_my_page_leads_there(client: Client, event: Event, walrus: User) -> None:
    client.force_login(walrus)
    for url in ("/events/fair/me/", "/account/seat/"):
        assert 'href="/account/leave/"' in client.get(url).content.decode()
