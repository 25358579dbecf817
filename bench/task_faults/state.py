"""What tasks leave behind, without identifiers and times: two runs of one scenario agree."""

import json
from collections import Counter
from typing import Any

from django.core.files.storage import storages
from django.db import connection
from django.db.models import Count, F, Q

from arena.events.models import Event, ImportJob, LedgerEntry, Matchup, Record
from arena.exports.bundle import name_bundle, stream_bundle
from arena.exports.formats import FORMATS
from arena.files.choosing import BUNDLES
from arena.judging.ledger import verify_ledger
from arena.judging.models import (
    Assignment,
    Judgment,
    LedgerBatch,
    LedgerCheck,
    PairWeight,
)
from arena.markup import RENDERER_VERSION
from leaderboard.boards.snapshot_details import SnapshotDetails
from leaderboard.models import Board, Notice, Rating, Snapshot, Standing
from leaderboard.snapshots.refresh import fingerprint_of

State = dict[str, Any]
# Of an export's lines: what is another run's own.
OWN = ("judgment", "matchup", "assignment", "contributor", "record", "first_response_id",
       "second_response_id", "id", "uuid", "ledger_seq")  # fmt: skip
RATED = ("strength", "lower", "upper", "elo", "rank", "rank_low", "rank_high", "rank_upper_bound",
         "tier", "votes", "wins", "ties", "losses", "component", "status")  # fmt: skip


def read_state(event: Event) -> State:
    """All of it, by what it is."""
    event.refresh_from_db()
    return {
        "event": event.state,
        "ledger": read_ledger(event),
        "board": read_board(event),
        "standings": read_standings(event),
        "records": read_records(event),
        "imports": read_imports(event),
        "assignments": read_assignments(event),
        "pairs": read_pairs(event),
        "notices": sorted(Notice.objects.filter(event=event).values_list("user__username", "kind")),
        "export": read_export(event),
    }


def read_ledger(event: Event) -> State:
    """Judgments in their order, the batches, how many entries of each kind, and whether it
    holds."""
    names = ("ledger_seq", "enrollment__pseudonym", "enrollment__external_id",
             "matchup__record__external_id", "answers__first__competitor__name",
             "answers__second__competitor__name", "answers__outcome", "standing")  # fmt: skip
    judgments = Judgment.objects.sealed().filter(event=event, answers__outcome__isnull=False)
    entries = LedgerEntry.objects.filter(event=event)
    check = LedgerCheck.objects.filter(event=event).first()
    return {
        "judgments": list(judgments.values_list(*names)),
        "head": Judgment.objects.sealed().filter(event=event).count(),
        "unsealed": Judgment.objects.filter(event=event, ledger_seq=None).count(),
        "batches": list(
            LedgerBatch.objects.filter(event=event).order_by("first_seq").values_list(
                "first_seq", "last_seq"
            )
        ),
        "entries": sorted(Counter(entries.values_list("kind", flat=True)).items()),
        "last entry": entries.sealed().count(),
        "verified": str(verify_ledger(event.pk)),
        # Whether it was looked at by now is a matter of when; that it held is not.
        "check": check.failure if check else "",
    }  # fmt: skip


def read_board(event: Event) -> State:
    """The latest snapshot with its rows and details, and whether the public sees it."""
    latest = event.snapshots.order_by("-id").first()
    if latest is None:
        return {}
    board = Board.objects.get(event=event)
    ratings = Rating.objects.filter(snapshot=latest).order_by(
        "question__name", "weighting", "category__name", "competitor__name"
    )
    named = ("question__name", "weighting", "category__name", "competitor__name")
    return {
        "shown": board.current_snapshot_id == latest.pk and latest.published_at is not None,
        "claimed": board.claimed_until is not None,
        "current": latest.fingerprint == fingerprint_of(event),
        "name": latest.name,
        "rounds": list(
            event.snapshots.exclude(name=None).order_by("id").values_list("name", "ledger_seq")
        ),
        "counts": (latest.ledger_seq, latest.judgments, latest.contributors),
        "rows": list(ratings.values_list(*named, *RATED)),
        "details": name_details(event, latest),
    }


def name_details(event: Event, snapshot: Snapshot) -> State:
    """A snapshot's details with names in the place of primary keys."""
    details = SnapshotDetails.from_json(snapshot.details).to_json()
    names = dict(event.competitors.values_list("pk", "name"))
    questions = {str(pk): name for pk, name in event.questions.values_list("pk", "name")}
    categories = {str(pk): name for pk, name in event.categories.values_list("pk", "name")}

    def name(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {inner: name(each, inner) for inner, each in value.items()}
        if isinstance(value, list | tuple):
            return [name(each, key) for each in value]
        if key in ("leader", "challenger", "competitors") and isinstance(value, int):
            return names[value]
        return value

    boards = {}
    for key, board in details.pop("boards").items():
        question, category, weighting = key.split("/")
        boards[f"{questions[question]}/{categories.get(category, category)}/{weighting}"] = name(
            {inner: each for inner, each in board.items() if inner != "other_methods"}
        ) | {"other_methods": board.get("other_methods")}
    return {**name(details), "boards": boards}


def read_standings(event: Event) -> list[Any]:
    names = ("judgments", "simulated", "quality", "score", "rank", "band")
    return sorted(
        Standing.objects.filter(event=event).values_list("enrollment__pseudonym", *names), key=str
    )


def read_records(event: Event) -> list[Any]:
    """Records that are visible, with their responses, categories and matchups."""
    records = Record.objects.filter(event=event).prefetch_related(
        "responses__competitor", "categories", "matchups__places__response__competitor"
    )
    return sorted(
        (
            (
                record.external_id, record.imported_at is None, record.retired_at is None,
                record.prompt, record.prompt_html, record.rendered_with == RENDERER_VERSION,
                sorted(category.name for category in record.categories.all()),
                sorted(
                    (str(response.competitor), response.text, response.html)
                    for response in record.responses.all()
                ),
                sorted(describe_matchup(matchup) for matchup in record.matchups.all()),
            )
            for record in records
        ),
        key=str,
    )  # fmt: skip


def describe_matchup(matchup: Matchup) -> tuple[Any, ...]:
    models = sorted(str(place.response.competitor) for place in matchup.places.all())
    return (models, matchup.role, matchup.open_slots, matchup.retired_at is None)


def read_imports(event: Event) -> list[Any]:
    """What became of each file, and whether it is kept."""
    jobs = ImportJob.objects.filter(event=event).order_by("file_name")
    counts = ("created", "updated", "unchanged", "error_total", "errors")
    return [
        (job.file_name, job.state, bool(job.file), {name: job.report.get(name) for name in counts})
        for job in jobs
    ]


def read_assignments(event: Event) -> list[Any]:
    names = ("enrollment__pseudonym", "ordinal", "state", "holds_slot",
             "matchup__record__external_id")  # fmt: skip
    rows = Assignment.objects.filter(enrollment__event=event)
    return sorted(rows.values_list(*names), key=str)


def read_pairs(event: Event) -> list[Any]:
    names = {str(pk): name for pk, name in event.competitors.values_list("pk", "name")}
    return sorted(
        (sorted(names[key] for key in row.pair.split("-")), row.weight, row.probability)
        for row in PairWeight.objects.filter(event=event)
    )


def read_export(event: Event) -> list[Any]:
    """The lines of the export of judgments, but for what is this run's own."""
    lines = b"".join(piece.data for piece in FORMATS["jsonl"].export(event, {})).splitlines()
    return [
        {key: value for key, value in json.loads(line).items() if key not in OWN} for line in lines
    ]


def is_caught_up(event: Event) -> bool:
    """Whether nothing waits for a task any more."""
    event.refresh_from_db()
    latest = event.snapshots.order_by("-id").first()
    jobs = ImportJob.objects.filter(event=event)
    return (
        not jobs.filter(state__in=(ImportJob.State.QUEUED, *ImportJob.UNDER_WAY)).exists()
        and not Judgment.objects.landed().filter(event=event, ledger_seq=None).exists()
        and not LedgerEntry.objects.waiting().filter(event=event).exists()
        and not Record.objects.filter(event=event).exclude(rendered_with=RENDERER_VERSION).exists()
        and latest is not None
        and latest.fingerprint == fingerprint_of(event)
        and latest.published_at is not None
    )


def differing_bundles(event: Event) -> list[str]:
    """Bundles of the latest round that are missing, or not what would be written now."""
    latest = event.snapshots.exclude(sealed_at=None).order_by("-sealed_at", "-id").first()
    assert latest is not None
    name = name_bundle(latest, with_controls=event.state == Event.State.PUBLISHED)
    if not storages[BUNDLES].exists(name):
        return [f"{name} is missing"]
    with storages[BUNDLES].open(name) as file:
        same = file.read() == b"".join(stream_bundle(latest))
    return [] if same else [f"{name} differs"]


def look_for_half_published(seen: dict[int, tuple[int, int]]) -> list[str]:
    """Snapshots that are there without all of their rows, or shown and not published; `seen` keeps
    what each had before. Rows of models without votes go with an import that is taken back."""
    found = []
    voted = Count("ratings", filter=Q(ratings__votes__gt=0))
    # One statement each sees one moment.
    rows = Snapshot.objects.annotate(rows=voted).values_list("pk", "judgments", "rows")
    for pk, judgments, count in rows:
        if not count or seen.setdefault(pk, (judgments, count)) != (judgments, count):
            found.append(f"snapshot {pk} has {count} rows, and had {seen.get(pk)}")
    shown = Board.objects.filter(current_snapshot__isnull=False)
    if shown.filter(current_snapshot__published_at=None).exists():
        found.append("a snapshot is shown and not published")
    if shown.exclude(current_snapshot__event=F("event")).exists():
        found.append("a board shows another event's snapshot")
    connection.close()
    return found
