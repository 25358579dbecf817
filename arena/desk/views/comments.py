"""Contributors' comments, found by their words, their model and their record."""

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from arena.desk.access import get_desk_event
from arena.desk.page_context import render_desk
from arena.desk.queries.pairs import SideView, names_in_order, prefetch_texts, view_sides
from arena.desk.queries.records import JudgmentSummary, summarize_judgment
from arena.events.access import Role
from arena.events.models import Event, MatchupResponse, Record
from arena.judging.models import Answer, Judgment

PER_PAGE = 20
TEXT_KIND = "text"


@dataclass(frozen=True)
class Comment:
    """What somebody wrote, beside the pair it is about and what they said of it."""

    text: str
    question: str
    said: JudgmentSummary
    record: Record
    sides: list[SideView]
    revised: bool


@require_GET
def comments(request: HttpRequest, slug: str) -> HttpResponse:
    """What contributors wrote, the latest first."""
    event = get_desk_event(request, slug, Role.REVIEWER)
    asked = {name: request.GET.get(name, "").strip() for name in ("q", "model", "record")}
    page = Paginator(filter_comments(event, **asked), PER_PAGE).get_page(request.GET.get("page"))
    chosen = {name: value for name, value in asked.items() if value}
    context: dict[str, Any] = asked | {
        "page": page,
        "query": f"{urlencode(chosen)}&" if chosen else "",
        "comments": [view_comment(answer, event) for answer in page],
        "models": event.competitors.order_by("name").values_list("name", flat=True),
        "is_narrowed": bool(chosen),
    }
    return render_desk(request, "comments", event, context)


def filter_comments(event: Event, *, q: str, model: str, record: str) -> QuerySet[Answer]:
    """Answers in people's own words that stand, narrowed to words, a model and a record."""
    found = Answer.objects.filter(
        judgment__in=Judgment.objects.standing().filter(event=event), question__kind=TEXT_KIND
    ).exclude(value={"text": ""})
    if q:
        found = found.filter(value__text__icontains=q)
    if record:
        found = found.filter(judgment__matchup__record__external_id=record)
    if model:
        places = MatchupResponse.objects.filter(matchup=OuterRef("judgment__matchup"))
        found = found.filter(Exists(places.filter(response__competitor__name=model)))
    return (
        found.select_related(
            "question", "judgment__assignment", "judgment__enrollment", "judgment__matchup__record"
        )
        .prefetch_related(
            "judgment__answers",
            "judgment__exclusions",
            "judgment__enrollment__exclusions",
            prefetch_texts("judgment__matchup"),
        )
        .order_by("-judgment_id", "question__position")
    )


def view_comment(answer: Answer, event: Event) -> Comment:
    """One of these answers as the list shows it."""
    judgment = answer.judgment
    order = judgment.assignment.order if judgment.assignment else None
    sides = view_sides(judgment.matchup, order)
    return Comment(
        text=(answer.value or {}).get("text", ""),
        question=answer.question.title,
        said=summarize_judgment(judgment, event, names_in_order(sides, order)),
        record=judgment.matchup.record,
        sides=sides,
        revised=judgment.revision > 0,
    )
