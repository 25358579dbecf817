"""The review queue and the page of a case, on which it is decided."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from arena.desk.access import get_desk_event, get_reviewer, parse_uuid
from arena.desk.carrying import plan_exclusion
from arena.desk.forms.review import CHOSEN, DecisionForm, ExcludeCaseForm, UndoForm, list_forms
from arena.desk.page_context import render_desk
from arena.desk.queries.appeals import view_appeals
from arena.desk.queries.decisions import list_decisions, view_decisions
from arena.desk.queries.evidence import describe_claim
from arena.desk.queries.proposals import describe_rule, find_proposals
from arena.desk.queries.review_queue import (
    DECIDED,
    MINE,
    count_queue,
    find_place,
    list_entries,
    list_walk,
    view_entries,
)
from arena.desk.queries.seen import read_seen, sign_evidence
from arena.desk.views.contributors import exclude_or_propose, view_evidence
from arena.errors import ArenaError, ConflictError, NotFoundError
from arena.events.access import Role
from arena.events.decision_record import Ruling
from arena.events.lifecycle.phases import phase_of
from arena.events.models import Event
from arena.judging.models import Case, Judgment
from arena.judging.receipts import build_receipts_page
from arena.judging.review import cases as review

PER_PAGE = 25
MAX_HISTORY = 50


@require_GET
def queue(request: HttpRequest, slug: str) -> HttpResponse:
    """What waits for a decision, the most urgent first, or the decided cases."""
    event, now = get_desk_event(request, slug, Role.DECIDER), timezone.now()
    user = get_reviewer(request)
    show = request.GET.get("show", "")
    show = show if show in (MINE, DECIDED) else ""
    reason = "" if show else read_reason(request)
    entries = list_entries(event, user, show, reason)
    page = Paginator(entries, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "lines": view_entries(event, user, page, now),
        "show": show,
        "reason": reason,
        "counts": count_queue(event, user),
        "undoable": find_just_decided(event, request),
    }
    return render_desk(request, "review", event, context)


def read_reason(request: HttpRequest) -> str:
    """The reason that the queue is narrowed to; "" for all."""
    reason = request.GET.get("reason", "")
    return reason if reason in Case.Reason.values else ""


@require_http_methods(["GET", "POST"])
def case(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    """One case: what is claimed, the evidence, and how it is decided."""
    event = get_desk_event(request, slug, Role.DECIDER)
    found = Case.objects.filter(event=event, uuid=uuid)
    chosen = found.select_related("event", "enrollment__event", "decided_by").first()
    if chosen is None:
        raise NotFoundError
    if request.method == "GET":
        return render_desk(request, "case", event, view_case(request, chosen))
    if request.POST.get("act") == UndoForm.act:
        return undo(request, chosen)
    kind = list_forms(event).get(request.POST.get("act", ""))
    if kind is None:
        raise NotFoundError
    form, walk = kind(event, request.POST), list_walk(event, read_reason(request))
    if form.is_valid():
        try:
            decide(request, chosen, form)
        except ArenaError as error:
            form.add_error(None, error.message)
        else:
            return redirect(find_next(request, chosen, walk))
    context = view_case(request, chosen) | {"refused": form}
    return render_desk(request, "case", event, context, status=422)


def view_case(request: HttpRequest, chosen: Case) -> dict[str, Any]:
    """What the page of a case shows."""
    event = chosen.event
    enrollment = chosen.enrollment
    found = view_evidence(enrollment)
    receipts = build_receipts_page(enrollment, request.GET, for_staff=True)
    target = plan_exclusion(enrollment, "").target
    history = list_decisions(event, enrollment.pseudonym)[:MAX_HISTORY]
    reason = read_reason(request)
    excluded = enrollment.exclusions.in_force().first()
    can_pick = chosen.state == Case.State.OPEN and excluded is None
    return {
        "case": chosen,
        "claim": describe_claim(chosen),
        "contributor": enrollment,
        "excluded": excluded,
        "select": "exclude-form" if can_pick else "",
        "rows": list(zip(receipts["receipts"], receipts["page"], strict=True)),
        "page": receipts["page"],
        "judged": receipts["judged"],
        "history": view_decisions(event, history),
        "place": find_place(event, chosen, reason),
        "query": f"?{urlencode({'reason': reason})}" if reason else "",
        "forms": [form(event) for form in list_forms(event).values()],
        "undo_form": UndoForm(event),
        "is_undoable": Case.State(chosen.state) in review.TAKE_BACK,
        "appeals": view_appeals(enrollment, get_reviewer(request)),
        "proposal": find_proposals(event, target).get(target),
        "rule": describe_rule(event),
        "seen": sign_evidence(chosen, found["evidence"].known),
        "undoable": find_just_decided(event, request),
        **found,
    }


def decide(request: HttpRequest, chosen: Case, form: DecisionForm) -> None:
    """Decide a case as the form says. Raises `ArenaError` where it cannot be."""
    seen = read_seen(chosen, request.POST.get("seen", ""))
    ruling = Ruling(get_reviewer(request), timezone.now(), form.cleaned_data["note"], seen=seen)
    if chosen.state != Case.State.OPEN:
        raise ConflictError(_("This case has been decided already."), "already_decided")
    if isinstance(form, ExcludeCaseForm):
        exclude(request, chosen, form, ruling)
    elif form.act == "warn":
        review.warn(chosen, ruling, form.cleaned_data["text"])
    elif form.act == "block":
        review.block(chosen, ruling)
    else:
        review.dismiss(chosen, ruling)


def exclude(request: HttpRequest, chosen: Case, form: ExcludeCaseForm, ruling: Ruling) -> None:
    """End a case by an exclusion, or propose that where it takes two people."""
    picked = None
    if form.cleaned_data["scope"] == CHOSEN:
        picked = find_picked(request, chosen)
        if not picked:
            raise ArenaError(_("Tick the judgments that are not to count."), "none_chosen")
    plan = plan_exclusion(
        chosen.enrollment, "", case=chosen, judgments=picked, since=form.since_moment()
    )
    exclude_or_propose(request, plan, ruling, chosen.event)


def find_picked(request: HttpRequest, chosen: Case) -> list[Judgment]:
    """The contributor's judgments that were ticked and count."""
    counted = Judgment.objects.standing().not_excluded().filter(enrollment=chosen.enrollment_id)
    ticked = set(request.POST.getlist("judgments"))
    rows = counted.order_by("pk").only("pk", "uuid")
    return [judgment for judgment in rows if str(judgment.uuid) in ticked]


def find_next(request: HttpRequest, decided: Case, walk: list[UUID]) -> str:
    """Where to go on: the next case in the order in which the queue was, else the queue."""
    event, reason = decided.event, read_reason(request)
    left = set(list_walk(event, reason)) - {decided.uuid}
    index = walk.index(decided.uuid) + 1 if decided.uuid in walk else 0
    following = next((uuid for uuid in [*walk[index:], *walk[:index]] if uuid in left), None)
    query = {"done": str(decided.uuid)} | ({"reason": reason} if reason else {})
    if following is None:
        return f"{reverse('desk:review', args=[event.slug])}?{urlencode(query)}"
    return f"{reverse('desk:case', args=[event.slug, following])}?{urlencode(query)}"


def find_just_decided(event: Event, request: HttpRequest) -> dict[str, Any] | None:
    """The case that this person has just decided, so that the page offers to undo it."""
    if "done" not in request.GET:
        return None
    mine = Case.objects.filter(event=event, uuid=parse_uuid(request.GET, "done"))
    decided = mine.filter(decided_by=get_reviewer(request)).select_related("enrollment").first()
    if decided is None or Case.State(decided.state) not in review.TAKE_BACK:
        return None
    is_exclusion = decided.state == Case.State.EXCLUDED
    follow = phase_of(event, timezone.now()).after_exclusion if is_exclusion else ""
    return {"case": decided, "follow": follow}


def undo(request: HttpRequest, chosen: Case) -> HttpResponse:
    """Open a decided case again; whoever has just decided it needs no further reason."""
    user, note = get_reviewer(request), request.POST.get("note", "")
    if not note.strip() and chosen.decided_by == user:
        note = _("Taken back by the one who had decided.")
    try:
        review.undo(chosen, Ruling(user, timezone.now(), note))
    except ArenaError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("The case is open again."))
    reason = read_reason(request)
    query = f"?{urlencode({'reason': reason})}" if reason else ""
    return redirect(reverse("desk:case", args=[chosen.event.slug, chosen.uuid]) + query)
