"""How the controls of an event hide among its other matchups.

Whoever compares notes with others sees which matchups, and which prompts, come up more often or
less often than the rest. There are three regimes, and `find_regime` says which one is in force.
"""

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from math import ceil, floor

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arena.events.lifecycle.control_runs import ANCHORS_PER_CONTROL, matched_share
from arena.events.models import Event, Matchup, MatchupQuerySet, Record

MAX_RECORDS_COUNTED = 1_000
"""So many records say how many matchups a record of an event usually has."""
Role = Matchup.Role


class Regime(Enum):
    """What keeps people from telling controls by how often they come up.

    MATCHED: there are controls enough that each is shown as often as an ordinary matchup, and no
    more than that. ANCHORED: there are too few, and anchors that come up as often as they do.
    NEITHER: there are too few, and nothing else comes up as often.
    """

    MATCHED = "matched"
    ANCHORED = "anchored"
    NEITHER = "neither"


@dataclass(frozen=True)
class MatchupPool:
    """What an event has in service. ordinary: matchups of models that want judgments; companions:
    further ordinary ones, of controls' records, that rate nobody."""

    ordinary: int
    companions: int
    controls: int
    anchors: int
    interval: int

    @property
    def compared(self) -> int:
        """Matchups that controls are compared with: an anchor was an ordinary one before."""
        return self.ordinary + self.anchors

    @property
    def controls_wanted(self) -> int:
        """How many controls a matched pool needs."""
        return ceil(self.compared * matched_share(self.interval))

    @property
    def anchors_missing(self) -> int:
        """How many more anchors hide the controls of a pool that is too short."""
        return max(0, ANCHORS_PER_CONTROL * self.controls - self.anchors)

    @property
    def regime(self) -> Regime:
        """As `find_regime` says."""
        return name_regime(self.controls, self.anchors, self.compared, self.interval)


def find_regime(event: Event) -> Regime:
    """The regime in force. No more matchups are counted than decide it."""
    serving = Matchup.objects.serving().filter(event=event)
    controls = serving.filter(role=Role.CONTROL).count()
    anchors = serving.filter(role=Role.ANCHOR).count()
    most = floor(controls / matched_share(event.control_interval))
    rows = count_models(serving).order_by().values("pk")[: max(0, most - anchors) + 1]
    return name_regime(controls, anchors, rows.count() + anchors, event.control_interval)


def name_regime(controls: int, anchors: int, compared: int, interval: int) -> Regime:
    """The regime of so many matchups."""
    if 0 < compared * matched_share(interval) <= controls:
        return Regime.MATCHED
    return Regime.ANCHORED if controls and anchors else Regime.NEITHER


def count_models(serving: MatchupQuerySet) -> MatchupQuerySet:
    """Those of these matchups that are ordinary and no companions, which are of no pair."""
    return serving.filter(role=Role.ORDINARY).exclude(pair="")


def count_pool(event: Event) -> MatchupPool:
    """All of it, counted."""
    found = (
        Matchup.objects.serving()
        .filter(event=event)
        .aggregate(
            ordinary=Count("pk", filter=Q(role=Role.ORDINARY) & ~Q(pair="")),
            companions=Count("pk", filter=Q(role=Role.ORDINARY, pair="")),
            controls=Count("pk", filter=Q(role=Role.CONTROL)),
            anchors=Count("pk", filter=Q(role=Role.ANCHOR)),
        )
    )
    return MatchupPool(**found, interval=event.control_interval)


# --- prompts --------------------------------------------------------------------------------------
def count_matchups_usual(event: Event) -> int:
    """How many matchups in service a record without a control usually has; 0 without any."""
    records = records_in_service(event).filter(~Exists(controls_of_record()))
    counts = records.annotate(count=Count("matchups", filter=Q(matchups__retired_at=None)))
    served = counts.filter(count__gt=0).values_list("count", flat=True)
    found = Counter(served[:MAX_RECORDS_COUNTED])
    return max(found, key=lambda count: (found[count], count)) if found else 0


def count_responses_missing(event: Event) -> tuple[int, int]:
    """How many controls' records have fewer matchups in service than a record usually has, and how
    many more responses all of them need to have as many."""
    usual = count_matchups_usual(event)
    needed = next(count for count in range(2, usual + 3) if count * (count - 1) // 2 >= usual)
    short = (
        list_records_with_controls(event)
        .annotate(
            count=Count("matchups", filter=Q(matchups__retired_at=None), distinct=True),
            answers=Count("responses", distinct=True),
        )
        .filter(count__lt=usual, answers__lt=needed)
    )
    missing = [needed - answers for answers in short.values_list("answers", flat=True)]
    return len(missing), sum(missing)


def list_records_with_controls(event: Event) -> QuerySet[Record]:
    """Records in service that hold a control in service."""
    return records_in_service(event).filter(Exists(controls_of_record()))


def records_in_service(event: Event) -> QuerySet[Record]:
    """Wholly imported and not retired."""
    return Record.objects.filter(event=event, imported_at__isnull=False, retired_at=None).order_by()


def controls_of_record() -> MatchupQuerySet:
    """The controls in service of the record of the query around."""
    return Matchup.objects.filter(record=OuterRef("pk"), role=Role.CONTROL, retired_at=None)


# --- what follows ---------------------------------------------------------------------------------
def find_hiding_obstacle(event: Event) -> str:
    """Why a prize would go to whoever tells the controls of the event; empty where there is no
    prize, no control, or nothing to tell them by."""
    pool = count_pool(event)
    if not event.prize or not pool.controls or pool.regime is Regime.MATCHED:
        return ""
    if pool.regime is Regime.NEITHER:
        words = _(
            "%(controls)s controls come up more often than other matchups, so people who compare "
            "notes can tell them. A prize needs %(wanted)s controls, or two anchors for each "
            "control."
        )
        return words % {"controls": pool.controls, "wanted": pool.controls_wanted}
    if not pool.anchors_missing:
        return ""
    words = _(
        "A prize needs two anchors for each control, or people who compare notes can tell them: "
        "add %(missing)s."
    )
    return words % {"missing": pool.anchors_missing}


def describe_regime(pool: MatchupPool) -> str:
    """What hides the controls of an event, in a sentence or two, or what does not."""
    if pool.regime is Regime.MATCHED:
        words = _(
            "Matched pool: %(controls)s controls (at least %(wanted)s are needed) are shown as "
            "often as ordinary matchups, and to no more people."
        )
    elif pool.regime is Regime.ANCHORED and pool.anchors_missing:
        words = _(
            "Anchors: each of the %(controls)s controls comes up less often than the %(anchors)s "
            "anchors do, which gives it away. %(missing)s more anchors would not."
        )
    elif pool.regime is Regime.ANCHORED:
        words = _(
            "Anchors: %(anchors)s matchups that everybody may meet come up as often as the "
            "%(controls)s controls. Of three that come up often, one is a control."
        )
    else:
        words = _(
            "Nothing hides the controls: everybody may meet all %(controls)s of them, so they come "
            "up more often than ordinary matchups, and people who compare notes can tell them. "
            "%(wanted)s controls would not, nor would two anchors for each control."
        )
    return words % {
        "controls": pool.controls,
        "wanted": pool.controls_wanted,
        "anchors": pool.anchors,
        "missing": pool.anchors_missing,
    }


def describe_missing_responses(event: Event) -> str:
    """Which responses keep the prompts of controls from coming up as others do; empty if none."""
    records, responses = count_responses_missing(event)
    if not responses:
        return ""
    words = ngettext(
        "The prompts of %(records)s controls come up less often than others, which gives them "
        "away: %(count)s more response is missing. Import it with the control’s identifier.",
        "The prompts of %(records)s controls come up less often than others, which gives them "
        "away: %(count)s more responses are missing in all. Import them with the controls’ "
        "identifiers.",
        responses,
    )
    return words % {"records": records, "count": responses}
