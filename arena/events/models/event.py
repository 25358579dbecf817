"""An event with its guidelines, terms and questions."""

import secrets
from datetime import datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from arena.events.timezones import timezone_names
from arena.people.models import SeatPool, User


def draw_secret() -> str:
    """256 random bits, hexadecimal."""
    return secrets.token_hex(32)


def check_timezone(name: str) -> None:
    """Refuse what is not an IANA time zone."""
    if name not in timezone_names():
        raise ValidationError(_("%(name)s is not a time zone."), params={"name": name})


class EventQuerySet(models.QuerySet["Event"]):
    """Chainable questions about events."""

    def known_to(self, user_id: int | None) -> "EventQuerySet":
        """Public events, and private ones in which this user is a contributor; no drafts."""
        joined = Event.objects.filter(
            pk=OuterRef("pk"), enrollments__user=user_id, enrollments__user__isnull=False
        )
        return self.filter(Q(is_private=False) | Exists(joined)).exclude(state=Event.State.DRAFT)

    def running(self) -> "EventQuerySet":
        """Events that may take judgments: open or frozen."""
        return self.filter(state__in=(Event.State.OPEN, Event.State.FROZEN))

    def over(self) -> "EventQuerySet":
        """Events that take no judgments any more: closed or published."""
        return self.filter(state__in=Event.OVER_STATES)


class Event(models.Model):
    """One crowd-evaluation competition: guidelines, questions, deadline, settings, prize."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        OPEN = "open", _("Open")
        FROZEN = "frozen", _("Ranks frozen")
        CLOSED = "closed", _("Closed")
        PUBLISHED = "published", _("Published")

    # What "over" means, here and everywhere: see also arena/events/lifecycle/locking.py.
    OVER_STATES = (State.CLOSED, State.PUBLISHED)

    class Scale(models.IntegerChoices):
        TWO = 2, _("2: A or B")
        THREE = 3, _("3: A, tie, B")
        FIVE = 5, _("5: much better, better, tie")
        SEVEN = 7, _("7: much, plainly, slightly better, tie")

    class Choosing(models.TextChoices):
        UNIFORM = "uniform", _("Uniform")
        COVERAGE = "coverage", _("Fewest judgments first")
        ACTIVE = "active", _("Most informative pairs more often")

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
    # Null: not published, or published by a release that did not say when.
    published_at = models.DateTimeField(null=True, editable=False)
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
    # Whether the judging page sums up how an answer was given (arena/judging/behaviour.py). Events
    # from before there was such a thing did not say so in their terms, and keep nothing.
    keeps_behaviour = models.BooleanField(default=True, db_default=False)
    # Public boards move per so many judgments; 0, live: with every one
    # (arena/events/lifecycle/batches.py).
    publish_batch = models.PositiveSmallIntegerField(default=20)
    # Whether a release has set publish_batch; the desk says so until somebody saves it.
    batch_is_new = models.BooleanField(default=False, db_default=False, editable=False)

    # A contributor's judgments of one day that count towards their score.
    daily_cap = models.PositiveSmallIntegerField(
        default=400, db_default=400, validators=[MinValueValidator(1)]
    )
    # Whether whoever fails the controls and agrees with nobody is excluded before a person looks.
    excludes_automatically = models.BooleanField(default=False, db_default=False)

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
    # Moves when its questions change: each process keeps them, and reads this with every request.
    version = models.PositiveIntegerField(default=0, db_default=0, editable=False)
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
        """Whether it takes no judgments any more: closed or published."""
        return self.state in self.OVER_STATES

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

    def promises(self) -> dict[str, Any]:
        """What its own settings say in its terms."""
        return {
            "licence": self.licence,
            "prize": self.prize,
            "keeps_behaviour": self.keeps_behaviour,
        }

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
    # Whether help of programs is allowed; empty in versions from before it was asked.
    assistance = models.TextField(
        blank=True,
        default="Judge by yourself: no program and no language model may choose for you.",
        db_default="",
    )
    # Whether this version says that the event keeps how answers were given.
    keeps_behaviour = models.BooleanField(default=True, db_default=False)
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
