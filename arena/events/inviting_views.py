"""Invitation links: accepting one, and the organizer's page of people."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from arena.errors import ArenaError, NotFoundError
from arena.events.access import Role, event_for
from arena.events.inviting import (
    accept_office,
    admit,
    decide,
    invitation_of,
    invite,
    remove_member,
    still_usable,
)
from arena.events.joining_views import HALL, PERSON, Door, answer
from arena.events.models import Application, Event, Invitation
from arena.people.limits import limited
from arena.people.models import User


class InvitationForm(forms.Form):
    """What a new link gives, how often, and for how long."""

    role = forms.ChoiceField(label=_("Role"), choices=Invitation.Role.choices)
    uses = forms.IntegerField(label=_("How many people"), min_value=1, max_value=10_000, initial=1)
    days = forms.IntegerField(
        label=_("Valid for how many days"), min_value=1, max_value=365, initial=14
    )


@require_http_methods(["GET", "POST"])
@login_not_required
@never_cache
@limited("invitation", network=HALL, user=PERSON)
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The page of an invitation link: say what it gives, then give it."""
    now = timezone.now()
    invited = invitation_of(token, request.user, now)
    event, is_contributor = invited.event, invited.role == Invitation.Role.CONTRIBUTOR
    if not isinstance(request.user, User):
        if is_contributor and not (event.is_private and event.needs_approval):
            return answer(request, Door(event, invitation=invited))
        return redirect_to_login(request.get_full_path())
    error, application = "", Application.objects.filter(event=event, user=request.user).first()
    if request.method == "POST":
        try:
            if not is_contributor:
                accept_office(invited, request.user, now)
                return redirect("events:event", event.slug)
            application = admit(invited, request.user, now)
        except ArenaError as refusal:
            error = refusal.message
    if is_contributor and application is not None and application.granted:
        return redirect("events:join", event.slug)
    context = {"event": event, "invitation": invited, "application": application, "error": error}
    return render(request, "events/invitation.html", context, status=409 if error else 200)


@require_http_methods(["GET", "POST"])
@never_cache
@limited("invite", user=PERSON)
def people(request: HttpRequest, slug: str) -> HttpResponse:
    """Who looks after the event, who is invited, who asks to be let in; make a new link."""
    event = event_for(request.user, slug, Role.ORGANIZER)
    form = InvitationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        assert isinstance(request.user, User)
        now, wish = timezone.now(), form.cleaned_data
        _made, token = invite(
            event,
            wish["role"],
            now,
            by=request.user,
            uses=wish["uses"],
            expires_at=now + timedelta(days=wish["days"]),
        )
        path = reverse("events:invitation", args=[token])
        return show_people(request, event, InvitationForm(), request.build_absolute_uri(path))
    return show_people(request, event, form, "", status=422 if form.errors else 200)


def show_people(
    request: HttpRequest, event: Event, form: InvitationForm, link: str, status: int = 200
) -> HttpResponse:
    """The page of people; `link` is a fresh invitation's, in this answer only."""
    context: dict[str, Any] = {
        "event": event,
        "is_organizer": True,
        "is_staff_member": True,
        "form": form,
        "link": link,
        "memberships": event.memberships.select_related("user").order_by("role", "user__username"),
        "invitations": event.invitations.filter(still_usable(timezone.now())),
        # Those who wait for a word, and then those who were declined: that can be taken back.
        "applications": event.applications.exclude(granted=True)
        .select_related("user")
        .order_by(F("decided_at").asc(nulls_first=True), "asked_at"),
    }
    return render(request, "events/people.html", context, status=status)


@require_POST
def withdraw(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    """End an invitation: its link leads nowhere from now on."""
    event = event_for(request.user, slug, Role.ORGANIZER)
    deleted, _rows = event.invitations.filter(uuid=uuid).delete()
    if not deleted:
        raise NotFoundError
    messages.success(request, gettext("The link no longer works."))
    return redirect("events:people", slug)


@require_POST
def application(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    """Let somebody into a private event, or not."""
    event = event_for(request.user, slug, Role.ORGANIZER)
    asked = event.applications.filter(uuid=uuid).first()
    if asked is None:
        raise NotFoundError
    assert isinstance(request.user, User)
    granted = request.POST.get("decision") == "admit"
    decide(asked, timezone.now(), granted=granted, by=request.user)
    return redirect("events:people", slug)


@require_POST
def remove(request: HttpRequest, slug: str) -> HttpResponse:
    """End somebody's office in the event."""
    event = event_for(request.user, slug, Role.ORGANIZER)
    try:
        remove_member(event, request.POST.get("username", ""))
    except ArenaError as refusal:
        messages.error(request, refusal.message)
    return redirect("events:people", slug)
