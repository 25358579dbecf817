"""How much processor time a request may take, and what ends one that takes more.

No thread can be stopped from outside, but its process can. A worker with such a request takes no
further connection, lets its other requests end, and exits; gunicorn starts another. An exception
raised into the thread would come anywhere, between a commit and its answer, too.

Only the processor's time counts: whoever waits for a database or a network, or sends a long
download, takes none. What holds the interpreter's lock all the while (one endless search for a
pattern, say) stops this watch with all else; then gunicorn's `timeout` ends the worker.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

log = structlog.get_logger(__name__)
LOOK_SECONDS = 0.5
# How long the other requests of the worker get to end.
MAX_GRACE_SECONDS = 5.0
# For what they have answered to be sent.
SENDING_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class RunningRequest:
    """A request, and its thread's processor time so far when it began."""

    request: HttpRequest
    clock: int
    started: float

    def seconds(self) -> float:
        """Processor time that it has taken."""
        return time.clock_gettime(self.clock) - self.started

    def is_over(self) -> bool:
        return self.seconds() > float(settings.REQUEST_PROCESSOR_SECONDS)


# By thread; each thread writes its own entry alone.
running: dict[int, RunningRequest] = {}


class RequestDeadlineMiddleware:
    """Note which requests are running, where the system has a clock for each thread."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        thread = threading.get_ident()
        if hasattr(time, "pthread_getcpuclockid"):
            clock = time.pthread_getcpuclockid(thread)
            running[thread] = RunningRequest(request, clock, time.clock_gettime(clock))
        try:
            return self.get_response(request)
        finally:
            running.pop(thread, None)


def start_watch() -> None:
    """Watch this worker's requests from a thread of its own."""
    threading.Thread(target=watch_requests, name="request-deadline", daemon=True).start()


def watch_requests() -> None:
    """Once a request takes too long, end this process."""
    while not (over := find_over()):
        time.sleep(LOOK_SECONDS)
    for one in over:
        match = one.request.resolver_match
        log.error("request over its processor time", view=match.view_name if match else "")
    end_worker()


def find_over() -> list[RunningRequest]:
    """The requests that have taken more than they may."""
    return [one for one in list(running.values()) if one.is_over()]


def end_worker() -> None:
    """Take no connection any more, let those in hand end, and exit."""
    os.kill(os.getpid(), signal.SIGTERM)  # gunicorn's word for that
    until = time.monotonic() + MAX_GRACE_SECONDS
    while time.monotonic() < until and any(not one.is_over() for one in list(running.values())):
        time.sleep(0.05)
    time.sleep(SENDING_SECONDS)
    os._exit(1)
