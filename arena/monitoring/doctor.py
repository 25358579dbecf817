"""What `manage.py doctor` looks at: each part in a sentence, and what to do about it."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from importlib import import_module

from django.conf import settings
from django.core import checks as django_checks
from django.core.mail import get_connection
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from arena import celery_app
from arena.beat import get_sign_age
from arena.events.models import Event, ImportJob, Record
from arena.events.rendering import unrendered
from arena.judging.ledger.checks import PASS_INTERVAL
from arena.judging.models import LedgerBatch, LedgerCheck
from arena.mail import sends_mail
from arena.monitoring import parts, queries
from arena.monitoring.bounded import BoundedChecks
from arena.queues import QUEUES

ANSWER_SECONDS = 8.0
INSPECT_SECONDS = 2.0
MAIL_SECONDS = 5
SMTP = "django.core.mail.backends.smtp.EmailBackend"
MAX_CLOCK_SECONDS = 2.0
MAX_LAG_SECONDS = 60.0
MAX_BOARD_SECONDS = 600.0
MAX_MAIL_SECONDS = 300.0
MAX_QUEUED = 100
# An upload, what it is unpacked to, and the database beside it.
MIN_FREE_BYTES = 2 * 10**9
# An import may take 50 minutes, and others wait for it.
MAX_IMPORT_WAIT = timedelta(hours=2)


# What is wrong, or nothing; and what is so where all is well.
Look = Callable[[datetime], tuple[str, str]]


@dataclass(frozen=True)
class Part:
    """What to look at, what to do where it is wrong, and without what nothing is known of it."""

    look: Look
    remedy: str
    needs: str = ""


@dataclass(frozen=True)
class Finding:
    """What is known of a part: a sentence, and what to do where something is wrong."""

    name: str
    text: str
    is_wrong: bool = False
    remedy: str = ""


class Examination:
    """Looks at all parts, side by side and for a few seconds."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.well: dict[str, str] = {}

    def run(self) -> list[Finding]:
        """A finding for each part, in order."""
        import_module(settings.ROOT_URLCONF)  # for the check of settings, and it takes a while
        looks = {name: partial(self.look_at, name) for name in PARTS}
        wrong = {
            name: said for name, said in BoundedChecks(looks).run(ANSWER_SECONDS).items() if said
        }
        return [self.find(name, wrong) for name in PARTS]

    def look_at(self, name: str) -> str:
        """A check that keeps what is so where all is well."""
        wrong, self.well[name] = PARTS[name].look(self.now)
        return wrong

    def find(self, name: str, wrong: dict[str, str]) -> Finding:
        """What is known of one part."""
        part = PARTS[name]
        if name not in wrong:
            return Finding(name, self.well[name])
        if part.needs in wrong:
            return Finding(name, f"not known without the {part.needs}", is_wrong=True)
        return Finding(name, wrong[name], is_wrong=True, remedy=part.remedy)


def look_at_settings(_now: datetime) -> tuple[str, str]:
    """Django's own checks for a site that is deployed."""
    found = django_checks.run_checks(include_deployment_checks=not settings.DEBUG)
    serious = [one for one in found if one.level >= django_checks.WARNING and not one.is_silenced()]
    words = "; ".join(f"{one.id}: {' '.join(str(one.msg).split())}" for one in serious)
    return words, f"as they should be, for {settings.SITE_URL}"


def look_at_database(_now: datetime) -> tuple[str, str]:
    """Reached, written to, migrated; its version, and how many connections are left."""
    parts.check_database()
    pending = parts.check_migrations()
    if connection.vendor != "postgresql":
        return pending, "SQLite, migrated"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), (SELECT count(*) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend'), current_setting('max_connections')::int"
        )
        version, used, allowed = cursor.fetchone()
    if not pending and used > 0.9 * allowed:
        pending = f"{used} of {allowed} connections are taken"
    words = f"PostgreSQL {version}, migrated; {used} of {allowed} connections; a page's statement"
    return pending, f"{words} may take {settings.STATEMENT_TIMEOUT_MS / 1000:g} s"


def look_at_broker(_now: datetime) -> tuple[str, str]:
    """Takes a message, and is not filling up."""
    parts.check_broker()
    queued = queries.count_queued()
    wrong = [f"{number} in {name}" for name, number in queued.items() if number > MAX_QUEUED]
    text = f"{sum(queued.values())} messages waiting"
    return (f"messages pile up: {', '.join(wrong)}" if wrong else ""), text


def look_at_workers(_now: datetime) -> tuple[str, str]:
    """Every queue has somebody who takes its messages."""
    parts.check_broker()  # asking the workers of a broker that is away takes its time
    answers = celery_app.control.inspect(timeout=INSPECT_SECONDS).active_queues() or {}
    served = {queue["name"] for queues in answers.values() for queue in queues}
    missing = [name for name in QUEUES if name not in served]
    wrong = f"nobody takes the messages of {', '.join(missing)}" if missing else ""
    return wrong, f"{len(answers)} answer: {', '.join(sorted(answers))}"


def look_at_beat(_now: datetime) -> tuple[str, str]:
    """It has sent something lately."""
    wrong = parts.check_beat()
    return wrong, f"sent something {get_sign_age(time.time()) or 0:.0f} seconds ago"


def look_at_sealing(now: datetime) -> tuple[str, str]:
    """Judgments get their place in the ledger."""
    unsealed = queries.find_unsealed(now)
    text = f"{unsealed.judgments} judgments wait for sealing, the oldest for"
    text = f"{text} {unsealed.seconds:.0f} seconds"
    return (text if unsealed.seconds > MAX_LAG_SECONDS else ""), text


def look_at_boards(now: datetime) -> tuple[str, str]:
    """Boards follow the ledger."""
    age = queries.find_snapshot_age(now)
    wrong = f"judgments of the last {age / 60:.0f} minutes are on no board"
    return (wrong if age > MAX_BOARD_SECONDS else ""), "up to date, or being computed"


def look_at_ledgers(now: datetime) -> tuple[str, str]:
    """Verified twice a day, and found as they were written."""
    if differing := queries.count_differing_ledgers():
        return f"{differing} ledgers differ from what was written down", ""
    # A pass begins twelve hours after the last; that it takes hours is unheard of.
    old = Q(ledger_check=None) | Q(ledger_check__looked_at__lt=now - 2 * PASS_INTERVAL)
    sealed = LedgerBatch.objects.filter(sealed_at__lt=now - 2 * PASS_INTERVAL).values("event")
    waiting = Event.objects.filter(old, pk__in=sealed).count()
    wrong = f"{waiting} ledgers have not been verified for a day" if waiting else ""
    return wrong, f"{LedgerCheck.objects.count()} verified, none differs"


def look_at_disk(_now: datetime) -> tuple[str, str]:
    """Room on the volume."""
    full = parts.check_disk()
    usage = shutil.disk_usage(settings.VAR)
    text = f"{usage.free / 10**9:.1f} of {usage.total / 10**9:.1f} GB are free"
    return full or (text if usage.free < MIN_FREE_BYTES else ""), text


def look_at_mail(now: datetime) -> tuple[str, str]:
    """Set up, and the server takes our name."""
    if not sends_mail():
        return "", "none leaves this site: nobody can sign in by mail or verify an address"
    if settings.OUTBOX_BACKEND == SMTP:
        server = get_connection(SMTP, timeout=MAIL_SECONDS)
        server.open()
        server.close()
    waiting, seconds = queries.find_waiting_mail(now)
    text = f"{waiting} messages wait, the oldest for {seconds:.0f} seconds"
    if not settings.OUTBOX_BACKEND:
        text += "; the mail server was not asked: `mail` alone has EMAIL_URL"
    return (text if seconds > MAX_MAIL_SECONDS else ""), text


def look_at_clock(_now: datetime) -> tuple[str, str]:
    """This machine's clock and the database's or broker's agree: deadlines go by them."""
    differences = {}
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float")
            differences["the database's"] = cursor.fetchone()[0] - time.time()
    if settings.REDIS_URL:
        with parts.open_redis() as client:
            seconds, microseconds = client.time()
        differences["the broker's"] = seconds + microseconds / 1e6 - time.time()
    wrong = [
        f"{whose} is {abs(by):.0f} seconds {'ahead' if by > 0 else 'behind'}"
        for whose, by in differences.items()
        if abs(by) > MAX_CLOCK_SECONDS
    ]
    return "; ".join(wrong), f"{timezone.now():%Y-%m-%d %H:%M:%S} UTC"


def look_at_imports(now: datetime) -> tuple[str, str]:
    """None waits for a worker for ever, none has lost its process."""
    queued = ImportJob.objects.filter(state=ImportJob.State.QUEUED)
    late = queued.filter(created_at__lt=now - MAX_IMPORT_WAIT).count()
    stale = ImportJob.objects.stale().count()
    wrong = [f"{late} have waited for two hours"] if late else []
    wrong += [f"{stale} have lost their process"] if stale else []
    counts = queries.count_imports()
    text = f"{counts['queued']} waiting, {counts['under_way']} under way"
    return "; ".join(wrong), text


def look_at_texts(_now: datetime) -> tuple[str, str]:
    """What people read is rendered; what is not costs each reader a wait."""
    some = unrendered(Record.objects.all()).order_by().values("pk")[: 10 * MAX_QUEUED + 1].count()
    wrong = f"more than {10 * MAX_QUEUED} records wait for rendering"
    return (wrong if some > 10 * MAX_QUEUED else ""), f"{some} records wait for rendering"


COMPOSE = "`docker compose up --detach"
# In the order in which to read them: what is named first may be the cause of the others.
PARTS: dict[str, Part] = {
    "settings": Part(
        look_at_settings, "Correct them in .env (deploy/env.example says what each is)."
    ),
    "disk": Part(look_at_disk, "Delete old dumps and images, or give the volume more room."),
    "database": Part(
        look_at_database,
        f"{COMPOSE} database` starts it, `manage.py migrate` brings it up to date; is DATABASE_URL "
        "right?",
    ),
    "broker": Part(
        look_at_broker,
        f"{COMPOSE} redis` starts it; judging goes on meanwhile. Is REDIS_URL right?",
    ),
    "workers": Part(
        look_at_workers,
        f"{COMPOSE} ledger boards imports exports mail`; their logs say why they ended.",
        "broker",
    ),
    "beat": Part(
        look_at_beat,
        f"{COMPOSE} beat`; without it nothing is sealed and no event closes.",
        "broker",
    ),
    "sealing": Part(
        look_at_sealing,
        "Are `ledger` and `beat` running? `deploy/errors.sh` says more.",
        "database",
    ),
    "boards": Part(
        look_at_boards,
        "Is `boards` running, or short of processors? Raise WORKERS.",
        "database",
    ),
    "ledgers": Part(
        look_at_ledgers,
        "`manage.py verify_ledger` names the row. Take a dump before anything else is done.",
        "database",
    ),
    "mail": Part(
        look_at_mail,
        "Is `mail` running? Correct name, password, host and port in EMAIL_URL, if they are wrong; "
        "`manage.py doctor` in the container `mail` asks the mail server.",
    ),
    "clock": Part(
        look_at_clock, "Let the machines keep time by NTP: `timedatectl set-ntp true`.", "database"
    ),
    "imports": Part(
        look_at_imports, "Is `imports` running? It takes them one after the other.", "database"
    ),
    "texts": Part(
        look_at_texts,
        "`imports` renders them bit by bit; `manage.py render_texts` does it at once.",
        "database",
    ),
}
