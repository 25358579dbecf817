"""The public pages of what follows from judgments: models, contributors, method."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.contrib.messages import get_messages
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.cache import cache
from django.core.paginator import Paginator
from django.db.models import Sum, prefetch_related_objects
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.crypto import salted_hmac
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_GET, require_POST

from arena.errors import NotFoundError
from arena.events.access import Role, enrollment_of, event_for, has_role
from arena.events.lifecycle.phases import Phase, describe_first_board, phase_of
from arena.events.models import Event
from arena.events.records.controls import has_controls
from arena.judging.models import Origin
from arena.replica import read_from_replica
from leaderboard.boards.columns import fact_columns
from leaderboard.contributors.places import build_places, place_of, standings_of
from leaderboard.contributors.scores import first_look
from leaderboard.models import Board, Notice, Standing
from leaderboard.pages.bias import bias_context
from leaderboard.pages.board import choose_board, filter_links
from leaderboard.pages.board_figures import build_heat_maps, history_of, timeline_of
from leaderboard.pages.board_json import public_board
from leaderboard.pages.downloads import to_csv
from leaderboard.pages.exclusions import build_ledger, public_ledger
from leaderboard.pages.method import method_context
from leaderboard.pages.shown_board import (
    UNWEIGHTED,
    ShownBoard,
    explain_missing,
    find_latest_board,
    find_public_board,
    require_public_board,
)
from leaderboard.pages.side_by_side import compare_weightings
from leaderboard.pages.uncertainty import (
    interval_context,
    list_covariates,
    omitted_covariates,
    style_coefficients,
    uncertainty_context,
)
from leaderboard.results.certificate import build_certificate
from leaderboard.results.winner import winner_of

CACHE_SECONDS = 3600
PAGE_SIZE = 100
ALL_PAIRS = "all"
FILTERS = ("question", "category", "weighting", "pairs")


@require_GET
@login_not_required
@read_from_replica
def board(request: HttpRequest, slug: str) -> HttpResponse:
    """The models' leaderboard; to htmx its changing part alone, or that nothing has changed."""
    event = event_for(request.user, slug)
    enrollment = enrollment_of(request.user, event)
    phase = phase_of(event, timezone.now())
    is_part, tag = bool(request.headers.get("HX-Request")), tag_of(request, event, phase)
    tabs = {
        "enrollment": enrollment,
        "is_staff_member": has_role(request.user, event, Role.REVIEWER),
    }
    own_tag = tag if is_part else page_tag(request, event, tabs, tag)
    response = get_conditional_response(request, own_tag) if own_tag else None
    if response is None:
        html = board_html(request, event, phase, tag)
        context = {"event": event, "board_html": html} | tabs
        response = (
            HttpResponse(html) if is_part else render(request, "leaderboard/board.html", context)
        )
    if own_tag:
        response.headers["ETag"] = own_tag
    response.headers["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["HX-Request"])
    return response


def page_tag(request: HttpRequest, event: Event, tabs: Mapping[str, Any], tag: str) -> str | None:
    """The ETag of the whole page for this visitor; None where a message waits to be shown once.

    Around the part that changes stand the event's head, the visitor's name and tabs, and the
    addresses of styles and scripts. There is no form on it, so no token for one time only.
    """
    if len(get_messages(request)):
        return None
    release = getattr(staticfiles_storage, "manifest_hash", "")
    head = (event.title, event.opens_at, event.closes_at, event.timezone)
    shown = [bool(value) for value in tabs.values()]
    parts = [tag, head, str(request.user), request.user.pk, *shown, release]
    digest = salted_hmac("leaderboard.page", repr(parts)).hexdigest()
    return f'"{event.pk}-{digest[:32]}"'


def tag_of(request: HttpRequest, event: Event, phase: Phase) -> str:
    """The ETag of what is shown: the snapshot, the words around it, the filters, the language."""
    shown = Board.objects.filter(event=event).values_list(
        "current_snapshot", "current_snapshot__fingerprint"
    )
    current = shown.first() or (None, None)
    words = (phase.key, str(phase.notice), "" if current[0] else no_board(event, phase))
    parts = [*current, *words, event.publish_batch, address_of(request), get_language()]
    digest = salted_hmac("leaderboard.board", repr(parts)).hexdigest()
    return f'"{event.pk}-{digest[:32]}"'


def address_of(request: HttpRequest) -> str:
    """The page's address with known filters only.

    The rendered page is cached by address, so unknown parameters must not make a new one.
    """
    query = {name: request.GET[name] for name in FILTERS if request.GET.get(name)}
    if query.get("pairs") != ALL_PAIRS:
        query.pop("pairs", None)
    return f"{request.path}?{urlencode(query)}" if query else request.path


def no_board(event: Event, phase: Phase) -> str:
    """Why there is no ranking to be seen."""
    if not (phase.is_joinable or phase.is_taking_answers) and event.judgments.exists():
        return gettext("The ranking is being computed.")
    return str(describe_first_board(event, phase, has_controls=has_controls(event)))


def board_html(request: HttpRequest, event: Event, phase: Phase, tag: str) -> str:
    """The changing part of the page, rendered once for all readers of a snapshot."""
    key = "board-" + tag.strip('"')
    html = cache.get(key)
    if html is None:
        html = render_to_string(
            "leaderboard/_board.html", board_context(request, event, phase, tag)
        )
        cache.set(key, html, CACHE_SECONDS)
    return str(html)


def board_context(request: HttpRequest, event: Event, phase: Phase, tag: str) -> dict[str, Any]:
    """Everything the changing part shows."""
    choice = choose_board(event, request.GET.dict())
    context = {
        "event": event,
        "phase": phase,
        "choice": choice,
        "address": address_of(request),
        "headers": json.dumps({"If-None-Match": tag}),
    }
    if shown := find_public_board(event, choice):
        return context | figures_context(request, event, shown)
    overall = find_public_board(event, replace(choice, category=None, weighting=UNWEIGHTED))
    if overall is None:
        return context | {"no_board": no_board(event, phase)}
    return context | {
        "snapshot": overall.snapshot,
        "links": filter_links(event, choice, overall.details, is_rounded=True),
        "held_back": explain_missing(choice),
    }


def figures_context(request: HttpRequest, event: Event, shown: ShownBoard) -> dict[str, Any]:
    """The figures of a board and around it; of a rounded one those alone that are rounded."""
    choice, table, details, board = shown.choice, shown.table, shown.details, shown.board
    prefetch_related_objects([event], "categories")  # which filters and panel name
    origins, everybody = details.origins, request.GET.get("pairs") == ALL_PAIRS
    facts = fact_columns(choice.weighting)
    return {
        "snapshot": shown.snapshot,
        "is_rounded": shown.is_rounded,
        "table": table,
        "facts": [column for column in facts if column.has_values(table.everybody)]
        if shown.is_rounded
        else facts,
        "links": filter_links(event, choice, details, is_rounded=shown.is_rounded),
        "method": board.fit,
        "why_not": board.why_not,
        "style": board.style,
        "interval": interval_context(board.fit),
        "has_controls": has_controls(event),
        "no_style": details.board(choice.style_key).why_not,
        "style_worth": style_coefficients(board),
        "without_worth": omitted_covariates(board),
        "covariates": list_covariates(),
        "origins": origins,
        "origin_rows": [
            (label, origins[name]) for name, label in Origin.choices if name in origins
        ],
        "doubts": uncertainty_context(board, choice, table),
        "all_pairs": choice.query(pairs=ALL_PAIRS),
        "heat_maps": []
        if shown.is_rounded
        else build_heat_maps(details, choice, table, everybody=everybody),
        "timeline": timeline_of(details.timeline, event),
        "history": history_of(shown),
        "beside": compare_weightings(shown),
    } | bias_context(shown, {category.pk: category.name for category in event.categories.all()})


@require_GET
def latest(request: HttpRequest, slug: str) -> HttpResponse:
    """The board of the latest snapshot in full figures, for those who look after the event."""
    event = event_for(request.user, slug, Role.REVIEWER)
    phase, choice = phase_of(event, timezone.now()), choose_board(event, request.GET.dict())
    shown = find_latest_board(event, choice)
    context = {
        "event": event,
        "phase": phase,
        "choice": choice,
        "is_latest": True,
        "is_staff_member": True,
        "no_board": no_board(event, phase),
    }
    figures = figures_context(request, event, shown) if shown else {}
    return render(request, "leaderboard/latest.html", context | figures)


@require_GET
@login_not_required
@read_from_replica
def board_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """The chosen board as a file."""
    event = event_for(request.user, slug)
    shown = require_public_board(event, choose_board(event, request.GET.dict()))
    response = HttpResponse(to_csv(shown.table), content_type="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{event.slug}-leaderboard.csv"'
    return response


@require_GET
@login_not_required
@read_from_replica
def board_json(request: HttpRequest, slug: str) -> HttpResponse:
    """The chosen board with what it was computed from."""
    event = event_for(request.user, slug)
    shown = require_public_board(event, choose_board(event, request.GET.dict()))
    return JsonResponse(public_board(event, shown))


@require_GET
@login_not_required
def contributors(request: HttpRequest, slug: str) -> HttpResponse:
    """Who contributed, how much and how well; a visitor's own row on top."""
    event = event_for(request.user, slug)
    page = Paginator(standings_of(event), PAGE_SIZE).get_page(request.GET.get("page"))
    own = enrollment_of(request.user, event)
    context = {
        "event": event,
        "enrollment": own,
        "is_staff_member": has_role(request.user, event, Role.REVIEWER),
        "page": page,
        "places": build_places(event, list(page), page.start_index() - 1),
        "own": place_of(event, own),
        "is_over": event.is_over(),
        "has_controls": has_controls(event),
        "first_look": first_look(event),
        "winner": winner_of(event),
        "simulated": Standing.objects.filter(event=event).aggregate(n=Sum("simulated"))["n"],
    }
    return render(request, "leaderboard/contributors.html", context)


@require_GET
@login_not_required
def winner(request: HttpRequest, slug: str) -> HttpResponse:
    """The contributor whom the organizer confirmed as the winner; not there before that."""
    event = event_for(request.user, slug)
    confirmed = winner_of(event)
    if confirmed is None:
        raise NotFoundError
    context = {
        "event": event,
        "enrollment": enrollment_of(request.user, event),
        "is_staff_member": has_role(request.user, event, Role.REVIEWER),
        "winner": confirmed,
        "place": place_of(event, confirmed.enrollment),
        "certificate": build_certificate(event, confirmed),
    }
    return render(request, "leaderboard/winner.html", context)


@require_GET
@login_not_required
def method(request: HttpRequest, slug: str) -> HttpResponse:
    """What is computed, from which votes, and what is left out."""
    event = event_for(request.user, slug)
    context = {
        "event": event,
        "enrollment": enrollment_of(request.user, event),
        "is_staff_member": has_role(request.user, event, Role.REVIEWER),
    }
    return render(
        request, "leaderboard/method.html", context | method_context(event, timezone.now())
    )


@require_GET
@login_not_required
@read_from_replica
def exclusions(request: HttpRequest, slug: str) -> HttpResponse:
    """What was excluded, reinstated and appealed, by day, naming nobody."""
    event = event_for(request.user, slug)
    context = {
        "event": event,
        "enrollment": enrollment_of(request.user, event),
        "is_staff_member": has_role(request.user, event, Role.REVIEWER),
    }
    ledger = build_ledger(event, timezone.now(), request.GET.get("page"))
    return render(request, "leaderboard/exclusions.html", context | ledger)


@require_GET
@login_not_required
@read_from_replica
def exclusions_json(request: HttpRequest, slug: str) -> HttpResponse:
    """The same as a file, of all days."""
    event = event_for(request.user, slug)
    return JsonResponse(public_ledger(event, timezone.now()))


@require_POST
def read_notice(request: HttpRequest) -> HttpResponse:
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
