"""An event in which everything that an export tells apart has happened once."""

from collections.abc import Iterator

from arena.events.decision_record import Ruling
from arena.events.lifecycle.registration.writing import register
from arena.events.models import Category, Enrollment, Event, Matchup, Response
from arena.exports.formats import FORMATS
from arena.judging.ledger import seal_event
from arena.judging.models import Answer, Assignment, Exclusion, Judgment, Origin
from arena.judging.recording import check_answers, record_judgment
from arena.judging.review.exclusions import exclude
from arena.people.models import User
from tests.factories import (
    NOW,
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_matchup,
    make_record,
)


def somebody(username: str) -> User:
    """A user with an address and, to save the time of hashing it, no password."""
    return User.objects.create(username=username, email=f"{username}@example.org")


class Cast:
    """An organizer, two contributors, three ordinary matchups, a control and an anchor."""

    def __init__(self, **settings) -> None:
        self.organizer = somebody("organa")
        self.event: Event = make_event("fair", organizer=self.organizer, **settings)
        self.models = make_competitors(self.event, 2)
        record = make_record(self.event, "Why does ice float?")
        record.categories.add(
            Category.objects.create(event=self.event, slug="physics", name="Physics")
        )
        self.first = make_matchup(
            self.event, self.models, record=record, texts=("It is less dense.", "Because.")
        )
        self.second, self.third = (make_matchup(self.event, self.models) for _ in range(2))
        self.control = make_control(self.event)
        self.anchor = make_matchup(self.event, self.models, role=Matchup.Role.ANCHOR)
        register(self.event, NOW)
        self.ada = make_enrollment(self.event, somebody("ada"))
        self.ben = make_enrollment(self.event, somebody("ben"))

    def judge(
        self,
        who: Enrollment,
        matchup: Matchup,
        posted: str,
        comment: str = "",
        order: tuple[int, int] = (1, 0),
    ) -> Judgment:
        """A judgment of this very matchup as from the screen, the first response on the right."""
        assignment = Assignment.objects.create(
            enrollment=who,
            matchup=matchup,
            ordinal=who.assignments.count() + 1,
            order=list(order),
            state=Assignment.State.SHOWN,
            guidelines=who.guidelines,
            reserved_at=NOW,
            shown_at=NOW,
            lease_until=NOW,
        )
        answers = check_answers(assignment, {"preference": posted, "comment": comment})
        return record_judgment(assignment, answers, now=NOW)

    def judge_all(self) -> None:
        """Ada judges everything, of which one is excluded; Ben one; another one is imported."""
        self.judge(self.ada, self.first, "b2", "=cmd: “denser” is wrong\n次")
        self.judge(self.ada, self.second, "tie")
        late = self.judge(self.ada, self.third, "a1")
        exclude(late, Exclusion.Reason.BROKEN, Ruling(self.organizer, NOW, "secret"))
        self.judge(self.ada, self.control, "b1")
        self.judge(self.ada, self.anchor, "a2")
        seal_event(self.event.pk, NOW)
        self.judge(self.ben, self.second, "both_bad")
        vote(make_stranger(self.event), self.first, 1)


def judgment_lines(event: Event) -> Iterator[str]:
    """The full record, line by line."""
    for piece in FORMATS["jsonl"].export(event, {}):
        yield piece.data.decode()


def vote(enrollment: Enrollment, matchup: Matchup, outcome: int, **fields) -> Judgment:
    """An imported judgment; a positive outcome prefers the first response."""
    judgment = Judgment.objects.create(
        event=enrollment.event,
        enrollment=enrollment,
        matchup=matchup,
        **({"origin": Origin.IMPORTED} | fields),
    )
    first, second = Response.objects.filter(places__matchup=matchup).order_by("places__position")
    Answer.objects.create(
        judgment=judgment,
        question=enrollment.event.questions.get(kind="preference"),
        first=first,
        second=second,
        outcome=outcome,
    )
    return judgment


def make_stranger(event: Event) -> Enrollment:
    """A contributor who is known from elsewhere only."""
    number = event.enrollments.count()
    return Enrollment.objects.create(
        event=event, pseudonym=f"stranger-{number}", external_id=f"w{number}", joined_at=NOW
    )


def vote_often(event: Event, matchup: Matchup, *outcomes: int) -> None:
    """One imported judgment by somebody else for each outcome."""
    for outcome in outcomes:
        vote(make_stranger(event), matchup, outcome)
