"""Importing votes by upload: drop a file, say what it does not say itself, watch, read errors."""

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
from kombu.exceptions import OperationalError

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
    RECENT,
    UploadForm,
    can_edit,
    job_of,
    progress_of,
    report_of,
    setup_page,
)
from arena.events.models import Enrollment, Event, ImportJob
from arena.judging.importing.options import DUPLICATES, LEFT, Ends, VoteOptions
from arena.judging.importing.reading.preferences import key_of, number_of
from arena.judging.importing.vote_preview import VotePreview, preview_votes, targets
from arena.judging.models import Origin
from arena.judging.tasks import run_vote_import
from arena.people.models import User
from arena.questions import KINDS

State = ImportJob.State
Kind = ImportJob.Kind
# Who gave the votes: as what they are enrolled, and the origin of the judgments.
GIVEN_BY = {
    "people": (Enrollment.Kind.HUMAN.value, Origin.IMPORTED.value),
    "machines": (Enrollment.Kind.MACHINE.value, Origin.MACHINE.value),
    "simulated": (Enrollment.Kind.HUMAN.value, Origin.SIMULATED.value),
}
LEAVE_OUT = "leave-out"


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, slug: str) -> HttpResponse:
    """Drop a file of votes, and see what was imported before."""
    event = event_for(request.user, slug, Role.ORGANIZER)
    posted = request.method == "POST"
    form = UploadForm(request.POST, request.FILES) if posted else UploadForm()
    if posted and form.is_valid():
        assert isinstance(request.user, User)
        file, now = form.cleaned_data["file"], timezone.now()
        upload = save_upload(event, file, request.user, now, Kind.JUDGMENTS)
        return redirect("votes:job", slug, upload.uuid)
    recent = event.import_jobs.filter(kind=Kind.JUDGMENTS)[:RECENT]
    context = {"form": form, "recent": recent, "counted": event.counted_origins()}
    return setup_page(request, "judging/votes.html", event, context, 400 if posted else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def job(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    """One import of votes in whatever state it is; the partial where the page asks for that."""
    event = event_for(request.user, slug, Role.ORGANIZER)
    this = job_of(event, uuid)
    if this.kind != Kind.JUDGMENTS:
        raise NotFoundError
    if request.method == "POST":
        return start(request, this)
    if can_edit(this) and (this.state == State.UPLOADED or "edit" in request.GET):
        context = {"job": this, **preview_context(this)}
        template = "judging/_votes_preview.html"
    else:
        context = {"job": this, "report": report_of(this), "doubts": [], **progress_of(this)}
        template = "events/_import_state.html"
    if request.htmx:  # type: ignore[attr-defined]
        if not context.get("is_running", True):
            # What is missing before opening stands beside it, and has just changed.
            return HttpResponseClientRefresh()
        return render(request, template, context | {"event": event})
    return setup_page(request, "judging/votes_job.html", event, context | {"part": template})


def start(request: HttpRequest, this: ImportJob) -> HttpResponse:
    """Keep what was said; then look again, ask what is still open, or hand it to a worker."""
    page = reverse("votes:job", args=(this.event.slug, this.uuid))
    if this.state in STARTABLE:
        if not can_edit(this):
            raise ArenaError(_("The file is gone; upload it again."), "file_gone")
        choices = UploadChoices(this.mapping, skips_errors="skip" in request.POST)
        if "mapped" in request.POST:
            choices = keep_posted(this, request.POST)
        if "look" in request.POST:
            return redirect(f"{page}?edit=1")
        if question := open_question(this):
            messages.error(request, question)
            return redirect(f"{page}?edit=1")
        queue_upload(this, choices)
    restart_wait(this)
    # Again where a worker has died or a message was lost: the task finds out what is left to do.
    try:
        transaction.on_commit(partial(run_vote_import.delay, this.pk))
    except OperationalError as error:
        ImportJob.objects.filter(pk=this.pk, state=State.QUEUED).update(state=State.UPLOADED)
        raise ArenaError(_("No worker can be reached. Try again in a minute."), "queue") from error
    return redirect(page)


def keep_posted(this: ImportJob, posted: QueryDict) -> UploadChoices:
    """Store the mapping and the answers of the form."""
    columns = preview_votes(this, this.mapping or None, timezone.now()).columns
    known = dict(targets())
    mapping = {}
    for index, column in enumerate(columns):
        chosen = posted.get(f"map-{index}", "")
        mapping[column] = chosen if chosen in known else ""
    choices = UploadChoices(mapping, skips_errors="skip" in posted)
    save_choices(this, choices)
    options = posted_options(posted).as_json()
    ImportJob.objects.filter(pk=this.pk, state__in=STARTABLE).update(vote_options=options)
    this.mapping, this.vote_options = mapping, options
    return choices


def posted_options(posted: QueryDict) -> VoteOptions:
    """What the form says of the file; a word that is none of its own says nothing."""
    kind, origin = GIVEN_BY.get(posted.get("given_by", ""), GIVEN_BY["people"])
    left, duplicates = posted.get("left", ""), posted.get("duplicates", "")
    return VoteOptions(
        left=left if left in LEFT else "",
        ends=posted_ends(posted),
        values=posted_values(posted),
        duplicates=duplicates if duplicates in DUPLICATES else "stop",
        worker=posted.get("worker", "").strip()[:200],
        kind=kind,
        origin=origin,
    )


def posted_ends(posted: QueryDict) -> Ends | None:
    """The two ends of the scale, from who is better in the example; None while that is open."""
    low, high = number_of(posted.get("low")), number_of(posted.get("high"))
    example, better = number_of(posted.get("example")), posted.get("better")
    if low is None or high is None or low >= high or example is None or better not in ("a", "b"):
        return None
    is_high = example > (low + high) / 2
    return (high, low) if is_high == (better == "a") else (low, high)


def posted_values(posted: QueryDict) -> dict[str, str]:
    """What each unknown value means."""
    values = {}
    for name in posted:
        if name.startswith("value-") and (answer := posted.get(f"answer-{name[6:]}")):
            values[key_of(posted[name])] = "" if answer == LEAVE_OUT else answer
    return values


def open_question(this: ImportJob) -> str:
    """What has to be answered before the import can begin; empty: nothing."""
    preview = preview_votes(this, this.mapping or None, timezone.now())
    options = VoteOptions.from_json(this.vote_options)
    if preview.example and options.ends is None:
        return _("Say first which end of the scale is which.")
    if any(value.answer is None for value in preview.values) and not this.skips_errors:
        return _("Say first what every value means.")
    return ""


def preview_context(this: ImportJob) -> dict[str, Any]:
    """The first rows with a box per column, and what is to be asked of this file."""
    preview = preview_votes(this, this.mapping or None, timezone.now())
    options = VoteOptions.from_json(this.vote_options)
    boxes = [
        {"name": f"map-{index}", "column": column, "chosen": preview.mapping[column]}
        for index, column in enumerate(preview.columns)
    ]
    given_by = next(
        (word for word, said in GIVEN_BY.items() if said == (options.kind, options.origin)),
        "people",
    )
    return {
        "preview": preview,
        "boxes": boxes,
        "targets": targets(),
        "options": options,
        "given_by": given_by,
        "better": better_of(preview, options),
        "answers": answers_of(this.event),
        "leave_out": LEAVE_OUT,
        "is_counted": GIVEN_BY[given_by][1] in this.event.counted_origins(),
    }


def better_of(preview: VotePreview, options: VoteOptions) -> str:
    """Which model the organizer has called better in the example; empty: not said yet."""
    if preview.example is None or options.ends is None:
        return ""
    preview_low, preview_high = min(options.ends), max(options.ends)
    is_high = (number_of(preview.example.value) or 0) > (preview_low + preview_high) / 2
    return "a" if is_high == (options.ends[0] > options.ends[1]) else "b"


def answers_of(event: Event) -> list[tuple[str, str]]:
    """The answers that this event's votes can give."""
    question = event.questions.filter(kind="preference").first()
    if question is None:
        return []
    choices = KINDS["preference"].choices(question.all_settings())
    answers = [(choice.value, choice.label) for choice in choices]
    return answers + ([("both_bad", _("Both are bad"))] if event.both_bad else [])
