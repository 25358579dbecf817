"""The contributor's pages: judge one matchup after another."""

from datetime import datetime
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
from arena.events.joining.terms import needs_new_consent
from arena.events.models import Enrollment
from arena.judging.models import Assignment, Exclusion, Flag, Judgment
from arena.judging.presenting import (
    SKIP_REASONS,
    build_matchup_context,
    count_done,
    find_undoable_assignment,
    get_note,
)
from arena.judging.recording import (
    ChangeableError,
    InvalidAnswers,
    check_answers,
    is_in_time,
    is_undoable,
    record_judgment,
)
from arena.judging.serving.leases import (
    get_latest_guidelines,
    get_shown_assignment,
    next_assignment,
)
from arena.judging.skipping import flag_assignment, skip_assignment
from arena.markup import render_markdown
from arena.people.models import User
from arena.people.seats.claiming import retake_seat

State = Assignment.State
MAX_NOTE_LENGTH = 500


def get_assignment(request: HttpRequest, uuid: UUID, now: datetime) -> Assignment:
    """This user's assignment, or 404. Also claims their seat again if its claim had lapsed."""
    user = request.user
    assert isinstance(user, User)
    retake_seat(user, now)
    assignment = (
        Assignment.objects.filter(uuid=uuid, enrollment__user=user)
        .select_related("enrollment__event", "enrollment__guidelines", "matchup__record")
        .first()
    )
    if assignment is None:
        raise NotFoundError
    return assignment


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
    return continue_judging(request, enrollment, now)


@require_http_methods(["GET", "POST"])
@never_cache
def judge(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Show an assignment, or take the answers to it."""
    now = timezone.now()
    assignment = get_assignment(request, uuid, now)
    if request.method == "GET":
        if not is_answerable(assignment, now) or needs_guidelines(assignment.enrollment):
            return continue_judging(request, assignment.enrollment, now)
        return show_matchup(request, assignment, now)
    posted = request.POST.dict()
    try:
        answers = check_answers(assignment, posted)
        judgment = record_judgment(
            assignment, answers, now=now, replaces=posted.get("replaces", "")
        )
    except InvalidAnswers as error:
        notice = " ".join(error.errors.values())
        return show_matchup(request, assignment, now, status=422, posted=posted, notice=notice)
    except ChangeableError as error:
        assignment.refresh_from_db()
        notice = error.message
        return show_matchup(request, assignment, now, status=409, posted=posted, notice=notice)
    except ConflictError as error:
        return continue_judging(request, assignment.enrollment, now, notice=error.message)
    late = late_notice(judgment, now, had_expired=assignment.state == State.EXPIRED)
    return continue_judging(request, assignment.enrollment, now, notice=late)


@require_POST
def skip(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Skip a matchup, with a reason."""
    now = timezone.now()
    assignment = get_assignment(request, uuid, now)
    reason = request.POST.get("reason", "")
    if reason not in {value for value, _label in SKIP_REASONS}:
        return show_matchup(request, assignment, now, status=422, notice=_("Choose a reason."))
    try:
        skip_assignment(assignment, reason, now=now)
    except ConflictError as error:
        return continue_judging(request, assignment.enrollment, now, notice=error.message)
    return continue_judging(request, assignment.enrollment, now)


@require_POST
def flag(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Flag a matchup with a reason, and skip it."""
    now = timezone.now()
    assignment = get_assignment(request, uuid, now)
    reason, note = request.POST.get("reason", ""), request.POST.get("note", "").strip()
    if reason not in Flag.Reason.values:
        return show_matchup(request, assignment, now, status=422, notice=_("Choose a reason."))
    if len(note) > MAX_NOTE_LENGTH or "\x00" in note:
        notice = _("Keep the note under 500 characters.")
        return show_matchup(request, assignment, now, status=422, notice=notice)
    flag_assignment(assignment, reason, note, now=now)
    notice = _("Thank you. A reviewer will look at it.")
    return continue_judging(request, assignment.enrollment, now, notice=notice)


@require_GET
@never_cache
def undo(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Show the matchup decided last with its answer filled in, while it can be undone."""
    now = timezone.now()
    assignment = get_assignment(request, uuid, now)
    if not is_undoable(assignment, now):
        notice = _("It is too late to change this answer.")
        if assignment.state == State.SKIPPED:
            notice = _("This pair can no longer be brought back.")
        return continue_judging(request, assignment.enrollment, now, notice=notice)
    return show_matchup(request, assignment, now)


def is_answerable(assignment: Assignment, now: datetime) -> bool:
    """Whether the assignment is shown and an answer would be in time."""
    return assignment.state == State.SHOWN and is_in_time(assignment, now)


def late_notice(judgment: Judgment, now: datetime, *, had_expired: bool) -> str | None:
    """The notice for an answer that came late.

    It depends on times only. Whether the answer counts depends on free slots, which controls never
    run out of, so it is said only once nothing new is served.
    """
    late = judgment.exclusions.in_force().filter(reason=Exclusion.Reason.LATE)
    if not judgment.event.is_open(now) and late.exists():
        return _("Your answer is saved, but came too late to count. Thank you.")
    if had_expired:
        return _("Time had run out for that pair, but your answer is saved.")
    return None


def needs_guidelines(enrollment: Enrollment) -> bool:
    """Whether the contributor has not yet read the guidelines in force."""
    latest = get_latest_guidelines(enrollment.event)
    return latest is not None and enrollment.guidelines_id != latest.pk


def continue_judging(
    request: HttpRequest, enrollment: Enrollment, now: datetime, notice: str | None = None
) -> HttpResponse:
    """The next step for this contributor: a matchup, guidelines, changed terms, or the end page."""
    event = enrollment.event
    # Once everything is over, nobody has to read them any more.
    if needs_guidelines(enrollment) and event.takes_answer(now):
        return redirect_with_notice(
            request, reverse("events:guidelines", args=[event.slug]), notice
        )
    if event.is_open(now):
        if needs_new_consent(enrollment):
            return redirect_with_notice(request, reverse("events:join", args=[event.slug]), notice)
        assignment = next_assignment(enrollment, SystemRandom(), now)
    else:
        shown = get_shown_assignment(enrollment)
        assignment = shown if shown is not None and is_answerable(shown, now) else None
    if assignment is None:
        return show_end(request, enrollment, now, notice)
    if is_htmx(request):
        response = show_matchup(request, assignment, now, notice=notice)
        return replace_url(response, reverse("judging:judge", args=[assignment.uuid]))
    return redirect_with_notice(request, reverse("judging:judge", args=[assignment.uuid]), notice)


def show_matchup(
    request: HttpRequest,
    assignment: Assignment,
    now: datetime,
    *,
    status: int = 200,
    posted: dict[str, str] | None = None,
    notice: str | None = None,
) -> HttpResponse:
    """Render the matchup as a page, or as the partial that htmx swaps in."""
    context = build_matchup_context(assignment, now, posted=posted)
    if notice is None and not is_htmx(request):
        notice = " ".join(str(message) for message in messages.get_messages(request))
    context |= {"notice": notice or get_note(assignment), "htmx": is_htmx(request)}
    if is_htmx(request):
        return render(request, "judging/_matchup.html", context, status=status)
    guidelines = get_latest_guidelines(assignment.enrollment.event)
    if guidelines is not None:
        html = render_markdown(guidelines.text)
        context["guidelines"] = {"version": guidelines.version, "html": html}
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


def redirect_with_notice(request: HttpRequest, url: str, notice: str | None) -> HttpResponse:
    """Redirect to another page that shows the notice; htmx loads it as a whole."""
    if notice:
        messages.info(request, notice)
    return HttpResponseClientRedirect(url) if is_htmx(request) else redirect(url)


def is_htmx(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page."""
    return bool(request.htmx)  # type: ignore[attr-defined]
