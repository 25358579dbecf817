"""Contributors on the desk: the list, a person's page, and the cases about them."""

import csv
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from arena.desk.access import get_desk_event, get_reviewer, parse_uuid
from arena.desk.carrying import PROPOSED, carry_or_propose, plan_exclusion
from arena.desk.forms.event import ExcludeForm
from arena.desk.page_context import render_desk
from arena.desk.queries.evidence import describe_claim, find_strongest, list_control_answers
from arena.desk.queries.people import (
    COLUMNS,
    DEFAULT_SORT,
    FIELDS,
    find_people,
    limits_of,
    to_file_rows,
    view_people,
)
from arena.errors import ArenaError, NotFoundError
from arena.events.access import Role
from arena.events.decision_record import MAX_NOTE, Ruling
from arena.events.lifecycle.decisions import Plan
from arena.events.lifecycle.phases import phase_of
from arena.events.models import Enrollment, Event
from arena.judging.models import Case, Exclusion, Judgment
from arena.judging.receipts import build_receipts_page
from arena.judging.review import cases as review
from arena.judging.review.behaviour import summarize_behaviour
from leaderboard.models import ReliabilityFit
from leaderboard.results.winner import winner_of

PER_PAGE = 50
DECIDED = "decided"


@require_GET
def contributors(request: HttpRequest, slug: str) -> HttpResponse:
    """Everybody who judges here, the busiest first, or in another order."""
    event = get_desk_event(request, slug, Role.REVIEWER)
    query, sort = request.GET.get("q", "").strip()[:100], request.GET.get("sort", DEFAULT_SORT)
    if sort.removeprefix("-") not in FIELDS:
        sort = DEFAULT_SORT
    page = Paginator(find_people(event, query, sort), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": list(view_people(event, page)),
        "columns": [sort_link(column, sort) for column in COLUMNS],
        "q": query,
        "fit": ReliabilityFit.objects.filter(event=event, ledger_seq__gt=0).first(),
        "open_cases": Case.objects.waiting().filter(event=event).count(),
    }
    return render_desk(request, "contributors", event, context)


def sort_link(column: Any, sort: str) -> dict[str, Any]:
    """A heading of the list with the order that it leads to: largest first, then smallest."""
    is_current = sort.removeprefix("-") == column.name
    descends = not (is_current and sort.startswith("-"))
    return {
        "heading": column.heading,
        "sort": f"-{column.name}" if descends else column.name,
        "order": ("descending" if sort.startswith("-") else "ascending") if is_current else "",
    }


@require_GET
def contributors_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """The whole list as a file; for staff alone."""
    event = get_desk_event(request, slug, Role.REVIEWER)
    name = f'attachment; filename="{event.slug}-contributors.csv"'
    response = HttpResponse(content_type="text/csv", headers={"Content-Disposition": name})
    csv.writer(response).writerows(to_file_rows(view_people(event, find_people(event))))
    return response


@require_GET
def cases(request: HttpRequest, slug: str) -> HttpResponse:
    """The open cases, the oldest first, or the decided ones."""
    event = get_desk_event(request, slug, Role.REVIEWER)
    show = DECIDED if request.GET.get("show") == DECIDED else ""
    waiting = Case.objects.waiting().filter(event=event)
    decided = Case.objects.filter(event=event).exclude(state=Case.State.OPEN)
    found = decided.order_by("-decided_at", "-pk") if show else waiting.order_by("opened_at", "pk")
    chosen = found.select_related("enrollment__user", "decided_by")
    page = Paginator(chosen, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [(case, describe_claim(case)) for case in page],
        "show": show,
        "waiting": waiting.count(),
        "decided": decided.count(),
    }
    return render_desk(request, "cases", event, context)


@require_http_methods(["GET", "POST"])
def contributor(request: HttpRequest, slug: str, public_id: UUID) -> HttpResponse:
    """One contributor: what is claimed of them and on what evidence, and their judgments."""
    event = get_desk_event(request, slug, Role.REVIEWER)
    enrollment = find_people(event).filter(public_id=public_id).first()
    if enrollment is None:
        raise NotFoundError
    form = ExcludeForm(request.POST or None)
    if request.method == "POST":
        handle_decision(request, enrollment, form)
        return redirect("desk:contributor", slug, public_id)
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
    }
    return render_desk(
        request, "contributor", event, context | receipts | view_evidence(event, enrollment)
    )


def view_evidence(event: Event, enrollment: Enrollment) -> dict[str, Any]:
    """What is known of a contributor, and the cases about them."""
    (person,) = view_people(event, [enrollment])
    known = person.reliability
    about = Case.objects.filter(enrollment=enrollment).select_related("decided_by")
    described = [(case, describe_claim(case)) for case in about.order_by("-opened_at", "-pk")]
    limits = {}
    if known is not None:
        for name in ("overall", "on_controls", "on_others"):
            value, error = getattr(known, name), getattr(known, f"{name}_error")
            limits[name] = (value, *limits_of(value, error))
    return {
        "person": person,
        "behaviour": summarize_behaviour(enrollment),
        "known": known,
        "limits": limits,
        "open_cases": [pair for pair in described if pair[0].state == Case.State.OPEN],
        "closed_cases": [pair for pair in described if pair[0].state != Case.State.OPEN],
        "strongest": find_strongest(enrollment, known),
        "control_answers": list_control_answers(enrollment),
        "fit": ReliabilityFit.objects.filter(event=event, ledger_seq__gt=0).first(),
    }


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


def handle_decision(request: HttpRequest, enrollment: Enrollment, form: ExcludeForm) -> None:
    """Decide a case, or exclude or reinstate a contributor or one of their judgments."""
    case, event = find_case(enrollment, request.POST), enrollment.event
    judgment = find_judgment(enrollment, request.POST)
    note = request.POST.get("note", request.POST.get("because", ""))[:MAX_NOTE]
    ruling = Ruling(get_reviewer(request), timezone.now(), note)
    try:
        if case is not None:
            decide_case(request, case, ruling)
        elif request.POST.get("act") == "reinstate":
            reinstate(request, judgment or enrollment, ruling)
        elif form.is_valid():
            chosen = None if judgment is None else [judgment]
            plan = plan_exclusion(enrollment, form.cleaned_data["reason"], judgments=chosen)
            carry_exclusion(request, plan, ruling, event)
        else:
            messages.error(request, _("Choose a reason, and say why."))
    except ArenaError as error:
        messages.error(request, error.message)


def find_case(enrollment: Enrollment, posted: QueryDict) -> Case | None:
    """The case that the form names; None where it is about none."""
    if "case" not in posted:
        return None
    about = Case.objects.filter(enrollment=enrollment, uuid=parse_uuid(posted, "case"))
    case = about.select_related("event", "enrollment").first()
    if case is None:
        raise NotFoundError
    return case


def decide_case(request: HttpRequest, case: Case, ruling: Ruling) -> None:
    """Dismiss a case, or end it by an exclusion."""
    if request.POST.get("act") == "dismiss":
        review.dismiss(case, ruling)
        messages.success(request, _("The case is dismissed."))
        return
    carry_exclusion(request, plan_exclusion(case.enrollment, "", case=case), ruling, case.event)


def reinstate(request: HttpRequest, excluded: Judgment | Enrollment, ruling: Ruling) -> None:
    """Lift the exclusion in force. Raises `ArenaError` where no reason is given."""
    in_force = excluded.exclusions.in_force().first()
    if in_force is not None:
        review.reinstate(in_force, ruling)
        follow = phase_of(in_force.event, ruling.now).after_exclusion
        messages.success(request, f"{_('Reinstated.')} {follow}")


def carry_exclusion(request: HttpRequest, plan: Plan, ruling: Ruling, event: Event) -> None:
    """Exclude, or propose it where that takes two people."""
    had_winner = winner_of(event) is not None
    if carry_or_propose(event, plan, ruling):
        messages.info(request, PROPOSED)
        return
    if had_winner and winner_of(event) is None:
        messages.warning(request, _("They were the winner, so the winner was withdrawn."))
    messages.success(request, f"{_('Excluded.')} {phase_of(event, ruling.now).after_exclusion}")
