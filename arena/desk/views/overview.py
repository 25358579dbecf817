"""Watching over an event: its health, its life, its flags and contributors."""

from collections import Counter
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from arena.confirming import ask_first
from arena.desk.access import get_desk_event, get_reviewer, parse_uuid
from arena.desk.consequences import describe_state_change
from arena.desk.forms.event import DeadlineForm, ExcludeForm
from arena.desk.page_context import render_desk
from arena.desk.queries.forecast import forecast_leader
from arena.desk.queries.health import (
    contributors_of,
    control_credits,
    control_evidence,
    credits_by_matchup,
    measure_health,
)
from arena.errors import ArenaError, NotFoundError
from arena.events.access import Role
from arena.events.lifecycle.notes import current_note, publish_note
from arena.events.lifecycle.phases import phase_of
from arena.events.lifecycle.prizes import count_serving_matchups
from arena.events.lifecycle.shared_keys import describe_public_keys, list_public_keys
from arena.events.lifecycle.transitions import (
    check_open_seats,
    close_event,
    extend_event,
    open_event,
)
from arena.events.models import Enrollment, Event
from arena.events.records.controls import controls_of
from arena.exports.tasks import queue_bundle
from arena.judging.models import Exclusion, Judgment, LedgerCheck
from arena.judging.receipts import build_receipts_page
from arena.judging.review.exclusions import exclude, lift_exclusion
from leaderboard.models import Board
from leaderboard.results.rounds import awaits_correction, publish_event, seal_round
from leaderboard.results.winner import winner_of, withdraw_winner

PER_PAGE = 50


@require_GET
@vary_on_headers("HX-Request")
def overview(request: HttpRequest, slug: str) -> HttpResponse:
    """The health of the event on one screen; to htmx its figures alone."""
    event, now = get_desk_event(request, slug, Role.REVIEWER), timezone.now()
    # Those who look after an event see what the public will see with the next batch.
    board = Board.objects.filter(event=event).select_related("current_snapshot").first()
    shown = board.current_snapshot if board else None
    snapshot = event.snapshots.order_by("-id").first() if event.is_running() else shown
    health = measure_health(event, now)
    figures = {
        "health": health,
        "snapshot": snapshot,
        "outlook": forecast_leader(event, snapshot, health.last_day, now),
    }
    if request.headers.get("HX-Request"):
        return render_desk(request, "_figures", event, figures)
    context = figures | {
        "is_closing": not event.takes_contributors(now),
        "rounds": event.snapshots.exclude(sealed_at=None).order_by("-sealed_at"),
        "awaits_correction": awaits_correction(event),
        "note": current_note(event),
        "failed_check": LedgerCheck.objects.filter(event=event, failed_at__isnull=False).first(),
        "deadline_form": DeadlineForm(event),
        "event_link": request.build_absolute_uri(reverse("events:event", args=[slug])),
        "closed_doors": check_open_seats(event) if event.takes_contributors(now) else [],
    }
    return render_desk(request, "overview", event, context)


@require_POST
def state(request: HttpRequest, slug: str) -> HttpResponse:
    """Open, extend, close or publish the event, or seal a round of it."""
    event, now = get_desk_event(request, slug), timezone.now()
    back = reverse("desk:overview", args=[slug])
    if question := ask_first(request, describe_state_change(event, request.POST, now), back):
        return question
    try:
        change_state(request, event, now)
    except ArenaError as error:
        messages.error(request, error.message)
    else:
        event.refresh_from_db()
        messages.success(request, describe_new_state(event, request.POST.get("to", ""), now))
    return redirect("desk:overview", slug)


def describe_new_state(event: Event, to: str, now: datetime) -> str:
    """The message after a change of state."""
    if to == "open":
        if event.is_open(now):
            return _("The event is open.")
        return _("People can join now, and judge from the opening on.")
    if to == "closed":
        return _("The event is closing.") if event.is_running() else _("The event is closed.")
    if to == "sealed":
        is_correction = event.state == Event.State.PUBLISHED
        return _("The correction is published.") if is_correction else _("The round is sealed.")
    return {
        "published": _("The result is published."),
        "extended": _("The deadline was changed."),
        "noted": _("The note is published.") if current_note(event) else _("The note was removed."),
    }[to]


def change_state(request: HttpRequest, event: Event, now: datetime) -> None:
    """Take the step that was asked for. Raises `ArenaError` where it cannot be taken."""
    to = request.POST.get("to")
    if to == "open":
        open_event(event, now)
    elif to == "closed":
        close_event(event, now)
    elif to == "published":
        queue_bundle(publish_event(event, now))
    elif to == "sealed":
        name = request.POST.get("name", "").strip()[:80]
        if not name:
            raise ArenaError(_("Give the round a name."), "name_missing")
        queue_bundle(seal_round(event, name, now))
    elif to == "noted":
        publish_note(
            event, request.POST.get("text", "").strip()[:500], by=get_reviewer(request), now=now
        )
    elif to == "extended":
        form = DeadlineForm(event, request.POST)
        if not form.is_valid():
            raise ArenaError(_("Give the new deadline as a date and a time."), "deadline_invalid")
        extend_event(event, form.cleaned_data["closes_at"], now)
    else:
        raise ArenaError(_("This action does not exist."), "unknown_step")


@require_GET
def controls(request: HttpRequest, slug: str) -> HttpResponse:
    """The pool of controls, and how people fare on them."""
    event = get_desk_event(request, slug)
    credits = credits_by_matchup(event)
    pool = [
        {"control": control, "answers": answers.total(), "passed": answers[1.0]}
        for control in controls_of(event)
        for answers in [credits.get(control.matchup_id, Counter())]
    ]
    ordinary, in_service = count_serving_matchups(event)
    context = {
        "pool": pool,
        "ordinary": ordinary,
        "in_service": in_service,
        "step": "controls",
        "public_keys": [describe_public_keys(*found) for found in list_public_keys(event)],
    }
    return render_desk(request, "controls", event, context)


@require_GET
def contributors(request: HttpRequest, slug: str) -> HttpResponse:
    """Everybody who judges here, the busiest first."""
    event = get_desk_event(request, slug, Role.REVIEWER)
    page = Paginator(contributors_of(event), PER_PAGE).get_page(request.GET.get("page"))
    in_force = Exclusion.objects.in_force().filter(enrollment__in=[e.pk for e in page])
    excluded = {exclusion.enrollment_id: exclusion for exclusion in in_force}
    rows = [(enrollment, excluded.get(enrollment.pk)) for enrollment in page]
    return render_desk(request, "contributors", event, {"page": page, "rows": rows})


@require_http_methods(["GET", "POST"])
def contributor(request: HttpRequest, slug: str, public_id: UUID) -> HttpResponse:
    """One contributor's judgments; exclude or reinstate them with a reason."""
    event = get_desk_event(request, slug, Role.REVIEWER)
    enrollment = event.enrollments.filter(public_id=public_id).first()
    if enrollment is None:
        raise NotFoundError
    form = ExcludeForm(request.POST or None)
    if request.method == "POST":
        handle_exclusion(request, enrollment, form)
        return redirect("desk:contributor", slug, public_id)
    credits = control_credits(event, control_evidence(enrollment))
    receipts = build_receipts_page(enrollment, request.GET, for_staff=True)
    context = {
        "contributor": enrollment,
        "rows": [
            (receipt, judgment.uuid, exclusion_of(judgment))
            for receipt, judgment in zip(receipts["receipts"], receipts["page"], strict=True)
        ],
        "form": form,
        "exclusions": enrollment.exclusions.order_by("-created_at"),
        "excluded": enrollment.exclusions.in_force().first(),
        "counted": Judgment.objects.counted().filter(enrollment=enrollment).count(),
        "control_answers": credits.total(),
        "control_passed": credits[1.0],
    }
    return render_desk(request, "contributor", event, context | receipts)


def exclusion_of(judgment: Judgment) -> Exclusion | None:
    """The exclusion in force of this judgment alone; its exclusions are prefetched."""
    return next((each for each in judgment.exclusions.all() if each.lifted_at is None), None)


def find_judgment(enrollment: Enrollment, posted: QueryDict) -> Judgment | None:
    """The judgment that the form names; None where it means the contributor as a whole."""
    if "judgment" not in posted:
        return None
    standing = Judgment.objects.standing().filter(enrollment=enrollment)
    judgment = standing.filter(uuid=parse_uuid(posted, "judgment")).first()
    if judgment is None:
        raise NotFoundError
    return judgment


def handle_exclusion(request: HttpRequest, enrollment: Enrollment, form: ExcludeForm) -> None:
    """Exclude or reinstate a contributor or one of their judgments, as the reviewer said."""
    judgment = find_judgment(enrollment, request.POST)
    try:
        if request.POST.get("act") == "reinstate":
            reinstate(request, judgment or enrollment)
        elif form.is_valid():
            exclude_subject(request, judgment or enrollment, form.cleaned_data)
        else:
            messages.error(request, _("Choose a reason."))
    except ArenaError as error:
        messages.error(request, error.message)


def reinstate(request: HttpRequest, excluded: Judgment | Enrollment) -> None:
    """Lift the exclusion in force. Raises `ArenaError` where no reason is given."""
    because = request.POST.get("because", "").strip()[:1000]
    if not because:
        raise ArenaError(_("Say why."), "reason_missing")
    in_force = excluded.exclusions.in_force().first()
    if in_force is not None:
        lift_exclusion(in_force, by=get_reviewer(request), now=timezone.now(), because=because)
        follow = phase_of(in_force.event, timezone.now()).after_exclusion
        messages.success(request, f"{_('Reinstated.')} {follow}")


def exclude_subject(
    request: HttpRequest, subject: Judgment | Enrollment, said: dict[str, str]
) -> None:
    """Exclude a judgment or all of a contributor, who then is no longer the confirmed winner."""
    now, event = timezone.now(), subject.event
    # Nobody is excluded and the winner at once.
    with transaction.atomic():
        exclude(subject, said["reason"], by=get_reviewer(request), now=now, note=said["note"])
        won = winner_of(event)
        if won is not None and won.enrollment == subject:
            withdraw_winner(event)
            messages.warning(request, _("They were the winner, so the winner was withdrawn."))
    messages.success(request, f"{_('Excluded.')} {phase_of(event, now).after_exclusion}")
