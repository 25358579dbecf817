"""One's own account: seat, code, name."""

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from arena.confirming import Confirmation, ask_first
from arena.errors import NotFoundError
from arena.people.accounts.session_secrets import (
    ACCESS_CODE,
    forget_secret,
    get_secret,
    store_access_code,
)
from arena.people.forms import NameForm
from arena.people.limits import Rate, limit_requests
from arena.people.models import Seat, User
from arena.people.seats.claiming import confirm_saved, renew_code

CODE_RATE = Rate(20, 60)


def get_user(request: HttpRequest) -> User:
    """The user of a request that LoginRequiredMiddleware has let through."""
    assert isinstance(request.user, User)
    return request.user


def get_code_holder(request: HttpRequest) -> User:
    """This user, who signs in with an access code; accounts with a password have none to show."""
    user = User.objects.get(pk=get_user(request).pk)
    if not user.has_access_code and not Seat.objects.filter(user=user).exists():
        raise NotFoundError
    return user


def show_account(request: HttpRequest, form: NameForm, status: int = 200) -> HttpResponse:
    """The account page with this form for the public name."""
    user = get_user(request)
    context = {
        "seat": Seat.objects.filter(user=user).select_related("pool").first(),
        "has_code": user.has_access_code,
        "name_form": form,
        "addresses": EmailAddress.objects.filter(user=user).order_by("-primary", "email"),
        "identities": SocialAccount.objects.filter(user=user).order_by("provider"),
    }
    return render(request, "people/account.html", context, status=status)


@require_GET
@never_cache
def account(request: HttpRequest) -> HttpResponse:
    """Who I am here, how I come back, and what others see of me."""
    return show_account(request, NameForm(instance=get_user(request)))


@require_POST
def mark_code_saved(request: HttpRequest) -> HttpResponse:
    """The holder says that the code is saved: it is shown no more."""
    confirm_saved(get_code_holder(request), timezone.now())
    forget_secret(request.session, ACCESS_CODE)
    return redirect(get_next_url(request) or "people:seat")


def build_renewal_step() -> Confirmation:
    """The question before one's own code is replaced."""
    return Confirmation(
        _("Create a new access code?"),
        _(
            "The old code stops working immediately, and your other devices are signed out. Your "
            "judgments are kept."
        ),
        _("Create a new access code"),
    )


@require_http_methods(["GET", "POST"])
@never_cache
@limit_requests("code", user=CODE_RATE)
def access_code(request: HttpRequest) -> HttpResponse:
    """My name and code, until I say that they are saved; a POST makes a new code."""
    user, now = get_code_holder(request), timezone.now()
    if request.method == "POST":
        if question := ask_first(request, build_renewal_step(), reverse("people:seat")):
            return question
        fresh = renew_code(user, now)
        user.refresh_from_db()
        # This session goes on.
        update_session_auth_hash(request, user)
        store_access_code(request.session, user, fresh, now, onward=get_next_url(request))
        return redirect("people:code")
    kept = get_secret(request.session, ACCESS_CODE, now)
    if kept is None or kept["username"] != user.username:
        messages.info(request, _("Your access code is no longer shown."))
        return redirect("people:seat")
    login_url = request.build_absolute_uri(reverse("account_login"))
    unsaved = Seat.objects.filter(user=user, kind=Seat.Kind.OPEN, saved_at=None)
    context = kept | {"login_url": login_url, "is_returnable": unsaved.exists()}
    return render(request, "people/code.html", context)


def get_next_url(request: HttpRequest) -> str:
    """The path that the form asks to go to next, if it is one on this site."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return url if safe and url.startswith("/") else ""
