"""Answering an appeal, on the page of its case or of its author."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from arena.desk.access import get_desk_event, get_reviewer
from arena.desk.queries.review_queue import find_pages
from arena.errors import ArenaError, NotFoundError
from arena.events.access import Role
from arena.events.decision_record import MAX_NOTE, Ruling
from arena.events.lifecycle.phases import phase_of
from arena.judging.models import Appeal
from arena.judging.review.appeals import answer_appeal

ANSWERS = {"grant": True, "decline": False}


@require_POST
def appeal(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    """Grant or decline an appeal, with a reason that its author reads."""
    event, now = get_desk_event(request, slug, Role.DECIDER), timezone.now()
    named = Appeal.objects.filter(event=event, uuid=uuid)
    found = named.select_related("event", "enrollment__event", "decision").first()
    granted = ANSWERS.get(request.POST.get("act", ""))
    if found is None or granted is None:
        raise NotFoundError
    ruling = Ruling(get_reviewer(request), now, request.POST.get("note", "")[:MAX_NOTE])
    page = find_pages(event, [found])[found.pk]
    try:
        answer_appeal(found, ruling, granted=granted)
    except ArenaError as error:
        messages.error(request, error.message)
        return redirect(page)
    if granted:
        words, follow = _("The appeal is granted."), phase_of(event, now).after_exclusion
        messages.success(request, f"{words} {follow}")
    else:
        messages.success(request, _("The appeal is declined. Its author reads why."))
    return redirect("desk:review", slug)
