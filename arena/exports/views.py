"""Downloads: every standing judgment and preference pairs for organizers, bundles of rounds."""

from collections.abc import Iterable, Iterator

import structlog
from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.text import slugify
from django.views.decorators.http import require_GET

from arena.errors import ArenaError, NotFoundError
from arena.events.access import Role, event_for
from arena.events.models import Event
from arena.exports.bundle import kept_bundle
from arena.exports.features import (
    Feature,
    features_text,
    judgment_features,
    pair_features,
)
from arena.exports.forms import PairsForm
from arena.exports.jsonl import count_unjudged, judgment_lines
from arena.exports.trl import check_strings, pair_lines
from arena.judging.models import Judgment

log = structlog.get_logger(__name__)
BUFFER = 64 * 1024


@require_GET
def downloads(request: HttpRequest, slug: str) -> HttpResponse:
    """What can be downloaded, and how the pairs are to be made."""
    event = event_for(request.user, slug, Role.ORGANIZER)
    return downloads_page(request, event, PairsForm(initial={"aggregate": "none", "part": "all"}))


def downloads_page(
    request: HttpRequest, event: Event, form: PairsForm, status: int = 200
) -> HttpResponse:
    """The page, also where the pairs cannot be made as asked."""
    judgments = Judgment.objects.filter(event=event)
    context = {
        "event": event,
        "is_organizer": True,
        "is_staff_member": True,
        "form": form,
        "standing": judgments.standing().count(),
        "counted": judgments.counted().count(),
        "unjudged": count_unjudged(event),
        "rounds": event.snapshots.filter(sealed_at__isnull=False).order_by("-pk"),
    }
    return render(request, "exports/downloads.html", context, status=status)


@require_GET
def judgments(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Every standing judgment as JSON Lines, excluded ones and controls included."""
    event = event_for(request.user, slug, Role.ORGANIZER)
    return download(event, "judgments.jsonl", judgment_lines(event))


@require_GET
def pairs(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Preference pairs as JSON Lines, made as the query asks."""
    event = event_for(request.user, slug, Role.ORGANIZER)
    form = PairsForm(request.GET)
    if not form.is_valid():
        return downloads_page(request, event, form, status=422)
    try:
        check_strings(event, form.options)
    except ArenaError as error:
        form.add_error("strings", error.message)
        return downloads_page(request, event, form, status=422)
    part = form.cleaned_data["part"]
    lines = (line for split, line in pair_lines(event, form.options) if part in ("all", split))
    name = "pairs.jsonl" if part == "all" else f"pairs.{part}.jsonl"
    return download(event, name, lines)


@require_GET
def judgments_features(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The types of the columns of the judgments, for `datasets`."""
    event = event_for(request.user, slug, Role.ORGANIZER)
    return features_file(event, "judgments", judgment_features(event))


@require_GET
def pairs_features(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The types of the columns of the pairs, for `datasets`; `?strings=` as for the pairs."""
    event = event_for(request.user, slug, Role.ORGANIZER)
    return features_file(event, "pairs", pair_features(as_strings=bool(request.GET.get("strings"))))


def features_file(event: Event, name: str, features: dict[str, Feature]) -> HttpResponse:
    """Types of columns as a file."""
    return HttpResponse(
        features_text(features),
        content_type="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="{event.slug}-{name}.features.json"'
        },
    )


@require_GET
@login_not_required
def bundle(request: HttpRequest, slug: str, name: str) -> HttpResponseBase:
    """The bundle of a sealed round: for everybody once the event is published."""
    event = event_for(request.user, slug)
    if event.state != Event.State.PUBLISHED:
        event = event_for(request.user, slug, Role.ORGANIZER)
    sealed = event.snapshots.filter(sealed_at__isnull=False, name=name).first()
    if sealed is None:
        raise NotFoundError
    file = f"{event.slug}-{slugify(name) or sealed.pk}.zip"
    log.info("download", slug=event.slug, file=file)
    return FileResponse(kept_bundle(sealed).open("rb"), as_attachment=True, filename=file)


def download(event: Event, name: str, lines: Iterable[str]) -> StreamingHttpResponse:
    """Lines as a file that is written while it is read."""
    log.info("download", slug=event.slug, file=name)
    response = StreamingHttpResponse(
        buffered(lines),
        content_type="application/jsonl; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{event.slug}-{name}"'},
    )
    add_never_cache_headers(response)
    return response


def buffered(lines: Iterable[str]) -> Iterator[bytes]:
    """The lines in pieces worth sending."""
    buffer = bytearray()
    for line in lines:
        buffer += line.encode()
        if len(buffer) >= BUFFER:
            yield bytes(buffer)
            buffer.clear()
    yield bytes(buffer)
