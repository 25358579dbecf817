"""One's own account: seat, code, name."""

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from arena.errors import NotFoundError
from arena.people.claiming import confirm_saved, renew_code
from arena.people.forms import NameForm
from arena.people.limits import Rate, limited
from arena.people.models import Seat, User

A_FEW = Rate(20, 60)


def signed_in(request: HttpRequest) -> User:
    """The user of a request that LoginRequiredMiddleware has let through."""
    assert isinstance(request.user, User)
    return request.user


def own_seat(request: HttpRequest) -> Seat:
    """This user's seat; accounts of another origin have none."""
    seat = Seat.objects.filter(user=signed_in(request)).select_related("user", "pool").first()
    if seat is None:
        raise NotFoundError
    return seat


def show_code(request: HttpRequest, seat: Seat, code: str, onward: str) -> HttpResponse:
    """The seat's name and code, in this one answer: no cache, no session, no later page has it."""
    login_url = request.build_absolute_uri(reverse("account_login"))
    context = {"seat": seat, "code": code, "login_url": login_url, "next": onward}
    return render(request, "people/seat.html", context)


def show_account(request: HttpRequest, form: NameForm, status: int = 200) -> HttpResponse:
    """The account page with this form for the public name."""
    user = signed_in(request)
    context = {
        "seat": Seat.objects.filter(user=user).select_related("pool").first(),
        "name_form": form,
        "addresses": EmailAddress.objects.filter(user=user).order_by("-primary", "email"),
        "identities": SocialAccount.objects.filter(user=user).order_by("provider"),
    }
    return render(request, "people/account.html", context, status=status)


@require_GET
@never_cache
def seat(request: HttpRequest) -> HttpResponse:
    """Who I am here, how I come back, and what others see of me."""
    return show_account(request, NameForm(instance=signed_in(request)))


@require_POST
def saved(request: HttpRequest) -> HttpResponse:
    """The holder says that the code is saved."""
    confirm_saved(own_seat(request), timezone.now())
    return redirect(next_url(request) or "people:seat")


@require_POST
@never_cache
@limited("code", user=A_FEW)
def code(request: HttpRequest) -> HttpResponse:
    """A new code for my seat, shown in this answer only; this session goes on."""
    mine = own_seat(request)
    fresh = renew_code(mine, timezone.now())
    mine.user.refresh_from_db()
    update_session_auth_hash(request, mine.user)
    return show_code(request, mine, fresh, next_url(request))


@require_POST
@limited("name", user=A_FEW)
def name(request: HttpRequest) -> HttpResponse:
    """Choose or clear the name shown on boards."""
    form = NameForm(request.POST, instance=User.objects.get(pk=signed_in(request).pk))
    if form.is_valid():
        form.save()
        return redirect(next_url(request) or "people:seat")
    return show_account(request, form, status=422)


def next_url(request: HttpRequest) -> str:
    """The path that the form asks to go to next, if it is one on this site."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return url if safe and url.startswith("/") else ""
