"""Correcting a record: its texts in boxes, saved as a new version."""

from random import SystemRandom

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from arena.desk.forms import WordingForm
from arena.desk.frame import desk_event, desk_page, record_of
from arena.errors import ArenaError
from arena.events.correcting import correct_record, wording_of


@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, slug: str, external_id: str) -> HttpResponse:
    """Change a record's texts: a new version takes its place from the next matchup on."""
    event = desk_event(request, slug)
    found = record_of(event, external_id)
    form = WordingForm(wording_of(found), request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            successor = correct_record(found, form.corrected(), timezone.now(), SystemRandom())
        except ArenaError as error:
            messages.error(request, error.message)
            return redirect("desk:record", slug, external_id)
        messages.success(request, _("The new version is served from now on."))
        return redirect("desk:record", slug, successor.external_id)
    context = {"record": found, "form": form}
    return desk_page(request, "correct", event, context, 422 if form.is_bound else 200)
