"""The records browser: find records, look at one, act on its matchups, correct its texts."""

from random import SystemRandom

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from arena.confirming import ask_first
from arena.desk.access import get_desk_event, get_record, get_reviewer
from arena.desk.carrying import PROPOSED, carry_or_propose, plan_key
from arena.desk.consequences import describe_key_change, describe_replacement
from arena.desk.forms.records import ControlForm, RecordTextsForm
from arena.desk.page_context import render_desk
from arena.desk.queries.proposals import describe_rule, find_proposals
from arena.desk.queries.records import (
    filter_records,
    judgments_of,
    list_filters,
    search_records,
    summarize_judgment,
)
from arena.errors import ArenaError, NotFoundError
from arena.events.access import Role
from arena.events.decision_record import MAX_NOTE, Ruling
from arena.events.lifecycle.phases import phase_of
from arena.events.models import Act, Event, Matchup
from arena.events.records.controls import restore_matchup, retire_matchup
from arena.events.records.corrections import correct_record, texts_of

PER_PAGE = 50
KEY_ACTS = {"control": Act.KEY_SET, "change": Act.KEY_CHANGED, "withdraw": Act.KEY_WITHDRAWN}


@require_GET
def records(request: HttpRequest, slug: str) -> HttpResponse:
    """Records, searched and filtered."""
    event = get_desk_event(request, slug, Role.REVIEWER)
    query, category = request.GET.get("q", "").strip(), request.GET.get("category", "")
    show, now = request.GET.get("show", ""), timezone.now()
    found = filter_records(event, show, now)
    if query:
        found = search_records(found, query)
    if category:
        found = found.filter(categories__slug=category)
    context = {
        "page": Paginator(found, PER_PAGE).get_page(request.GET.get("page")),
        "query": query,
        "category": category,
        "categories": event.categories.all(),
        "show": show,
        "shown": list_filters(event, now),
    }
    return render_desk(request, "records", event, context)


@require_GET
def record(request: HttpRequest, slug: str, external_id: str) -> HttpResponse:
    """One record: its responses, its matchups and what people said of them."""
    event = get_desk_event(request, slug, Role.REVIEWER)
    found = get_record(event, external_id)
    matchups = (
        found.matchups.annotate(judged=Count("judgments", Q(judgments__standing=True)))
        .select_related("control", "event")
        .order_by("pk")
    )
    forms = [ControlForm(matchup) for matchup in matchups]
    targets = {form.matchup.pk: plan_key(Act.KEY_SET, form.matchup).target for form in forms}
    waiting = find_proposals(event, *targets.values())
    for form in forms:
        form.proposal = waiting.get(targets[form.matchup.pk])
    page = Paginator(judgments_of(found), PER_PAGE).get_page(request.GET.get("page"))
    sides = {form.matchup.pk: form.sides for form in forms}
    context = {
        "record": found,
        "successor": event.records.filter(replaces=found).first(),
        "responses": found.responses.select_related("competitor").order_by("pk"),
        "control_forms": forms,
        "rule": describe_rule(event),
        "page": page,
        "judgments": [
            summarize_judgment(judgment, event, sides[judgment.matchup_id]) for judgment in page
        ],
    }
    return render_desk(request, "record", event, context)


@require_POST
def matchup(request: HttpRequest, slug: str, external_id: str) -> HttpResponse:
    """Make one of a record's matchups a control, correct its key, retire it, or restore it."""
    event = get_desk_event(request, slug)
    found = get_record(event, external_id)
    named = found.matchups.filter(key=request.POST.get("key", ""))
    chosen = named.select_related("control", "event").first()
    if chosen is None:
        raise NotFoundError
    back = reverse("desk:record", args=[slug, external_id])
    # What is only proposed can be withdrawn, and asks whoever confirms it.
    is_proposed = describe_rule(event).is_needed
    step = None if is_proposed else describe_key_change(request.POST, chosen)
    if question := ask_first(request, step, back):
        return question
    try:
        change_matchup(request, chosen)
    except ArenaError as error:
        messages.error(request, error.message)
    return redirect("desk:record", slug, external_id)


def change_matchup(request: HttpRequest, chosen: Matchup) -> None:
    """Do with a matchup what was asked for. Raises `ArenaError` where that cannot be."""
    act, said = request.POST.get("act"), request.POST.get("reason", "")[:MAX_NOTE]
    ruling = Ruling(get_reviewer(request), timezone.now(), said)
    if act == "retire":
        retire_matchup(chosen, ruling)
    elif act == "restore":
        restore_matchup(chosen, ruling)
    else:
        change_matchup_key(request, chosen, ruling)


def change_matchup_key(request: HttpRequest, chosen: Matchup, ruling: Ruling) -> None:
    """Set, change or withdraw a key, or propose it where that takes two people."""
    form, control = ControlForm(chosen, request.POST), getattr(chosen, "control", None)
    act = KEY_ACTS.get(request.POST.get("act", ""))
    if act is None or (control is None) != (act == Act.KEY_SET):
        raise ArenaError(_("This action does not exist."), "unknown_step")
    if act == Act.KEY_WITHDRAWN:
        if not ruling.note.strip():
            raise ArenaError(_("Say why."), "reason_missing")
        plan = plan_key(act, chosen)
    else:
        plan = plan_key(act, chosen, form.expected_answer())
    if carry_or_propose(chosen.event, plan, ruling):
        messages.info(request, PROPOSED)
    elif act != Act.KEY_SET:
        follow = phase_of(chosen.event, ruling.now).after_exclusion
        words = _("The key is changed.") if act == Act.KEY_CHANGED else _("The key is withdrawn.")
        messages.success(request, f"{words} {follow}")


@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, slug: str, external_id: str) -> HttpResponse:
    """Change a record's texts: a new version takes its place from the next matchup on."""
    event = get_desk_event(request, slug)
    found = get_record(event, external_id)
    needs_reason = event.state != Event.State.DRAFT
    form = RecordTextsForm(texts_of(found), request.POST or None, needs_reason=needs_reason)
    if request.method == "POST" and form.is_valid():
        back = reverse("desk:record", args=[slug, external_id])
        changes = form.corrected_texts() != texts_of(found) and found.retired_at is None
        if question := ask_first(request, describe_replacement(found) if changes else None, back):
            return question
        try:
            why = form.cleaned_data.get("why", "")
            ruling = Ruling(get_reviewer(request), timezone.now(), why)
            successor = correct_record(found, form.corrected_texts(), ruling, SystemRandom())
        except ArenaError as error:
            messages.error(request, error.message)
            return redirect("desk:record", slug, external_id)
        messages.success(request, _("The new version is served from now on."))
        return redirect("desk:record", slug, successor.external_id)
    context = {"record": found, "form": form}
    return render_desk(request, "correct", event, context, 422 if form.is_bound else 200)
