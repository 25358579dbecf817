"""What follows from the steps on the desk that cannot be undone: each asks once before it is taken.

What can be taken back (an exclusion, a retired matchup, a deadline) asks nothing.
"""

from datetime import datetime

from allauth.account.models import EmailAddress
from django.http import QueryDict
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arena.confirming import Confirmation
from arena.desk.queries.hiding import HidingReport
from arena.events.lifecycle.transitions import check_readiness, count_on_screens
from arena.events.models import Control, Enrollment, Event, Matchup, Record
from arena.judging.models import Judgment
from arena.mail import sends_mail
from arena.people.models import Seat, SeatPool


def describe_state_change(event: Event, posted: QueryDict, now: datetime) -> Confirmation | None:
    """The confirmation for a change of an event's state; None for one that can be undone."""
    to, name = posted.get("to"), posted.get("name", "").strip()
    if to == "open" and not any(c.blocks for c in check_readiness(event, now)):
        return describe_opening(event, now)
    if to == "closed" and event.is_running():
        return describe_closing(event, now)
    if to == "published" and event.state == Event.State.CLOSED:
        return describe_publishing(event)
    if to == "sealed" and name:
        return (
            describe_correction(name)
            if event.state == Event.State.PUBLISHED
            else describe_sealing(name)
        )
    return None


def describe_opening(event: Event, now: datetime) -> Confirmation:
    """Let judging begin."""
    begins = _("People can join and judge from now on.")
    if event.opens_at is not None and event.opens_at > now:
        moment = date_format(event.opens_at.astimezone(event.zone()), "j M Y, H:i")
        begins = _("People can join now and judge from %(moment)s (%(zone)s) on.") % {
            "moment": moment,
            "zone": event.timezone,
        }
    stays = _(
        "An open event never becomes a draft again. Texts that somebody has seen can only be "
        "replaced, and the first judgment fixes the scale."
    )
    return Confirmation(
        _("Open the event?"), f"{begins} {stays}", _("Open the event"), is_welcome=True
    )


def describe_closing(event: Event, now: datetime) -> Confirmation:
    """End judging before its time."""
    said = [_("No more matchups are handed out, and nobody can join any more.")]
    people = count_on_screens(event, now)
    if people and event.grace_minutes:
        said.append(
            ngettext(
                "%(count)s person has a matchup on the screen and %(minutes)s minutes to answer "
                "it.",
                "%(count)s people have a matchup on the screen and %(minutes)s minutes to answer "
                "it.",
                people,
            )
            % {"count": people, "minutes": event.grace_minutes}
        )
        said.append(_("Until then you can still move the deadline."))
    elif people:
        said.append(
            ngettext(
                "%(count)s person has a matchup on the screen whose answer will not count.",
                "%(count)s people have a matchup on the screen whose answers will not count.",
                people,
            )
            % {"count": people}
        )
    said.append(_("A closed event cannot be opened again."))
    return Confirmation(_("Close the event now?"), " ".join(said), _("Close the event now"))


def describe_publishing(event: Event) -> Confirmation:
    """Make the result final."""
    said = _(
        "The boards are sealed as they stand, as the final result, and kept permanently. Exact "
        "figures become visible. Later changes are published as a correction beside it. "
    )
    people = event.enrollments.filter(user__isnull=False)
    addresses = EmailAddress.objects.filter(user__enrollments__in=people, verified=True)
    if sends_mail() and (mails := addresses.values("user").distinct().count()):
        said += ngettext(
            "%(count)s contributor with a confirmed address is told by e-mail.",
            "%(count)s contributors with a confirmed address are told by e-mail.",
            mails,
        ) % {"count": mails}
    return Confirmation(_("Publish the result?"), said, _("Publish the result"), is_welcome=True)


def describe_sealing(name: str) -> Confirmation:
    """Keep the boards as a round."""
    return Confirmation(
        _("Seal the round “%(name)s”?") % {"name": name},
        _("The boards are kept permanently under this name as they stand. It cannot be renamed."),
        _("Seal the round"),
        is_welcome=True,
    )


def describe_correction(name: str) -> Confirmation:
    """Put a corrected result in the place of the published one."""
    return Confirmation(
        _("Publish the correction “%(name)s”?") % {"name": name},
        _(
            "Everybody sees the corrected result from then on. The earlier one stays beside it, "
            "and neither can be taken back."
        ),
        _("Publish the correction"),
    )


def describe_reissue(pool: SeatPool) -> Confirmation | None:
    """Void the sheet; None where every seat on it is taken."""
    count = pool.seats.printed_unclaimed().count()
    if not count:
        return None
    return Confirmation(
        ngettext("Give %(count)s seat a new code?", "Give %(count)s seats new codes?", count)
        % {"count": count},
        _(
            "Codes and links on the earlier sheet stop working immediately, including on slips "
            "you have handed out. You can download the new sheet once."
        ),
        _("Reissue the codes"),
    )


def describe_seat_reissue(seat: Seat) -> Confirmation:
    """Void the code of one seat."""
    return Confirmation(
        _("Give %(name)s a new code?") % {"name": seat.user.username},
        _(
            "The old code stops working immediately and is signed out everywhere. The judgments "
            "of this seat are kept."
        ),
        _("Create a new code"),
    )


def describe_replacement(record: Record) -> Confirmation:
    """Serve a new version of a record from now on."""
    judged = Judgment.objects.standing().filter(matchup__record=record).count()
    fresh = record.matchups.filter(retired_at=None, role=Matchup.Role.ORDINARY).count()
    return Confirmation(
        _("Replace %(name)s by a new version?") % {"name": record.external_id},
        ngettext(
            "%(count)s judgment stays with the old texts and goes on counting.",
            "%(count)s judgments stay with the old texts and go on counting.",
            judged,
        )
        % {"count": judged}
        + " "
        + ngettext(
            "%(count)s matchup starts again and needs %(overlap)s judgments.",
            "%(count)s matchups start again and need %(overlap)s judgments each.",
            fresh,
        )
        % {"count": fresh, "overlap": record.event.overlap}
        + " "
        + _("The old version cannot come back."),
        _("Save as a new version"),
    )


def describe_anchors(report: HidingReport) -> Confirmation | None:
    """Take matchups out of the rating, so that controls hide among them."""
    if not report.anchors_offered:
        return None
    return Confirmation(
        ngettext(
            "Make %(count)s ordinary matchup an anchor?",
            "Make %(count)s ordinary matchups anchors?",
            report.anchors_offered,
        )
        % {"count": report.anchors_offered},
        _(
            "They rate no model from now on, and cannot become ordinary matchups again. Everybody "
            "may meet them: of 100 judgments about %(percent)s are of anchors, about %(judgments)s "
            "until every ordinary matchup has all its own."
        )
        % {"percent": report.anchor_percent, "judgments": report.anchor_judgments},
        _("Make anchors"),
    )


def describe_ties(report: HidingReport) -> Confirmation | None:
    """Serve controls in the places of ordinary matchups."""
    if not report.ties_offered:
        return None
    return Confirmation(
        ngettext(
            "Make %(count)s tie control?",
            "Make %(count)s tie controls?",
            report.ties_offered,
        )
        % {"count": report.ties_offered},
        _(
            "Each takes the place of an ordinary matchup that nobody has been shown, which is "
            "retired, and shows one of its responses beside a copy."
        ),
        _("Make tie controls"),
    )


def describe_key_change(posted: QueryDict, matchup: Matchup) -> Confirmation | None:
    """A step that changes what a matchup measures; None for what can be taken back."""
    act = posted.get("act") if posted.get("reason", "").strip() else None
    judged = Judgment.objects.standing().filter(matchup=matchup).count()
    if act == "control" and matchup.role == Matchup.Role.ORDINARY:
        return Confirmation(
            _("Make this matchup a control?"),
            ngettext(
                "Its %(count)s judgment measures people from now on and no longer counts for "
                "models.",
                "Its %(count)s judgments measure people from now on and no longer count for "
                "models.",
                judged,
            )
            % {"count": judged}
            + " "
            + _("It cannot become an ordinary matchup again."),
            _("Make it a control"),
        )
    if act == "withdraw" and Control.objects.filter(matchup=matchup, retired_at=None).exists():
        return Confirmation(
            _("Withdraw the key?"),
            ngettext(
                "This control no longer measures anyone, its %(count)s answer included, so "
                "places of contributors can change. It is no longer served.",
                "This control no longer measures anyone, its %(count)s answers included, so "
                "places of contributors can change. It is no longer served.",
                judged,
            )
            % {"count": judged},
            _("Withdraw the key"),
        )
    return None


def describe_winner(enrollment: Enrollment) -> Confirmation:
    """Say in public who has won."""
    user = enrollment.user
    name = user.display_name if user is not None and user.display_name else enrollment.pseudonym
    return Confirmation(
        _("Confirm %(name)s as the winner?") % {"name": name},
        _("A public page announces it immediately. What people have read there cannot be undone."),
        _("Confirm as winner"),
        is_welcome=True,
    )


def describe_note(people: int, mails: int) -> Confirmation:
    """Write to the shortlisted."""
    said = ngettext(
        "%(count)s person sees it on their next visit to this site.",
        "%(count)s people see it on their next visit to this site.",
        people,
    ) % {"count": people}
    if mails:
        said += " " + ngettext(
            "%(count)s gets it by e-mail within a minute, which cannot be undone.",
            "%(count)s get it by e-mail within a minute, which cannot be undone.",
            mails,
        ) % {"count": mails}
    return Confirmation(_("Send the note?"), said, _("Send the note"), is_welcome=True)


def describe_changed_promises(
    event: Event, *, guidelines: bool, terms: bool
) -> Confirmation | None:
    """New words for people who have joined; None where nobody has, or nothing they read changes."""
    people = event.enrollments.filter(user__isnull=False).count()
    if not people or not event.is_running() or not (guidelines or terms):
        return None
    said = []
    if guidelines:
        said.append(_("Everybody who has joined reads the new guidelines before the next matchup."))
    if terms:
        said.append(_("Everybody who has joined is asked to accept the new terms before that."))
    said.append(_("Judgments made so far keep the earlier version."))
    return Confirmation(
        ngettext(
            "Change this for %(count)s contributor?",
            "Change this for %(count)s contributors?",
            people,
        )
        % {"count": people},
        " ".join(said),
        _("Save the new version"),
    )
