"""Pages of vote imports: upload a file, answer questions about it, follow the import."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from arena.celery import send_soon
from arena.errors import ArenaError, NotFoundError
from arena.events.access import Role, event_for
from arena.events.importing.uploads import (
    STARTABLE,
    UploadChoices,
    queue_upload,
    restart_wait,
    save_choices,
    save_upload,
)
from arena.events.importing.views import (
    MAX_RECENT_JOBS,
    UploadForm,
    can_edit,
    count_preview,
    describe_progress,
    get_job,
    load_report,
    setup_page,
)
from arena.events.models import Enrollment, Event, ImportJob
from arena.judging.importing.options import DUPLICATE_POLICIES, LEFT_CHOICES, ScaleEnds, VoteOptions
from arena.judging.importing.reading.preferences import normalize_value, parse_number
from arena.judging.importing.vote_preview import VotePreview, list_vote_columns, preview_votes
from arena.judging.models import Origin
from arena.judging.tasks import run_vote_import
from arena.people.models import User
from arena.questions import KINDS

State = ImportJob.State
Kind = ImportJob.Kind
# Who gave the votes → (kind of enrollment, origin of the judgments).
VOTER_KINDS = {
    "people": (Enrollment.Kind.HUMAN.value, Origin.IMPORTED.value),
    "machines": (Enrollment.Kind.MACHINE.value, Origin.MACHINE.value),
    "simulated": (Enrollment.Kind.HUMAN.value, Origin.SIMULATED.value),
}
LEAVE_OUT_ANSWER = "leave-out"


@require_http_methods(["GET", "POST"])
def upload_votes(request: HttpRequest, slug: str) -> HttpResponse:
    """Upload a file of votes; lists recent imports."""
    event = event_for(request.user, slug, Role.ORGANIZER)
    posted = request.method == "POST"
    form = UploadForm(request.POST, request.FILES) if posted else UploadForm()
    if posted and form.is_valid():
        assert isinstance(request.user, User)
        file, now = form.cleaned_data["file"], timezone.now()
        upload = save_upload(event, file, request.user, now, Kind.JUDGMENTS)
        return redirect("votes:job", slug, upload.uuid)
    recent = event.import_jobs.filter(kind=Kind.JUDGMENTS)[:MAX_RECENT_JOBS]
    context = {"form": form, "recent": recent, "counted": event.counted_origins()}
    return setup_page(request, "judging/votes.html", event, context, 400 if posted else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def vote_import(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    """One vote import, in any state; returns the partial to htmx."""
    event = event_for(request.user, slug, Role.ORGANIZER)
    this = get_job(event, uuid)
    if this.kind != Kind.JUDGMENTS:
        raise NotFoundError
    if request.method == "POST":
        return start_vote_import(request, this)
    if can_edit(this) and (this.state == State.UPLOADED or "edit" in request.GET):
        count_preview(request)
        context = {"job": this, **build_preview_context(this)}
        template = "judging/_votes_preview.html"
    else:
        context = {
            "job": this,
            "report": load_report(this),
            "doubts": [],
            **describe_progress(this),
        }
        template = "events/_import_state.html"
    if request.htmx:  # type: ignore[attr-defined]
        if not context.get("is_running", True):
            # The checklist beside it has changed: reload the whole page.
            return HttpResponseClientRefresh()
        return render(request, template, context | {"event": event})
    return setup_page(request, "judging/votes_job.html", event, context | {"part": template})


def start_vote_import(request: HttpRequest, this: ImportJob) -> HttpResponse:
    """Save the form; then show the preview again, ask open questions, or queue the import."""
    page = reverse("votes:job", args=(this.event.slug, this.uuid))
    if this.state in STARTABLE:
        if not can_edit(this):
            raise ArenaError(_("The file is no longer here; upload it again."), "file_gone")
        choices = UploadChoices(this.mapping, skips_errors="skip" in request.POST)
        if "mapped" in request.POST:
            choices = save_form(this, request.POST)
        if "look" in request.POST:
            return redirect(f"{page}?edit=1")
        if question := find_open_question(this):
            messages.error(request, question)
            return redirect(f"{page}?edit=1")
        queue_upload(this, choices)
    restart_wait(this)
    # Sent again if a worker died or a message was lost: the task finds out what is left to do.
    transaction.on_commit(partial(send_soon, run_vote_import.delay, this.pk))
    return redirect(page)


def save_form(this: ImportJob, posted: QueryDict) -> UploadChoices:
    """Store the column mapping and the options of the form."""
    columns = preview_votes(this, this.mapping or None, timezone.now()).columns
    known = dict(list_vote_columns())
    mapping = {}
    for index, column in enumerate(columns):
        chosen = posted.get(f"map-{index}", "")
        mapping[column] = chosen if chosen in known else ""
    choices = UploadChoices(mapping, skips_errors="skip" in posted)
    save_choices(this, choices)
    options = parse_vote_options(posted).as_json()
    ImportJob.objects.filter(pk=this.pk, state__in=STARTABLE).update(vote_options=options)
    this.mapping, this.vote_options = mapping, options
    return choices


def parse_vote_options(posted: QueryDict) -> VoteOptions:
    """The options in the form; unknown values are replaced by defaults."""
    kind, origin = VOTER_KINDS.get(posted.get("given_by", ""), VOTER_KINDS["people"])
    left, duplicates = posted.get("left", ""), posted.get("duplicates", "")
    return VoteOptions(
        left=left if left in LEFT_CHOICES else "",
        ends=parse_ends(posted),
        values=parse_values(posted),
        duplicates=duplicates if duplicates in DUPLICATE_POLICIES else "stop",
        worker=posted.get("worker", "").strip()[:200],
        kind=kind,
        origin=origin,
    )


def parse_ends(posted: QueryDict) -> ScaleEnds | None:
    """The two ends of the scale, from which model is better in the example; None if not
    answered."""
    low, high = parse_number(posted.get("low")), parse_number(posted.get("high"))
    example, better = parse_number(posted.get("example")), posted.get("better")
    if low is None or high is None or low >= high or example is None or better not in ("a", "b"):
        return None
    is_high = example > (low + high) / 2
    return (high, low) if is_high == (better == "a") else (low, high)


def parse_values(posted: QueryDict) -> dict[str, str]:
    """The answers chosen for unknown values."""
    values = {}
    for name in posted:
        if name.startswith("value-") and (answer := posted.get(f"answer-{name[6:]}")):
            values[normalize_value(posted[name])] = "" if answer == LEAVE_OUT_ANSWER else answer
    return values


def find_open_question(this: ImportJob) -> str:
    """The question to answer before the import can start; empty if there is none."""
    preview = preview_votes(this, this.mapping or None, timezone.now())
    options = VoteOptions.from_json(this.vote_options)
    if preview.example and options.ends is None:
        return _("First say which end of the scale is which.")
    if any(value.answer is None for value in preview.values) and not this.skips_errors:
        return _("First say what every value means.")
    return ""


def build_preview_context(this: ImportJob) -> dict[str, Any]:
    """The context of the preview: the first rows, a select per column, and the open questions."""
    preview = preview_votes(this, this.mapping or None, timezone.now())
    options = VoteOptions.from_json(this.vote_options)
    choices = [(name, f"{name}: {meaning}") for name, meaning in list_vote_columns()]
    boxes = [
        {
            "name": f"map-{index}",
            "column": column,
            "chosen": preview.mapping[column],
            "choices": choices,
        }
        for index, column in enumerate(preview.columns)
    ]
    given_by = next(
        (word for word, said in VOTER_KINDS.items() if said == (options.kind, options.origin)),
        "people",
    )
    return {
        "preview": preview,
        "boxes": boxes,
        "options": options,
        "given_by": given_by,
        "better": get_better(preview, options),
        "answers": list_answers(this.event),
        "leave_out": LEAVE_OUT_ANSWER,
        "is_counted": VOTER_KINDS[given_by][1] in this.event.counted_origins(),
    }


def get_better(preview: VotePreview, options: VoteOptions) -> str:
    """The model that the organizer called better in the example; empty if not answered."""
    if preview.example is None or options.ends is None:
        return ""
    preview_low, preview_high = min(options.ends), max(options.ends)
    is_high = (parse_number(preview.example.value) or 0) > (preview_low + preview_high) / 2
    return "a" if is_high == (options.ends[0] > options.ends[1]) else "b"


def list_answers(event: Event) -> list[tuple[str, str]]:
    """The answers that the event's scale offers."""
    question = event.questions.filter(kind="preference").first()
    if question is None:
        return []
    choices = KINDS["preference"].choices(question.all_settings())
    answers = [(choice.value, choice.label) for choice in choices]
    return answers + ([("both_bad", _("Both are bad"))] if event.both_bad else [])
