"""Confirming the winner: the top of the contributor board, reviewed, and one of them chosen."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from arena.confirming import ask_first
from arena.desk.consequences import naming_winner
from arena.desk.frame import desk_event, desk_page
from arena.errors import ArenaError, NotFoundError
from arena.events.models import Enrollment, Event
from arena.people.models import User
from leaderboard.contributors.places import is_over
from leaderboard.results.winner import candidates, confirm_winner, winner_of, withdraw_winner


@require_http_methods(["GET", "POST"])
def winner(request: HttpRequest, slug: str) -> HttpResponse:
    """Review the top of the board; confirm one of them, or take that back."""
    event = desk_event(request, slug)
    if request.method == "POST":
        names_one = "act" not in request.POST and is_over(event)
        step = naming_winner(chosen(request, event)) if names_one else None
        if question := ask_first(request, step, reverse("desk:winner", args=[slug])):
            return question
        try:
            decide(request, event)
        except ArenaError as error:
            messages.error(request, error.message)
        return redirect("desk:winner", slug)
    over = is_over(event)
    context = {
        "is_over": over,
        "candidates": candidates(event) if over else [],
        "winner": winner_of(event),
    }
    return desk_page(request, "winner", event, context)


def decide(request: HttpRequest, event: Event) -> None:
    """Confirm or take back, as the organizer said. Raises `ArenaError` where it cannot be."""
    assert isinstance(request.user, User)
    if request.POST.get("act") == "withdraw":
        withdraw_winner(event)
        messages.success(request, _("Taken back. There is no winner now."))
        return
    confirm_winner(event, chosen(request, event), by=request.user, now=timezone.now())
    messages.success(request, _("The winner is confirmed and has a page."))


def chosen(request: HttpRequest, event: Event) -> Enrollment:
    """The contributor whom the form names; anybody else's event has nobody here."""
    try:
        public_id = UUID(request.POST.get("contributor", ""))
    except ValueError as error:
        raise NotFoundError from error
    enrollment = event.enrollments.filter(public_id=public_id).first()
    if enrollment is None:
        raise NotFoundError
    return enrollment
