"""Invitation links: accepting one, and the organizer's page of people."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.account.adapter import get_adapter
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from arena.confirming import Confirmation, ask_first
from arena.errors import ArenaError, ConflictError, NotFoundError
from arena.events.access import Role, enrollment_of, event_for, has_role
from arena.events.joining.invitations import (
    accept_office,
    accept_with_account,
    admit,
    decide_application,
    get_invitation,
    has_judged,
    has_office,
    invite,
    is_sole_organizer,
    remove_member,
    usable_at,
)
from arena.events.joining.views.joining import (
    LECTURE_HALL_RATE,
    PERSON_RATE,
    Entrance,
    handle_entrance,
)
from arena.events.models import Event, Invitation
from arena.people.accounts.session_secrets import (
    forget_secret,
    get_secret,
    store_access_code,
    store_secret,
)
from arena.people.forms import AccountForm
from arena.people.guesses import limit_guesses
from arena.people.limits import limit_requests
from arena.people.models import User
from arena.people.seats.claiming import SeatAvailability, find_room

# The roles whose place of work is the desk.
DESK_ROLES = (Invitation.Role.ORGANIZER, Invitation.Role.REVIEWER)
# A fresh invitation's link, shown to the organizer who made it.
LINK_KEY = "invitation"


class InvitationForm(forms.Form):
    """What a new link gives, how often, and for how long."""

    role = forms.ChoiceField(
        label=_("Role"),
        choices=Invitation.Role.choices,
        initial=Invitation.Role.REVIEWER,
        help_text=_(
            "Organizers run the event. Reviewers work through flags and decide which contributors "
            "count. Readers see the event even if it is private. Contributors judge."
        ),
    )
    uses = forms.IntegerField(label=_("Number of people"), min_value=1, max_value=10_000, initial=1)
    days = forms.IntegerField(label=_("Valid for (days)"), min_value=1, max_value=365, initial=14)


@require_http_methods(["GET", "POST"])
@login_not_required
@never_cache
@limit_guesses("invitation", LECTURE_HALL_RATE)
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The page of an invitation link: say what it gives, then give it."""
    now = timezone.now()
    try:
        invited = get_invitation(token, request.user, now)
    except NotFoundError:
        return render(request, "events/invitation_gone.html", status=404)
    if not isinstance(request.user, User):
        if takes_seat(invited):
            return handle_entrance(request, Entrance(invited.event, invitation=invited))
        return create_account(request, invited, now)
    if invited.role == Invitation.Role.CONTRIBUTOR:
        return admit_contributor(request, invited, request.user, now)
    return offer_office(request, invited, request.user, now)


def takes_seat(invited: Invitation) -> bool:
    """Whether a visitor takes one of the event's open seats by this link."""
    event = invited.event
    if invited.role != Invitation.Role.CONTRIBUTOR or (event.is_private and event.needs_approval):
        return False
    return find_room(event.seats, timezone.now()) is SeatAvailability.FREE


def create_account(request: HttpRequest, invited: Invitation, now: datetime) -> HttpResponse:
    """Make an account for the role of this link: a name is chosen, its access code is shown."""
    form = AccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            newcomer = accept_with_account(invited, form.cleaned_data["username"], now)
        except ConflictError as refusal:
            form.add_error("username", refusal.message)
        else:
            get_adapter(request).login(request, newcomer.user)
            onward, place = next_page(request, invited, newcomer.user), invited.event.title
            store_access_code(
                request.session, newcomer.user, newcomer.code, now, onward=onward, place=place
            )
            return redirect("people:code")
    status = 422 if form.errors else 200
    return render_invitation(request, invited, status, account_form=form)


def next_page(request: HttpRequest, invited: Invitation, user: User) -> str:
    """Where somebody goes who has accepted: the desk, the event, its terms, or this page again."""
    slug = invited.event.slug
    if invited.role in DESK_ROLES:
        return reverse("desk:overview", args=[slug])
    if invited.role == Invitation.Role.READER:
        return reverse("events:event", args=[slug])
    admitted = invited.event.applications.filter(user=user, granted=True).exists()
    return reverse("events:join", args=[slug]) if admitted else request.path


def offer_office(
    request: HttpRequest, invited: Invitation, user: User, now: datetime
) -> HttpResponse:
    """The page of a link to an office for somebody signed in; who has the office is led to it."""
    if has_office(invited, user):
        return redirect(next_page(request, invited, user))
    if request.method == "POST":
        try:
            accept_office(invited, user, now)
        except ConflictError:
            return render_invitation(request, invited, 409)
        return redirect(next_page(request, invited, user))
    return render_invitation(request, invited, 200)


def admit_contributor(
    request: HttpRequest, invited: Invitation, user: User, now: datetime
) -> HttpResponse:
    """The page of a contributor's link for somebody signed in."""
    application = invited.event.applications.filter(user=user).first()
    if request.method == "POST":
        application = admit(invited, user, now)
    if application is not None and application.granted:
        return redirect("events:join", invited.event.slug)
    return render_invitation(request, invited, 200, application=application)


def render_invitation(
    request: HttpRequest, invited: Invitation, status: int, **context: Any
) -> HttpResponse:
    """What the link gives, and what stands in this person's way or has to be given up for it."""
    user, event = request.user, invited.event
    looks_after = invited.role in DESK_ROLES
    enrollment = enrollment_of(user, event) if looks_after else None
    context |= {
        "event": event,
        "invitation": invited,
        "looks_after": looks_after,
        "enrollment": enrollment,
        "has_judged": isinstance(user, User) and looks_after and has_judged(user, event),
        "can_judge": event.is_open(timezone.now()),
    }
    return render(request, "events/invitation.html", context, status=status)


@require_http_methods(["GET", "POST"])
@never_cache
@limit_requests("invite", user=PERSON_RATE)
def people(request: HttpRequest, slug: str) -> HttpResponse:
    """Who looks after the event, who is invited, who asks to be let in; make a new link."""
    event, now = event_for(request.user, slug, Role.ORGANIZER), timezone.now()
    if request.method == "POST" and "copied" in request.POST:
        forget_secret(request.session, LINK_KEY)
        return redirect("events:people", slug)
    form = InvitationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        assert isinstance(request.user, User)
        wish = form.cleaned_data
        _made, token = invite(
            event,
            wish["role"],
            now,
            by=request.user,
            uses=wish["uses"],
            expires_at=now + timedelta(days=wish["days"]),
        )
        path = reverse("events:invitation", args=[token])
        link = {"event": event.slug, "link": request.build_absolute_uri(path)}
        store_secret(request.session, LINK_KEY, link, now)
        return redirect("events:people", slug)
    return render_people(request, event, form, now)


def render_people(
    request: HttpRequest, event: Event, form: InvitationForm, now: datetime
) -> HttpResponse:
    """The page of people, with the link of an invitation that was made in this session."""
    fresh = get_secret(request.session, LINK_KEY, now)
    context: dict[str, Any] = {
        "event": event,
        "is_organizer": True,
        "is_staff_member": True,
        "form": form,
        "link": fresh["link"] if fresh and fresh["event"] == event.slug else "",
        "memberships": event.memberships.select_related("user").order_by("role", "user__username"),
        "invitations": event.invitations.filter(usable_at(now)),
        # Those who wait for a word, and then those who were declined: that can be taken back.
        "applications": event.applications.exclude(granted=True)
        .select_related("user")
        .order_by(F("decided_at").asc(nulls_first=True), "asked_at"),
    }
    status = 422 if form.errors else 200
    return render(request, "events/people.html", context, status=status)


def describe_withdrawal() -> Confirmation:
    """The question before a link is ended."""
    return Confirmation(
        gettext("Withdraw the invitation?"),
        gettext(
            "Its link stops working immediately, for everyone who has it. People who accepted it "
            "stay."
        ),
        gettext("Withdraw the invitation"),
    )


def describe_removal(request: HttpRequest, username: str) -> Confirmation:
    """The question before somebody's office ends: one's own ends this page for oneself."""
    consequence = gettext(
        "They lose access to the desk immediately. Only a new invitation restores it."
    )
    if username == request.user.get_username():
        consequence = gettext(
            "You lose access to the desk immediately. Only another organizer can invite you again."
        )
    return Confirmation(
        gettext("Remove %(name)s?") % {"name": username}, consequence, gettext("Remove")
    )


@require_POST
def withdraw(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    """End an invitation: its link leads nowhere from now on."""
    event = event_for(request.user, slug, Role.ORGANIZER)
    if not event.invitations.filter(uuid=uuid).exists():
        raise NotFoundError
    if question := ask_first(request, describe_withdrawal(), reverse("events:people", args=[slug])):
        return question
    event.invitations.filter(uuid=uuid).delete()
    forget_secret(request.session, LINK_KEY)
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
    decide_application(asked, timezone.now(), granted=granted, by=request.user)
    return redirect("events:people", slug)


@require_POST
def remove(request: HttpRequest, slug: str) -> HttpResponse:
    """End somebody's office in the event."""
    event = event_for(request.user, slug, Role.ORGANIZER)
    username, back = request.POST.get("username", ""), reverse("events:people", args=[slug])
    step = None if is_sole_organizer(event, username) else describe_removal(request, username)
    if question := ask_first(request, step, back):
        return question
    try:
        remove_member(event, username)
    except ArenaError as refusal:
        messages.error(request, refusal.message)
    if not has_role(request.user, event, Role.ORGANIZER):
        messages.success(request, gettext("You no longer help run this event."))
        return redirect("home")
    return redirect("events:people", slug)
