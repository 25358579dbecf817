"""Appeals: against an exclusion of one's own, answered once, by somebody else, with a reason."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest

from arena.errors import ArenaError, ConflictError, NotFoundError
from arena.events.decision_record import Ruling
from arena.events.models import Act, Decision, Event, Matchup
from arena.judging.models import Appeal, Case, Exclusion, Judgment
from arena.judging.recording import check_answers, exclude_as_late, record_judgment
from arena.judging.review.appeals import (
    answer_appeal,
    find_appealable,
    find_own_decision,
    is_overdue,
    may_answer,
    open_appeal,
    takes_appeals,
)
from arena.judging.review.cases import exclude_on_review, reinstate
from arena.judging.review.exclusions import exclude, exclude_judgments, lift_exclusion
from arena.people.models import User
from tests.factories import (
    NOW,
    make_competitors,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchups,
    make_membership,
    make_user,
)
from tests.threads import parallel_map

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)
DAY = timedelta(days=1)
Reason, State = Exclusion.Reason, Appeal.State
WHY = "I read every word of them."


class Review:
    """An event, whoever decides in it, and a contributor of four judgments, who is excluded."""

    def __init__(self) -> None:
        self.event = make_event(overlap=9)
        make_matchups(self.event, make_competitors(self.event, 2), 6)
        self.rita, self.otto = make_user("rita"), make_user("otto")
        make_membership(self.event, self.rita)
        make_membership(self.event, self.otto, "organizer")
        self.who = make_enrollment(self.event)
        self.judgments = [make_judgment(self.who) for _ in range(4)]

    def exclude(self, confirmed_by: User | None = None) -> Exclusion:
        """Rita excludes the contributor."""
        ruling = Ruling(self.rita, NOW, "No care.", confirmed_by)
        return exclude(self.who, Reason.UNRELIABLE, ruling)

    def appeal(self, exclusion: Exclusion, text: str = WHY) -> Appeal:
        return open_appeal(self.who, exclusion.decision, text, LATER)

    def answer(self, appeal: Appeal, by: User, *, granted: bool, note: str = "We looked.") -> None:
        answer_appeal(appeal, Ruling(by, LATER + DAY, note), granted=granted)
        appeal.refresh_from_db()

    def acts(self) -> list[str]:
        return list(self.event.decisions.values_list("act", flat=True))

    def counted(self) -> int:
        return Judgment.objects.counted().filter(enrollment=self.who).count()


@pytest.fixture
def review() -> Review:
    return Review()


# --- opening ------------------------------------------------------------------------------------
def test_an_exclusion_is_appealed_against_once_at_a_time(review: Review) -> None:
    assert find_appealable(review.who) == []
    exclusion = review.exclude()
    (part,) = find_appealable(review.who)
    assert (part.decision, part.judgments, part.since) == (exclusion.decision, 4, NOW)
    assert part.is_whole
    appeal = review.appeal(exclusion, f"  {WHY}\r\nTwice. ")
    assert (appeal.text, appeal.state, appeal.opened_at) == (f"{WHY}\nTwice.", State.OPEN, LATER)
    with pytest.raises(ConflictError) as refused:
        review.appeal(exclusion)
    assert refused.value.code == "already_open"
    review.answer(appeal, review.otto, granted=False)
    assert review.appeal(exclusion).pk != appeal.pk


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "text_missing"),
        (" \n ", "text_missing"),
        ("x" * 1_001, "text_too_long"),
        ("with\x00zero", "text_invalid"),
    ],
)
def test_a_text_is_one_to_a_thousand_characters(review: Review, text: str, code: str) -> None:
    exclusion = review.exclude()
    with pytest.raises(ArenaError) as refused:
        review.appeal(exclusion, text)
    assert refused.value.code == code
    assert not Appeal.objects.exists()
    # A browser sends two characters for each end of a line, and counts one.
    assert len(review.appeal(exclusion, "x\r\n" * 499 + "xx").text) == 1_000


def test_what_one_decision_chose_is_one_appeal_and_a_revision_is_no_judgment_more(
    review: Review,
) -> None:
    chosen = review.judgments[:2]
    exclude_judgments(chosen, Reason.RIGGING, Ruling(review.rita, NOW, "One model."))
    first = chosen[0]
    assert first.assignment is not None
    revise = check_answers(first.assignment, {"preference": "b1", "comment": ""})
    record_judgment(first.assignment, revise, now=NOW + timedelta(seconds=5), replaces="0")
    (part,) = find_appealable(review.who)
    assert (part.judgments, part.is_whole, part.reason) == (2, False, Reason.RIGGING)
    appeal = open_appeal(review.who, part.decision, WHY, LATER)
    review.answer(appeal, review.otto, granted=True)
    assert review.counted() == 4


def test_nobody_appeals_against_a_late_answer(review: Review) -> None:
    exclude_as_late(review.judgments[0], NOW)
    assert find_appealable(review.who) == []
    with pytest.raises(ConflictError):
        open_appeal(review.who, None, WHY, LATER)


def test_an_exclusion_from_before_decisions_were_recorded_is_appealed_against_as_well(
    review: Review,
) -> None:
    old = {"event": review.event, "created_at": NOW, "created_by": review.rita}
    Exclusion.objects.create(enrollment=review.who, reason=Reason.UNRELIABLE, note="?", **old)
    Exclusion.objects.create(judgment=review.judgments[0], reason=Reason.BROKEN, **old)
    (part,) = find_appealable(review.who)
    assert part.is_whole
    appeal = open_appeal(review.who, find_own_decision(review.who, ""), WHY, LATER)
    assert (may_answer(appeal, review.rita), may_answer(appeal, review.otto)) == (False, True)
    review.answer(appeal, review.otto, granted=True)
    assert (appeal.state, review.acts()) == (State.GRANTED, [Act.APPEAL_GRANTED])
    assert review.counted() == 3


def test_anothers_decision_and_nobodys_are_not_there(review: Review) -> None:
    other = make_enrollment(review.event)
    foreign = exclude(other, Reason.RIGGING, Ruling(review.rita, NOW, "One model.")).decision
    assert foreign is not None
    review.exclude()
    with pytest.raises(NotFoundError):
        open_appeal(review.who, foreign, WHY, LATER)
    for named in (str(foreign.uuid), str(uuid4()), "nonsense", "\x00"):
        with pytest.raises(NotFoundError):
            find_own_decision(review.who, named)
    assert find_own_decision(other, str(foreign.uuid)) == foreign
    assert not Appeal.objects.exists()


def test_what_counts_again_is_not_appealed_against(review: Review) -> None:
    exclusion = review.exclude()
    lift_exclusion(exclusion, Ruling(review.rita, NOW, "A mistake."))
    with pytest.raises(ConflictError) as refused:
        review.appeal(exclusion)
    assert refused.value.code == "not_in_force"


@pytest.mark.parametrize(
    ("state", "published", "in_time"),
    [
        ("open", None, True),
        ("closed", None, True),
        ("published", LATER, True),
        ("published", LATER - 14 * DAY + timedelta(seconds=1), True),
        ("published", LATER - 14 * DAY, False),
        ("published", LATER - 15 * DAY, False),
        ("published", None, False),  # by a release before there were appeals
    ],
)
def test_appeals_end_fourteen_days_after_the_publication(
    review: Review, state: str, published: object, *, in_time: bool
) -> None:
    exclusion = review.exclude()
    Event.objects.filter(pk=review.event.pk).update(state=state, published_at=published)
    review.who.event.refresh_from_db()
    assert takes_appeals(review.who.event, LATER) is in_time
    if in_time:
        assert review.appeal(exclusion).state == State.OPEN
        return
    with pytest.raises(ConflictError) as refused:
        review.appeal(exclusion)
    assert refused.value.code == "appeals_over"


@pytest.mark.django_db(transaction=True)
def test_of_appeals_in_many_tabs_at_once_one_is_there() -> None:
    review = Review()
    exclusion = review.exclude()
    results = parallel_map([partial(review.appeal, exclusion)] * 8, threads=8)
    refused = [one for one in results if isinstance(one, BaseException)]
    assert [type(one) for one in refused] == [ConflictError] * 7
    assert Appeal.objects.count() == 1


# --- answering ----------------------------------------------------------------------------------
def test_declined_it_has_one_decision_and_an_answer(review: Review) -> None:
    appeal = review.appeal(review.exclude())
    review.answer(appeal, review.otto, granted=False, note=" Always left. ")
    assert (appeal.state, appeal.answer) == (State.DECLINED, "Always left.")
    assert (appeal.answered_by, appeal.answered_at) == (review.otto, LATER + DAY)
    assert not appeal.is_answered_by_decider
    assert review.acts() == [Act.EXCLUDED, Act.APPEAL_DECLINED]
    decision = Decision.objects.last()
    assert decision is not None
    assert (decision.contributor, decision.reason) == (review.who.pseudonym, Reason.UNRELIABLE)
    assert review.counted() == 0


def test_granted_it_lifts_what_the_decision_excluded_with_one_decision(review: Review) -> None:
    ruling = Ruling(review.rita, NOW, "No care.")
    exclusion = exclude_on_review(review.who, Reason.UNRELIABLE, ruling)
    appeal = review.appeal(exclusion)
    review.answer(appeal, review.otto, granted=True)
    assert (appeal.state, appeal.answer) == (State.GRANTED, "We looked.")
    assert review.acts() == [Act.EXCLUDED, Act.APPEAL_GRANTED]
    assert review.counted() == 4
    assert Case.objects.get().state == Case.State.REINSTATED
    with pytest.raises(ConflictError) as refused:
        review.answer(appeal, review.otto, granted=False)
    assert refused.value.code == "already_answered"
    assert len(review.acts()) == 2


def test_without_a_reason_or_with_an_address_in_it_nothing_happens(review: Review) -> None:
    appeal = review.appeal(review.exclude())
    for note in ("", "  ", "Write to otto@mail.example."):
        for granted in (True, False):
            with pytest.raises(ArenaError):
                review.answer(appeal, review.otto, granted=granted, note=note)
    appeal.refresh_from_db()
    assert (appeal.state, review.counted(), len(review.acts())) == (State.OPEN, 0, 1)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_answer_at_once_one_does() -> None:
    review = Review()
    appeal = review.appeal(review.exclude())

    def answer(granted: bool) -> None:
        own = Appeal.objects.get(pk=appeal.pk)
        answer_appeal(own, Ruling(review.otto, LATER, "We looked."), granted=granted)

    def lift() -> None:
        reinstate(Exclusion.objects.get(), Ruling(review.rita, LATER, "A mistake."))

    calls: list[Callable[[], None]] = [partial(answer, n % 2 == 0) for n in range(6)]
    results = parallel_map([*calls, lift, lift], threads=8)
    assert {type(one) for one in results} <= {type(None), ConflictError}
    appeal.refresh_from_db()
    assert appeal.state != State.OPEN
    assert len(review.acts()) == 2 + (appeal.state == State.DECLINED and review.counted() == 4)


def test_who_is_reinstated_otherwise_has_their_appeal_granted(review: Review) -> None:
    exclusion = review.exclude()
    appeal = review.appeal(exclusion)
    reinstate(exclusion, Ruling(review.rita, LATER, "A mistake."))
    appeal.refresh_from_db()
    assert (appeal.state, appeal.answer, appeal.answered_by) == (State.GRANTED, "", review.rita)
    assert review.acts() == [Act.EXCLUDED, Act.REINSTATED]


def test_lifting_something_else_leaves_an_appeal_open(review: Review) -> None:
    single = exclude(review.judgments[0], Reason.BROKEN, Ruling(review.rita, NOW, "Cut off."))
    appeal = review.appeal(review.exclude())
    lift_exclusion(single, Ruling(review.otto, LATER, "It is not."))
    appeal.refresh_from_db()
    assert appeal.state == State.OPEN


# --- who answers --------------------------------------------------------------------------------
def allowed(appeal: Appeal, *people: User) -> list[bool]:
    return [may_answer(appeal, one) for one in people]


def test_somebody_other_than_who_decided_answers(review: Review) -> None:
    appeal = review.appeal(review.exclude())
    reader, stranger = make_user(), make_user()
    make_membership(review.event, reader, "reader")
    people = (review.rita, review.otto, reader, stranger)
    assert allowed(appeal, *people) == [False, True, False, False]
    for one in (review.rita, reader, stranger):
        with pytest.raises(ConflictError) as refused:
            review.answer(appeal, one, granted=True)
        assert refused.value.code == "may_not_answer"
    assert review.counted() == 0


def test_who_proposed_and_who_confirmed_have_both_decided(review: Review) -> None:
    third = make_user()
    membership = make_membership(review.event, third)
    appeal = review.appeal(review.exclude(confirmed_by=review.otto))
    assert allowed(appeal, review.rita, review.otto, third) == [False, False, True]
    membership.delete()  # then whoever only confirmed
    assert allowed(appeal, review.rita, review.otto, third) == [False, True, False]
    review.answer(appeal, review.otto, granted=False)
    assert appeal.is_answered_by_decider


def test_where_nobody_else_is_left_the_decider_answers_and_it_is_kept(review: Review) -> None:
    appeal = review.appeal(review.exclude())
    review.event.memberships.filter(user=review.otto).delete()
    assert allowed(appeal, review.rita, review.otto) == [True, False]
    review.answer(appeal, review.rita, granted=True)
    assert appeal.is_answered_by_decider
    assert review.acts() == [Act.EXCLUDED, Act.APPEAL_GRANTED]


def test_whoever_judges_in_the_event_answers_nothing(review: Review) -> None:
    appeal = review.appeal(review.exclude())
    make_enrollment(review.event, review.otto)
    assert allowed(appeal, review.otto) == [False]


def test_anybody_of_the_staff_answers_for_the_events_own_rule(review: Review) -> None:
    exclusion = exclude(review.who, Reason.UNRELIABLE, Ruling(None, NOW, "By the rule."))
    assert allowed(review.appeal(exclusion), review.rita, review.otto) == [True, True]


def test_an_appeal_is_overdue_after_seven_days(review: Review) -> None:
    appeal = review.appeal(review.exclude())
    for days, overdue in ((6.9, False), (7, True)):
        now = LATER + days * DAY
        assert is_overdue(appeal, now) is overdue
        assert Appeal.objects.overdue(now).exists() is overdue
    review.answer(appeal, review.otto, granted=False)
    assert not is_overdue(appeal, LATER + 9 * DAY)
    assert not Appeal.objects.overdue(LATER + 9 * DAY).exists()


def test_a_slot_comes_back_with_what_is_granted(review: Review) -> None:
    def open_slots() -> int:
        return sum(Matchup.objects.values_list("open_slots", flat=True))

    before = open_slots()
    appeal = review.appeal(review.exclude())
    assert open_slots() == before + 6  # two of them reserved
    review.answer(appeal, review.otto, granted=True)
    assert open_slots() == before
