"""What happens in two events, round by round: the same whenever it is played, but for identifiers
and for what is drawn by imports.

Each act is done at once, as by a request; the tasks that the product sends for it, and those of
its schedule, are returned to whoever delivers them.
"""

import json
from datetime import timedelta
from random import Random
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from arena.events.decision_record import Ruling
from arena.events.importing.checking.doubts import DOUBT_KINDS
from arena.events.importing.reverting import revert_import
from arena.events.importing.uploads import UploadChoices, queue_upload, save_upload
from arena.events.models import Category, Enrollment, Event, ImportJob, Matchup
from arena.judging.models import Assignment, Exclusion, Judgment
from arena.judging.recording import check_answers, record_judgment
from arena.judging.review.exclusions import exclude, lift_exclusion
from arena.people.models import User
from arena.queues import TASK_ROUTES
from leaderboard.models import Snapshot
from leaderboard.results.rounds import publish_event, seal_round
from tests.factories import (
    NOW,
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_matchup_of,
    make_record,
    make_response,
)

# The name of a task and its arguments.
Delivery = tuple[str, tuple[Any, ...]]
PEOPLE, RECORDS, JUDGMENTS, VOTES, IMPORTED_RECORDS = 12, 40, 70, 200, 60
CLOSED_AFTER = timedelta(days=1)
NAMED = {name.rpartition(".")[2]: name for name in TASK_ROUTES}
# What beat sends, in the order in which a quiet site runs it; the boards of single events follow.
SCHEDULED = (
    *("advance_events", "adopt_imports", "render_texts", "seal_ledgers", "refresh_boards"),
    *("sweep_leases", "finish_erasures", "return_unused_seats", "thin_snapshots"),
    *("tell_contributors", "check_ledgers", "publish_ledger_heads"),
)


class Scenario:
    """Two events, and what people do in them."""

    def __init__(self) -> None:
        self.organizer = User.objects.create(username="organizer", password="!")
        self.events = [self.make_event("large"), self.make_event("small")]
        self.large, self.small = self.events
        self.people = {event.pk: self.enroll(event) for event in self.events}
        # Of each event: who may judge what, in an order that is the same whenever it is played.
        self.turns = {event.pk: self.draw_turns(event) for event in self.events}
        self.brought: list[ImportJob] = []
        self.exclusions: list[Exclusion] = []

    def make_event(self, slug: str) -> Event:
        """An event whose board follows every judgment and whose pairs are weighed."""
        event = make_event(
            slug, organizer=self.organizer, overlap=PEOPLE, publish_batch=0, undo_seconds=0,
            choosing=Event.Choosing.ACTIVE, counts_imported=True,
        )  # fmt: skip
        models = make_competitors(event, 4)
        even = Category.objects.create(event=event, slug="even", name="Even")
        for number in range(RECORDS):
            record = make_record(event)
            texts = [make_response(record, one, f"{one} says {number}.") for one in models[:3]]
            texts.append(make_response(record, models[3], f"**{number}**"))
            for first, second in ((0, 1), (1, 2), (2, 3)):
                make_matchup_of(record, [texts[first], texts[second]])
            if number % 2:
                record.categories.add(even)
        for _ in range(4):
            make_control(event)
        return event

    def enroll(self, event: Event) -> list[Enrollment]:
        people = [
            User(username=f"{event.slug}-person-{number}", password="!") for number in range(PEOPLE)
        ]
        return [make_enrollment(event, user) for user in User.objects.bulk_create(people)]

    def draw_turns(self, event: Event) -> list[tuple[Enrollment, Matchup]]:
        matchups = list(Matchup.objects.filter(event=event).select_related("record").order_by("pk"))
        turns = [(person, matchup) for person in self.people[event.pk] for matchup in matchups]
        Random(event.slug).shuffle(turns)
        return turns

    # --- acts ------------------------------------------------------------------------------------
    def judge(self, number: int) -> list[Delivery]:
        """People judge, some leave a matchup on the screen, an organizer brings and takes back
        records and excludes somebody."""
        rng, deliveries = Random(number), []
        for event in self.events:
            for _ in range(JUDGMENTS if event is self.large else JUDGMENTS // 3):
                self.record(self.show(event), rng.choice(["a2", "a1", "tie", "b1", "b2"]))
            for person in {person.pk: person for person, _ in self.turns[event.pk][-3:]}.values():
                self.show(event, person)
        if self.brought:
            taken = self.brought.pop()
            revert_import(taken, NOW, by=None)
            deliveries.append(("remove_import", (taken.pk,)))
        self.change_exclusions(number)
        deliveries += [self.bring_records(event, number) for event in self.events]
        return deliveries

    def show(self, event: Event, person: Enrollment | None = None) -> Assignment:
        """The next turn, or this person's next, on the screen."""
        turns = self.turns[event.pk]
        at = next(
            at for at in range(len(turns) - 1, -1, -1) if person is None or turns[at][0] == person
        )
        who, matchup = turns.pop(at)
        Enrollment.objects.filter(pk=who.pk).update(served=who.served + 1)
        who.served += 1
        is_ordinary = matchup.role == Matchup.Role.ORDINARY
        if is_ordinary:
            matchup.refresh_from_db(fields=["open_slots"])
            Matchup.objects.filter(pk=matchup.pk).update(open_slots=matchup.open_slots - 1)
        return Assignment.objects.create(
            enrollment=who, matchup=matchup, ordinal=who.served, order=[0, 1],
            state=Assignment.State.SHOWN, holds_slot=is_ordinary, guidelines=who.guidelines,
            reserved_at=NOW, shown_at=NOW, lease_until=NOW + timedelta(minutes=30),
        )  # fmt: skip

    def record(self, assignment: Assignment, posted: str) -> Judgment:
        answers = check_answers(assignment, {"preference": posted, "comment": ""})
        return record_judgment(assignment, answers, now=NOW)

    def change_exclusions(self, number: int) -> None:
        """Exclude a person in one round and lift that in the next."""
        if self.exclusions:
            lift_exclusion(self.exclusions.pop(), Ruling(self.organizer, NOW, "So decided."))
        else:
            person = self.people[self.large.pk][number % PEOPLE]
            reason = Exclusion.Reason.ORGANIZER
            self.exclusions.append(
                exclude(person, reason, Ruling(self.organizer, NOW, "So decided."))
            )

    def bring_records(self, event: Event, number: int) -> Delivery:
        """Upload records of the models that are there and of a new one."""
        names = [*event.competitors.order_by("pk").values_list("name", flat=True)[:2]]
        names.append(f"Newcomer {number}")
        lines = [
            json.dumps(
                {
                    "external_id": f"brought-{number}-{row}",
                    "prompt": f"What is {row} times {number}?",
                    "categories": ["Brought"],
                    "responses": {name: f"{name}: *{row * number}*." for name in names},
                }
            )
            for row in range(IMPORTED_RECORDS)
        ]
        job = self.upload(event, f"records-{number}.jsonl", lines, ImportJob.Kind.RECORDS)
        if event is self.large:
            self.brought.append(job)
        return "run_import", (job.pk,)

    def vote(self, number: int) -> list[Delivery]:
        """Upload votes of people elsewhere on what this event has."""
        rng = Random(-number)
        records = [*self.large.records.order_by("pk").values_list("external_id", flat=True)]
        names = [*self.large.competitors.order_by("pk").values_list("name", flat=True)[:4]]
        votes = {
            (f"worker-{number}-{rng.randrange(20)}", rng.choice(records[:RECORDS])): rng.choice(
                "ab"
            )
            for _ in range(VOTES)
        }
        lines = [
            json.dumps(
                {"worker": worker, "record": record, "model_a": names[0], "model_b": names[1],
                 "winner": winner}
            )
            for (worker, record), winner in votes.items()
        ]  # fmt: skip
        job = self.upload(self.large, f"votes-{number}.jsonl", lines, ImportJob.Kind.JUDGMENTS)
        return [("run_vote_import", (job.pk,))]

    def upload(self, event: Event, name: str, lines: list[str], kind: str) -> ImportJob:
        upload = SimpleUploadedFile(name, "\n".join(lines).encode())
        job = save_upload(event, upload, self.organizer, NOW, kind)
        if kind == ImportJob.Kind.JUDGMENTS:
            ImportJob.objects.filter(pk=job.pk).update(vote_options={"left": "a"})
        queue_upload(job, UploadChoices({}, skips_errors=False, accepted=tuple(DOUBT_KINDS)))
        return job

    def end_round(self, number: int) -> list[Delivery]:
        """An organizer seals the boards of what has been judged so far."""
        sealed = [seal_round(event, f"Round {number}", NOW) for event in self.events]
        return [("keep_bundle", (snapshot.pk,)) for snapshot in sealed]

    def close(self) -> list[Delivery]:
        """The deadline has come, a day ago."""
        Event.objects.update(closes_at=NOW + CLOSED_AFTER)
        return []

    def publish(self) -> list[Delivery]:
        """An organizer publishes the result."""
        finals: list[Snapshot] = []
        for event in self.events:
            event.refresh_from_db()
            finals.append(publish_event(event, timezone.now()))  # of late: people are told of it
        return [("keep_bundle", (snapshot.pk,)) for snapshot in finals]

    def scheduled(self) -> list[Delivery]:
        """What beat sends in a minute."""
        boards = [("refresh_board", (event.pk,)) for event in self.events]
        return [*((name, ()) for name in SCHEDULED), *boards]
