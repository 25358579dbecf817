"""What is judged: an event with its competitors, records, responses and matchups."""

import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from arena.people.models import SeatPool, User


def draw_secret() -> str:
    """256 random bits, hexadecimal."""
    return secrets.token_hex(32)


def check_timezone(name: str) -> None:
    """Refuse what is not an IANA time zone."""
    if name not in available_timezones():
        raise ValidationError(_("%(name)s is not a time zone."), params={"name": name})


class EventQuerySet(models.QuerySet["Event"]):
    """Chainable questions about events."""

    def known_to(self, user_id: int | None) -> "EventQuerySet":
        """Public events, and private ones in which this user is a contributor; no drafts."""
        joined = Enrollment.objects.filter(user=user_id, user__isnull=False, event=OuterRef("pk"))
        return self.filter(Q(is_private=False) | Exists(joined)).exclude(state=Event.State.DRAFT)

    def running(self) -> "EventQuerySet":
        """Events that may take judgments: open or frozen."""
        return self.filter(state__in=(Event.State.OPEN, Event.State.FROZEN))


class Event(models.Model):
    """One crowd-evaluation competition: guidelines, questions, deadline, settings, prize."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        OPEN = "open", _("Open")
        FROZEN = "frozen", _("Ranks frozen")
        CLOSED = "closed", _("Closed")
        PUBLISHED = "published", _("Published")

    class Scale(models.IntegerChoices):
        TWO = 2, _("2: A or B")
        THREE = 3, _("3: A, tie, B")
        FIVE = 5, _("5: much better, better, tie")
        SEVEN = 7, _("7: much, plainly, slightly better, tie")

    class Choosing(models.TextChoices):
        UNIFORM = "uniform", _("Uniform")
        COVERAGE = "coverage", _("Fewest judgments first")

    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=120)
    summary = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    prize = models.TextField(blank=True)
    licence = models.CharField(max_length=60, default="CC-BY-4.0")
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    is_private = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    timezone = models.CharField(max_length=64, default="UTC", validators=[check_timezone])
    # Null: as soon as the state says open.
    opens_at = models.DateTimeField(null=True, blank=True)
    # Null: until somebody closes it.
    closes_at = models.DateTimeField(null=True, blank=True)
    grace_minutes = models.PositiveSmallIntegerField(default=10)
    freeze_minutes = models.PositiveSmallIntegerField(default=60)

    scale = models.PositiveSmallIntegerField(choices=Scale.choices, default=Scale.FIVE)
    both_bad = models.BooleanField(default=True)
    overlap = models.PositiveSmallIntegerField(default=3)
    lease_minutes = models.PositiveSmallIntegerField(default=30)
    undo_seconds = models.PositiveSmallIntegerField(default=120)
    recurrence_gap = models.PositiveSmallIntegerField(default=5)
    # After the front-loaded controls, one in so many.
    control_interval = models.PositiveSmallIntegerField(default=20)
    # 0: every pair of a record's responses.
    matchups_per_record = models.PositiveSmallIntegerField(default=0)
    choosing = models.CharField(max_length=10, choices=Choosing.choices, default=Choosing.COVERAGE)
    # Boards move per so many judgments; 0: with every one.
    publish_batch = models.PositiveSmallIntegerField(default=0)

    # Which origins enter the boards, beside what people judged on screen.
    counts_imported = models.BooleanField(default=True)
    counts_simulated = models.BooleanField(default=False)
    counts_machine = models.BooleanField(default=False)

    # A private event lets in whom it invites, whoever has a verified address under one of these
    # domains (one a line), and, where it wants approval, only whom an organizer has let in.
    email_domains = models.TextField(blank=True)
    needs_approval = models.BooleanField(default=False)

    # Keys the control schedule and the pseudonyms; never leaves the server.
    secret = models.CharField(max_length=64, default=draw_secret, editable=False)
    seats = models.OneToOneField(
        SeatPool, on_delete=models.PROTECT, null=True, editable=False, related_name="event"
    )

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(scale__in=(2, 3, 5, 7)), name="event_scale_known"),
            models.CheckConstraint(condition=Q(overlap__gte=1), name="event_overlap_positive"),
            models.CheckConstraint(
                condition=Q(control_interval__gte=2), name="event_control_interval_sane"
            ),
            models.CheckConstraint(condition=Q(lease_minutes__gte=1), name="event_lease_positive"),
            models.CheckConstraint(
                condition=Q(closes_at=None) | Q(opens_at=None) | Q(closes_at__gt=F("opens_at")),
                name="event_closes_after_opening",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def is_running(self) -> bool:
        """Whether it may take judgments: open or frozen."""
        return self.state in (self.State.OPEN, self.State.FROZEN)

    def is_over(self) -> bool:
        """Whether its settings are fixed: closed or published."""
        return self.state in (self.State.CLOSED, self.State.PUBLISHED)

    def offers_tie(self) -> bool:
        """Whether its scale has a middle."""
        return self.scale != self.Scale.TWO

    def ends_at(self) -> datetime | None:
        """Until when what was shown before the deadline may be answered; null without one."""
        return self.closes_at and self.closes_at + timedelta(minutes=self.grace_minutes)

    def is_open(self, at: datetime) -> bool:
        """Whether new matchups are handed out at this moment of the server's clock."""
        return (
            self.is_running()
            and (self.opens_at is None or at >= self.opens_at)
            and (self.closes_at is None or at < self.closes_at)
        )

    def takes_answer(self, at: datetime) -> bool:
        """Whether a matchup shown before closing may still be answered (the grace period)."""
        ends_at = self.ends_at()
        return self.is_running() and (ends_at is None or at < ends_at)

    def takes_contributors(self, at: datetime) -> bool:
        """Whether people can join; before the opening time they can, and wait for it."""
        return self.is_running() and (self.closes_at is None or at < self.closes_at)

    def zone(self) -> ZoneInfo:
        """The time zone in which the event's times are meant."""
        return ZoneInfo(self.timezone)

    def counted_origins(self) -> list[str]:
        """The origins of judgments that enter this event's boards."""
        extra = {
            "imported": self.counts_imported,
            "simulated": self.counts_simulated,
            "machine": self.counts_machine,
        }
        return ["screen", *(origin for origin, counts in extra.items() if counts)]


class Guidelines(models.Model):
    """One version of an event's guidelines; judgments name the version they were made under."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="guidelines")
    version = models.PositiveIntegerField()
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        get_latest_by = "version"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "version"], name="guidelines_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.event} v{self.version}"


class Terms(models.Model):
    """One version of what a contributor agrees to on joining; enrollments name theirs."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="terms")
    version = models.PositiveIntegerField(default=1)
    licence = models.CharField(max_length=60)
    public_release = models.TextField(
        default="Your judgments and comments are published under a pseudonym with the data of this "
        "event. Your name and address never are."
    )
    minimum_age = models.PositiveSmallIntegerField(default=18)
    content_warning = models.TextField(
        blank=True,
        default="Responses are written by machines. Some may be wrong, upsetting or offensive.",
    )
    # The event's prize as this version promises it; both are empty where there is none.
    prize = models.TextField(blank=True)
    prize_rules = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        get_latest_by = "version"
        verbose_name_plural = "terms"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "version"], name="terms_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.event} terms v{self.version}"


class Question(models.Model):
    """Something asked about every matchup of an event; `kind` names a row of `KINDS`."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="questions")
    position = models.PositiveSmallIntegerField()
    name = models.SlugField(max_length=40)
    kind = models.CharField(max_length=20)
    title = models.CharField(max_length=200)
    help = models.CharField(max_length=300, blank=True)
    required = models.BooleanField(default=True)
    settings = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "name"], name="question_name_once"),
            models.UniqueConstraint(fields=["event", "position"], name="question_position_once"),
        ]

    def __str__(self) -> str:
        return self.title

    def all_settings(self) -> dict[str, Any]:
        """The question's settings with those that the event fixes for every preference."""
        return {**self.settings, "scale": self.event.scale, "both_bad": self.event.both_bad}


class Note(models.Model):
    """A word from the organizer to everybody who judges; one at a time is current."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="notes")
    text = models.CharField(max_length=500)
    created_at = models.DateTimeField()
    # Null: whoever wrote it has left and was erased.
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    # Null while current.
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["event"], condition=Q(ended_at=None), name="note_one_current"
            )
        ]

    def __str__(self) -> str:
        return self.text[:40]


class Competitor(models.Model):
    """A language model (or checkpoint, prompt, system) being rated; people read "model"."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="competitors")
    name = models.CharField(max_length=120)
    organization = models.CharField(max_length=120, blank=True)
    licence = models.CharField(max_length=60, blank=True)
    version = models.CharField(max_length=60, blank=True)
    # Joined after the first judgment: provisional until it has its votes.
    joined_late = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "name"], name="competitor_name_once")
        ]

    def __str__(self) -> str:
        return self.name


class Category(models.Model):
    """A subject under which records are grouped and boards can be filtered."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="categories")
    slug = models.SlugField(max_length=60, allow_unicode=True)
    name = models.CharField(max_length=80)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name_plural = "categories"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "slug"], name="category_slug_once")
        ]

    def __str__(self) -> str:
        return self.name


class Record(models.Model):
    """A prompt (one turn or a conversation) with categories and metadata.

    `prompt` is a list of `{"role", "content"}` whose last turn is to be answered. Text that
    somebody has been shown is frozen: a fix retires this record and names it in the new one.
    """

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="records")
    # The organizer's own identifier: a re-import updates, never duplicates.
    external_id = models.CharField(max_length=200)
    # `ordering.natural_key(external_id)`: lists count as people do, 81 before 100.
    sort_key = models.CharField(max_length=500, default="", db_default="", editable=False)
    prompt = models.JSONField()
    metadata = models.JSONField(default=dict, blank=True)
    categories = models.ManyToManyField(Category, related_name="records", blank=True)
    # Null while its import is under way: nothing half-imported is ever served.
    imported_at = models.DateTimeField(null=True)
    # Null while in use.
    retired_at = models.DateTimeField(null=True)
    # The import that brought it; null where it was made otherwise, or before that was kept.
    import_job = models.ForeignKey(
        "ImportJob", on_delete=models.SET_NULL, null=True, related_name="records"
    )
    # The record that this one corrects; null for most.
    replaces = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "external_id"], name="record_external_id_once")
        ]
        indexes: ClassVar = [models.Index(fields=["event", "sort_key"], name="record_in_order")]

    def __str__(self) -> str:
        return self.external_id


class Response(models.Model):
    """One competitor's output for one record; a control's responses may have no competitor."""

    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="responses")
    # Null: written or chosen by the organizer for a control.
    competitor = models.ForeignKey(
        Competitor, on_delete=models.CASCADE, null=True, related_name="responses"
    )
    text = models.TextField()
    # Style covariates, counted at import; leaderboard/ratings/extended/style.py uses them.
    length = models.PositiveIntegerField(default=0)
    headers = models.PositiveIntegerField(default=0)
    bold = models.PositiveIntegerField(default=0)
    lists = models.PositiveIntegerField(default=0)
    code = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["record", "competitor"], name="response_once_per_competitor"
            )
        ]

    def __str__(self) -> str:
        return f"{self.record} / {self.competitor or 'control'}"


class MatchupQuerySet(models.QuerySet["Matchup"]):
    """Chainable questions about matchups."""

    def serving(self) -> "MatchupQuerySet":
        """Matchups that may be handed out: wholly imported, not retired, nor their record."""
        return self.filter(
            retired_at=None, record__imported_at__isnull=False, record__retired_at=None
        )

    def seen(self) -> "MatchupQuerySet":
        """Matchups that somebody has been shown, or judged elsewhere: their text is frozen."""
        return self.filter(
            Q(assignments__shown_at__isnull=False) | Q(judgments__isnull=False)
        ).distinct()


class Matchup(models.Model):
    """A record and the 1 to 9 of its responses shown together: unordered, unique. The unit of work.

    `role` says why it is handed out and never reaches a contributor. `open_slots` is how many
    more judgments an ordinary matchup wants; whoever takes one decrements it in the same
    statement that checks it, so that overlap is exact under any concurrency.
    """

    class Role(models.TextChoices):
        ORDINARY = "ordinary"
        CONTROL = "control"
        ANCHOR = "anchor"

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="matchups")
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="matchups")
    responses = models.ManyToManyField(Response, through="MatchupResponse", related_name="matchups")
    # Primary keys of its responses in canonical order, comma-separated: makes the set unique.
    key = models.CharField(max_length=200)
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.ORDINARY)
    open_slots = models.PositiveSmallIntegerField(default=0)
    # A fixed random place in [0, 1) that assignment walks through: no sorting at serving time.
    shuffle = models.FloatField()
    retired_at = models.DateTimeField(null=True)

    objects = MatchupQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["record", "key"], name="matchup_once"),
            models.CheckConstraint(
                condition=Q(shuffle__gte=0) & Q(shuffle__lt=1), name="matchup_shuffle_unit"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["event", "role", "open_slots", "shuffle"],
                condition=Q(retired_at=None),
                name="matchup_serving",
            ),
            # The few among many that every refresh of the boards asks for.
            models.Index(
                fields=["event", "id"], condition=~Q(role="ordinary"), name="matchup_special"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.record} [{self.key}]"


class MatchupResponse(models.Model):
    """A response's canonical position (0-based, by primary key) in a matchup."""

    matchup = models.ForeignKey(Matchup, on_delete=models.CASCADE, related_name="places")
    response = models.ForeignKey(Response, on_delete=models.CASCADE, related_name="places")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["matchup", "position"], name="place_position_once"),
            models.UniqueConstraint(fields=["matchup", "response"], name="place_response_once"),
            models.CheckConstraint(condition=Q(position__lt=9), name="place_at_most_nine"),
        ]

    def __str__(self) -> str:
        return f"{self.matchup} @{self.position}"


class Control(models.Model):
    """The key of a matchup whose answer is known. Kept apart so that no page for a contributor
    can read it by accident."""

    matchup = models.OneToOneField(Matchup, on_delete=models.CASCADE, related_name="control")
    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="controls")
    key = models.JSONField()
    reason = models.TextField(blank=True)
    # Null while people are measured by it; else why they no longer are.
    retired_at = models.DateTimeField(null=True)
    retired_because = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"key of {self.matchup}"


class Membership(models.Model):
    """A person's office in an event. Contributors have an Enrollment instead."""

    class Role(models.TextChoices):
        ORGANIZER = "organizer", _("Organizer")
        REVIEWER = "reviewer", _("Reviewer")
        READER = "reader", _("Reader")

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "user"], name="membership_once")
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.role} of {self.event}"


class EnrollmentQuerySet(models.QuerySet["Enrollment"]):
    """Chainable questions about contributors."""

    def not_excluded(self) -> "EnrollmentQuerySet":
        """Contributors whom no exclusion in force names: those that pages count."""
        named = Enrollment.objects.filter(exclusions__isnull=False, exclusions__lifted_at=None)
        return self.exclude(pk__in=named.values("pk"))


class Enrollment(models.Model):
    """A contributor (or a judging machine) in one event."""

    class Kind(models.TextChoices):
        HUMAN = "human"
        MACHINE = "machine"

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="enrollments")
    # Null: imported or simulated contributors, machines, and people who left and were erased.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="enrollments",
    )
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.HUMAN)
    # Public, stable within the event, says nothing about the person.
    pseudonym = models.CharField(max_length=60)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # The identifier this contributor had where the votes were collected; null on screen.
    external_id = models.CharField(max_length=200, null=True)
    joined_at = models.DateTimeField()
    # The version of the guidelines this person has read; null before the first.
    guidelines = models.ForeignKey(Guidelines, on_delete=models.PROTECT, null=True)
    guidelines_at = models.DateTimeField(null=True)
    # The version of the terms this person has accepted, and when; null where nobody was asked
    # (imported, simulated).
    terms = models.ForeignKey(Terms, on_delete=models.PROTECT, null=True)
    terms_at = models.DateTimeField(null=True)
    # Null while taking part. Who has left is nobody any more: the user is null as well.
    left_at = models.DateTimeField(null=True)
    # Assignments served so far: the ordinal that the control schedule follows.
    served = models.PositiveIntegerField(default=0)

    objects = EnrollmentQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "user"], name="enrollment_once"),
            models.UniqueConstraint(
                fields=["event", "pseudonym"], name="enrollment_pseudonym_once"
            ),
            models.UniqueConstraint(
                fields=["event", "external_id"], name="enrollment_external_id_once"
            ),
            models.CheckConstraint(
                condition=Q(terms=None, terms_at=None)
                | Q(terms__isnull=False, terms_at__isnull=False),
                name="enrollment_terms_dated",
            ),
            models.CheckConstraint(
                condition=Q(left_at=None) | Q(user=None), name="enrollment_left_is_nobody"
            ),
        ]

    def __str__(self) -> str:
        return self.pseudonym


class Invitation(models.Model):
    """A link that gives whoever opens it a role in an event, a limited number of times."""

    class Role(models.TextChoices):
        ORGANIZER = "organizer", _("Organizer")
        REVIEWER = "reviewer", _("Reviewer")
        READER = "reader", _("Reader")
        CONTRIBUTOR = "contributor", _("Contributor")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=11, choices=Role.choices)
    # SHA-256 of the link's token, hexadecimal.
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    # Null: made by a command, or by somebody who has left.
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    # Null: until it is used up.
    expires_at = models.DateTimeField(null=True)
    uses_left = models.PositiveIntegerField(default=1)

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.role} of {self.event}"


class Application(models.Model):
    """Somebody asks to be let into a private event that wants approval."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="applications")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="applications")
    asked_at = models.DateTimeField()
    # Both null while nobody has decided.
    decided_at = models.DateTimeField(null=True)
    granted = models.BooleanField(null=True)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering: ClassVar = ["asked_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "user"], name="application_once"),
            models.CheckConstraint(
                condition=Q(decided_at=None, granted=None)
                | Q(decided_at__isnull=False, granted__isnull=False),
                name="application_decision_dated",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} to {self.event}"


def import_path(job: "ImportJob", name: str) -> str:
    """Where an upload is kept: nothing of the name that the person gave it is in the path."""
    return f"imports/{job.uuid}"


class ImportJobQuerySet(models.QuerySet["ImportJob"]):
    """Chainable questions about imports."""

    def under_way(self) -> "ImportJobQuerySet":
        """Imports that a process is working on, or was when it died."""
        return self.filter(state__in=ImportJob.UNDER_WAY)

    def stale(self) -> "ImportJobQuerySet":
        """Imports under way that nobody has worked on for a while, by the database's clock."""
        return self.under_way().filter(
            Q(heartbeat_at=None) | Q(heartbeat_at__lt=Now() - ImportJob.STALE_AFTER)
        )

    def unclaimed(self) -> "ImportJobQuerySet":
        """Imports that have waited for a worker for a while, by the database's clock."""
        return self.filter(state=ImportJob.State.QUEUED).filter(
            Q(heartbeat_at=None) | Q(heartbeat_at__lt=Now() - ImportJob.STALE_AFTER)
        )

    def unlanded(self) -> "ImportJobQuerySet":
        """Imports that have not come to their end: what they have written so far is invisible."""
        return self.exclude(state=ImportJob.State.DONE)


class ImportJob(models.Model):
    """One import into an event, by upload or command: its file, its progress, its report.

    At most one is under way in an event. Nothing it writes is visible before it has written
    everything; a later one takes away what a process that died has left behind.
    """

    class Kind(models.TextChoices):
        RECORDS = "records", _("Records")
        JUDGMENTS = "judgments", _("Judgments")

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("Waiting for your confirmation")
        QUEUED = "queued", _("Waiting for a worker")
        CHECKING = "checking", _("Checking every line")
        WRITING = "writing", _("Writing")
        # Everything new is visible; changes of what was there before are going in.
        APPLYING = "applying", _("Applying changes")
        DONE = "done", _("Done")
        # The file can be imported, and somebody has to confirm what is doubtful about it.
        DOUBTFUL = "doubtful", _("Not imported yet: please look at what is doubtful")
        # Lines are wrong; nothing was written.
        REFUSED = "refused", _("Not imported: some lines are wrong")
        FAILED = "failed", _("Stopped half-way: nothing was imported")
        # Nothing of it is visible any more; its records are being deleted.
        REMOVING = "removing", _("Taking back")
        REVERTED = "reverted", _("Taken back")

    UNDER_WAY = (State.CHECKING, State.WRITING, State.APPLYING, State.REMOVING)
    STALE_AFTER = timedelta(seconds=60)

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="import_jobs")
    kind = models.CharField(max_length=9, choices=Kind.choices, default=Kind.RECORDS)
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    # Null: a command.
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    # Null: read elsewhere by a command, or deleted after the import.
    file = models.FileField(upload_to=import_path, null=True)
    # What the person called it; shown, never opened.
    file_name = models.CharField(max_length=200, blank=True)
    format = models.CharField(max_length=5)
    # The file's columns or keys to ours; to "": left out.
    mapping = models.JSONField(default=dict)
    # What a file of votes does not say by itself: `VoteOptions.as_json()`.
    vote_options = models.JSONField(default=dict)
    skips_errors = models.BooleanField(default=False)
    # Kinds of doubt that somebody has confirmed (importing/doubts.py).
    accepted = models.JSONField(default=list)
    # Counts the processes that took it on: one that was taken for dead finds another number.
    attempt = models.PositiveSmallIntegerField(default=0)
    # When somebody last worked on it, or it began to wait for a worker, by the database's clock.
    heartbeat_at = models.DateTimeField(null=True)
    # Bytes while checking, rows while writing; total is null where it is not known.
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(null=True)
    # `ImportReport.as_json()`.
    report = models.JSONField(default=dict)
    # Primary keys of the competitors and categories it has created: who cleans up takes them away.
    added = models.JSONField(default=dict)
    # Null until it is done, refused, failed or taken back.
    ended_at = models.DateTimeField(null=True)

    objects = ImportJobQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["event"],
                condition=Q(state__in=("checking", "writing", "applying", "removing")),
                name="import_job_one_under_way",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.event}: {self.state}"

    def has_brought_records(self) -> bool:
        """Whether it is an import of votes whose records are here: an export's come first."""
        is_of_votes = self.kind == ImportJob.Kind.JUDGMENTS
        return is_of_votes and self.records.filter(imported_at__isnull=False).exists()

    def state_words(self) -> str:
        """What has become of it so far, for whoever started it."""
        if self.state == ImportJob.State.FAILED and self.has_brought_records():
            return gettext("Stopped half-way: the file’s records are here, its votes are not")
        return self.get_state_display()


class StagedRecord(models.Model):
    """A change of a record that is there already, waiting for the rest of its import."""

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="staged")
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="+")
    line = models.PositiveIntegerField()
    # `RecordRow.as_json()`.
    content = models.JSONField()

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"line {self.line} of {self.job}"
