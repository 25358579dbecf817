"""What an excluded contributor reads on "My judgments", and the form for an appeal there."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from arena.events.decision_record import Ruling, name_staff
from arena.events.models import Event, Matchup
from arena.judging.models import Appeal, Case, Exclusion
from arena.judging.recording import exclude_as_late
from arena.judging.review.appeals import answer_appeal
from arena.judging.review.cases import exclude_on_review, reinstate
from arena.judging.review.exclusions import exclude, exclude_judgments
from tests.factories import make_enrollment, make_membership, make_user
from tests.judging.cast import Cast, signed_in

pytestmark = pytest.mark.django_db
Reason = Exclusion.Reason
NOTE = "the-note-of-a-reviewer"
WHY = "I read <b>every</b> word & “more”."


class Own(Cast):
    """The cast, whoever decides, and some judgments."""

    def __init__(self, judgments: int = 4, controls: int = 0) -> None:
        super().__init__(matchups=8, controls=controls)
        self.rita, self.otto = (make_user(f"{name}-{self.event.slug}") for name in ("rita", "otto"))
        for one in (self.rita, self.otto):
            make_membership(self.event, one)
        for _ in range(judgments):
            self.judge("b2")
        self.judgments = list(self.enrollment.judgments.order_by("pk"))

    def exclude(self) -> Exclusion:
        ruling = Ruling(self.rita, timezone.now(), NOTE)
        return exclude_on_review(self.enrollment, Reason.UNRELIABLE, ruling)

    def read(self) -> str:
        """The page's words and tags, on one line."""
        page = self.client.get(reverse("judging:me", args=[self.event.slug]))
        assert page.status_code == 200
        return " ".join(page.content.decode().split())

    def states(self) -> list[str]:
        """What the receipts say, the latest first."""
        page = self.client.get(reverse("judging:me", args=[self.event.slug])).content.decode()
        rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)[1:]
        return [" ".join(re.findall(r"<td>(.*?)</td>", row, re.DOTALL)[-1].split()) for row in rows]

    def appeal(self, exclusion: Exclusion | None, text: str = WHY) -> HttpResponse:
        named = "" if exclusion is None else str(exclusion.decision.uuid)
        return self.send(named, text)

    def send(self, decision: str, text: str) -> HttpResponse:
        url = reverse("judging:appeal", args=[self.event.slug])
        return self.client.post(url, {"decision": decision, "text": text})


def test_a_receipt_says_counted_excluded_or_under_review() -> None:
    own = Own()
    assert own.states() == ["Counted"] * 4
    ruling = Ruling(own.rita, timezone.now(), NOTE)
    (chosen,) = exclude_judgments(own.judgments[:1], Reason.BROKEN, ruling)
    assert own.states() == ["Counted"] * 3 + ["Excluded: Shown text was broken"]
    own.appeal(chosen)
    assert own.states() == ["Counted"] * 3 + ["Under review"]
    answer_appeal(Appeal.objects.get(), Ruling(own.otto, timezone.now(), "It was."), granted=False)
    exclusion = own.exclude()
    assert own.states() == ["Excluded: Not reliable enough"] * 3 + [
        "Excluded: Shown text was broken"
    ]
    own.appeal(exclusion)
    assert own.states() == ["Under review"] * 3 + ["Excluded: Shown text was broken"]


def test_an_open_case_shows_nowhere() -> None:
    own = Own()
    before = own.read()
    Case.objects.create(
        event=own.event, enrollment=own.enrollment, reason="gap", opened_at=timezone.now()
    )
    tokens = r'value="\w{64}"'
    assert re.sub(tokens, "", own.read()) == re.sub(tokens, "", before)


def test_an_excluded_person_reads_the_reason_the_rule_and_how_to_appeal() -> None:
    own = Own()
    assert "Appeal" not in own.read()
    own.exclude()
    page = own.read()
    for words in (
        "<h3>Not reliable enough</h3>",
        Reason.UNRELIABLE.rule,
        "None of your judgments has counted since",
        ": 4 so far.",
        "until the result is published, and for fourteen days after",
        'maxlength="1000"',
    ):
        assert words in page
    # Nothing of the case, and nothing of who decided.
    staff = name_staff(own.event, own.rita)
    for kept in (NOTE, "rita", staff, "Excluded on review"):
        assert kept not in page


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_has_a_rule(reason: Exclusion.Reason) -> None:
    assert reason.rule.endswith(".")


def test_an_appeal_is_sent_and_its_answer_read() -> None:
    own = Own()
    exclusion = own.exclude()
    assert own.appeal(exclusion).headers["Location"].endswith("/me/")
    page = own.read()
    assert "Your appeal is sent." in page
    assert "<h3>Open</h3>" in page
    assert "I read &lt;b&gt;every&lt;/b&gt; word &amp; “more”." in page
    assert "<b>every" not in page
    assert "<textarea" not in page
    appeal, now = Appeal.objects.get(), timezone.now()
    answer_appeal(appeal, Ruling(own.otto, now, "Always <i>left</i>."), granted=False)
    page = own.read()
    for words in ("<h3>Declined</h3>", "Always &lt;i&gt;left&lt;/i&gt;.", "Appeal again"):
        assert words in page
    for kept in ("otto", "rita", name_staff(own.event, own.otto)):
        assert kept not in page
    own.appeal(exclusion, "Once more.")
    answer_appeal(Appeal.objects.last(), Ruling(own.otto, now, "You are right."), granted=True)
    page = own.read()
    assert "<h3>Granted</h3>" in page
    assert "You are right." in page
    assert "Your judgments do not count" not in page
    assert own.states() == ["Counted"] * 4


def test_a_text_that_is_none_or_too_long_comes_back_as_it_was_typed() -> None:
    own = Own()
    exclusion = own.exclude()
    for text, words in (
        ("x" * 1_001, "it has 1,001 now"),
        ("", "Say why you object"),
        ("<b>" + "y" * 1_000, "it has 1,003 now"),
    ):
        answer = own.appeal(exclusion, text)
        page = answer.content.decode()
        assert answer.status_code == 422
        assert words in page
        typed = text.replace("<", "&lt;").replace(">", "&gt;")
        assert f">{typed}</textarea>" in page
        assert '<details class="stack-s" open>' in " ".join(page.split())
    assert own.appeal(exclusion, "with\x00zero").status_code == 400  # as everywhere
    assert not Appeal.objects.exists()


def test_a_second_appeal_from_another_tab_is_refused_and_not_lost() -> None:
    own = Own()
    exclusion = own.exclude()
    own.appeal(exclusion)
    answer = own.appeal(exclusion, "From the other tab.")
    assert answer.status_code == 409
    assert "You have an open appeal." in answer.content.decode()
    assert "From the other tab." in answer.content.decode()
    assert Appeal.objects.count() == 1


def test_anothers_decision_and_nobodys_are_not_there() -> None:
    own = Own()
    own.exclude()
    other = make_enrollment(own.event)
    foreign = exclude(other, Reason.RIGGING, Ruling(own.rita, timezone.now(), NOTE)).decision
    assert foreign is not None
    for named in (str(foreign.uuid), "nonsense", "1"):
        assert own.send(named, WHY).status_code == 404
    outsider = signed_in(make_user())
    url = reverse("judging:appeal", args=[own.event.slug])
    assert outsider.post(url, {"decision": str(foreign.uuid), "text": WHY}).status_code == 404
    assert own.client.get(url).status_code == 405
    assert not Appeal.objects.exists()


def test_nothing_is_appealed_against_where_nothing_is_excluded() -> None:
    own = Own()
    assert own.appeal(None).status_code == 409
    exclusion = own.exclude()
    reinstate(exclusion, Ruling(own.rita, timezone.now(), "A mistake."))
    answer = own.appeal(exclusion)
    assert answer.status_code == 409
    assert "the judgments count" in answer.content.decode()


def test_after_the_fourteenth_day_there_is_no_form_and_no_way() -> None:
    own = Own()
    exclusion = own.exclude()
    published, days = timezone.now(), timedelta(days=1)
    for age, form in ((13 * days, True), (14 * days, False), (15 * days, False)):
        Event.objects.update(state="published", published_at=published - age)
        page = own.read()
        assert ("<textarea" in page) is form
        assert ("The time for appeals has passed." in page) is not form
    assert own.appeal(exclusion).status_code == 409
    assert not Appeal.objects.exists()


def test_a_granted_appeal_says_that_a_published_result_follows_by_a_correction() -> None:
    own, words = Own(), "with its next correction"
    own.appeal(own.exclude())
    now = timezone.now()
    Event.objects.update(state="published", published_at=now - timedelta(days=3))
    assert words not in own.read()
    answer_appeal(Appeal.objects.get(), Ruling(own.otto, now, "We looked."), granted=True)
    assert words in own.read()


def test_that_an_answer_came_late_is_told_once_the_event_is_over() -> None:
    own = Own()
    exclude_as_late(own.judgments[0], timezone.now())
    assert "Answered after its time" not in own.read()
    assert own.states() == ["Counted"] * 4
    Event.objects.update(state="closed")
    page = own.read()
    assert "<h3>Answered after its time</h3>" in page
    assert "1 of your judgments has not counted since" in page
    assert "<textarea" not in page
    assert own.states()[-1] == "Excluded: Answered after its time"


def test_a_control_has_the_same_page_and_the_same_statements() -> None:
    """One of two people has a control excluded and under review, the other an ordinary matchup."""
    pages = []
    for role in Matchup.Role.ORDINARY, Matchup.Role.CONTROL:
        own = Own(5, controls=6)
        chosen = next(one for one in own.judgments if one.matchup.role == role)
        ruling = Ruling(own.rita, timezone.now(), NOTE)
        (exclusion,) = exclude_judgments([chosen], Reason.UNRELIABLE, ruling)
        own.appeal(exclusion)
        with CaptureQueriesContext(connection) as queries:
            page = own.read()
        statements = len(queries)
        pages.append((statements, sorted(own.states()), page.count("Under review")))
    assert pages[0] == pages[1]
    assert pages[0][0] > 5
    assert pages[0][1] == ["Counted"] * 4 + ["Under review"]
