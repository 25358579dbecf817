"""The one place that turns the domain's errors into pages."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from arena.errors import ArenaError

# Kinds of error with a page of their own; every other one shares a page.
PAGES = {404: "errors/404.html", 429: "errors/429.html"}


class ArenaErrorMiddleware:
    """Render an `ArenaError` as a page with its message and status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Only what the domain raised on purpose; everything else is a bug and stays one."""
        if not isinstance(error, ArenaError):
            return None
        template = PAGES.get(error.status, "errors/400.html")
        return render(request, template, {"error": error}, status=error.status)
