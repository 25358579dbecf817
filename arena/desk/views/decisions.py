"""Everything that was decided in an event."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from arena.desk.access import get_desk_event
from arena.desk.page_context import render_desk
from arena.desk.queries.decisions import list_decisions, view_decisions
from arena.events.access import Role

PER_PAGE = 50


@require_GET
def decisions(request: HttpRequest, slug: str) -> HttpResponse:
    """The record of decisions, the latest first."""
    event = get_desk_event(request, slug, Role.DECIDER)
    page = Paginator(list_decisions(event), PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": view_decisions(event, page)}
    return render_desk(request, "decisions", event, context)
