"""What each web process counts for Prometheus, summed over gunicorn's processes.

No label names an event, a person, a role or a control: a view's name says which kind of page it is,
and a control is judged by the same view as anything else.
"""

import os
from collections.abc import Callable
from time import perf_counter

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, Counter, Histogram, multiprocess, values

from arena.metrics_files import FOLDER_VARIABLE, PLACE_VARIABLE

if FOLDER_VARIABLE in os.environ:
    # By the worker's place and not its process id; before the first metric is made.
    values.ValueClass = values.MultiProcessValue(  # type: ignore[no-untyped-call]
        lambda: os.environ.get(PLACE_VARIABLE, "main")
    )

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
COUNTED = CollectorRegistry()
REQUEST_SECONDS = Histogram(
    "arena_request_seconds",
    "Seconds until the answer to a request is there, by view.",
    ["view"],
    buckets=BUCKETS,
    registry=COUNTED,
)
RESPONSES = Counter("arena_responses", "Answers by HTTP status.", ["status"], registry=COUNTED)
DATABASE_ERRORS = Counter(
    "arena_database_errors",
    "Requests that the database had no time or no connection for, by what it said.",
    ["reason"],
    registry=COUNTED,
)


class RequestMetricsMiddleware:
    """Count requests and how long they take; nothing where nobody may read the figures."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.METRICS_TOKEN:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        # Files and addresses that are not there have no view.
        REQUEST_SECONDS.labels(match.view_name if match else "none").observe(perf_counter() - begun)
        RESPONSES.labels(str(response.status_code)).inc()
        return response


def make_registry() -> CollectorRegistry:
    """A registry with what all processes of this server have counted."""
    registry = CollectorRegistry()
    if FOLDER_VARIABLE in os.environ:
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(COUNTED)
    return registry
