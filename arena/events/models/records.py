"""What is judged: competitors, records with their responses, matchups and controls."""

from typing import ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, Q

from arena.events.models.event import Event, Question
from arena.events.models.style import Styled


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
    # The turns of the prompt as safe HTML, in order; null until they are rendered.
    prompt_html = models.JSONField(null=True, editable=False)
    # The version of the renderer that made the HTML of the prompt and of all responses; 0 where
    # some of it is still to be made. `arena/events/rendering` writes it.
    rendered_with = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "external_id"], name="record_external_id_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["event", "sort_key"], name="record_in_order"),
            # The few among many whose texts are still to be rendered.
            models.Index(fields=["rendered_with", "id"], name="record_rendered_with"),
        ]

    def __str__(self) -> str:
        return self.external_id


class Response(Styled):
    """One competitor's output for one record, with the covariates of its style.

    Those of a control's record may have no competitor.
    """

    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="responses")
    # Null: written or chosen by the organizer for a control or its companions.
    competitor = models.ForeignKey(
        Competitor, on_delete=models.CASCADE, null=True, related_name="responses"
    )
    text = models.TextField()
    # The text as safe HTML, made by this version of the renderer; 0 while it is not rendered.
    html = models.TextField(default="", db_default="", editable=False)
    rendered_with = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)

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

    def rateable(self) -> "MatchupQuerySet":
        """Ordinary matchups whose every response is a competitor's: what is said of them rates
        somebody. A companion of a control shows a response of nobody's."""
        nobodys = MatchupResponse.objects.filter(
            matchup=OuterRef("pk"), response__competitor__isnull=True
        )
        return self.filter(~Exists(nobodys), role=Matchup.Role.ORDINARY)

    def seen(self) -> "MatchupQuerySet":
        """Matchups that somebody has been shown, or judged elsewhere: their text is frozen."""
        return self.filter(
            Q(assignments__shown_at__isnull=False) | Q(judgments__isnull=False)
        ).distinct()

    def unseen(self) -> "MatchupQuerySet":
        """Matchups that nobody has been assigned or has judged."""
        return self.filter(assignments=None, judgments=None)


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
    # Its two competitors (`build_pair`); empty where it does not show responses of just two.
    pair = models.CharField(max_length=40, default="", db_default="", editable=False)
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
            # What a chunk of ordinary matchups is drawn from, whatever has been judged.
            models.Index(
                fields=["event", "shuffle"],
                condition=Q(retired_at=None, role="ordinary", open_slots__gt=0),
                name="matchup_open",
            ),
            # The same for the matchups of one pair of competitors.
            models.Index(
                fields=["event", "pair", "shuffle"],
                condition=Q(retired_at=None, role="ordinary", open_slots__gt=0),
                name="matchup_open_pair",
            ),
            # What the controls of a chunk are drawn from.
            models.Index(
                fields=["event", "shuffle"],
                condition=Q(retired_at=None, role="control"),
                name="matchup_control",
            ),
            # And its anchors.
            models.Index(
                fields=["event", "shuffle"],
                condition=Q(retired_at=None, role="anchor"),
                name="matchup_anchor",
            ),
            # The few among many that every refresh of the boards asks for.
            models.Index(
                fields=["event", "id"], condition=~Q(role="ordinary"), name="matchup_special"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.record} [{self.key}]"

    def response_ids(self) -> list[int]:
        """The primary keys of its responses in canonical order."""
        return [int(pk) for pk in self.key.split(",") if pk]


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
