"""Middleware: body size limits, rate limits, responses to domain errors, and static files of other
releases."""

import re
import threading
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from arena.errors import ArenaError, LimitError, NotFoundError, TooLargeError, wants_json
from arena.events.access import Role, event_for
from arena.events.importing.uploads import MAX_UPLOAD_BYTES
from arena.outages import find_outage, render_outage
from arena.people.limits import SAFE_METHODS, Rate, count_network_use, count_use

# Templates by status; other errors share one.
ERROR_TEMPLATES = {404: "errors/404.html", 429: "errors/429.html"}

# A static file's name with the digest that its release gave it.
HASHED_NAME = re.compile(r"(.+)\.[0-9a-f]{12}(\.\w+)")

# Views of an event that accept files. Elsewhere a body is a form, and small.
UPLOAD_VIEWS = frozenset({"imports:new", "votes:new"})

# How many of them one process receives at the same time.
upload_slots = threading.BoundedSemaphore(settings.UPLOADS_AT_ONCE)
UPLOAD_RETRY_SECONDS = 60

JUDGING_NAMESPACE = "judging"
# Twice as fast as anybody judges; and enough for a lecture hall that shares one address.
PERSON_RATE = Rate(120, 60)
NETWORK_RATE = Rate(1000, 60)


class Middleware:
    """A middleware that only implements hooks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)


class StaticFileMiddleware(Middleware):
    """Lead from a static file's name in another release to its name in this one.

    While an upgrade replaces web, a page of one release may ask the other for its files, and a page
    that has been open since before does so later. WhiteNoise has answered for what there is.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        hashed = HASHED_NAME.fullmatch(request.path)
        if hashed and request.path.startswith(settings.STATIC_URL):
            name = (hashed[1] + hashed[2]).removeprefix(settings.STATIC_URL)
            try:
                address = staticfiles_storage.url(name)
            except ValueError:  # no such file in this release
                address = request.path
            if address != request.path:
                return redirect(address)
        return self.get_response(request)


class BodyMiddleware(Middleware):
    """Refuse a request body larger than the page needs, before anything reads it.

    Otherwise anybody could have files written to disk. It runs before the CSRF check, which reads
    forms. The proxy hands small bodies over once they are complete; a large one comes as slowly as
    its sender likes and holds a thread meanwhile, which is why these get half of the threads.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        finally:
            if getattr(request, "holds_upload_slot", False):
                upload_slots.release()

    def process_view(
        self, request: HttpRequest, _view: object, _args: object, _kwargs: object
    ) -> HttpResponse | None:
        """Allow uploads by the event's organizers on upload pages only, up to a maximum size."""
        told = str(request.META.get("CONTENT_LENGTH", ""))
        length = int(told) if told.isdecimal() else 0
        if length <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return None
        message = _("The request is too large.")
        if may_upload(request):
            if length <= MAX_UPLOAD_BYTES:
                return self.take_slot(request)
            message = _("The file is larger than 1 GB. Import it in parts.")
        return render_error(request, TooLargeError(message, "too_large"))

    def take_slot(self, request: HttpRequest) -> HttpResponse | None:
        """Hold a slot until the request ends, or say that none is free."""
        request.holds_upload_slot = upload_slots.acquire(blocking=False)  # type: ignore[attr-defined]
        if request.holds_upload_slot:  # type: ignore[attr-defined]
            return None
        message = _("Other files are being received just now. Send yours again in a minute.")
        return render_error(request, LimitError(message, "uploads_busy", UPLOAD_RETRY_SECONDS))


def may_upload(request: HttpRequest) -> bool:
    """Whether the page accepts files from this user."""
    match = request.resolver_match
    if match is None or match.view_name not in UPLOAD_VIEWS:
        return False
    try:
        event_for(request.user, match.kwargs["slug"], Role.ORGANIZER)
    except NotFoundError:
        return False
    return True


class LimitMiddleware(Middleware):
    """Limit unsafe requests per user, and per network for anonymous visitors; and likewise looks at
    the pages of judging, each of which may have to find somebody a matchup.

    Sensitive views have stricter limits of their own; this one covers all views.
    """

    def process_view(
        self, request: HttpRequest, _view: object, _args: object, _kwargs: object
    ) -> HttpResponse | None:
        """Count the request unless its method is safe and its page cheap."""
        match = request.resolver_match
        is_look = request.method in SAFE_METHODS
        if is_look and (match is None or match.namespace != JUDGING_NAMESPACE):
            return None
        action, now = "look" if is_look else "change", timezone.now()
        try:
            if request.user.is_authenticated:
                count_use(action, f"user-{request.user.pk}", PERSON_RATE, now)
            else:
                count_network_use(action, request, NETWORK_RATE, now)
        except ArenaError as error:
            return render_error(request, error)
        return None


class ArenaErrorMiddleware(Middleware):
    """Turn an `ArenaError` or an outage into a response; refuse NUL characters."""

    def process_view(
        self, request: HttpRequest, _view: object, _args: object, _kwargs: object
    ) -> HttpResponse | None:
        """Refuse NUL characters, which no database stores and no page needs."""
        match = request.resolver_match
        form = {} if match is None or match.view_name in UPLOAD_VIEWS else request.POST
        given: list[Any] = [request.path, *request.GET.values()]
        for name in form:
            given += [name, *request.POST.getlist(name)]
        if any("\x00" in text for text in given):
            error = ArenaError(_("The request contains an invalid character."), "nul")
            return render_error(request, error)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Handle domain errors and outages only; everything else is a bug."""
        if isinstance(error, ArenaError):
            return render_error(request, error)
        outage = find_outage(error)
        return render_outage(request, outage, error) if outage else None


def render_error(request: HttpRequest, error: ArenaError) -> HttpResponse:
    """Render the error as a page, as JSON, or as a sentence for htmx."""
    response: HttpResponse
    if wants_json(request):
        problem = {"code": error.code, "message": error.message}
        response = JsonResponse({"error": problem}, status=error.status)
    elif request.headers.get("HX-Request"):
        response = HttpResponse(error.message, content_type="text/plain", status=error.status)
        response.headers["HX-Reswap"] = "none"
    else:
        template = ERROR_TEMPLATES.get(error.status, "errors/400.html")
        response = render(request, template, {"error": error}, status=error.status)
    if isinstance(error, LimitError) and error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response
