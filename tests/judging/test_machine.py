"""Whatever is done in whatever order, the database says what the model says.

ARENA_MACHINE_EXAMPLES=5000 tries other sequences, and more of them, than the fixed ones here.
"""

import io
import json
import os
from datetime import timedelta

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from arena.errors import ConflictError
from arena.events.current_rules import KEPT
from arena.events.decision_record import Ruling
from arena.events.importing import import_records
from arena.events.lifecycle.transitions import advance_events, close_event, extend_event
from arena.events.models import Enrollment, Matchup, Record
from arena.events.records.corrections import RecordTexts, correct_record, texts_of
from arena.judging.leaving.erasure import erase_contributor
from arena.judging.ledger import get_ledger_head, seal_event, verify_ledger
from arena.judging.models import Assignment, Flag, Judgment
from arena.judging.review.exclusions import exclude, lift_exclusion
from arena.judging.serving.leases import (
    expire_lapsed_leases,
    release_skipped_slots,
    return_idle_reserves,
)
from arena.judging.skipping import flag_assignment, skip_assignment
from arena.judging.tasks import seal_ledgers
from leaderboard.tasks import refresh_board
from tests.factories import make_enrollment
from tests.judging.machine import ANSWERS, POSITIONS, CheckedCampaign
from tests.judging.machine_event import make_contents

MORE_EXAMPLES = int(os.environ.get("ARENA_MACHINE_EXAMPLES", "0"))
MAX_PEOPLE = 6
MAX_ITEMS = 8
STEPS_BETWEEN_BOARDS = 4
REASON = "organizer"


class ServingMachine(CheckedCampaign):
    """An event in which everything happens, to the database and to the model alike."""

    # --- contributors -------------------------------------------------------------------------
    @precondition(lambda self: len(self.people) < MAX_PEOPLE)
    @rule()
    def arrive(self) -> None:
        self.add_person(make_enrollment(self.event))

    @rule(position=POSITIONS)
    def ask(self, position: int) -> None:
        self.serve(position)

    @rule(position=POSITIONS, answer=st.sampled_from(ANSWERS), turns=st.integers(1, 4))
    def work(self, position: int, answer: str, turns: int) -> None:
        """Ask and answer, some times."""
        self.judge_some(position, answer, turns)

    @precondition(lambda self: self.has("shown", "expired", "skipped", "done"))
    @rule(
        position=POSITIONS,
        answer=st.sampled_from(ANSWERS),
        replaces=st.sampled_from(["", "skip", "0", "1"]),
        state=st.sampled_from(["", "expired", "skipped", "done"]),
    )
    def answer_again(self, position: int, answer: str, replaces: str, state: str) -> None:
        """Answer anything that was ever shown: in time, late, again, otherwise."""
        assignment = self.pick(position, state)
        if assignment is not None:
            self.submit(assignment, answer, replaces)

    @precondition(lambda self: self.has("shown"))
    @rule(position=POSITIONS, answer=st.sampled_from(ANSWERS))
    def answer(self, position: int, answer: str) -> None:
        assignment = self.pick(position, "shown")
        if assignment is not None:
            self.submit(assignment, answer, "")

    @precondition(lambda self: self.has("skipped", "done"))
    @rule(position=POSITIONS, answer=st.sampled_from(ANSWERS))
    def undo(self, position: int, answer: str) -> None:
        """Change the decision made last, or an earlier one, as the page offers it."""
        decided = self.pick(position, "skipped") or self.pick(position, "done")
        latest = self.pick(position, "done") if position % 2 else decided
        assignment = latest or decided
        if assignment is not None:
            lease = self.model.leases[assignment.pk]
            replaces = "skip" if lease.state == "skipped" else str(len(lease.answers) - 1)
            self.submit(assignment, answer, replaces)

    @precondition(lambda self: self.has("expired"))
    @rule(position=POSITIONS, answer=st.sampled_from(ANSWERS))
    def answer_after_the_lease(self, position: int, answer: str) -> None:
        assignment = self.pick(position, "expired")
        if assignment is not None:
            self.submit(assignment, answer, "")

    @precondition(lambda self: self.has("shown", "expired", "skipped", "done"))
    @rule(position=POSITIONS, state=st.sampled_from(["shown", "shown", "expired", ""]))
    def skip(self, position: int, state: str) -> None:
        assignment = self.pick(position, state)
        if assignment is None:
            return
        expected = self.model.skip(self.model.leases[assignment.pk])
        try:
            skip_assignment(assignment, "other", now=self.model.now)
        except ConflictError as error:
            result = error.code
        else:
            result = "repeated" if expected == "repeated" else "skipped"
        assert result == expected

    @precondition(lambda self: self.has("shown", "expired", "skipped", "done"))
    @rule(position=POSITIONS, state=st.sampled_from(["shown", "shown", ""]))
    def flag(self, position: int, state: str) -> None:
        assignment = self.pick(position, state)
        if assignment is not None:
            self.report(assignment)

    def report(self, assignment: Assignment) -> None:
        lease = self.model.leases[assignment.pk]
        lease.is_flagged = True
        self.model.skip(lease)
        assignment.enrollment = self.people[assignment.enrollment_id]
        flag_assignment(assignment, "broken", "a note", now=self.model.now)

    @rule(position=POSITIONS)
    def erase(self, position: int) -> None:
        """Somebody leaves, with a note on what they are shown."""
        person = self.pick_person(position)
        if person is not None and position > 3:
            shown = Assignment.objects.filter(enrollment=person, state="shown").first()
            if shown is not None:
                self.report(shown)
            self.model.leave(person.pk)
            erase_contributor(person.user, self.model.now)
            self.read_reserves()
            assert not any(lease.is_live() for lease in self.model.of_person(person.pk))
            theirs = Flag.objects.filter(assignment__enrollment=person)
            assert set(theirs.values_list("note", flat=True)) <= {""}

    # --- time --------------------------------------------------------------------------------
    @rule(seconds=st.sampled_from([1, 20, 55, 70, 400, 1801]))
    def wait(self, seconds: int) -> None:
        self.model.now += timedelta(seconds=seconds)

    @rule()
    def sweep(self) -> None:
        now = self.model.now
        idle = {person for person in self.people if self.model.is_idle(person)}
        return_idle_reserves(now)
        expire_lapsed_leases(Assignment.objects.all(), now)
        release_skipped_slots(now)
        self.model.sweep()
        before = {pk for pk, lease in self.model.leases.items() if lease.state == "reserved"}
        self.read_reserves()
        left = {pk: self.model.leases[pk] for pk in before & set(self.model.leases)}
        for lease in left.values():
            assert self.model.is_open()
            assert lease.person not in idle or lease.lease_until > now
        returned = before - set(left)
        kept = {lease.person for lease in left.values()}
        assert not kept & {self.owners[pk] for pk in returned if pk in self.owners}

    @precondition(lambda self: self.model.is_running)
    @rule(hours=st.sampled_from([0, 0, 1]))
    def close_or_extend(self, hours: int) -> None:
        """An organizer ends judging, or moves the deadline: what was over goes on."""
        if hours:
            self.model.closes_at = self.model.now + timedelta(hours=hours)
            extend_event(self.event, self.model.closes_at, Ruling(None, self.model.now))
        else:
            self.model.close()
            close_event(self.event, Ruling(None, self.model.now))
        self.read_event()

    @rule()
    def advance(self) -> None:
        """The task that freezes ranks before the deadline and closes after the grace period."""
        self.model.advance()
        advance_events(self.model.now)
        self.read_event()

    # --- reviewers and organizers ---------------------------------------------------------------
    @precondition(lambda self: any(x.answers for x in self.model.leases.values()))
    @rule(position=POSITIONS)
    def exclude_answer(self, position: int) -> None:
        assignment = self.pick_judged(position)
        if assignment is None:
            return
        judgment = Judgment.objects.standing().get(assignment=assignment)
        lease = self.model.leases[assignment.pk]
        if lease.is_answer_excluded:
            with pytest.raises(ConflictError):
                exclude(judgment, REASON, Ruling(None, self.model.now))
        else:
            self.model.exclude_answer(lease)
            exclude(judgment, REASON, Ruling(None, self.model.now))

    @precondition(lambda self: any(x.answers for x in self.model.leases.values()))
    @rule(position=POSITIONS, answer=st.sampled_from(ANSWERS))
    def change_an_excluded_answer(self, position: int, answer: str) -> None:
        """It stays excluded, whatever it says now."""
        assignment = self.pick_judged(position)
        if assignment is not None:
            lease = self.model.leases[assignment.pk]
            if not lease.is_answer_excluded:
                self.exclude_answer(position)
            assignment.enrollment = self.people[assignment.enrollment_id]
            self.submit(assignment, answer, str(len(lease.answers) - 1))

    @precondition(lambda self: any(x.is_answer_excluded for x in self.model.leases.values()))
    @rule(position=POSITIONS)
    def reinstate_answer(self, position: int) -> None:
        excluded = [pk for pk, lease in sorted(self.model.leases.items())
                    if lease.is_answer_excluded]  # fmt: skip
        if excluded:
            pk = excluded[position % len(excluded)]
            judgment = Judgment.objects.standing().get(assignment=pk)
            self.model.reinstate_answer(self.model.leases[pk])
            lift_exclusion(judgment.exclusions.in_force().get(), Ruling(None, self.model.now))

    @rule(position=POSITIONS)
    def exclude_or_reinstate_person(self, position: int) -> None:
        keys = sorted(self.people)
        key = keys[position % len(keys)]
        person = Enrollment.objects.get(pk=key)
        if self.model.people[key].is_excluded:
            self.model.reinstate_person(key)
            lift_exclusion(person.exclusions.in_force().get(), Ruling(None, self.model.now))
        else:
            self.model.exclude_person(key)
            exclude(person, REASON, Ruling(None, self.model.now))

    @precondition(lambda self: self.model.count_in_service() < MAX_ITEMS)
    @rule()
    def bring(self) -> None:
        """Import one record more."""
        number = self.seed = self.seed + 1
        answers = [{"model": c.name, "text": f"{c.name} {number}"} for c in self.competitors[:2]]
        line = {"external_id": f"new{number}", "prompt": f"Is {number} even?", "responses": answers}
        content = io.BytesIO(json.dumps(line).encode())
        report = import_records(
            self.event, content, format="jsonl", accepts_doubts=True, now=self.model.now,
            rng=self.random(),
        )  # fmt: skip
        assert not report.errors, report.errors
        self.read_items()

    @rule(position=POSITIONS)
    def correct(self, position: int) -> None:
        """Retire a record for a new version of it."""
        records = list(Record.objects.filter(event=self.event, retired_at=None).order_by("pk"))
        if records:
            record = records[position % len(records)]
            old = texts_of(record)
            wording = RecordTexts([f"{turn}." for turn in old.turns], old.responses)
            correct_record(record, wording, Ruling(None, self.model.now), self.random())
            self.read_items()

    @rule(position=POSITIONS)
    def retire(self, position: int) -> None:
        """Take one matchup out of service."""
        served = [pk for pk, item in sorted(self.model.items.items()) if item.is_in_service]
        if len(served) > 1:
            pk = served[position % len(served)]
            Matchup.objects.filter(pk=pk).update(retired_at=self.model.now)
            self.model.items[pk].is_in_service = False

    @rule()
    def seal(self) -> None:
        """What boards are computed from reaches every judgment once, and its chain holds."""
        seal_event(self.event.pk, self.model.now)
        judgments = Judgment.objects.filter(event=self.event)
        sealed = list(judgments.sealed().values_list("ledger_seq", flat=True))
        assert sealed == list(range(1, judgments.count() + 1))
        assert get_ledger_head(self.event.pk) == len(sealed)
        assert verify_ledger(self.event.pk) is None

    @precondition(lambda self: self.board_after <= 0)
    @rule(
        position=POSITIONS,
        answer=st.sampled_from(ANSWERS),
        change=st.sampled_from(["", "answer", "exclusion of a person", "exclusion of an answer"]),
    )
    def recompute(self, position: int, answer: str, change: str) -> None:
        """The tasks that seal and compute, perhaps again after what is on the board has changed;
        not at every turn, since a board takes its time."""
        self.board_after = STEPS_BETWEEN_BOARDS
        self.compute_board()
        if change == "answer" and self.has("done"):
            self.undo(position=1, answer=answer)
        elif change == "exclusion of a person":
            self.exclude_or_reinstate_person(position=position)
        elif change == "exclusion of an answer" and self.pick_judged(position):
            self.exclude_answer(position=position)
        else:
            return
        self.compute_board()

    def compute_board(self) -> None:
        seal_ledgers()
        refresh_board(self.event.pk)
        self.compare_board()


@pytest.mark.all_cases
@pytest.mark.django_db
def test_whatever_is_done_the_database_agrees_with_the_model() -> None:
    few = connection.vendor == "postgresql"
    KEPT.clear()
    ServingMachine.event_key = make_contents()
    run_state_machine_as_test(
        ServingMachine,
        settings=settings(
            max_examples=MORE_EXAMPLES or (40 if few else 200),
            stateful_step_count=40 if MORE_EXAMPLES else 16,
            derandomize=not MORE_EXAMPLES,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
