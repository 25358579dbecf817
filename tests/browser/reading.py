"""A matchup of given texts, opened in the browser as a contributor reads it."""

from typing import Any

from playwright.sync_api import Page, expect

from arena.events.models import Event, Response
from arena.events.rendering import render_records
from arena.judging.models import Assignment
from tests.factories import make_assignment, make_enrollment, make_event, make_matchup, make_record


def make_reading(*texts: str, prompt: str = "Which?", event: Event | None = None) -> Assignment:
    """What a new contributor is served: the texts from left to right (a second one if missing)."""
    event = event or make_event()
    left, right = (*texts, "Nothing.")[:2]
    matchup = make_matchup(event, record=make_record(event, prompt))
    assignment = make_assignment(make_enrollment(event))
    assert assignment.matchup == matchup
    places = list(matchup.places.order_by("position"))
    for position, text in zip(assignment.order, (left, right), strict=True):
        Response.objects.filter(pk=places[position].response_id).update(text=text, rendered_with=0)
    render_records([matchup.record_id])  # as the worker does, however busy the machine is
    return assignment


def open_reading(page: Page, assignment: Assignment, sign_in: Any) -> None:
    """The judging page of this assignment, its formulas drawn."""
    sign_in(page, assignment.enrollment.user)
    page.goto(f"/judge/{assignment.uuid}/", wait_until="load", timeout=30_000)
    expect(page.locator("code.math")).to_have_count(0, timeout=20_000)
    page.evaluate("document.fonts.ready")
