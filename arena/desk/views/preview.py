"""A real matchup as a contributor would see it; nothing is handed out and nothing can be sent."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from arena.desk.access import get_desk_event
from arena.events.current_rules import get_rules
from arena.events.models import Enrollment, Matchup
from arena.judging.models import Assignment
from arena.judging.page_parts import render_questions
from arena.judging.presenting import build_shown_questions, build_shown_responses
from arena.judging.serving.hot_path_sql import load_texts


@require_GET
def preview(request: HttpRequest, slug: str) -> HttpResponse:
    """The first ordinary matchup on the page of judging, under the settings as they are saved."""
    event = get_desk_event(request, slug)
    serving = Matchup.objects.serving().filter(event=event, role=Matchup.Role.ORDINARY)
    matchup = serving.select_related("record").order_by("pk").first()
    if matchup is None:
        return redirect("imports:new", slug)
    # Never saved: it leases nothing, and its address leads nowhere.
    assignment = Assignment(
        enrollment=Enrollment(event=event),
        matchup=matchup,
        order=list(range(len(matchup.response_ids()))),
    )
    texts = load_texts(matchup.pk)
    context = {
        "event": event,
        "assignment": assignment,
        "messages": texts.messages,
        "sides": build_shown_responses(assignment.order, texts),
        "questions_html": render_questions(
            build_shown_questions(assignment, get_rules(event), None, None)
        ),
        "judged": 0,
        "notice": _("This is a preview: nothing here can be sent."),
        "htmx": True,
    }
    return render(request, "desk/preview.html", context)
