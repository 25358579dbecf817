"""What is true of an event at a moment, in words: every sentence that depends on its state.

A phase is finer than `Event.State`: an open event may have yet to begin, and one that runs may be
past its deadline. Pages take their words from here, so that no two of them differ.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from arena.events.lifecycle.batches import MAX_WAIT, MIN_BATCH, SMALLEST, batch_rule
from arena.events.models import Event

Words = str | Promise

SEE_LEADERBOARD, LEADERBOARD = _("See the leaderboard"), _("Leaderboard")
FIRST_SO_FAR = _("Leading")
NOT_OPEN = _("Judging is not open right now")
NOBODY_SO_FAR = _("Nobody has judged in this event so far.")


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One phase of an event's life. Words that do not apply in it are empty.

    `notice` may name `until` and `zone`: when the last answers are taken, on which clock.
    """

    key: str
    # The tag beside the title.
    label: Words
    # What stands before the opening time and before the deadline.
    opening_label: Words = ""
    closing_label: Words = ""
    # Whether new matchups are handed out; whether answers to any may still come.
    is_serving: bool = False
    is_taking_answers: bool = False
    # Whether people can join.
    is_joinable: bool = False
    # What the event page and the board say of the ranks.
    notice: Words = ""
    # Buttons: on a card, for a newcomer, for one without an account, for a contributor.
    card_button: Words = ""
    newcomer_button: Words = ""
    accept_button: Words = ""
    contributor_button: Words = ""
    # The link to the model board.
    board_link: Words = SEE_LEADERBOARD
    # The same in a word, and what stands before the name of the model in first place.
    result_label: Words = LEADERBOARD
    first_place_label: Words = FIRST_SO_FAR
    # Why nobody can join, and what the judging page is headed where there is nothing to judge.
    no_joining: Words = ""
    idle_heading: Words = NOT_OPEN
    # What the board says before there is one, and when it moves.
    empty_board: Words = NOBODY_SO_FAR
    board_updates: Words = ""
    # What a reviewer hears after excluding or reinstating somebody.
    after_exclusion: Words = ""

    @property
    def has_ended(self) -> bool:
        """Whether no answer is taken any more: the event is over, or soon will be."""
        return self.key in ("ended", "closed", "published")

    @property
    def is_past(self) -> bool:
        """Whether its deadline has passed, so that nobody can join or is served any more."""
        return self.has_ended or self.key == "closing"

    @property
    def is_ahead(self) -> bool:
        """Whether judging has yet to begin."""
        return self.key in ("draft", "scheduled")


LIVE_BOARD = _("Models appear here with the first judgments. This page updates automatically.")
RANKS_FROZEN = _(
    "Ranks are frozen until the event closes; the result then takes every judgment into account."
)
NO_JOINING = _("Judging has ended, so nobody can join any more.")
JUDGING_CLOSED = _("Judging has closed")
NO_JUDGMENTS = _("Nobody has judged in this event.")

PHASES = {
    phase.key: phase
    for phase in (
        Phase(
            key="draft",
            label=_("Draft"),
            opening_label=_("Planned opening"),
            closing_label=_("Deadline"),
            no_joining=_("This event has not been opened yet."),
            idle_heading=_("Judging has not begun yet"),
            board_updates=_("The boards start updating once the event is open and people judge."),
            after_exclusion=_("Boards update within seconds."),
        ),
        Phase(
            key="scheduled",
            label=_("Opens soon"),
            opening_label=_("Opens"),
            closing_label=_("Closes"),
            is_joinable=True,
            card_button=_("Join"),
            newcomer_button=_("Join"),
            accept_button=_("Accept and join"),
            idle_heading=_("Judging has not begun yet"),
            empty_board=_("Models appear here with the first judgments, once the event opens."),
            board_updates=_("The boards start updating once the event opens and people judge."),
            after_exclusion=_("Boards update within seconds."),
        ),
        Phase(
            key="open",
            label=_("Open"),
            closing_label=_("Closes"),
            is_serving=True,
            is_taking_answers=True,
            is_joinable=True,
            card_button=_("Judge"),
            newcomer_button=_("Start judging"),
            accept_button=_("Accept and start judging"),
            contributor_button=_("Continue judging"),
            empty_board=LIVE_BOARD,
            board_updates=_("A few seconds after each judgment. Open pages update automatically."),
            after_exclusion=_("Boards update within seconds."),
        ),
        Phase(
            key="frozen",
            label=_("Ranks frozen"),
            closing_label=_("Closes"),
            is_serving=True,
            is_taking_answers=True,
            is_joinable=True,
            notice=_(
                "Ranks are frozen until %(until)s (%(zone)s) at the latest, when the result is "
                "computed. Judgments still count."
            ),
            card_button=_("Judge"),
            newcomer_button=_("Start judging"),
            accept_button=_("Accept and start judging"),
            contributor_button=_("Continue judging"),
            empty_board=LIVE_BOARD,
            board_updates=RANKS_FROZEN,
            after_exclusion=_(
                "Ranks are frozen now; the result will follow when the event closes."
            ),
        ),
        Phase(
            key="closing",
            label=_("Closing"),
            closing_label=_("Closed"),
            is_taking_answers=True,
            notice=_(
                "The deadline has passed. Matchups already on the screen may be answered until "
                "%(until)s (%(zone)s) at the latest; then the result is computed."
            ),
            contributor_button=_("Answer the matchup on your screen"),
            no_joining=NO_JOINING,
            idle_heading=_("The deadline has passed"),
            empty_board=_("No ranking has been computed so far."),
            board_updates=RANKS_FROZEN,
            after_exclusion=_(
                "Ranks are frozen now; the result will follow when the event closes."
            ),
        ),
        # Until the clock's next round closes it.
        Phase(
            key="ended",
            label=_("Closed"),
            closing_label=_("Closed"),
            notice=_("Judging has closed. The result is being computed."),
            no_joining=NO_JOINING,
            idle_heading=JUDGING_CLOSED,
            empty_board=_("The result is being computed."),
            board_updates=_("The result is being computed."),
            after_exclusion=_("The result will follow."),
        ),
        Phase(
            key="closed",
            label=_("Closed"),
            closing_label=_("Closed"),
            notice=_("This result is provisional until the organizers publish it."),
            board_link=_("See the provisional result"),
            result_label=_("Provisional result"),
            first_place_label=_("Provisionally first"),
            no_joining=NO_JOINING,
            idle_heading=JUDGING_CLOSED,
            empty_board=NO_JUDGMENTS,
            board_updates=_(
                "The boards show the provisional result. Until it is published, only decisions "
                "of organizers and reviewers change it."
            ),
            after_exclusion=_("The provisional result follows within a minute."),
        ),
        Phase(
            key="published",
            label=_("Published"),
            closing_label=_("Closed"),
            board_link=_("See the result"),
            result_label=_("Result"),
            first_place_label=_("First"),
            no_joining=NO_JOINING,
            idle_heading=JUDGING_CLOSED,
            empty_board=NO_JUDGMENTS,
            board_updates=_(
                "The boards show the published result. Only a named correction replaces it, and "
                "both stay linked."
            ),
            after_exclusion=_(
                "The published result stays as it is until you publish a correction."
            ),
        ),
    )
}
IN_BATCHES = _("The boards reflect this at their next update.")
# What stands where there is no board yet, and when boards move, of an event in batches: first with
# controls, then without.
FIRST_BATCH = _(
    "The board comes once %(judgments)s judgments by at least %(people)s people are in. If fewer "
    "people judge, it comes when the event closes."
)
FIRST_JUDGMENTS = _(
    "The board comes once %(judgments)s judgments are in, or after %(hours)s hours. This page "
    "updates automatically."
)
EACH_BATCH = _(
    "After %(judgments)s further judgments by at least %(people)s people, none of whom made more "
    "than %(share)s%% of them. After %(hours)s hours without an update, %(fewest)s judgments by "
    "%(fewest_people)s people are enough. Where fewer people judge, the board comes when the event "
    "closes. That way, nobody can read a single judgment off the board."
)
EACH_JUDGMENTS = _("After %(judgments)s further judgments, or after %(hours)s hours.")
LIVE_GIVES_AWAY = _(
    "Anyone watching a live board can tell what a judgment was, and which ones were to controls."
)
BEFORE_THE_DEADLINE = ("draft", "scheduled", "open")


def describe_first_board(event: Event, phase: Phase, *, has_controls: bool) -> Words:
    """What stands where an event has no board yet."""
    rule = batch_rule(event.publish_batch, has_prize=bool(event.prize))
    if rule is None or phase.key not in ("scheduled", "open", "frozen"):
        return phase.empty_board
    words = FIRST_BATCH if has_controls else FIRST_JUDGMENTS
    judgments = rule.judgments if has_controls else event.publish_batch
    return words % {"judgments": judgments, "people": rule.people, "hours": wait_hours()}


def describe_updates(event: Event, phase: Phase, *, has_controls: bool) -> str:
    """When the boards move."""
    if phase.key != "open":
        return str(phase.board_updates)
    rule = batch_rule(event.publish_batch, has_prize=bool(event.prize))
    if rule is None:
        return f"{phase.board_updates} {LIVE_GIVES_AWAY if has_controls else ''}".strip()
    if not has_controls:
        return EACH_JUDGMENTS % {"judgments": event.publish_batch, "hours": wait_hours()}
    return EACH_BATCH % {
        "judgments": rule.judgments,
        "people": rule.people,
        "share": int(100 * rule.max_share),
        "hours": wait_hours(),
        "fewest": MIN_BATCH,
        "fewest_people": SMALLEST.people,
    }


def wait_hours() -> int:
    """After how many hours without an update a smaller batch will do."""
    return int(MAX_WAIT.total_seconds() // 3600)


def phase_of(event: Event, now: datetime) -> Phase:
    """The event's phase at this moment of the server's clock, its sentences filled in."""
    phase = PHASES[phase_key(event, now)]
    ends_at = event.ends_at()
    until = date_format(localtime(ends_at, event.zone()), "j M Y, H:i") if ends_at else ""
    changes: dict[str, Words] = {
        "notice": str(phase.notice) % {"until": until, "zone": event.timezone}
    }
    if event.publish_batch and phase.key in BEFORE_THE_DEADLINE:
        changes["after_exclusion"] = IN_BATCHES
    # Closed before it had opened: its deadline lies ahead and says nothing.
    if phase.has_ended and event.closes_at is not None and event.closes_at > now:
        changes["closing_label"] = ""
    return replace(phase, **changes)  # type: ignore[arg-type]


def phase_key(event: Event, now: datetime) -> str:
    """The key of the phase."""
    if not event.is_running():
        return str(event.state)
    if event.opens_at is not None and event.opens_at > now:
        return "scheduled"
    if event.takes_contributors(now):
        return str(event.state)
    return "closing" if event.takes_answer(now) else "ended"
