"""The addresses that machines ask: `/livez` (also `/health/`), `/readyz` and `/metrics`.

They are answered before everything else. Who asks comes with a host name such as 10.0.0.5, that the
site does not serve, and wants neither a session nor a redirect.

Anybody can ask, so nothing but yes or no is said; why not is in the log and in `manage.py doctor`.
A request from this machine's own address proves nothing: a proxy on it has the same.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from arena.monitoring.bounded import BoundedChecks
from arena.monitoring.metrics_page import has_token, render_metrics
from arena.monitoring.parts import PARTS
from arena.monitoring.readiness import KEEP_SECONDS, Readiness

readiness = Readiness(BoundedChecks(PARTS))


class ProbeMiddleware:
    """Answer the probes; let every other request through."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = PROBES.get(request.path_info.rstrip("/"))
        if probe is None or (probe is render_metrics and not has_token(request)):
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        answer = probe(request)
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer


def tell_live(_request: HttpRequest) -> HttpResponse:
    """This process answers; nothing else is looked at."""
    return HttpResponse("ok", content_type="text/plain")


def tell_ready(_request: HttpRequest) -> HttpResponse:
    """Database, migrations, broker, beat and disk are as they should be."""
    if readiness.is_ready():
        return HttpResponse("ok", content_type="text/plain")
    answer = HttpResponse("not ready", content_type="text/plain", status=503)
    answer.headers["Retry-After"] = str(int(KEEP_SECONDS))
    # Django would log each of these as an error; `look` has logged why, once.
    answer._has_been_logged = True  # type: ignore[attr-defined]
    return answer


PROBES = {
    "/health": tell_live,
    "/livez": tell_live,
    "/readyz": tell_ready,
    "/metrics": render_metrics,
}
