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


def phase_of(event: Event, now: datetime) -> Phase:
    """The event's phase at this moment of the server's clock, its sentences filled in."""
    phase = PHASES[phase_key(event, now)]
    ends_at = event.ends_at()
    until = date_format(localtime(ends_at, event.zone()), "j M Y, H:i") if ends_at else ""
    changes: dict[str, Words] = {
        "notice": str(phase.notice) % {"until": until, "zone": event.timezone}
    }
    if event.publish_batch and phase.key in ("draft", "scheduled", "open"):
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
