"""The page that Prometheus reads, for whoever has the token; for others it is not there."""

from hmac import compare_digest

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from arena.metrics import make_registry
from arena.monitoring.figures import SiteFigures

FIGURES = SiteFigures()


def render_metrics(_request: HttpRequest) -> HttpResponse:
    """All figures."""
    registry = make_registry()
    registry.register(FIGURES)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def has_token(request: HttpRequest) -> bool:
    """Whether the request carries METRICS_TOKEN; never where none is set."""
    expected = f"Bearer {settings.METRICS_TOKEN}".encode()
    given = request.headers.get("Authorization", "").encode()
    return bool(settings.METRICS_TOKEN) and compare_digest(given, expected)
