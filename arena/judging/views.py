"""The contributor's pages: judge one matchup after another."""

from datetime import datetime
from math import ceil
from random import SystemRandom
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect, replace_url

from arena.errors import ConflictError, NotFoundError
from arena.events.access import enrollment_of, event_for
from arena.events.current_rules import EventRules, get_rules
from arena.events.models import Enrollment
from arena.judging.behaviour import check_code
from arena.judging.models import Assignment, Exclusion, Flag, Judgment
from arena.judging.page_parts import SKIP_REASONS, render_dialogs
from arena.judging.presenting import (
    Progress,
    build_matchup_context,
    count_done,
    find_undoable_assignment,
    get_note,
    measures_behaviour,
)
from arena.judging.recording import (
    ChangeableError,
    InvalidAnswers,
    check_answers,
    end_of_undo,
    is_in_time,
    is_undoable,
    record_judgment,
)
from arena.judging.review.appeals import find_appealable
from arena.judging.serving.hot_path_sql import LoadedAssignment, load_assignment
from arena.judging.serving.leases import (
    get_shown_assignment,
    next_assignment,
)
from arena.judging.skipping import Pause, find_pause, flag_assignment, skip_assignment
from arena.people.models import User
from arena.people.seats.claiming import retake_seat

State = Assignment.State
MAX_NOTE_LENGTH = 500


def get_assignment(request: HttpRequest, uuid: UUID, now: datetime) -> LoadedAssignment:
    """This user's assignment; anybody else's is not there. Their seat is in use with it."""
    user = request.user
    assert isinstance(user, User)
    loaded = load_assignment(uuid, user, now)
    if loaded is None:
        raise NotFoundError
    if loaded.is_seat_returned:
        retake_seat(user, now)
    return loaded


@require_GET
@login_not_required
@never_cache
def next_matchup(request: HttpRequest, slug: str) -> HttpResponse:
    """Continue judging: redirect to the current assignment, the guidelines, or the end page."""
    event, now = event_for(request.user, slug), timezone.now()
    enrollment = enrollment_of(request.user, event)
    if enrollment is None:
        return redirect("events:join", slug)
    assert isinstance(request.user, User)
    retake_seat(request.user, now)
    return continue_judging(request, enrollment, get_rules(event), now)


@require_http_methods(["GET", "POST"])
@never_cache
def judge(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Show an assignment, or take the answers to it."""
    now = timezone.now()
    loaded = get_assignment(request, uuid, now)
    assignment, rules = loaded.assignment, loaded.rules
    enrollment = assignment.enrollment
    if request.method == "GET":
        is_next = is_answerable(assignment, now) and not is_stopped(enrollment)
        if not is_next or needs_guidelines(enrollment, rules):
            return continue_judging(request, enrollment, rules, now)
        return show_matchup(request, assignment, rules, now)
    posted = request.POST.dict()
    if measures_behaviour(enrollment, rules):
        assignment.behaviour = check_code(posted.get("behaviour", ""))
    try:
        answers = check_answers(assignment, posted, rules)
        judgment = record_judgment(
            assignment,
            answers,
            now=now,
            replaces=posted.get("replaces", ""),
            has_undoable_skips=loaded.has_undoable_skips,
        )
    except InvalidAnswers as error:
        notice = " ".join(error.errors.values())
        return show_matchup(
            request, assignment, rules, now, status=422, posted=posted, notice=notice
        )
    except ChangeableError as error:
        assignment.refresh_from_db()
        notice = error.message
        return show_matchup(
            request, assignment, rules, now, status=409, posted=posted, notice=notice
        )
    except ConflictError as error:
        return continue_judging(request, enrollment, rules, now, notice=error.message)
    late = late_notice(judgment, assignment, now)
    progress = progress_after(loaded, judgment, now)
    return continue_judging(request, enrollment, rules, now, notice=late, progress=progress)


def progress_after(loaded: LoadedAssignment, judgment: Judgment, now: datetime) -> Progress | None:
    """The progress of somebody who has just judged what was on the screen; None where this was
    something else, such as a revision, and has to be read."""
    if loaded.assignment.state != State.SHOWN or judgment.judged_at != now or judgment.revision:
        return None
    until = end_of_undo(loaded.assignment.enrollment.event, now)
    undoable = loaded.assignment if now < until else None
    return Progress(loaded.judged + 1, undoable, until if undoable else None)


@require_POST
def skip(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Skip a matchup, with a reason."""
    now = timezone.now()
    loaded = get_assignment(request, uuid, now)
    assignment, rules = loaded.assignment, loaded.rules
    reason = request.POST.get("reason", "")
    if reason not in {value for value, _label in SKIP_REASONS}:
        return show_matchup(
            request, assignment, rules, now, status=422, notice=_("Choose a reason.")
        )
    try:
        skip_assignment(assignment, reason, now=now)
    except ConflictError as error:
        return continue_judging(request, assignment.enrollment, rules, now, notice=error.message)
    return continue_judging(request, assignment.enrollment, rules, now)


@require_POST
def flag(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Flag a matchup with a reason, and skip it."""
    now = timezone.now()
    loaded = get_assignment(request, uuid, now)
    assignment, rules = loaded.assignment, loaded.rules
    reason, note = request.POST.get("reason", ""), request.POST.get("note", "").strip()
    if reason not in Flag.Reason.values:
        return show_matchup(
            request, assignment, rules, now, status=422, notice=_("Choose a reason.")
        )
    if len(note) > MAX_NOTE_LENGTH or "\x00" in note:
        notice = _("Keep the note under 500 characters.")
        return show_matchup(request, assignment, rules, now, status=422, notice=notice)
    flag_assignment(assignment, reason, note, now=now)
    notice = _("Thank you. A reviewer will look at it.")
    return continue_judging(request, assignment.enrollment, rules, now, notice=notice)


@require_GET
@never_cache
def undo(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Show the matchup decided last with its answer filled in, while it can be undone."""
    now = timezone.now()
    loaded = get_assignment(request, uuid, now)
    assignment, rules = loaded.assignment, loaded.rules
    if is_stopped(assignment.enrollment):
        return continue_judging(request, assignment.enrollment, rules, now)
    if not is_undoable(assignment, now):
        notice = _("It is too late to change this answer.")
        if assignment.state == State.SKIPPED:
            notice = _("This pair can no longer be brought back.")
        return continue_judging(request, assignment.enrollment, rules, now, notice=notice)
    return show_matchup(request, assignment, rules, now)


def is_answerable(assignment: Assignment, now: datetime) -> bool:
    """Whether the assignment is shown and an answer would be in time."""
    return assignment.state == State.SHOWN and is_in_time(assignment, now)


def late_notice(judgment: Judgment, assignment: Assignment, now: datetime) -> str | None:
    """The notice for an answer that came late.

    While the event runs it depends on times alone: whether an answer counts depends on free slots,
    which controls never run out of.
    """
    came_late = judgment.judged_at == now and not is_in_time(assignment, now)
    if judgment.event.is_over():
        late = judgment.exclusions.in_force().filter(reason=Exclusion.Reason.LATE)
        came_late = late.exists()
    if came_late:
        return _("Your answer is saved, but came too late to count. Thank you.")
    if assignment.state == State.EXPIRED:
        return _("Time had run out for that pair, but your answer is saved.")
    return None


def is_stopped(enrollment: Enrollment) -> bool:
    """Whether a page about this contributor comes before any matchup: a reviewer has blocked them,
    or a warning waits to be read."""
    return enrollment.blocked_at is not None or enrollment.has_warning


def needs_guidelines(enrollment: Enrollment, rules: EventRules) -> bool:
    """Whether the guidelines in force have not been read yet."""
    latest = rules.guidelines
    return latest is not None and enrollment.guidelines_id != latest.pk


def needs_new_consent(enrollment: Enrollment, rules: EventRules) -> bool:
    """Whether what this contributor has accepted is no longer what is in force."""
    return enrollment.terms_id is not None and enrollment.terms_id != rules.versions.terms_id


def continue_judging(
    request: HttpRequest,
    enrollment: Enrollment,
    rules: EventRules,
    now: datetime,
    *,
    notice: str | None = None,
    progress: Progress | None = None,
) -> HttpResponse:
    """What comes next for this contributor: a matchup, guidelines, changed terms, a reviewer's
    warning, or the end."""
    event = enrollment.event
    # Once everything is over, nobody has to read anything any more.
    if event.takes_answer(now) and (stop := find_stop(request, enrollment, rules, notice)):
        return stop
    if event.is_open(now):
        if needs_new_consent(enrollment, rules):
            return redirect_with_notice(request, reverse("events:join", args=[event.slug]), notice)
        # Whoever has just judged has not skipped.
        if progress is None and (pause := find_pause(enrollment, now)):
            return show_pause(request, enrollment, pause, now, notice)
        assignment = next_assignment(enrollment, SystemRandom(), now, rules)
    else:
        shown = get_shown_assignment(enrollment)
        assignment = shown if shown is not None and is_answerable(shown, now) else None
    if assignment is None:
        return show_end(request, enrollment, now, notice)
    if is_htmx(request):
        if assignment.shown_at != now:
            progress = None  # it was there before: another tab may have begun to change it
        response = show_matchup(request, assignment, rules, now, notice=notice, progress=progress)
        return replace_url(response, reverse("judging:judge", args=[assignment.uuid]))
    return redirect_with_notice(request, reverse("judging:judge", args=[assignment.uuid]), notice)


def find_stop(
    request: HttpRequest, enrollment: Enrollment, rules: EventRules, notice: str | None
) -> HttpResponse | None:
    """What comes before any further matchup for this contributor, if anything: that they are
    blocked, guidelines, a warning."""
    if enrollment.blocked_at is not None:
        return show_blocked(request, enrollment, notice)
    if needs_guidelines(enrollment, rules):
        page = "events:guidelines"
    elif enrollment.has_warning:
        page = "judging:warning"
    else:
        return None
    return redirect_with_notice(request, reverse(page, args=[enrollment.event.slug]), notice)


def show_matchup(
    request: HttpRequest,
    assignment: Assignment,
    rules: EventRules,
    now: datetime,
    *,
    status: int = 200,
    posted: dict[str, str] | None = None,
    notice: str | None = None,
    progress: Progress | None = None,
) -> HttpResponse:
    """Render the matchup as a page, or as the partial that htmx swaps in."""
    context = build_matchup_context(assignment, rules, now, posted=posted, progress=progress)
    if notice is None and not is_htmx(request):
        notice = " ".join(str(message) for message in messages.get_messages(request))
    context |= {"notice": notice or get_note(assignment, rules), "htmx": is_htmx(request)}
    if is_htmx(request):
        context["dialogs_html"] = render_dialogs(assignment.uuid)
        return render(request, "judging/_matchup.html", context, status=status)
    if rules.guidelines is not None:
        shown = {"version": rules.guidelines.version, "html": rules.guidelines_html}
        context["guidelines"] = shown
    return render(request, "judging/judge.html", context, status=status)


def show_end(
    request: HttpRequest, enrollment: Enrollment, now: datetime, notice: str | None
) -> HttpResponse:
    """The end page: everything is judged, or the event is over."""
    if is_htmx(request):
        return redirect_with_notice(
            request, reverse("judging:next", args=[enrollment.event.slug]), notice
        )
    is_open = enrollment.event.is_open(now)
    context = {
        "event": enrollment.event,
        "enrollment": enrollment,
        "judged": count_done(enrollment),
        "notice": notice,
        "undoable": find_undoable_assignment(enrollment, now),
    }
    template = "judging/done.html" if is_open else "judging/closed.html"
    return render(request, template, context)


def show_blocked(request: HttpRequest, enrollment: Enrollment, notice: str | None) -> HttpResponse:
    """The page of somebody whom a reviewer lets judge no more."""
    if is_htmx(request):
        onward = reverse("judging:next", args=[enrollment.event.slug])
        return redirect_with_notice(request, onward, notice)
    context = {
        "event": enrollment.event,
        "enrollment": enrollment,
        "judged": count_done(enrollment),
        "is_counted": not find_appealable(enrollment),
        "notice": notice,
    }
    return render(request, "judging/blocked.html", context)


def show_pause(
    request: HttpRequest, enrollment: Enrollment, pause: Pause, now: datetime, notice: str | None
) -> HttpResponse:
    """The page of a pause after many skips in a row, which goes on by itself."""
    onward = reverse("judging:next", args=[enrollment.event.slug])
    if request.method == "POST":
        return redirect_with_notice(request, onward, notice)
    seconds = ceil((pause.until - now).total_seconds())
    context = {
        "event": enrollment.event,
        "skips": pause.skips,
        "seconds": seconds,
        "notice": notice,
        "undoable": find_undoable_assignment(enrollment, now),
    }
    response = render(request, "judging/pause.html", context)
    response.headers["Refresh"] = f"{seconds}; url={onward}"
    return response


def redirect_with_notice(request: HttpRequest, url: str, notice: str | None) -> HttpResponse:
    """Redirect to another page that shows the notice; htmx loads it as a whole."""
    if notice:
        messages.info(request, notice)
    return HttpResponseClientRedirect(url) if is_htmx(request) else redirect(url)


def is_htmx(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page."""
    return bool(request.htmx)  # type: ignore[attr-defined]
