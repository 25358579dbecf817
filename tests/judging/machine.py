"""An event in the database and in `serving_model`, compared after every step.

What is done to both is in `test_machine`.
"""

from collections import Counter
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from random import Random
from typing import Any
from unittest.mock import patch

from django.db import connection, transaction
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from arena.errors import ConflictError
from arena.events.models import Enrollment, Event, Matchup
from arena.judging import views
from arena.judging.models import Assignment, Exclusion, Judgment
from arena.judging.recording import ChangeableError, check_answers, record_judgment
from arena.judging.serving.leases import next_assignment
from leaderboard.models import Rating
from leaderboard.votes.loading import store_of
from tests.factories import (
    NOW,
    random_of,
)
from tests.judging.machine_event import (
    CONTROLS,
    PEOPLE,
    RECORDS,
    CheckQueries,
    read,
    take_contents,
)
from tests.judging.serving_model import Campaign, Item, Lease, Person

ANSWERS = ("a2", "a1", "tie", "b1", "b2")
# Of a list, mostly its latest.
POSITIONS = st.integers(0, 5)


class CheckedCampaign(RuleBasedStateMachine):
    """An event and its model, compared after every step."""

    # Of what `make_contents` has made; each example takes back what it did to it.
    event_key: int

    def __init__(self) -> None:
        super().__init__()
        random_of.cache_clear()  # sides, secrets and orders are the same whenever this is replayed
        self.example = transaction.atomic()
        self.example.__enter__()
        self.seed = 0
        # Steps that another board has to wait for.
        self.board_after = 0

    def teardown(self) -> None:
        if not connection.needs_rollback:
            transaction.set_rollback(True)
        self.example.__exit__(None, None, None)

    @initialize(
        overlap=st.integers(1, 3),
        undo=st.sampled_from([0, 60]),
        hours=st.sampled_from([None, None, 2]),
        records=st.integers(1, RECORDS),
        controls=st.integers(0, CONTROLS),
        people=st.integers(2, PEOPLE),
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
        settings = {"overlap": overlap, "undo_seconds": undo, "closes_at": closes_at,
                    "recurrence_gap": gap, "choosing": choosing}  # fmt: skip
        Event.objects.filter(pk=self.event_key).update(**settings)
        self.event = Event.objects.get(pk=self.event_key)
        self.competitors = list(self.event.competitors.order_by("pk"))
        take_contents(self.event, records, controls)
        store_of(self.event).clear()  # of the same event in another example
        self.queries = CheckQueries(self.event)
        self.people: dict[int, Enrollment] = {}
        there = self.event.enrollments.select_related("user").order_by("pk")
        for enrollment in there[:people]:
            self.add_person(enrollment)
        self.read_items()
        self.judge_some(0, "a1", turns)
        for person in range(2):
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
        rows = Matchup.objects.filter(event=self.event).order_by("pk", "places__position")
        columns = ("pk", "role", "record_id", "retired_at", "places__response__competitor")
        for pk, places in groupby(rows.values_list(*columns), key=itemgetter(0)):
            (_, role, record, retired, first), (*_, second) = places
            item = self.model.items.setdefault(
                pk, Item(role == "ordinary", record, (first, second))
            )
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
    def add_person(self, enrollment: Enrollment) -> None:
        enrollment.event = self.event
        self.people[enrollment.pk] = enrollment
        self.model.people[enrollment.pk] = Person()

    def serve(self, position: int) -> Assignment | None:
        """Somebody asks for a matchup, as the pages do while the event is open."""
        person = self.pick_person(position)
        if person is None:
            return None
        if not self.model.is_open():
            self.visit(person)
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

    def visit(self, person: Enrollment) -> None:
        """Somebody opens the judging page when nothing is handed out any more: it leads to what is
        on the screen and may still be answered, else to the end."""
        on_screen = [pk for pk, lease in self.model.leases.items() if lease.person == person.pk
                     and lease.state == "shown" and self.model.is_in_time(lease)]  # fmt: skip
        request = RequestFactory().get("/")
        request.user, request.htmx = person.user, False  # as the middleware does
        now = patch.object(timezone, "now", return_value=self.model.now)
        with now, patch.object(views, "render", return_value=HttpResponse()):  # drawn elsewhere
            response = views.next_matchup(request, self.event.slug)
        uuids = Assignment.objects.filter(pk__in=on_screen).values_list("uuid", flat=True)
        pages = [reverse("judging:judge", args=[uuid]) for uuid in uuids]
        assert [response.get("Location")] == (pages or [None])

    def read_event(self) -> None:
        """The event after its state or its deadline may have changed."""
        self.event.refresh_from_db()
        assert self.event.is_running() == self.model.is_running
        assert self.event.closes_at == self.model.closes_at

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

    def compare_board(self) -> None:
        """The latest snapshot counts what the model counts, of each model what the votes said."""
        latest = self.event.snapshots.order_by("-id").first()
        counted = [x for x in self.model.leases.values() if self.model.counts(x)]
        assert (latest.judgments if latest else 0) == len(counted)
        rows = Rating.objects.filter(snapshot=latest, weighting="raw", category=None, votes__gt=0)
        names = ("competitor", "wins", "ties", "losses")
        assert {pk: tuple(row) for pk, *row in rows.values_list(*names)} == self.model.board()

    # --- after every step ----------------------------------------------------------------------
    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "model"):
            return
        self.board_after -= 1
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
