"""A warning is read once, before the next matchup; whoever is blocked is told so kindly."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from arena.errors import ConflictError
from arena.events.decision_record import Ruling
from arena.events.models import Enrollment, Event
from arena.judging.models import Case, Judgment, ReviewWarning
from arena.judging.review.cases import block, undo, warn
from arena.judging.review.exclusions import exclude
from arena.people.models import User
from tests.factories import make_membership, make_user
from tests.judging.cast import HTMX, Cast, signed_in

pytestmark = pytest.mark.django_db
NOTE, TEXT = "the-note-of-a-reviewer", "Please <b>read</b> both."


class Reviewed(Cast):
    """The cast, with a case about its contributor, who has judged once."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings)
        self.rita: User = make_user("rita")
        make_membership(self.event, self.rita)
        self.judge("b2")
        self.case = Case.objects.create(
            event=self.event,
            enrollment=self.enrollment,
            reason=Case.Reason.SIDES,
            opened_at=timezone.now(),
        )
        self.warning_url = reverse("judging:warning", args=[self.event.slug])

    def ruling(self) -> Ruling:
        return Ruling(self.rita, timezone.now(), NOTE)

    def warn(self, text: str = TEXT) -> ReviewWarning:
        warn(self.case, self.ruling(), text)
        return ReviewWarning.objects.latest("pk")

    def own_page(self) -> str:
        return self.client.get(reverse("judging:me", args=[self.event.slug])).content.decode()


# --- warnings -----------------------------------------------------------------------------------
def test_a_warning_is_read_once_before_the_next_matchup() -> None:
    cast = Reviewed()
    warning = cast.warn()
    assert cast.client.get(cast.next_url).headers["Location"] == cast.warning_url
    page = cast.client.get(cast.warning_url).content.decode()
    for words in (
        "Your judgments so far count.",
        "read both responses to the end",
        "Be fair",
        "Please &lt;b&gt;read&lt;/b&gt; both.",
        "I have read this",
    ):
        assert words in page
    for kept in (NOTE, "rita", "sides, not by responses"):
        assert kept not in page
    answer = cast.client.post(cast.warning_url, {"warning": str(warning.uuid)})
    assert answer.headers["Location"] == cast.next_url
    assert cast.client.get(cast.next_url).headers["Location"].startswith("/judge/")
    warning.refresh_from_db()
    read_at = warning.read_at
    assert read_at is not None
    # It is over: the page leads on, and reading it again changes nothing.
    assert cast.client.get(cast.warning_url).headers["Location"] == cast.next_url
    cast.client.post(cast.warning_url, {"warning": str(warning.uuid)})
    warning.refresh_from_db()
    assert warning.read_at == read_at


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_answer_is_kept_and_the_warning_comes_next(headers: dict[str, str]) -> None:
    cast = Reviewed()
    shown = cast.assignment()
    cast.warn("")
    reply = cast.judge(assignment=shown, **headers)
    assert reply.headers["HX-Redirect" if headers else "Location"] == cast.warning_url
    assert Judgment.objects.counted().count() == 2
    assert "From the reviewer" not in cast.client.get(cast.warning_url).content.decode()


def test_what_is_on_the_screen_waits_behind_the_warning() -> None:
    cast = Reviewed()
    first, shown = Judgment.objects.get().assignment, cast.assignment()
    warning = cast.warn()
    for name, assignment in (("judge", shown), ("undo", first)):
        reply = cast.client.get(reverse(f"judging:{name}", args=[assignment.uuid]))
        assert reply.headers["Location"] == cast.warning_url
    cast.client.post(cast.warning_url, {"warning": str(warning.uuid)})
    assert cast.client.get(reverse("judging:judge", args=[shown.uuid])).status_code == 200


def test_in_the_grace_period_it_leads_on_and_once_all_is_over_nobody_reads_it() -> None:
    cast = Reviewed(grace_minutes=10)
    cast.assignment()
    warning = cast.warn()
    Event.objects.update(closes_at=timezone.now() - timedelta(minutes=1))
    assert cast.client.get(cast.next_url).headers["Location"] == cast.warning_url
    cast.client.post(cast.warning_url, {"warning": str(warning.uuid)})
    assert cast.client.get(cast.next_url, follow=True).status_code == 200
    Enrollment.objects.update(has_warning=True)
    Event.objects.update(state="closed")
    for url in (cast.next_url, cast.warning_url):
        page = cast.client.get(url, follow=True)
        assert b"Judging has closed" in page.content


def test_a_later_warning_is_not_read_with_an_earlier_page() -> None:
    cast = Reviewed()
    first = cast.warn()
    cast.client.post(cast.warning_url, {"warning": str(first.uuid)})
    undone = Case.objects.create(
        event=cast.event, enrollment=cast.enrollment, reason="gap", opened_at=timezone.now()
    )
    warn(undone, cast.ruling(), "Again.")
    cast.client.post(cast.warning_url, {"warning": str(first.uuid)})
    assert cast.client.get(cast.next_url).headers["Location"] == cast.warning_url
    # Withdrawn before it was read, it is shown no more.
    undo(undone, cast.ruling())
    assert cast.client.get(cast.next_url).headers["Location"].startswith("/judge/")


def test_whoever_is_excluded_is_not_told_that_their_judgments_count() -> None:
    cast = Reviewed()
    exclude(cast.enrollment, "unreliable", cast.ruling())
    cast.warn()
    assert b"so far count" not in cast.client.get(cast.warning_url).content


def test_nobody_else_reads_it() -> None:
    cast = Reviewed()
    warning = cast.warn()
    for user in (make_user(), cast.rita):
        client = signed_in(user)
        assert client.get(cast.warning_url).status_code == 404
        form = {"warning": str(warning.uuid)}
        assert client.post(cast.warning_url, form).status_code == 404
    assert Enrollment.objects.get(pk=cast.enrollment.pk).has_warning


# --- blocks -------------------------------------------------------------------------------------
def test_whoever_is_blocked_is_told_so_and_judges_no_more() -> None:
    cast = Reviewed()
    first, shown = Judgment.objects.get().assignment, cast.assignment()
    block(cast.case, cast.ruling())
    page = cast.client.get(cast.next_url).content.decode()
    for words in (
        "You can no longer judge in this event",
        "Thank you for your 1 judgment.",
        "What you have judged still counts.",
        cast.enrollment.pseudonym,
    ):
        assert words in page
    for kept in (NOTE, "rita", "ppeal"):
        assert kept not in page
    for name, assignment in (("judge", shown), ("undo", first)):
        page = cast.client.get(reverse(f"judging:{name}", args=[assignment.uuid])).content.decode()
        assert "You can no longer judge in this event" in page
    assert not cast.has_reserve()
    own = cast.own_page()
    assert "you can no longer judge in this event" in own
    assert "Continue judging" not in own
    for url in ("/", f"/events/{cast.event.slug}/"):
        assert "/judge/" not in cast.client.get(url).content.decode()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_answer_to_what_was_on_the_screen_is_kept(headers: dict[str, str]) -> None:
    cast = Reviewed()
    shown = cast.assignment()
    block(cast.case, cast.ruling())
    reply = cast.judge("a1", assignment=shown, **headers)
    if headers:
        assert reply.headers["HX-Redirect"] == cast.next_url
        reply = cast.client.get(cast.next_url)
    assert b"You can no longer judge in this event" in reply.content
    assert b"Thank you for your 2 judgments." in reply.content
    assert Judgment.objects.counted().count() == 2


def test_a_closed_event_is_closed_for_them_too_and_unblocked_they_go_on() -> None:
    cast = Reviewed()
    block(cast.case, cast.ruling())
    with pytest.raises(ConflictError):
        block(cast.case, cast.ruling())
    undo(cast.case, cast.ruling())
    assert cast.client.get(cast.next_url).headers["Location"].startswith("/judge/")
    block(cast.case, cast.ruling())
    Event.objects.update(state="closed")
    assert b"Judging has closed" in cast.client.get(cast.next_url).content
    assert "you can no longer judge" not in cast.own_page()


def test_judging_asks_nothing_more_for_it() -> None:
    """Both are in the row that is loaded anyhow."""
    cast = Cast(matchups=4)
    cast.judge()
    shown = cast.assignment()
    with CaptureQueriesContext(connection) as queries:
        cast.judge(assignment=shown)
    asked = " ".join(query["sql"] for query in queries)
    assert "events_enrollment" in asked
    for table in ("judging_reviewwarning", "judging_appeal", "judging_case"):
        assert table not in asked
