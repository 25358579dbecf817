"""A name for each request: in every log line of it, in the answer, and on the page of an error.

None is taken from outside: whoever could choose one could hide among somebody else's lines.
"""

import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bind_contextvars, get_contextvars

HEADER = "X-Request-ID"


class RequestIdMiddleware:
    """Name the request. The name stays with the thread, since Django logs a refusal after all
    middleware; the next request takes another."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = secrets.token_hex(6)
        bind_contextvars(request_id=name)
        response = self.get_response(request)
        response.headers[HEADER] = name
        return response


def get_request_id() -> str:
    """The name of the request that this thread answers; empty outside of one."""
    return str(get_contextvars().get("request_id", ""))
