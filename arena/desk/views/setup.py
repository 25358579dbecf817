"""Setting an event up, step by step, each saved by itself."""

from random import SystemRandom
from typing import Any

from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from arena.confirming import Confirmation, ask_first
from arena.desk.access import get_desk_event, get_reviewer
from arena.desk.consequences import (
    describe_changed_promises,
    describe_reissue,
    describe_seat_reissue,
)
from arena.desk.forms.event import (
    EventForm,
    QuestionsForm,
    TermsForm,
    TitleForm,
)
from arena.desk.forms.seats import OpenSeatsForm, PrintedSeatsForm, SeatForm
from arena.desk.page_context import render_desk
from arena.errors import ArenaError, NotFoundError
from arena.events.decision_record import Ruling
from arena.events.joining.enrolling import get_seat_pool, provision_event_seats
from arena.events.joining.terms import current_terms, publish_terms
from arena.events.ledger import SETTINGS, SETTINGS_KIND, append_entries
from arena.events.lifecycle.creation import (
    NewEvent,
    can_create_events,
    create_event,
    default_questions,
    publish_guidelines,
)
from arena.events.lifecycle.duplication import duplicate_event
from arena.events.lifecycle.event_settings import recorded_settings
from arena.events.models import Event
from arena.events.seat_sheet import build_event_sheet
from arena.judging.serving.slots import change_overlap
from arena.people.accounts.session_secrets import forget_secret, get_secret, store_secret
from arena.people.limits import DAY_SECONDS, Rate, limit_requests
from arena.people.models import Seat, SeatPool, User
from arena.people.seats.provisioning import reissue_code, reissue_unclaimed
from arena.questions import KINDS

# Nobody begins more events in a day.
NEW_EVENTS_RATE = Rate(20, DAY_SECONDS)
# A seat's fresh code, shown to the organizer who made it.
SEAT_KEY = "seat"


@require_http_methods(["GET", "POST"])
@limit_requests("event", user=NEW_EVENTS_RATE)
def new(request: HttpRequest) -> HttpResponse:
    """The first step for an event that is not there yet."""
    user = request.user
    if not isinstance(user, User) or not can_create_events(user):
        raise NotFoundError
    form = EventForm(request.POST or None, initial={"timezone": "UTC", "licence": "CC-BY-4.0"})
    if request.method == "POST" and form.is_valid():
        settings = form.settings()
        plan = NewEvent(
            settings.pop("slug"), settings.pop("title"), settings.pop("guidelines"), settings
        )
        event = create_event(plan, organizer=user)
        return redirect("desk:questions", event.slug)
    status = 422 if form.is_bound else 200
    return render(request, "desk/new.html", {"form": form}, status=status)


@require_POST
@limit_requests("event", user=NEW_EVENTS_RATE)
def duplicate(request: HttpRequest, slug: str) -> HttpResponse:
    """A new draft with this event's settings, words and records."""
    mine, user = get_desk_event(request, slug), request.user
    if not isinstance(user, User) or not can_create_events(user):
        raise NotFoundError
    form = TitleForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Give the new event a title."))
        return redirect("desk:event", slug)
    title, now = form.cleaned_data["title"], timezone.now()
    copy = duplicate_event(mine, title, organizer=user, now=now, rng=SystemRandom())
    messages.success(request, _("This is the copy. Set its dates before you open it."))
    return redirect("desk:event", copy.slug)


@require_http_methods(["GET", "POST"])
def event(request: HttpRequest, slug: str) -> HttpResponse:
    """Words, times and prize; changed guidelines and promises become a new version."""
    mine = get_desk_event(request, slug)
    latest = mine.guidelines.order_by("-version").first()
    initial = {"guidelines": latest.text if latest else ""}
    form = EventForm(request.POST or None, instance=mine, initial=initial)
    if request.method == "POST" and form.is_valid():
        step_ahead = describe_new_words(mine, form, initial["guidelines"])
        if question := ask_first(request, step_ahead, reverse("desk:event", args=[slug])):
            return question
        # A new version of the guidelines belongs to the settings saved with it.
        with recorded_settings(mine, rule_by(request, form)):
            save_settings(form)
            publish_guidelines(mine, form.cleaned_data["guidelines"])
            if mine.terms.exists():
                publish_terms(mine, licence=mine.licence, prize=mine.prize)
        return redirect_saved(request, "desk:event", slug)
    return render_step(
        request, "event", Event.objects.get(pk=mine.pk), form, title_form=TitleForm()
    )


def describe_new_words(event: Event, form: EventForm, guidelines: str) -> Confirmation | None:
    """The question before words change that people have read or accepted."""
    promised = {"licence", "prize"} & set(form.changed_data)
    changed = form.cleaned_data["guidelines"] != guidelines
    return describe_changed_promises(event, guidelines=changed, terms=bool(promised))


@require_http_methods(["GET", "POST"])
def terms(request: HttpRequest, slug: str) -> HttpResponse:
    """What contributors agree to; changed terms are a new version, agreed to by whoever joins."""
    mine = get_desk_event(request, slug)
    form = TermsForm(mine, request.POST or None, instance=current_terms(mine))
    if request.method == "POST" and form.is_valid():
        changes = bool(form.list_changes())
        step_ahead = describe_changed_promises(mine, guidelines=False, terms=changes)
        if question := ask_first(request, step_ahead, reverse("desk:terms", args=[slug])):
            return question
        # The licence stands in the event as well, and is the same in both.
        why = form.cleaned_data.pop("why", "")
        with recorded_settings(mine, Ruling(get_reviewer(request), timezone.now(), why)):
            publish_terms(mine, **form.cleaned_data)
            Event.objects.filter(pk=mine.pk).update(licence=form.cleaned_data["licence"])
        return redirect_saved(request, "desk:terms", slug)
    status = 422 if form.is_bound else 200
    return render_desk(request, "terms", mine, {"form": form, "step": "event"}, status)


@require_http_methods(["GET", "POST"])
def questions(request: HttpRequest, slug: str) -> HttpResponse:
    """The scale, the comment, and how matchups are handed out."""
    mine = get_desk_event(request, slug)
    overlap = mine.overlap
    initial = {"comment": mine.questions.filter(name="comment").exists()}
    form = QuestionsForm(request.POST or None, instance=mine, initial=initial)
    if request.method == "POST" and form.is_valid():
        promised = "keeps_behaviour" in form.changed_data
        step_ahead = describe_changed_promises(mine, guidelines=False, terms=promised)
        if question := ask_first(request, step_ahead, reverse("desk:questions", args=[slug])):
            return question
        with recorded_settings(mine, rule_by(request, form)):
            mine.batch_is_new = False  # whoever saves the setting has seen it
            save_settings(form)
            if mine.terms.exists():
                publish_terms(mine, keeps_behaviour=mine.keeps_behaviour)
            ask_for_comment(mine, wanted=form.cleaned_data["comment"])
            if mine.overlap != overlap:
                change_overlap(mine, mine.overlap)
        return redirect_saved(request, "desk:questions", slug)
    kind = KINDS["preference"]
    shown = Event.objects.get(pk=mine.pk)
    choices = kind.choices({"scale": shown.scale, "both_bad": shown.both_bad})
    return render_step(request, "questions", shown, form, choices=choices)


def rule_by(request: HttpRequest, form: EventForm | QuestionsForm) -> Ruling:
    """Who saves these settings, and why."""
    return Ruling(get_reviewer(request), timezone.now(), form.cleaned_data.get("why", ""))


def save_settings(form: EventForm | QuestionsForm) -> None:
    """Save an event's settings, and a word in the ledger on those that its boards follow from."""
    event = form.save(commit=False)
    # What else the row says may have changed since this request read it: its state, for one.
    columns = {field.name for field in Event._meta.concrete_fields}
    event.save(update_fields={*form.list_changes(), "batch_is_new"} & columns)
    if {*form.changed_data} & {*SETTINGS}:
        append_entries(event.pk, SETTINGS_KIND, [event.pk])


def ask_for_comment(event: Event, *, wanted: bool) -> None:
    """Add or take away the comment; one that has answers stays."""
    comment = event.questions.filter(name="comment").first()
    if wanted == (comment is not None) or (comment is not None and comment.answers.exists()):
        return
    if comment is None:
        question = next(q for q in default_questions(event) if q.name == "comment")
        question.save(force_insert=True)
    else:
        comment.delete()
    Event.objects.filter(pk=event.pk).update(version=F("version") + 1)


@require_http_methods(["GET", "POST"])
@never_cache
def seats(request: HttpRequest, slug: str) -> HttpResponse:
    """How many seats there are and how many are taken; more open ones."""
    mine = get_desk_event(request, slug)
    pool = get_seat_pool(mine)
    form = OpenSeatsForm(
        request.POST or None, initial={"claims_per_network": pool.claims_per_network}
    )
    if request.method == "POST" and form.is_valid():
        SeatPool.objects.filter(pk=pool.pk).update(
            claims_per_network=form.cleaned_data["claims_per_network"]
        )
        if form.cleaned_data["open"]:
            provision_event_seats(mine, form.cleaned_data["open"], Seat.Kind.OPEN, timezone.now())
        return redirect_saved(request, "desk:seats", slug)
    return render_seats(request, mine, form)


def render_seats(request: HttpRequest, event: Event, form: OpenSeatsForm) -> HttpResponse:
    """The step of seats, with the code of a seat that was made anew in this session."""
    pool = get_seat_pool(event)
    fresh = get_secret(request.session, SEAT_KEY, timezone.now())
    return render_step(
        request,
        "seats",
        event,
        form,
        counts={kind: count_seats(pool, kind) for kind in Seat.Kind.values},
        waiting=pool.waiting.in_line(timezone.now()).count(),
        printed_form=PrintedSeatsForm(),
        seat_form=SeatForm(),
        slip=fresh if fresh and fresh["event"] == event.slug else None,
    )


def count_seats(pool: SeatPool, kind: str) -> dict[str, int]:
    """How many seats of a kind there are, and how many of them are taken."""
    seats = pool.seats.filter(kind=kind)
    return {"all": seats.count(), "taken": seats.filter(claimed_at__isnull=False).count()}


@require_POST
@never_cache
def print_seats(request: HttpRequest, slug: str) -> HttpResponse:
    """Make printed seats and hand out their sheet: this once."""
    mine = get_desk_event(request, slug)
    form = PrintedSeatsForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for error in form.errors["printed"]))
        return redirect("desk:seats", slug)
    slips = provision_event_seats(
        mine, form.cleaned_data["printed"], Seat.Kind.PRINTED, timezone.now()
    )
    return download_sheet(request, mine, slips)


@require_POST
@never_cache
def reissue(request: HttpRequest, slug: str) -> HttpResponse:
    """New codes for every printed seat that nobody has taken: the old sheet is void."""
    mine = get_desk_event(request, slug)
    pool = get_seat_pool(mine)
    if question := ask_first(request, describe_reissue(pool), reverse("desk:seats", args=[slug])):
        return question
    slips = reissue_unclaimed(pool)
    if not slips:
        messages.info(request, _("Every printed seat is taken, so there is nothing to reissue."))
        return redirect("desk:seats", slug)
    return download_sheet(request, mine, slips)


@require_POST
@never_cache
def reissue_seat(request: HttpRequest, slug: str) -> HttpResponse:
    """A new code for one seat, shown on its page: the old one is void, its votes stay."""
    mine, now = get_desk_event(request, slug), timezone.now()
    if "handed" in request.POST:
        forget_secret(request.session, SEAT_KEY)
        return redirect("desk:seats", slug)
    pool = get_seat_pool(mine)
    form = SeatForm(request.POST)
    named = form.cleaned_data["username"].strip() if form.is_valid() else ""
    seat = pool.seats.filter(user__username=named).select_related("user").first()
    if seat is None:
        messages.error(request, _("No seat of this event has this username."))
        return redirect("desk:seats", slug)
    if question := ask_first(
        request, describe_seat_reissue(seat), reverse("desk:seats", args=[slug])
    ):
        return question
    try:
        slip = reissue_code(seat)
    except ArenaError as error:
        messages.error(request, error.message)
        return redirect("desk:seats", slug)
    path = reverse("events:claim", args=[slip.token]) if slip.token else ""
    fresh = {
        "event": mine.slug,
        "username": slip.username,
        "code": slip.code,
        "link": request.build_absolute_uri(path) if path else "",
    }
    store_secret(request.session, SEAT_KEY, fresh, now)
    return redirect("desk:seats", slug)


def download_sheet(request: HttpRequest, event: Event, slips: Any) -> HttpResponse:
    """The sheet of fresh slips as a download."""
    content = build_event_sheet(event, slips, request.build_absolute_uri("/").rstrip("/"))
    name = f'attachment; filename="{event.slug}-seats.zip"'
    return HttpResponse(
        content, content_type="application/zip", headers={"Content-Disposition": name}
    )


def render_step(
    request: HttpRequest, name: str, event: Event, form: Any, **context: Any
) -> HttpResponse:
    """The page of one step; a form that was refused comes back with what was typed."""
    status = 422 if form.is_bound else 200
    return render_desk(request, name, event, {"form": form, "step": name} | context, status)


def redirect_saved(request: HttpRequest, page: str, slug: str) -> HttpResponse:
    """Back to the page, with a word that it is saved."""
    messages.success(request, _("Saved."))
    return redirect(page, slug)
