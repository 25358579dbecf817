"""What the database and the broker are asked about the site as a whole, in few statements."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db.models import Count, F, Min, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from arena.events.models import Event, ImportJob, Matchup
from arena.judging.models import Assignment, Judgment, LedgerBatch, LedgerCheck
from arena.monitoring.parts import open_redis
from arena.people.models import OutgoingMail
from arena.queues import QUEUES
from leaderboard.models import Snapshot

# Kombu's name for what workers have taken and not finished.
UNACKNOWLEDGED = "unacked"


@dataclass(frozen=True)
class Unsealed:
    """Judgments that the ledger has not numbered: how many, and how long the oldest waits."""

    judgments: int
    seconds: float


def count_sealed() -> int:
    """Judgments in the ledgers of all events."""
    last = LedgerBatch.objects.filter(event=OuterRef("pk")).order_by("-first_seq")
    heads = Event.objects.annotate(head=Subquery(last.values("last_seq")[:1]))
    return int(heads.aggregate(sum=Sum("head"))["sum"] or 0)


def find_unsealed(now: datetime) -> Unsealed:
    """What waits for sealing; an imported judgment waits, too, but was made long ago."""
    waiting = Judgment.objects.landed().filter(ledger_seq=None)
    found = waiting.aggregate(
        count=Count("pk"), oldest=Min("judged_at", filter=Q(assignment__isnull=False))
    )
    oldest = found["oldest"]
    seconds = (now - oldest).total_seconds() if oldest else 0.0
    return Unsealed(found["count"], max(seconds, 0.0))


def find_snapshot_age(now: datetime) -> float:
    """Seconds since the oldest snapshot that a running event's ledger has gone past; 0 where none
    is behind."""
    batches = LedgerBatch.objects.filter(event=OuterRef("pk")).order_by("-first_seq")
    snapshots = Snapshot.objects.filter(event=OuterRef("pk")).order_by("-id")
    behind = (
        Event.objects.running()
        .annotate(
            head=Subquery(batches.values("last_seq")[:1]),
            seen=Subquery(snapshots.values("ledger_seq")[:1]),
            since=Coalesce(
                Subquery(snapshots.values("created_at")[:1]),
                Subquery(batches.reverse().values("sealed_at")[:1]),
            ),
        )
        .filter(Q(seen=None, head__isnull=False) | Q(head__gt=F("seen")))
    )
    oldest = behind.aggregate(oldest=Min("since"))["oldest"]
    return max((now - oldest).total_seconds(), 0.0) if oldest else 0.0


def count_open_slots() -> int:
    """Judgments that the ordinary matchups of running events still want."""
    wanted = Matchup.objects.filter(
        event__in=Event.objects.running(),
        role=Matchup.Role.ORDINARY,
        retired_at=None,
        open_slots__gt=0,
    )
    return int(wanted.aggregate(sum=Sum("open_slots"))["sum"] or 0)


def count_live_assignments() -> dict[str, int]:
    """Matchups that are kept for somebody, by state: reserved or shown."""
    counted = Assignment.objects.live().values_list("state").annotate(count=Count("pk")).order_by()
    return dict.fromkeys(Assignment.LIVE_STATES, 0) | dict(counted)


def count_imports() -> dict[str, int]:
    """Imports that wait for a worker, and those under way."""
    return {
        "queued": ImportJob.objects.filter(state=ImportJob.State.QUEUED).count(),
        "under_way": ImportJob.objects.under_way().count(),
    }


def count_differing_ledgers() -> int:
    """Events whose ledger differed when it was last verified."""
    return LedgerCheck.objects.filter(failed_at__isnull=False).count()


def find_waiting_mail(now: datetime) -> tuple[int, float]:
    """Messages that have not left yet, and how many seconds ago the oldest was written."""
    found = OutgoingMail.objects.aggregate(count=Count("pk"), oldest=Min("created_at"))
    oldest = found["oldest"]
    return found["count"], max((now - oldest).total_seconds(), 0.0) if oldest else 0.0


def count_queued() -> dict[str, int]:
    """Messages that wait in each queue."""
    if settings.REDIS_URL:
        with open_redis() as client:
            lengths = client.pipeline(transaction=False)
            for name in QUEUES:
                lengths.llen(f"{settings.REDIS_PREFIX}{name}")
            return dict(zip(QUEUES, map(int, lengths.execute()), strict=True))
    folder = Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"])
    names = [file.name for file in folder.iterdir()]
    return {queue: sum(name.endswith(f".{queue}.msg") for name in names) for queue in QUEUES}


def count_unacknowledged() -> int:
    """Messages that workers have in hand; 0 with the embedded broker, which keeps none."""
    if not settings.REDIS_URL:
        return 0
    with open_redis() as client:
        return int(client.hlen(f"{settings.REDIS_PREFIX}{UNACKNOWLEDGED}"))
