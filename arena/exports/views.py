"""Downloads: exports in every format for organizers, bundles of rounds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import structlog
from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.text import slugify
from django.views.decorators.http import require_GET

from arena.errors import NotFoundError
from arena.events.access import Role, event_for
from arena.events.models import Event
from arena.exports.bundle import open_bundle
from arena.exports.formats import FORMATS
from arena.exports.formats.base import ExportFormat, OptionsForm, Piece
from arena.exports.formats.columns import render_features
from arena.judging.models import Judgment

log = structlog.get_logger(__name__)
BUFFER_BYTES = 64 * 1024

Format = ExportFormat[Any, Any]


@dataclass(frozen=True)
class FormatSection:
    """A format on the downloads page, and the form of its options."""

    format: Format
    form: OptionsForm
    omissions: str
    usage: str


@require_GET
def downloads(request: HttpRequest, slug: str) -> HttpResponse:
    """What can be downloaded, and in which formats."""
    return downloads_page(request, event_for(request.user, slug, Role.ORGANIZER))


def downloads_page(
    request: HttpRequest, event: Event, rejected: tuple[Format, OptionsForm] | None = None
) -> HttpResponse:
    """The page; with a form that was rejected in its format's section, where there is one."""
    judgments = Judgment.objects.filter(event=event)
    context = {
        "event": event,
        "is_organizer": True,
        "is_staff_member": True,
        "sections": [make_section(each, event, rejected) for each in FORMATS.values()],
        "standing": judgments.standing().count(),
        "counted": judgments.counted().count(),
        "rounds": event.snapshots.filter(sealed_at__isnull=False).order_by("-pk"),
    }
    return render(request, "exports/downloads.html", context, status=422 if rejected else 200)


def make_section(
    shown: Format, event: Event, rejected: tuple[Format, OptionsForm] | None
) -> FormatSection:
    """What the page says of a format."""
    was_rejected = rejected is not None and rejected[0] is shown
    form = rejected[1] if rejected and was_rejected else make_form(shown, event)
    return FormatSection(shown, form, shown.describe_omissions(event), shown.show_usage(event))


def make_form(chosen: Format, event: Event, given: Any = None) -> OptionsForm:
    """The form of a format's options; several stand on one page."""
    return chosen.options_form(event, given, auto_id=f"id_{chosen.identifier}_%s")


@require_GET
def export(request: HttpRequest, slug: str, file: str) -> HttpResponseBase:
    """An event's judgments in a format, made as the query asks."""
    event = event_for(request.user, slug, Role.ORGANIZER)
    chosen = find_format({each.file: each for each in FORMATS.values()}, file)
    form = make_form(chosen, event, request.GET)
    if not form.is_valid():
        return downloads_page(request, event, (chosen, form))
    name = chosen.name_file(form.options)
    log.info("download", slug=event.slug, file=name)
    response = StreamingHttpResponse(
        buffer_pieces(chosen.export(event, form.options)),
        content_type=chosen.content_type,
        headers={"Content-Disposition": f'attachment; filename="{event.slug}-{name}"'},
    )
    add_never_cache_headers(response)
    return response


@require_GET
def features(request: HttpRequest, slug: str, export: str) -> HttpResponseBase:
    """The types of an export's columns, for `datasets`; the query as for the export itself."""
    event = event_for(request.user, slug, Role.ORGANIZER)
    chosen = find_format({each.name: each for each in FORMATS.values()}, export)
    form = make_form(chosen, event, request.GET)
    if not form.is_valid():
        return downloads_page(request, event, (chosen, form))
    name = f"{event.slug}-{chosen.name}.features.json"
    return HttpResponse(
        render_features(chosen.list_columns(event, form.options)),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def find_format(formats: dict[str, Format], name: str) -> Format:
    """The format of this name. Raises `NotFoundError`."""
    if name not in formats:
        raise NotFoundError
    return formats[name]


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
    return FileResponse(open_bundle(sealed), as_attachment=True, filename=file)


def buffer_pieces(pieces: Iterable[Piece]) -> Iterator[bytes]:
    """The pieces joined to such as are worth sending."""
    buffer = bytearray()
    for piece in pieces:
        buffer += piece.data
        if len(buffer) >= BUFFER_BYTES:
            yield bytes(buffer)
            buffer.clear()
    yield bytes(buffer)
