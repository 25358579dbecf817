"""An event in the database and in `serving_model`, compared after every step.

What is done to both is in `test_machine`.
"""

from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from arena.errors import ConflictError
from arena.events.current_rules import KEPT
from arena.events.models import Enrollment, Event, Matchup
from arena.judging.models import Assignment, Exclusion, Flag, Judgment
from arena.judging.recording import ChangeableError, check_answers, record_judgment
from arena.judging.serving.leases import next_assignment
from tests.factories import (
    NOW,
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_matchup_of,
    make_record,
    random_of,
)
from tests.judging.serving_model import Campaign, Item, Lease, Person

ANSWERS = ("a2", "a1", "tie", "b1", "b2")
# Of a list, mostly its latest.
POSITIONS = st.integers(0, 5)


class CheckQueries:
    """What is asked after every step, as SQL and parameters: compiled once."""

    def __init__(self, event: Event) -> None:
        judgments = Judgment.objects.filter(event=event)
        typed = judgments.filter(answers__outcome__isnull=False).order_by("revision")
        flags = Flag.objects.waiting().filter(assignment__enrollment__event=event)
        self.answers = compile_query(
            typed.values_list("assignment_id", "standing", "answers__outcome")
        )
        self.counted = compile_query(judgments.counted().values_list("assignment_id"))
        self.standing = compile_query(
            judgments.standing().values_list("enrollment_id", "matchup_id")
        )
        self.flagged = compile_query(flags.values_list("assignment_id"))
        slots = Matchup.objects.filter(event=event).values_list("pk", "open_slots")
        self.slots = compile_query(slots)


def compile_query(queryset: Any) -> tuple[str, tuple[Any, ...]]:
    return queryset.query.sql_with_params()


def read(query: tuple[str, tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(*query)
        return cursor.fetchall()


class CheckedCampaign(RuleBasedStateMachine):
    """An event and its model, compared after every step."""

    def __init__(self) -> None:
        super().__init__()
        random_of.cache_clear()  # sides, secrets and orders are the same whenever this is replayed
        KEPT.clear()
        self.example = transaction.atomic()
        self.example.__enter__()
        self.seed = 0

    def teardown(self) -> None:
        if not connection.needs_rollback:
            transaction.set_rollback(True)
        self.example.__exit__(None, None, None)

    @initialize(
        overlap=st.integers(1, 3),
        undo=st.sampled_from([0, 60]),
        hours=st.sampled_from([None, None, 2]),
        records=st.integers(1, 4),
        controls=st.integers(0, 2),
        people=st.integers(2, 4),
        gap=st.sampled_from([0, 5]),
        turns=st.integers(0, 2),
        choosing=st.sampled_from(["uniform", "coverage"]),
    )
    def begin(
        self, overlap: int, undo: int, hours: int | None, records: int, controls: int, people: int,
        gap: int, turns: int, choosing: str,
    ) -> None:  # fmt: skip
        closes_at = NOW + timedelta(hours=hours) if hours else None
        self.model = Campaign(
            overlap, timedelta(minutes=30), timedelta(seconds=undo), closes_at,
            timedelta(minutes=10), NOW,
        )  # fmt: skip
        self.event = make_event(
            overlap=overlap,
            undo_seconds=undo,
            closes_at=closes_at,
            grace_minutes=10,
            lease_minutes=30,
            recurrence_gap=gap,
            choosing=choosing,
        )
        self.competitors = make_competitors(self.event, 3)
        for _ in range(records):
            record = make_record(self.event)
            texts = [record.responses.create(competitor=c, text=c.name) for c in self.competitors]
            make_matchup_of(record, texts[:2])
            make_matchup_of(record, texts[1:])
        for _ in range(controls):
            make_control(self.event)
        self.queries = CheckQueries(self.event)
        self.people: dict[int, Enrollment] = {}
        for _ in range(people):
            self.add_person()
        self.read_items()
        for person in range(people):
            self.judge_some(person, "a1", turns)
            self.serve(person)

    def has(self, *states: str) -> bool:
        """Whether there is an assignment in such a state, of somebody who is still here."""
        return any(
            lease.state in states
            and lease.shown_at
            and not self.model.people[lease.person].has_left
            for lease in self.model.leases.values()
        )

    # --- reading -----------------------------------------------------------------------------
    def random(self) -> Random:
        """Another stream for each step."""
        self.seed += 1
        return Random(self.seed)

    def read_items(self) -> None:
        """Matchups that are there, or not in service, since an organizer did something."""
        rows = Matchup.objects.filter(event=self.event).order_by("pk")
        for pk, role, record, retired in rows.values_list("pk", "role", "record_id", "retired_at"):
            item = self.model.items.setdefault(pk, Item(role == "ordinary", record))
            item.is_in_service = retired is None

    def read_reserves(self) -> None:
        """Reserves come and go inside what people do: those that are there must be allowed."""
        reserved = {
            row["pk"]: row
            for row in Assignment.objects.filter(enrollment__event=self.event, state="reserved")
            .order_by("pk")
            .values("pk", "enrollment", "matchup", "ordinal", "holds_slot", "reserved_at",
                    "lease_until")
        }  # fmt: skip
        for pk in [pk for pk, lease in self.model.leases.items() if lease.state == "reserved"]:
            if pk not in reserved:
                del self.model.leases[pk]
        for pk, row in reserved.items():
            if pk in self.model.leases:
                self.model.leases[pk].lease_until = row["lease_until"]
                continue
            assert not self.model.has_met(row["enrollment"], row["matchup"])
            assert self.model.items[row["matchup"]].is_in_service
            assert not self.model.people[row["enrollment"]].has_left
            assert not self.model.items[row["matchup"]].is_ordinary or self.model.open_slots(
                row["matchup"]
            )
            self.model.leases[pk] = lease = Lease(
                row["enrollment"], row["matchup"], row["ordinal"], "reserved",
                row["reserved_at"], row["lease_until"], row["holds_slot"],
            )  # fmt: skip
            assert lease.holds == self.model.should_hold(lease)

    def pick(self, position: int, state: str = "") -> Assignment | None:
        """One of the assignments that somebody who is still here has seen."""
        seen = [
            pk
            for pk, lease in sorted(self.model.leases.items())
            if lease.shown_at is not None
            and not self.model.people[lease.person].has_left
            and state in ("", lease.state)
        ]
        if not seen:
            return None
        assignment = Assignment.objects.select_related("matchup").get(
            pk=seen[-1 - position % len(seen)]
        )
        assignment.enrollment = self.people[assignment.enrollment_id]
        return assignment

    def pick_person(self, position: int) -> Enrollment | None:
        here = [pk for pk in self.people if not self.model.people[pk].has_left]
        return self.people[here[position % len(here)]] if here else None

    def pick_judged(self, position: int) -> Assignment | None:
        """An assignment with a judgment, of whomever."""
        judged = [pk for pk, lease in sorted(self.model.leases.items()) if lease.answers]
        if not judged:
            return None
        return Assignment.objects.get(pk=judged[-1 - position % len(judged)])

    # --- asking and answering -----------------------------------------------------------------
    def add_person(self) -> None:
        enrollment = make_enrollment(self.event)
        self.people[enrollment.pk] = enrollment
        self.model.people[enrollment.pk] = Person()

    def serve(self, position: int) -> Assignment | None:
        """Somebody asks for a matchup, as the pages do while the event is open."""
        person = self.pick_person(position)
        if person is None or not self.model.is_open():
            return None
        model, key = self.model, person.pk
        person.refresh_from_db()
        person.event = self.event
        model.expire_lapsed(model.of_person(key))
        shown = [pk for pk, lease in model.leases.items() if lease.person == key
                 and lease.state == "shown"]  # fmt: skip
        got = next_assignment(person, self.random(), model.now)
        if shown:
            assert got is not None
            assert [got.pk] == shown
            return got
        if got is None:
            self.read_reserves()
            assert not model.can_be_served(key)
            return None
        self.check_served(got)
        return got

    def check_served(self, got: Assignment) -> None:
        """What is newly shown was allowed to be."""
        model, key = self.model, got.enrollment_id
        earlier = model.leases.pop(got.pk, None)
        assert earlier is None or earlier.state == "reserved"
        self.read_reserves()
        assert got.state == "shown"
        assert got.lease_until == model.now + model.lease
        assert model.items[got.matchup_id].is_in_service
        assert not model.has_met(key, got.matchup_id)
        seen = [lease.ordinal for lease in model.of_person(key) if lease.shown_at]
        assert got.ordinal > max(seen, default=0)
        if earlier is None and model.items[got.matchup_id].is_ordinary:
            assert model.open_slots(got.matchup_id)
        model.leases[got.pk] = Lease(
            key, got.matchup_id, got.ordinal, "shown", got.reserved_at, got.lease_until,
            got.holds_slot, shown_at=model.now,
        )  # fmt: skip
        assert got.holds_slot == model.should_hold(model.leases[got.pk])

    def judge_some(self, position: int, answer: str, turns: int) -> None:
        """Somebody asks and answers, some times."""
        for _ in range(turns):
            assignment = self.serve(position)
            if assignment is None:
                return
            self.submit(assignment, answer, "")

    def submit(self, assignment: Assignment, posted: str, replaces: str) -> None:
        answers = check_answers(assignment, {"preference": posted, "comment": ""})
        outcome = next(value["outcome"] for q, value in answers.items() if q.kind == "preference")
        lease = self.model.leases[assignment.pk]
        before = len(lease.answers)
        expected = self.model.answer(lease, outcome, replaces)
        try:
            judgment = record_judgment(assignment, answers, now=self.model.now, replaces=replaces)
        except ChangeableError:
            result = "changeable"
        except ConflictError as error:
            result = "skip_is_final" if error.code == "skipped" else error.code
        else:
            result = self.describe(judgment, before)
        assert result == expected

    def describe(self, judgment: Judgment, before: int) -> str:
        """What became of an answer, in the model's words."""
        if judgment.revision < before:
            return "repeated"
        if judgment.revision:
            return "revised"
        late = judgment.exclusions.in_force().filter(reason=Exclusion.Reason.LATE)
        return "late" if late.exists() else "judged"

    # --- after every step ----------------------------------------------------------------------
    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "model"):
            return
        self.owners = {pk: lease.person for pk, lease in self.model.leases.items()}
        self.compare_assignments()
        self.compare_judgments()
        self.compare_slots()

    def compare_assignments(self) -> None:
        rows = Assignment.objects.filter(enrollment__event=self.event)
        names = ("enrollment_id", "matchup_id", "ordinal", "state", "lease_until", "holds_slot")
        there = {row[0]: row[1:] for row in rows.values_list("pk", *names)}
        expected = {
            pk: (lease.person, lease.item, lease.ordinal, lease.state, lease.lease_until,
                 lease.holds)
            for pk, lease in self.model.leases.items()
        }  # fmt: skip
        assert there == expected
        ordinals = Counter((row[0], row[2]) for row in there.values())
        assert max(ordinals.values(), default=1) == 1
        shown = Counter(row[0] for row in there.values() if row[3] == "shown")
        assert max(shown.values(), default=1) == 1
        flagged = {pk for pk, lease in self.model.leases.items() if lease.is_flagged}
        assert {pk for (pk,) in read(self.queries.flagged)} == flagged

    def compare_judgments(self) -> None:
        """Every acknowledged answer is there once, the last one stands, and those count that
        should."""
        there: dict[int, list[Any]] = {}
        for pk, standing, outcome in read(self.queries.answers):
            there.setdefault(pk, []).append((outcome, bool(standing)))
        expected = {
            pk: [(outcome, at == len(lease.answers)) for at, outcome in enumerate(lease.answers, 1)]
            for pk, lease in self.model.leases.items()
            if lease.answers
        }
        assert there == expected
        counted = sorted(pk for (pk,) in read(self.queries.counted))
        assert counted == [
            pk for pk, lease in sorted(self.model.leases.items()) if self.model.counts(lease)
        ]
        standing = Counter(read(self.queries.standing))
        assert max(standing.values(), default=1) == 1

    def compare_slots(self) -> None:
        """Open slots are what the overlap leaves; what counts holds a slot, and nothing exceeds
        the overlap but what was reinstated."""
        model = self.model
        assert dict(read(self.queries.slots)) == {pk: model.open_slots(pk) for pk in model.items}
        counted = Counter(lease.item for lease in model.leases.values() if model.counts(lease))
        for pk, item in model.items.items():
            if item.is_ordinary:
                assert counted[pk] <= model.count_held(pk)
                assert item.is_overfull or model.count_held(pk) <= model.overlap
