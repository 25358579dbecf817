"""Contributors on the desk: the list, its file, and a person's page."""

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
from arena.desk.forms.review import ExcludeForm
from arena.desk.page_context import render_desk
from arena.desk.queries.appeals import view_appeals
from arena.desk.queries.case_evidence import gather_evidence
from arena.desk.queries.decisions import list_decisions, view_decisions
from arena.desk.queries.evidence import describe_claim
from arena.desk.queries.people import (
    COLUMNS,
    DEFAULT_SORT,
    FIELDS,
    find_people,
    to_file_rows,
    view_people,
)
from arena.desk.queries.proposals import describe_rule, find_proposals
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
from leaderboard.contributors.states import ReadingState, find_reviewed
from leaderboard.models import ReliabilityFit
from leaderboard.results.winner import winner_of

PER_PAGE = 50
MAX_HISTORY = 100
STATES = {state.name.lower(): state for state in ReadingState}


@require_GET
def contributors(request: HttpRequest, slug: str) -> HttpResponse:
    """Everybody who judges here, the busiest first, or in another order."""
    event = get_desk_event(request, slug, Role.DECIDER)
    query, sort = request.GET.get("q", "").strip()[:100], request.GET.get("sort", DEFAULT_SORT)
    if sort.removeprefix("-") not in FIELDS:
        sort = DEFAULT_SORT
    state = STATES.get(request.GET.get("state", ""))
    people = find_people(event, query, sort, state)
    page = Paginator(people, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": list(view_people(event, page)),
        "columns": [sort_link(column, sort) for column in COLUMNS],
        "q": query,
        "states": [(name, each.label) for name, each in STATES.items()],
        "state": state.name.lower() if state else "",
        "fit": ReliabilityFit.objects.filter(event=event, ledger_seq__gt=0).first(),
    }
    return render_desk(request, "contributors", event, context)


def sort_link(column: Any, sort: str) -> dict[str, Any]:
    """A heading of the list with the order that it leads to: largest first, then smallest."""
    is_current = sort.removeprefix("-") == column.name
    descends = not (is_current and sort.startswith("-"))
    return {
        "heading": column.heading,
        "sort": f"-{column.name}" if descends else column.name,
        "is_figure": column.name != "state",
        "order": ("descending" if sort.startswith("-") else "ascending") if is_current else "",
    }


@require_GET
def contributors_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """The whole list as a file; for staff alone."""
    event = get_desk_event(request, slug, Role.DECIDER)
    name = f'attachment; filename="{event.slug}-contributors.csv"'
    response = HttpResponse(content_type="text/csv", headers={"Content-Disposition": name})
    csv.writer(response).writerows(to_file_rows(view_people(event, find_people(event))))
    return response


@require_http_methods(["GET", "POST"])
def contributor(request: HttpRequest, slug: str, public_id: UUID) -> HttpResponse:
    """One contributor: what is known of them, their judgments, and what was decided about them."""
    event = get_desk_event(request, slug, Role.DECIDER)
    enrollment = find_people(event).filter(public_id=public_id).first()
    if enrollment is None:
        raise NotFoundError
    if request.method == "POST":
        handle_decision(request, enrollment)
        return redirect("desk:contributor", slug, public_id)
    receipts = build_receipts_page(enrollment, request.GET, for_staff=True)
    target = plan_exclusion(enrollment, "").target
    history = list_decisions(event, enrollment.pseudonym)
    context = {
        "contributor": enrollment,
        "rows": [
            (receipt, judgment.uuid, exclusion_of(judgment))
            for receipt, judgment in zip(receipts["receipts"], receipts["page"], strict=True)
        ],
        "form": ExcludeForm(),
        "excluded": enrollment.exclusions.in_force().first(),
        "counted": Judgment.objects.counted().filter(enrollment=enrollment).count(),
        "appeals": view_appeals(enrollment, get_reviewer(request)),
        "proposal": find_proposals(event, target).get(target),
        "rule": describe_rule(event),
        "history": view_decisions(event, history[:MAX_HISTORY]),
        "state": find_reviewed(event, [enrollment.pk])[enrollment.pk].state,
    }
    return render_desk(
        request, "contributor", event, context | receipts | view_evidence(enrollment)
    )


def view_evidence(enrollment: Enrollment) -> dict[str, Any]:
    """What is known of a contributor, and the cases about them."""
    about = Case.objects.filter(enrollment=enrollment).select_related("decided_by")
    found = about.order_by("-opened_at", "-pk")
    return {
        "behaviour": summarize_behaviour(enrollment),
        "cases": [(case, describe_claim(case)) for case in found],
        "evidence": gather_evidence(enrollment),
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


def handle_decision(request: HttpRequest, enrollment: Enrollment) -> None:
    """Exclude or reinstate a contributor, or one of their judgments."""
    event, judgment = enrollment.event, find_judgment(enrollment, request.POST)
    form, note = ExcludeForm(request.POST), request.POST.get("note", "")[:MAX_NOTE]
    ruling = Ruling(get_reviewer(request), timezone.now(), note)
    try:
        if request.POST.get("act") == "reinstate":
            reinstate(request, judgment or enrollment, ruling)
        elif form.is_valid():
            chosen = None if judgment is None else [judgment]
            plan = plan_exclusion(enrollment, form.cleaned_data["reason"], judgments=chosen)
            if exclude_or_propose(request, plan, ruling, event):
                follow = phase_of(event, ruling.now).after_exclusion
                messages.success(request, f"{_('Excluded.')} {follow}")
        else:
            messages.error(request, _("Choose a reason, and say why."))
    except ArenaError as error:
        messages.error(request, error.message)


def reinstate(request: HttpRequest, excluded: Judgment | Enrollment, ruling: Ruling) -> None:
    """Lift the exclusion in force. Raises `ArenaError` where no reason is given."""
    in_force = excluded.exclusions.in_force().first()
    if in_force is not None:
        review.reinstate(in_force, ruling)
        follow = phase_of(in_force.event, ruling.now).after_exclusion
        messages.success(request, f"{_('Reinstated.')} {follow}")


def exclude_or_propose(request: HttpRequest, plan: Plan, ruling: Ruling, event: Event) -> bool:
    """Exclude, or propose it where that takes two people, and say so; whether it was done."""
    had_winner = winner_of(event) is not None
    if carry_or_propose(event, plan, ruling):
        messages.info(request, PROPOSED)
        return False
    if had_winner and winner_of(event) is None:
        messages.warning(request, _("They were the winner, so the winner was withdrawn."))
    return True
