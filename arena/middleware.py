"""What every request passes: the size of its body, its rate, and the errors raised on purpose."""

from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from arena.errors import ArenaError, LimitError, NotFoundError, TooLargeError
from arena.events.access import Role, event_for
from arena.events.importing.uploads import MAX_UPLOAD_BYTES
from arena.people.limits import SAFE_METHODS, Rate, anonymize_network, count_use

log = structlog.get_logger(__name__)

# Kinds of error with a page of their own; every other one shares a page.
ERROR_TEMPLATES = {404: "errors/404.html", 429: "errors/429.html"}
HTML, JSON = "text/html", "application/json"

# The pages that take files, each of an event. Everywhere else a body is a form, and small.
UPLOAD_VIEWS = frozenset({"imports:new", "votes:new"})

# Twice as fast as anybody judges; and a lecture hall signing in behind one address.
PERSON_RATE = Rate(120, 60)
NETWORK_RATE = Rate(1000, 60)


class Middleware:
    """A middleware that only hooks in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)


class BodyMiddleware(Middleware):
    """Refuse, before anything reads it, a body that is larger than its page could want.

    Files would otherwise be written to the disk for whoever sends them. Stands before the CSRF
    check, which reads forms.
    """

    def process_view(
        self, request: HttpRequest, _view: object, _args: object, _kwargs: object
    ) -> HttpResponse | None:
        """Uploads are for the event's organizers, on the pages that take them, up to a size."""
        told = str(request.META.get("CONTENT_LENGTH", ""))
        length = int(told) if told.isdecimal() else 0
        if length <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return None
        message = _("The request is too large.")
        if may_upload(request):
            if length <= MAX_UPLOAD_BYTES:
                return None
            message = _("The file is larger than 1 GB. Import it in parts.")
        return render_error(request, TooLargeError(message, "too_large"))


def may_upload(request: HttpRequest) -> bool:
    """Whether the page takes files, and from this user."""
    match = request.resolver_match
    if match is None or match.view_name not in UPLOAD_VIEWS:
        return False
    try:
        event_for(request.user, match.kwargs["slug"], Role.ORGANIZER)
    except NotFoundError:
        return False
    return True


class LimitMiddleware(Middleware):
    """Limit unsafe requests per person, and per network where nobody is signed in.

    Doors with something to guard have narrower limits of their own; this one is on all of them,
    those to come included. Without the cache judging goes on: an answer weighs more than a limit.
    """

    def process_view(
        self, request: HttpRequest, _view: object, _args: object, _kwargs: object
    ) -> HttpResponse | None:
        """Count the request, unless it only reads."""
        if request.method in SAFE_METHODS:
            return None
        now = timezone.now()
        try:
            if request.user.is_authenticated:
                count_use("change", f"user-{request.user.pk}", PERSON_RATE, now)
            else:
                count_use("change", anonymize_network(request, now), NETWORK_RATE, now)
        except ArenaError as error:
            return render_error(request, error)
        except (RedisError, OSError) as error:
            log.error("rate limit off", reason=type(error).__name__)
        return None


class ArenaErrorMiddleware(Middleware):
    """Answer with the message and status of an `ArenaError`; nothing holds a NUL character."""

    def process_view(
        self, request: HttpRequest, _view: object, _args: object, _kwargs: object
    ) -> HttpResponse | None:
        """No database takes a NUL, and no page has a use for one."""
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
        """Only what the domain raised on purpose; everything else is a bug and stays one."""
        return render_error(request, error) if isinstance(error, ArenaError) else None


def render_error(request: HttpRequest, error: ArenaError) -> HttpResponse:
    """The error in the form that was asked for: a page, JSON, or a sentence for htmx."""
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


def wants_json(request: HttpRequest) -> bool:
    """Whether JSON is what was asked for, by the header or by the address."""
    preferred = request.get_preferred_type([HTML, JSON])
    return preferred == JSON or request.path.endswith((".json", ".jsonl"))
