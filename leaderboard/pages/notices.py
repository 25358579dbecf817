"""Saying that a notice has been read."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from leaderboard.models import Notice


@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """One's own notice has been read: it is shown no more. Anybody else's is not there."""
    own = Notice.objects.filter(user=request.user.pk, read_at=None)
    try:
        named = own.filter(uuid=UUID(request.POST.get("notice", "")))
    except ValueError:
        return redirect("home")
    notice = named.select_related("event").first()
    if notice is None:
        return redirect("home")
    named.update(read_at=timezone.now())
    return redirect("events:event", notice.event.slug)
