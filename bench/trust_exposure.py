"""What colluding accounts learn about controls from the product's own serving.

Each event is served by `next_assignment` itself, on a database of its own in memory: 30 colluders
of 40 judgments come at random times among honest people, whose numbers of judgments are drawn as in
`bench.trust_world`, until the last colluder is done. Whom the colluders meet is what
`leaderboard.trust.exposure.attack` gets. Honest people are thinned in one way: their chunks are
built as everybody's, and what they would judge of one is set to judged by one statement.
"""

# ruff: noqa: PLC0415 - Django is set up in each process; no secret depends on chance
import os
import shutil
import tempfile
from atexit import register
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import combinations, count
from multiprocessing import get_context
from random import Random
from typing import Any
from uuid import UUID

import numpy as np

from bench.goals import print_goal
from leaderboard.trust.exposure import (
    ANCHOR,
    CONTROL,
    ORDINARY,
    Findings,
    Meetings,
    attack,
    draw_activity,
)

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
PROCESSES = 2
SEEDS, DEMO_SEEDS = 8, 20
MODELS = 8
POOLS, PER_RECORD, CHOOSING = (0.13, 0.25, 0.5), (1, 3), ("uniform", "coverage", "active")
QUICK_POOLS = (0.25,)
SHORT_POOL = 60
DEMO_ACCOUNTS, DEMO_TURNS = 30, 12
LOW, HIGH, DEMO_HIGH = 0.45, 0.55, 0.60
LIVE = "enrollment_id = %s AND state IN ('reserved', 'shown')"
DONE_SQL = f"""
UPDATE judging_assignment SET state = 'done', shown_at = reserved_at, finished_at = reserved_at
WHERE {LIVE} AND ordinal <= %s
"""
FREE_SQL = f"""
UPDATE events_matchup SET open_slots = open_slots + 1 WHERE id IN (
  SELECT matchup_id FROM judging_assignment WHERE {LIVE} AND holds_slot)
"""
RETURN_SQL = f"DELETE FROM judging_assignment WHERE {LIVE}"
COUNT_SQL = "SELECT COUNT(*) FROM judging_assignment WHERE enrollment_id = %s AND holds_slot"
ROLES = {"ordinary": ORDINARY, "control": CONTROL, "anchor": ANCHOR}


@dataclass(frozen=True)
class Cell:
    """One kind of event. ordinary: matchups of models; per_record: matchups of each record, a
    control's companions among them unless there are none; has_anchors: two for each control."""

    name: str
    controls: int
    per_record: int = 1
    choosing: str = "coverage"
    ordinary: int = 2_000
    has_companions: bool = True
    has_anchors: bool = False
    accounts: int = 30
    turns: int = 40
    overlap: int = 3


def list_matched(size: Cell, pools: Sequence[float]) -> list[Cell]:
    """Each of these pools, one or three matchups a record, each way of choosing."""
    return [
        replace(
            size,
            name=f"pool {pool:.2f}, {per_record} a record, {choosing}",
            controls=round(pool * size.ordinary),
            per_record=per_record,
            choosing=choosing,
        )
        for pool in pools
        for per_record in PER_RECORD
        for choosing in CHOOSING
    ]


def list_others(size: Cell) -> list[Cell]:
    """Events in which controls can be told, and one in which anchors hide them."""
    short = replace(size, controls=round(SHORT_POOL * size.ordinary / 2_000))
    pool = round(POOLS[0] * size.ordinary)
    alone = replace(size, controls=pool, per_record=3, has_companions=False)
    return [
        replace(short, name="shared by everybody", choosing="uniform"),
        replace(alone, name="without companions"),
        replace(short, name="anchors, 1 a record", has_anchors=True),
        replace(short, name="anchors, 3 a record", has_anchors=True, per_record=3),
    ]


def measure_exposure(seeds: int) -> None:
    """Print what is found in each cell, and the goals; with fewer seeds a small event and one pool,
    in which most of what is found is chance."""
    is_full = seeds >= SEEDS
    size = Cell("", 0) if is_full else Cell("", 0, ordinary=300, accounts=8, turns=25)
    matched, others = list_matched(size, POOLS if is_full else QUICK_POOLS), list_others(size)
    jobs = [(cell, seed) for seed in range(seeds) for cell in others + matched]
    context = get_context("spawn")
    with context.Pool(PROCESSES, initializer=prepare) as pool:
        demo = pool.apply_async(measure_demo, [DEMO_SEEDS if is_full else seeds])
        results = pool.starmap(measure_cell, jobs, chunksize=1)
        found: dict[str, list[Findings]] = {}
        for (cell, _), one in zip(jobs, results, strict=True):
            found.setdefault(cell.name, []).append(one)
        found["sample event"] = demo.get()
    print("AUC of the best guess which of two matchups, or prompts, is a control's: .5 is chance")
    print(f"{'':38}{'by matchup':>16}{'by prompt':>16}{'for certain':>12}")
    means = {name: print_row(name, these) for name, these in found.items()}
    print_goals(means, [cell.name for cell in matched])


def print_row(name: str, found: Sequence[Findings]) -> tuple[float, float, int]:
    """Print means with their standard errors; the means, and the most controls given away."""
    values = np.array([(one.by_matchup, one.by_prompt) for one in found])
    means = values.mean(axis=0)
    errors = values.std(axis=0, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else [0.0, 0.0]
    certain = max(one.certain for one in found)
    said = [f"{mean:.3f} ± {error:.3f}" for mean, error in zip(means, errors, strict=True)]
    print(f"{name:38}{said[0]:>16}{said[1]:>16}{certain:>12}", flush=True)
    return float(means[0]), float(means[1]), certain


def print_goals(means: dict[str, tuple[float, float, int]], matched: Iterable[str]) -> None:
    """The worst cells: both figures count."""
    cells = [means[name] for name in matched]
    both = [auc for by_matchup, by_prompt, _ in cells for auc in (by_matchup, by_prompt)]
    print_goal("exposure-low", min(both), LOW, at_least=True)
    print_goal("exposure-high", max(both), HIGH)
    print_goal("exposure-certain", sum(certain for *_, certain in cells), 0)
    anchors = [auc for name in means if name.startswith("anchors") for auc in means[name][:2]]
    print_goal("exposure-anchors", max(map(fold, anchors)), HIGH)
    print_goal("exposure-demo", max(map(fold, means["sample event"][:2])), DEMO_HIGH)


def fold(auc: float) -> float:
    """As good a guess the other way round."""
    return max(auc, 1.0 - auc)


# --- in a process of its own ---------------------------------------------------------------------
def prepare() -> None:
    """Set Django up on an empty database in memory."""
    folder = tempfile.mkdtemp(prefix="arena-exposure-")
    register(partial(shutil.rmtree, folder, ignore_errors=True))
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "arena.settings",
        "ARENA_VAR": folder,
        "DATABASE_URL": "sqlite://:memory:",
        "REDIS_URL": "",
        "SECRET_KEY": "for-a-bench-on-this-machine-alone",
        "DEBUG": "0",
        "HTTPS": "0",
        "LOG_LEVEL": "ERROR",
    }
    from bench.trust_site import make_tables

    make_tables()


def measure_cell(cell: Cell, seed: int) -> Findings:
    """Serve one event of this kind, and attack it."""
    from django.core.cache import cache
    from django.db import transaction

    rng = Random(f"{cell.name} {seed}")
    cache.clear()  # it knows the event before, whose primary key this one gets
    with transaction.atomic():
        event = make_event(cell, seed, rng)
        met = serve(event, cell, rng)
        transaction.set_rollback(True)
    return attack(met, cell.overlap, ANCHOR if cell.has_anchors else None)


def measure_demo(seeds: int) -> list[Findings]:
    """The sample event as `make demo` leaves it, which thirty accounts then enter one by one."""
    from django.core.cache import cache
    from django.db import transaction

    from arena.judging.demo.sample_event import get_or_create_sample_event

    found = []
    cache.clear()
    with transaction.atomic():
        event = get_or_create_sample_event(NOW)
        for seed in range(seeds):
            rng = Random(seed)
            with transaction.atomic():
                people = make_people(event, DEMO_ACCOUNTS, rng)
                for person in people:
                    judge(person, DEMO_TURNS, rng)
                met = collect(event, people)
                transaction.set_rollback(True)
            found.append(attack(met, event.overlap))
        transaction.set_rollback(True)
    return found


# --- the event -----------------------------------------------------------------------------------
def make_event(cell: Cell, seed: int, rng: Random) -> Any:
    """An open event of this kind that nobody has judged."""
    from arena.events.lifecycle.creation import NewEvent, create_event
    from arena.events.models import Competitor
    from arena.events.records.anchors import make_anchors
    from arena.judging.serving.pair_weights import replace_pair_weights

    settings = {
        "state": "open",
        "overlap": cell.overlap,
        "choosing": cell.choosing,
        "secret": f"{rng.getrandbits(256):064x}",
    }
    event = create_event(NewEvent(f"bench-{seed}", "Bench", settings=settings), organizer=None)
    models = Competitor.objects.bulk_create(
        Competitor(event=event, name=f"Model {number}") for number in range(MODELS)
    )
    fill(event, cell, [model.pk for model in models], rng)
    if cell.has_anchors:
        make_anchors(event, rng)
    if cell.choosing == "active":
        pairs = combinations([model.pk for model in models], 2)
        replace_pair_weights(event, {pair: rng.lognormvariate(0.0, 1.0) for pair in pairs})
    return event


def fill(event: Any, cell: Cell, models: Sequence[int], rng: Random) -> None:
    """Records of models with so many matchups each, and controls of nobody's responses. Serving
    reads no text, so the responses are numbers in the matchups' keys."""
    from arena.events.importing.writing.batches import build_matchup_key, build_pair
    from arena.events.models import Control, Matchup, Record

    ordinary = -(-cell.ordinary // cell.per_record)
    width = 3 if cell.per_record == 3 else 2
    kept = width if cell.has_companions else 2
    owners: list[list[int | None]] = [list(rng.sample(models, width)) for _ in range(ordinary)]
    owners += [[None] * kept for _ in range(cell.controls)]
    records = Record.objects.bulk_create(
        Record(event=event, external_id=f"r{number}", prompt=[], imported_at=NOW)
        for number in range(len(owners))
    )
    response = count(1)
    matchups = []
    for place, (record, theirs) in enumerate(zip(records, owners, strict=True)):
        shown = [(next(response), owner) for owner in theirs]
        for number, pair in enumerate(combinations(shown, 2)):
            is_control = place >= ordinary and number == 0
            matchup = Matchup(
                event=event,
                record=record,
                key=build_matchup_key(key for key, _ in pair),
                role=Matchup.Role.CONTROL if is_control else Matchup.Role.ORDINARY,
                open_slots=0 if is_control else event.overlap,
                pair=build_pair(owner for _, owner in pair),
                shuffle=rng.random(),
            )
            matchups.append(matchup)
    Matchup.objects.bulk_create(matchups)
    question = event.questions.get(kind="preference")
    Control.objects.bulk_create(
        Control(matchup=matchup, question=question, key={"sign": 1})
        for matchup in matchups
        if matchup.role == Matchup.Role.CONTROL
    )


# --- the people ----------------------------------------------------------------------------------
def serve(event: Any, cell: Cell, rng: Random) -> Meetings:
    """Let everybody judge who comes until the last colluder is done; what the colluders met."""
    from arena.events.models import Matchup

    rows = Matchup.objects.filter(event=event, role=Matchup.Role.ORDINARY)
    wanted = rows.count() * event.overlap
    colluders = make_people(event, cell.accounts, rng)
    starts = sorted(rng.random() * wanted for _ in colluders)
    taken = 0
    for colluder, start in zip(colluders, starts, strict=True):
        while taken < start:
            (honest,) = make_people(event, 1, rng)
            judged = judge_chunks(honest, draw_activity(rng), rng)
            if not judged:
                break
            taken += judged
        taken += judge(colluder, cell.turns, rng)
    return collect(event, colluders)


def make_people(event: Any, number: int, rng: Random) -> list[Any]:
    """Contributors without an account."""
    from arena.events.models import Enrollment

    people = [
        Enrollment(
            event=event,
            pseudonym=f"bench-{rng.getrandbits(64):x}",
            public_id=UUID(int=rng.getrandbits(128), version=4),
            joined_at=NOW,
        )
        for _ in range(number)
    ]
    return Enrollment.objects.bulk_create(people)


def judge(person: Any, turns: int, rng: Random) -> int:
    """Turn by turn, as a browser does; how many ordinary matchups that took."""
    from arena.judging.serving.leases import next_assignment

    for turn in range(1, turns + 1):
        if next_assignment(person, rng, NOW) is None:
            break
        execute(DONE_SQL, person, turn)
    return give_back(person)


def judge_chunks(person: Any, turns: int, rng: Random) -> int:
    """The same, with what is left of each chunk judged at once."""
    from arena.judging.serving.leases import next_assignment

    while person.served < turns and next_assignment(person, rng, NOW) is not None:
        execute(DONE_SQL, person, turns)
    return give_back(person)


def give_back(person: Any) -> int:
    """Return what somebody who does not come back has not judged, with its slots; how many ordinary
    matchups they have judged."""
    execute(FREE_SQL, person)
    execute(RETURN_SQL, person)
    ((count,),) = execute(COUNT_SQL, person)
    return int(count)


def execute(sql: str, person: Any, *values: Any) -> Any:
    """A statement about somebody's assignments."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, [person.pk, *values])
        return cursor.fetchall() if cursor.description else ()


def collect(event: Any, people: Sequence[Any]) -> Meetings:
    """What these people have met."""
    from arena.events.models import Matchup
    from arena.judging.models import Assignment

    keyed = Matchup.objects.filter(event=event, role=Matchup.Role.CONTROL)
    beside = set(keyed.values_list("record", flat=True))
    met = Assignment.objects.filter(enrollment__in=people, state="done")
    fields = ("enrollment", "ordinal", "matchup", "matchup__record", "matchup__role")
    rows = [
        (person, ordinal, matchup, record, ROLES[role], record in beside)
        for person, ordinal, matchup, record, role in met.values_list(*fields)
    ]
    return Meetings(*np.array(rows, dtype=np.int64).reshape(-1, 6).T)
