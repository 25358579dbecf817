"""Plain factories with valid minimal defaults; every test reads what it needs from the call."""

import itertools
import os
from datetime import UTC, datetime
from functools import lru_cache
from random import Random
from typing import Any
from uuid import UUID

from arena.events.importing.writing.batches import build_pair
from arena.events.lifecycle.creation import default_questions
from arena.events.models import (
    Competitor,
    Control,
    Enrollment,
    Event,
    Guidelines,
    Matchup,
    MatchupResponse,
    Membership,
    Question,
    Record,
    Response,
)
from arena.events.ordering import natural_key
from arena.judging.models import Assignment, Judgment
from arena.judging.recording import check_answers, record_judgment
from arena.judging.serving.leases import next_assignment
from arena.markup import RENDERER_VERSION, render_messages, render_response
from arena.people.models import SeatPool, User

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
counter = itertools.count(1)


def chance() -> Random:
    """What is drawn in the running test: the same whenever it runs, alone or with others."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
    return random_of(test, os.environ.get("ARENA_TEST_SEED", ""))


@lru_cache(maxsize=1)
def random_of(test: str, seed: str) -> Random:
    """One stream for each test: of its own name, and of --seed."""
    return Random(f"{seed} {test}")


def make_user(username: str = "", **fields: Any) -> User:
    """A user with the password "correct horse"."""
    return User.objects.create_user(
        username or f"user{next(counter)}", password="correct horse", **fields
    )


def make_event(slug: str = "", *, organizer: User | None = None, **settings: Any) -> Event:
    """An open event with guidelines and the two first questions."""
    slug = slug or f"event{next(counter)}"
    drawn = f"{chance().getrandbits(256):064x}"
    settings = {"state": Event.State.OPEN, "secret": drawn} | settings
    # As `create_event` makes one, less its checks of what was typed: most tests begin with one.
    seats = SeatPool.objects.create(name=slug)
    event = Event.objects.create(slug=slug, title=slug.title(), seats=seats, **settings)
    Guidelines.objects.create(event=event, version=1, text="# Be fair")
    Question.objects.bulk_create(default_questions(event))
    if organizer is not None:
        make_membership(event, organizer, Membership.Role.ORGANIZER)
    return event


def make_competitors(event: Event, count: int = 3) -> list[Competitor]:
    """Competitors with names that no other text holds."""
    return [
        Competitor.objects.create(event=event, name=f"Zyxomodel-{next(counter)}")
        for _ in range(count)
    ]


def make_record(event: Event, prompt: str = "", **fields: Any) -> Record:
    """A record of one user turn, wholly imported."""
    record = build_record(event, prompt, **fields)
    record.save(force_insert=True)
    return record


def build_record(event: Event, prompt: str = "", **fields: Any) -> Record:
    """The same, not yet in the database."""
    number = next(counter)
    turns = [{"role": "user", "content": prompt or f"Prompt number {number}?"}]
    return Record(
        event=event,
        external_id=f"r{number}",
        sort_key=natural_key(f"r{number}"),
        prompt=turns,
        prompt_html=[message.html for message in render_messages(turns)],
        **({"imported_at": NOW, "rendered_with": RENDERER_VERSION} | fields),
    )


def make_matchup(
    event: Event,
    competitors: list[Competitor] | None = None,
    *,
    record: Record | None = None,
    role: str = Matchup.Role.ORDINARY,
    texts: tuple[str, str] = ("", ""),
) -> Matchup:
    """A matchup of two responses; without competitors they belong to nobody."""
    record = record or make_record(event)
    owners: list[Competitor | None] = list(competitors) if competitors else [None, None]
    responses = [
        make_response(record, owner, text or f"Response number {next(counter)}.")
        for owner, text in zip(owners, texts, strict=True)
    ]
    return make_matchup_of(record, responses, role=role)


def make_matchups(event: Event, competitors: list[Competitor], count: int) -> list[Matchup]:
    """So many ordinary matchups of two competitors, as `make_matchup` makes each, all at once."""
    records, responses = [], []
    for _ in range(count):
        records.append(build_record(event))
        responses += [
            build_response(records[-1], owner, f"Response number {next(counter)}.")
            for owner in competitors
        ]
    Record.objects.bulk_create(records)
    Response.objects.bulk_create(responses)
    pairs = list(zip(responses[::2], responses[1::2], strict=True))
    matchups = [
        build_matchup(record, list(pair)) for record, pair in zip(records, pairs, strict=True)
    ]
    Matchup.objects.bulk_create(matchups)
    MatchupResponse.objects.bulk_create(
        MatchupResponse(matchup=matchup, response=response, position=position)
        for matchup, pair in zip(matchups, pairs, strict=True)
        for position, response in enumerate(pair)
    )
    return matchups


def make_response(record: Record, competitor: Competitor | None, text: str) -> Response:
    """A response, rendered as a worker does."""
    response = build_response(record, competitor, text)
    response.save(force_insert=True)
    return response


def build_response(record: Record, competitor: Competitor | None, text: str) -> Response:
    """The same, not yet in the database."""
    return Response(
        record=record,
        competitor=competitor,
        text=text,
        html=render_response(text),
        rendered_with=RENDERER_VERSION,
    )


def make_matchup_of(
    record: Record, responses: list[Response], *, role: str = Matchup.Role.ORDINARY
) -> Matchup:
    """A matchup of responses that exist."""
    responses = sorted(responses, key=lambda response: response.pk)
    matchup = build_matchup(record, responses, role=role)
    matchup.save(force_insert=True)
    MatchupResponse.objects.bulk_create(
        MatchupResponse(matchup=matchup, response=response, position=position)
        for position, response in enumerate(responses)
    )
    return matchup


def build_matchup(
    record: Record, responses: list[Response], *, role: str = Matchup.Role.ORDINARY
) -> Matchup:
    """The same of responses in their order, not yet in the database."""
    ordinary = role == Matchup.Role.ORDINARY
    return Matchup(
        event=record.event,
        record=record,
        key=",".join(str(response.pk) for response in responses),
        role=role,
        open_slots=record.event.overlap if ordinary else 0,
        pair=build_pair(response.competitor_id for response in responses),
        shuffle=chance().random(),
    )


def make_control(event: Event, sign: int = 1, **fields: Any) -> Matchup:
    """A control; sign 1: the first response in canonical order is right, 0: a tie is."""
    matchup = make_matchup(event, role=Matchup.Role.CONTROL, **fields)
    Control.objects.create(
        matchup=matchup,
        question=event.questions.get(kind="preference"),
        key={"sign": sign},
        reason="It is so.",
    )
    return matchup


def make_companion(control: Matchup) -> Matchup:
    """A companion of a control: one of its responses beside a further one of nobody's."""
    further = make_response(control.record, None, f"Response number {next(counter)}.")
    kept = control.record.responses.order_by("pk").first()
    assert kept is not None
    return make_matchup_of(control.record, [kept, further])


def make_enrollment(event: Event, user: User | None = None, **fields: Any) -> Enrollment:
    """A contributor who has read the guidelines."""
    number = next(counter)
    return Enrollment.objects.create(
        event=event,
        user=user or make_user(),
        pseudonym=f"pseudonym-{number}",
        **(
            {
                "public_id": UUID(int=chance().getrandbits(128), version=4),
                "joined_at": NOW,
                "guidelines": event.guidelines.latest(),
                "guidelines_at": NOW,
            }
            | fields
        ),
    )


def make_membership(event: Event, user: User, role: str = Membership.Role.REVIEWER) -> Membership:
    """An office in an event."""
    return Membership.objects.create(event=event, user=user, role=role)


def make_assignment(enrollment: Enrollment, *, now: datetime = NOW, seed: int = 0) -> Assignment:
    """What this contributor is served next; fails the test where nothing is left."""
    assignment = next_assignment(enrollment, Random(seed) if seed else chance(), now)
    assert assignment is not None
    return assignment


def make_judgment(
    enrollment: Enrollment, posted: str = "a1", *, comment: str = "", now: datetime = NOW
) -> Judgment:
    """A judgment of whatever this contributor is served next, as posted from the screen."""
    assignment = make_assignment(enrollment, now=now)
    answers = check_answers(assignment, {"preference": posted, "comment": comment})
    return record_judgment(assignment, answers, now=now)
