"""Somebody at the judging pages, and what those look like without their texts."""

import re

from django.test import Client
from django.urls import reverse

from arena.judging.models import Assignment
from tests.factories import (
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_matchup,
    make_matchups,
)

HTMX = {"HTTP_HX_REQUEST": "true"}


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


class Cast:
    """An event of some matchups and a contributor signed in to it."""

    def __init__(self, matchups: int = 6, controls: int = 0, anchors: int = 0, **settings) -> None:
        self.event = make_event(**settings)
        self.models = make_competitors(self.event, 2)
        make_matchups(self.event, self.models, matchups)
        for _ in range(controls):
            make_control(self.event)
        for _ in range(anchors):
            make_matchup(self.event, self.models, role="anchor")
        self.enrollment = make_enrollment(self.event)
        self.client = signed_in(self.enrollment.user)
        self.next_url = reverse("judging:next", args=[self.event.slug])

    def assignment(self) -> Assignment:
        shown = Assignment.objects.filter(enrollment=self.enrollment, state="shown").first()
        if shown is None:
            self.client.get(self.next_url)
        return Assignment.objects.get(enrollment=self.enrollment, state="shown")

    def has_reserve(self) -> bool:
        """Whether the next matchup is there already: no chunk is built by asking for it."""
        return self.enrollment.assignments.filter(state="reserved").exists()

    def judge(
        self,
        posted: str = "a1",
        assignment: Assignment | None = None,
        replaces: str = "",
        **headers,
    ):
        url = reverse("judging:judge", args=[(assignment or self.assignment()).uuid])
        form = {"preference": posted, "comment": "", "replaces": replaces}
        return self.client.post(url, form, **headers)


def skeleton(html: str, assignment: Assignment) -> str:
    """A page without its texts: the prompt, the responses, this assignment's address, the count."""
    record, places = assignment.matchup.record, assignment.matchup.places.all()
    texts = [turn["content"] for turn in record.prompt]
    texts += [place.response.text for place in places]
    for text in texts:
        assert text in html
        html = html.replace(text, "TEXT")
    html = html.replace(str(assignment.uuid), "UUID")
    html = re.sub(r"/judge/[0-9a-f-]{36}/undo/", "UNDO", html)
    html = re.sub(r'data-undo-until="[^"]*"', "", html)
    html = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", html)
    html = re.sub(r'"X-CSRFToken": "[^"]*"', "", html)
    return re.sub(r'data-judged="\d+"|<span class="num">\d+</span>', "N", html)
