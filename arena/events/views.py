"""Pages of an event that need nothing but the event."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from arena.events.access import Role, enrollment_of, event_for, has_role
from arena.events.organizer_texts import render_organizer_text


@require_http_methods(["GET", "POST"])
@login_not_required
def guidelines(request: HttpRequest, slug: str) -> HttpResponse:
    """The guidelines in force; a contributor says here that they have read them."""
    event = event_for(request.user, slug)
    latest = event.guidelines.order_by("-version").first()
    enrollment = enrollment_of(request.user, event)
    if request.method == "POST":
        event_for(request.user, slug, Role.CONTRIBUTOR)
        # Reading an older version is no reading of this one: the page was changed meanwhile.
        if enrollment and latest and request.POST.get("version") == str(latest.version):
            enrollment.guidelines = latest
            enrollment.guidelines_at = timezone.now()
            enrollment.save(update_fields=["guidelines", "guidelines_at"])
            return redirect("judging:next", slug)
        return redirect("events:guidelines", slug)
    acknowledged = bool(enrollment and latest and enrollment.guidelines_id == latest.pk)
    context = {
        "event": event,
        "guidelines": latest,
        "html": render_organizer_text(latest.text) if latest else "",
        "enrollment": enrollment,
        "is_staff_member": has_role(request.user, event, Role.REVIEWER),
        "acknowledged": acknowledged,
    }
    return render(request, "events/guidelines.html", context)
