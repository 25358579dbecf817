"""The page of a reviewer's warning, which its contributor reads once."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from arena.errors import NotFoundError
from arena.events.access import enrollment_of, event_for
from arena.events.current_rules import get_rules
from arena.judging.review.appeals import find_appealable
from arena.judging.review.warnings import find_unread_warning, mark_warning_read


@require_http_methods(["GET", "POST"])
@never_cache
def warning(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a warning before the next matchup; its contributor says here that they have read it."""
    event, now = event_for(request.user, slug), timezone.now()
    enrollment = enrollment_of(request.user, event)
    if enrollment is None:
        raise NotFoundError
    unread = find_unread_warning(enrollment)
    if request.method == "POST":
        # A later one than that on the page has not been read.
        if unread is None or request.POST.get("warning") == str(unread.uuid):
            mark_warning_read(enrollment, now)
        return redirect("judging:next", slug)
    if not enrollment.has_warning or not event.takes_answer(now):
        return redirect("judging:next", slug)
    context = {
        "event": event,
        "enrollment": enrollment,
        "warning": unread,
        "guidelines_html": get_rules(event).guidelines_html,
        "is_counted": not find_appealable(enrollment),
    }
    return render(request, "judging/warning.html", context)
