"""What an event needs before somebody can win something in it."""

from django.conf import settings
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from arena.errors import ArenaError
from arena.events.lifecycle.control_runs import ANCHORS_PER_CONTROL, OPENING_RUNS
from arena.events.lifecycle.hiding import Regime, count_pool
from arena.events.models import Event, Matchup
from arena.mail import sends_mail

MIN_CONTROLS_FOR_PRIZE = 10
"""Nobody has a score, or can win, before so many controls: leaderboard/contributors/scores.py."""
OPENING_CONTROLS, OPENING_TURNS = len(OPENING_RUNS), OPENING_RUNS[-1][1]
"""Everybody meets so many controls in their first turns, and then one in each interval."""


def count_serving_matchups(event: Event) -> tuple[int, int]:
    """How many ordinary matchups and how many controls are in service."""
    counts = Matchup.objects.serving().filter(event=event)
    found = counts.aggregate(
        ordinary=Count("pk", filter=Q(role=Matchup.Role.ORDINARY)),
        controls=Count("pk", filter=Q(role=Matchup.Role.CONTROL)),
    )
    return found["ordinary"], found["controls"]


def turns_for_prize(event: Event) -> int:
    """After how many turns everybody has met as many controls as a winner needs."""
    return OPENING_TURNS + (MIN_CONTROLS_FOR_PRIZE - OPENING_CONTROLS) * event.control_interval


def find_prize_obstacle(event: Event) -> str:
    """Why nobody could win the event's prize as things stand; empty where somebody could."""
    if not event.prize:
        return ""
    pool = count_pool(event)
    ordinary, controls = pool.ordinary + pool.companions, pool.controls
    if controls < MIN_CONTROLS_FOR_PRIZE:
        return _(
            "A prize needs at least %(fewest)s controls in service: nobody’s reliability is "
            "measured by fewer. There are %(controls)s."
        ) % {"fewest": MIN_CONTROLS_FOR_PRIZE, "controls": controls}
    wanted = turns_for_prize(event) - MIN_CONTROLS_FOR_PRIZE
    if pool.regime is Regime.ANCHORED:
        wanted -= min(pool.anchors, ANCHORS_PER_CONTROL * MIN_CONTROLS_FOR_PRIZE)
    if ordinary < wanted:
        return _(
            "A prize needs at least %(wanted)s ordinary matchups: with fewer nobody meets the "
            "%(fewest)s controls that a winner needs. There are %(ordinary)s. More frequent "
            "controls need fewer of them."
        ) % {"wanted": wanted, "fewest": MIN_CONTROLS_FOR_PRIZE, "ordinary": ordinary}
    return ""


def find_identity_obstacle(event: Event) -> str:
    """Why nobody could be given the event's prize on this site; empty where somebody could."""
    if not event.prize or sends_mail() or settings.SOCIALACCOUNT_PROVIDERS:
        return ""
    return _(
        "A prize requires a confirmed address or a linked account, but this site sends no e-mail "
        "and offers no other sign-in. Ask the site’s administrator to set EMAIL_URL."
    )


def check_prize(event: Event) -> None:
    """Refuse what would leave a running event with a prize that nobody could win."""
    if event.is_running() and (missing := find_prize_obstacle(event)):
        raise ArenaError(missing, "prize_needs_controls")
